//! HTTP server: accepts connections, bounds their time and shuts down gracefully.
//!
//! `axum::serve` bounds neither the time for a request's headers (S19) nor that of a shutdown (S27), so
//! hyper's connections are served here.

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

/// Time limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For the header lines of a request, and for a connection to stay open without one.
    pub header: Duration,
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
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let addresses: Vec<_> = address.to_socket_addrs()?.collect();
        let listener = TcpListener::bind(&addresses[..]).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `shutdown` completes, then waits for those in flight.
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
        // Connections that the system had accepted before are served too.
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

/// The next connection. Failures are retried: the peer has gone away, or there are too many open
/// files, which passes when some are closed.
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
    // Answers are small and written at once; filling packets would only delay them.
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
        // Clients hang up and stall every day.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "serving a connection");
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::{Notify, oneshot},
    };

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    async fn connect(address: SocketAddr, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn rest(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn s19_a_client_that_never_ends_its_headers_is_hung_up_on() {
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let address = server.address();
        let timeouts = Timeouts { header: Duration::from_millis(50), shutdown: LONG };
        tokio::spawn(server.run(Router::new(), timeouts, std::future::pending()));

        let slow = connect(address, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;

        assert!(!rest(slow).await.contains("200 OK"));
    }

    /// A server whose only answer waits until it is let go.
    async fn waiting(shutdown: Duration) -> (Waiting, tokio::task::JoinHandle<Ended>) {
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let address = server.address();
        let (arrived, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (entered, released) = (arrived.clone(), release.clone());
        let answer = move || async move {
            entered.notify_one();
            released.notified().await;
            "done"
        };
        let router = Router::new().route("/", get(answer));
        let (stop, stopped) = oneshot::channel::<()>();
        let timeouts = Timeouts { header: LONG, shutdown };
        let running = tokio::spawn(server.run(router, timeouts, async {
            let _ = stopped.await;
        }));
        (Waiting { address, arrived, release, stop }, running)
    }

    struct Waiting {
        address: SocketAddr,
        arrived: Arc<Notify>,
        release: Arc<Notify>,
        stop: oneshot::Sender<()>,
    }

    #[tokio::test]
    async fn s27_work_in_flight_ends_and_nothing_new_is_let_in() {
        let (server, running) = waiting(LONG).await;
        let in_flight = connect(server.address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        server.arrived.notified().await;

        server.stop.send(()).unwrap();
        // The door is closed once connecting fails; polled, since it closes in its own time.
        while TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        server.release.notify_one();

        let answer = rest(in_flight).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
        assert_eq!(running.await.unwrap(), Ended::Cleanly);
    }

    #[tokio::test]
    async fn s27_what_takes_too_long_is_cut_off() {
        let (server, running) = waiting(Duration::from_millis(50)).await;
        let _in_flight = connect(server.address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        server.arrived.notified().await;

        server.stop.send(()).unwrap();

        assert_eq!(running.await.unwrap(), Ended::CutOff { connections: 1 });
    }
}
