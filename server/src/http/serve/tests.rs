//! Connections to a real socket.

use std::sync::Arc;

use axum::routing::get;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Notify, oneshot},
};

use super::*;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// Bounds that no test reaches.
fn bounds() -> Bounds {
    let timeouts = Timeouts { header: LONG, write: LONG, shutdown: LONG };
    let connections =
        ConnectionLimits { total: 100, per_address: 100, trusted_proxies: Vec::new() };
    Bounds { timeouts, connections }
}

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
    let server = Server::bind("127.0.0.1:0").unwrap();
    let address = server.address();
    let mut bounds = bounds();
    bounds.timeouts.header = SHORT;
    tokio::spawn(server.run(Router::new(), bounds, true, std::future::pending()));

    let slow = connect(address, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;

    assert_eq!(rest(slow).await, "");
}

/// A server whose only answer waits until it is let go.
fn waiting(bounds: Bounds) -> (Waiting, tokio::task::JoinHandle<Ended>) {
    let server = Server::bind("127.0.0.1:0").unwrap();
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
    let running = tokio::spawn(server.run(router, bounds, true, async {
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
    let (server, running) = waiting(bounds());
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
    let mut bounds = bounds();
    bounds.timeouts.shutdown = SHORT;
    let (server, running) = waiting(bounds);
    let _in_flight = connect(server.address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    server.arrived.notified().await;

    server.stop.send(()).unwrap();

    assert_eq!(running.await.unwrap(), Ended::CutOff { connections: 1 });
}

#[tokio::test]
async fn s36_over_a_limit_the_connection_that_was_silent_longest_is_closed_for_the_new_one() {
    let mut bounds = bounds();
    bounds.connections.per_address = 2;
    let (server, _running) = waiting(bounds);
    let asked = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let idle = connect(server.address, "GET / HT").await;
    let in_flight = connect(server.address, asked).await;
    server.arrived.notified().await;

    let new = connect(server.address, asked).await;
    server.arrived.notified().await;

    assert_eq!(rest(idle).await, "");
    server.release.notify_waiters();
    for answered in [in_flight, new] {
        assert!(rest(answered).await.ends_with("done"));
    }
}

#[tokio::test]
async fn s36_a_client_that_never_reads_its_answer_is_hung_up_on() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let address = server.address();
    let mut bounds = bounds();
    bounds.timeouts.write = SHORT;
    let asked = Arc::new(Notify::new());
    let entered = asked.clone();
    // More than the systems on both ends keep for the client.
    let answer = move || async move {
        entered.notify_one();
        vec![b'a'; 64 << 20]
    };
    let router = Router::new().route("/", get(answer));
    let stop = Arc::new(Notify::new());
    let stopped = stop.clone();
    let running =
        tokio::spawn(async move { server.run(router, bounds, true, stopped.notified()).await });
    let _never_reads = connect(address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    asked.notified().await;

    stop.notify_one();

    assert_eq!(running.await.unwrap(), Ended::Cleanly);
}

#[tokio::test]
async fn s13_what_hyper_refuses_by_itself_carries_the_security_headers() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let address = server.address();
    tokio::spawn(server.run(Router::new(), bounds(), true, std::future::pending()));
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(HEADER_LIMIT));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: x\r\n".repeat(101));

    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "400"),
        ("\x16\x03\x01", "400"),
        (&*long, "431"),
        (&*many, "431"),
    ] {
        let answer = rest(connect(address, request).await).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        for line in security_headers::lines(true).lines() {
            assert!(answer.contains(&format!("\r\n{line}\r\n")), "{line}: {answer}");
        }
    }
}
