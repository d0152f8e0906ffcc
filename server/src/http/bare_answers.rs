//! Security headers on the answers that hyper gives by itself (S13).
//!
//! Requests that hyper cannot parse never reach the router: it answers them with a bare status, 400 or
//! 431, and closes the connection. These answers are found on their way to the socket, as heads without
//! the policy that every other answer carries, and get the headers there.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use hyper::rt::{Read, ReadBufCursor, Write};

/// End of the head of an answer.
const END: &[u8] = b"\r\n\r\n";

/// Header that every answer of the router has, as hyper writes it.
const POLICY: &[u8] = b"\r\ncontent-security-policy:";

/// A stream that adds headers to bare answers.
pub(super) struct BareAnswers<S> {
    inner: S,
    /// The lines to add, each with its line break.
    lines: Arc<str>,
    /// The rest of the bare answer, which is the last one of its connection.
    rest: Vec<u8>,
}

impl<S> BareAnswers<S> {
    pub(super) fn new(inner: S, lines: Arc<str>) -> Self {
        Self { inner, lines, rest: Vec::new() }
    }

    /// Takes the bytes over if a bare answer ends them.
    fn complete(&mut self, bytes: &[u8]) -> bool {
        let is_bare = is_bare(bytes);
        if is_bare {
            let (head, end) = bytes.split_at(bytes.len() - 2);
            self.rest = [head, self.lines.as_bytes(), end].concat();
        }
        is_bare
    }
}

/// Whether a refusal without headers of ours ends these bytes. Bodies are never among them: hyper hands
/// over those of the router beside the heads, and its own refusals have none.
fn is_bare(bytes: &[u8]) -> bool {
    let Some(heads) = bytes.strip_suffix(END) else { return false };
    let before = heads.windows(END.len()).rposition(|window| window == END);
    let head = before.map_or(heads, |at| &heads[at + END.len()..]);
    let is_refusal = head.starts_with(b"HTTP/1.1 4") || head.starts_with(b"HTTP/1.0 4");
    is_refusal && !head.windows(POLICY.len()).any(|window| window == POLICY)
}

impl<S: Write + Unpin> BareAnswers<S> {
    fn write_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(context, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Read + Unpin> Read for BareAnswers<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: Write + Unpin> Write for BareAnswers<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.write_rest(context))?;
        if self.complete(buffer) {
            return Poll::Ready(Ok(buffer.len()));
        }
        Pin::new(&mut self.inner).poll_write(context, buffer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.write_rest(context))?;
        if let [heads] = buffers
            && self.complete(heads)
        {
            return Poll::Ready(Ok(heads.len()));
        }
        Pin::new(&mut self.inner).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_rest(context))?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_rest(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_without_our_headers_is_bare() {
        let bare = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let ours = "HTTP/1.1 404 Not Found\r\ncontent-security-policy: x\r\n\r\n";
        let moved = "HTTP/1.1 303 See Other\r\ncontent-security-policy: x\r\n\r\n";

        assert!(is_bare(bare.as_bytes()));
        assert!(is_bare([moved, bare].concat().as_bytes()));
        assert!(is_bare([ours, bare].concat().as_bytes()));
        for other in [ours, moved, "", "\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", &bare[2..]] {
            assert!(!is_bare(other.as_bytes()), "{other}");
        }
    }
}
