//! Deadline for a client to take an answer.
//!
//! hyper bounds the time of a request's headers and waits for ever for a client that asks and never reads.
//! A write that the socket does not take whole begins the deadline, and only one that it takes whole ends
//! it, so a client that reads byte by byte is not waited for either (S36).

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::time::{Sleep, sleep};

/// A stream whose writes fail once the client takes too long for one of them.
pub(super) struct WriteDeadline<S> {
    inner: S,
    allowed: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteDeadline<S> {
    pub(super) fn new(inner: S, allowed: Duration) -> Self {
        Self { inner, allowed, deadline: None }
    }

    /// The result of a write of `length` bytes, or the failure of the client to take them in time.
    fn bound(
        &mut self,
        context: &mut Context<'_>,
        length: usize,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(count)) if count >= length) {
            self.deadline = None;
            return written;
        }
        let allowed = self.allowed;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(allowed)));
        // hyper writes the rest of a part that was taken at once, and comes back here.
        if written.is_pending() {
            ready!(deadline.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl<S: Read + Unpin> Read for WriteDeadline<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: Write + Unpin> Write for WriteDeadline<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, buffer);
        self.bound(context, buffer.len(), written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = buffers.iter().map(|buffer| buffer.len()).sum();
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, buffers);
        self.bound(context, length, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, DuplexStream, duplex};

    use super::*;

    const ALLOWED: Duration = Duration::from_secs(60);

    /// Writes an answer as hyper does.
    async fn write(
        stream: &mut WriteDeadline<TokioIo<DuplexStream>>,
        mut answer: &[u8],
    ) -> io::Result<()> {
        while !answer.is_empty() {
            let written = poll_fn(|context| Pin::new(&mut *stream).poll_write(context, answer));
            answer = &answer[written.await?..];
        }
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn s36_a_client_that_reads_drop_by_drop_is_not_waited_for() {
        let (mut client, server) = duplex(1024);
        let mut stream = WriteDeadline::new(TokioIo::new(server), ALLOWED);
        tokio::spawn(async move {
            while client.read_u8().await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });

        let written = write(&mut stream, &[0; 4096]).await;

        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn each_answer_has_a_deadline_of_its_own() {
        let (mut client, server) = duplex(1024);
        let mut stream = WriteDeadline::new(TokioIo::new(server), ALLOWED);
        tokio::spawn(async move {
            // Four of these make an answer.
            let mut part = [0; 1024];
            while client.read_exact(&mut part).await.is_ok() {
                sleep(ALLOWED / 6).await;
            }
        });

        for _ in 0..10 {
            write(&mut stream, &[0; 4096]).await.unwrap();
        }
    }
}
