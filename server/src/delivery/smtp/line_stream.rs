//! A connection on which no read goes past the end of a line, and which looks before the final dot whether the
//! server is still there.
//!
//! lettre keeps one read buffer over STARTTLS. What an attacker adds in clear to the reply to STARTTLS
//! would stay in it, and be read after the handshake as the words of the authenticated server (S38).
//! With reads that end at a line, that buffer is empty when a reply is complete, so everything behind
//! it goes to TLS, which takes a handshake and nothing else.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncWrite, BufReader, ReadBuf},
    net::{TcpStream, ToSocketAddrs},
    time::{Sleep, sleep},
};

/// A TCP connection that is read line by line.
#[derive(Debug)]
pub(super) struct LineStream {
    stream: BufReader<TcpStream>,
    look: LookOut,
}

/// A look at the connection before the next write: for a moment, in which a server that went away shows it. A
/// server has nothing to say before the final dot, so one that closes or speaks has not taken the message.
///
/// Without it the dot would be written into the system's buffer, and the message counted as one that may have
/// arrived, though the server never had the whole of it.
#[derive(Clone, Debug, Default)]
pub(super) struct LookOut(Arc<Mutex<Option<Pin<Box<Sleep>>>>>);

impl LookOut {
    /// Looks for this long before the next write.
    pub(super) fn before_next_write(&self, moment: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::pin(sleep(moment)));
    }

    fn poll(&self, cx: &mut Context<'_>, stream: &BufReader<TcpStream>) -> Poll<io::Result<()>> {
        let mut look = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(moment) = look.as_mut() else { return Poll::Ready(Ok(())) };
        // Buffered bytes are from before, so they do not show whether the server is still there.
        if stream.buffer().is_empty() {
            let mut byte = [0; 1];
            let peeked = stream.get_ref().poll_peek(cx, &mut ReadBuf::new(&mut byte));
            if peeked.is_ready() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            ready!(moment.as_mut().poll(cx));
        }
        *look = None;
        Poll::Ready(Ok(()))
    }
}

impl LineStream {
    pub(super) async fn connect(server: impl ToSocketAddrs, look: LookOut) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(TcpStream::connect(server).await?), look })
    }
}

impl AsyncRead for LineStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let received = ready!(Pin::new(&mut self.stream).poll_fill_buf(cx))?;
        let line = received.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let length = line.len().min(buffer.remaining());
        buffer.put_slice(&line[..length]);
        Pin::new(&mut self.stream).consume(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.look.poll(cx, &self.stream))?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for LineStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().peer_addr()
    }
}
