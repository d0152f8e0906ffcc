//! Connections: accepted, bounded in time, and brought to a good end.
//!
//! `axum::serve` gives no hold on how long a client may take over its headers (S19) nor on how long
//! the way out may take (S27), so the loop around hyper's connections is our own.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use futures_util::FutureExt;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

/// How long a connection may take over what.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For the header lines of a request, and for a connection to stay open without one.
    pub header: Duration,
    /// For work in flight to end once the server was told to stop.
    pub shutdown: Duration,
}

/// How serving came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything in flight was answered.
    Cleanly,
    /// Some connections took longer than they were given.
    CutOff {
        /// How many.
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
    /// Listens; port 0 lets the system choose one.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let addresses: Vec<_> = address.to_socket_addrs()?.collect();
        let listener = TcpListener::bind(&addresses[..]).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `shutdown` is done, then lets work in flight end.
    pub async fn run(
        self,
        router: Router,
        timeouts: Timeouts,
        shutdown: impl Future<Output = ()>,
    ) -> Ended {
        let graceful = GracefulShutdown::new();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(timeouts.header);
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                connection = accept(&self.listener) => {
                    let (stream, peer) = connection;
                    serve(&http, &graceful, &router, stream, peer);
                }
            }
        }
        // Who was let into the queue before the door closed is served too.
        while let Some(Ok((stream, peer))) = self.listener.accept().now_or_never() {
            serve(&http, &graceful, &router, stream, peer);
        }
        drop(self.listener);
        let connections = graceful.count();
        tracing::info!(connections, "stopping; waiting for work in flight");
        let mut ending = std::pin::pin!(graceful.shutdown());
        match tokio::time::timeout(timeouts.shutdown, &mut ending).await {
            Ok(()) => Ended::Cleanly,
            Err(_) => Ended::CutOff { connections },
        }
    }
}

/// The next connection. Failing to accept one is no reason to stop: it went away again, or there
/// are too many open files, which passes when some are closed.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(connection) => return connection,
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

fn serve(
    http: &http1::Builder,
    graceful: &GracefulShutdown,
    router: &Router,
    stream: TcpStream,
    peer: SocketAddr,
) {
    // Answers are small and written at once; waiting to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "setting TCP_NODELAY");
    }
    let router = router.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        // Clients that hang up or stall are everyday life.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "serving a connection");
        }
    });
}
