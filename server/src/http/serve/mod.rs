//! HTTP server: accepts connections, bounds their number, time and memory, and shuts down gracefully.
//!
//! `axum::serve` bounds neither connections and what they cost (S36), nor the time for a request's headers
//! (S19), nor that of a shutdown (S27), so hyper's connections are served here.

#[cfg(test)]
mod tests;

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use futures_util::FutureExt;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
};
use tower::ServiceExt;

use super::{
    bare_answers::BareAnswers,
    connections::{ConnectionLimits, Connections, Turn},
    security_headers,
    tally::Tally,
    write_deadline::WriteDeadline,
};

/// Longest header lines of a request in bytes, request line included.
const HEADER_LIMIT: usize = 16 * 1024;

/// Bytes of answers that the system keeps for a client that does not read them; it adds as much again for
/// its own needs. Most answers fit.
const SEND_BUFFER: u32 = 64 * 1024;

/// Connections that may be closing beside those that are open.
const CLOSING: usize = 64;

/// Connections that the system completes before they are accepted.
const BACKLOG: u32 = 1024;

/// Bounds of connections.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Limits on their time.
    pub timeouts: Timeouts,
    /// Limits on their number.
    pub connections: ConnectionLimits,
}

/// Time limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For the header lines of a request, and for a connection to stay open without one.
    pub header: Duration,
    /// For a client to take an answer.
    pub write: Duration,
    /// For work in flight to end once the server was told to stop.
    pub shutdown: Duration,
}

/// Result of a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every request in flight was answered.
    Cleanly,
    /// Some connections took longer than the time limit.
    CutOff {
        /// Connections that were open when the shutdown began.
        connections: usize,
    },
}

/// A listening socket.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Binds a socket; port 0 lets the system choose one.
    ///
    /// # Errors
    ///
    /// The address cannot be resolved or is in use.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in address.to_socket_addrs()? {
            match listen(address) {
                Ok(listener) => {
                    let address = listener.local_addr()?;
                    return Ok(Self { listener, address });
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `shutdown` completes, then waits for those in flight. `is_https` says whether
    /// browsers reach the server by https.
    pub async fn run(
        self,
        router: Router,
        bounds: Bounds,
        is_https: bool,
        shutdown: impl Future<Output = ()>,
    ) -> Ended {
        let Bounds { timeouts, connections } = bounds;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(timeouts.header)
            .max_buf_size(HEADER_LIMIT);
        // One that was closed for another still takes room until its task has run.
        let rooms = connections.total.saturating_add(CLOSING).min(Semaphore::MAX_PERMITS);
        let rooms = Arc::new(Semaphore::new(rooms));
        let host = Host {
            http,
            graceful: GracefulShutdown::new(),
            router,
            write_timeout: timeouts.write,
            bare_lines: security_headers::lines(is_https).into(),
            connections: Arc::new(Mutex::new(Connections::new(connections))),
            closed: Tally::default(),
        };
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                (stream, peer, room) = accept(&self.listener, &rooms) => {
                    host.serve(stream, peer, room);
                }
            }
        }
        // Connections that the system had accepted before are served too, as far as they are taken at once
        // and have been read when the shutdown begins; the others are reset with nothing accepted.
        while let Ok(room) = rooms.clone().try_acquire_owned()
            && let Some(Ok((stream, peer))) = self.listener.accept().now_or_never()
        {
            host.serve(stream, peer, Some(room));
        }
        drop(self.listener);
        let connections = host.graceful.count();
        tracing::info!(connections, "stopping; waiting for work in flight");
        let mut ending = std::pin::pin!(host.graceful.shutdown());
        match tokio::time::timeout(timeouts.shutdown, &mut ending).await {
            Ok(()) => Ended::Cleanly,
            Err(_) => Ended::CutOff { connections },
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart takes the port over although connections of the process before are still closing.
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The next connection, once there is room for it. Failures are retried: the peer has gone away, or there
/// are too many open files, which passes when some are closed.
async fn accept(
    listener: &TcpListener,
    rooms: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let room = rooms.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, room),
            Err(error) if is_the_peers_fault(&error) => {}
            Err(error) => {
                tracing::error!(%error, "accepting a connection");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

fn is_the_peers_fault(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// Everything that connections are served with.
struct Host {
    http: http1::Builder,
    graceful: GracefulShutdown,
    router: Router,
    write_timeout: Duration,
    /// Security headers for the answers that hyper gives by itself.
    bare_lines: Arc<str>,
    connections: Arc<Mutex<Open>>,
    /// Connections that were closed for others.
    closed: Tally,
}

/// The open connections; a notification closes one.
type Open = Connections<Arc<Notify>>;

impl Host {
    fn serve(&self, stream: TcpStream, peer: SocketAddr, room: Option<OwnedSemaphorePermit>) {
        // Answers are small and written at once; filling packets would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "setting TCP_NODELAY");
        }
        let close = Arc::new(Notify::new());
        let entry = self.enter(peer, close.clone());
        let router = self.router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            entry.heard();
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request.map(Body::new))
        });
        let stream = WriteDeadline::new(TokioIo::new(stream), self.write_timeout);
        let stream = BareAnswers::new(stream, self.bare_lines.clone());
        let connection = self.graceful.watch(self.http.serve_connection(stream, service));
        tokio::spawn(async move {
            tokio::select! {
                // Clients hang up and stall every day.
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "serving a connection");
                },
                () = close.notified() => {}
            }
            // Only now is the socket closed.
            drop(room);
        });
    }

    /// Adds a connection to the open ones, and closes another one for it where there are too many.
    fn enter(&self, peer: SocketAddr, close: Arc<Notify>) -> Entry {
        let (turn, silent) = lock(&self.connections).open(peer.ip(), close);
        if let Some(silent) = silent {
            silent.notify_one();
            if let Some(connections) = self.closed.count() {
                tracing::warn!(
                    connections,
                    "closed the connections that were silent longest, since too many are open"
                );
            }
        }
        Entry { connections: self.connections.clone(), turn: Mutex::new(turn) }
    }
}

/// An open connection, as long as it is served.
struct Entry {
    connections: Arc<Mutex<Open>>,
    turn: Mutex<Turn>,
}

impl Entry {
    fn heard(&self) {
        let mut turn = lock(&self.turn);
        *turn = lock(&self.connections).heard(*turn);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let turn = *lock(&self.turn);
        lock(&self.connections).close(turn);
    }
}

/// Nothing panics under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
