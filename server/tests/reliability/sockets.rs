//! Connections that are opened to starve others of theirs.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use reqwest::StatusCode;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    sync::Mutex,
    task::JoinSet,
    time::timeout,
};

use crate::installation::Installation;

/// Hostile connections; fewer where this process may not open as many files.
const HOSTILE: usize = 10_000;
/// Open files of this process for everything else, other tests included.
const OTHER_FILES: usize = 1_000;
/// Memory that the program may take for them.
const MEMORY: u64 = 100 << 20;
/// Time in which others are answered although both cores are busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client of one of three kinds.
async fn hostile(number: usize, source: IpAddr, server: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((source, 0).into()).unwrap();
    let mut stream = socket.connect(server).await.ok()?;
    let sent = match number % 3 {
        0 => String::new(),
        1 => format!("GET / HTTP/1.1\r\nHost: {server}\r\nX: {}", "x".repeat(400_000)),
        // It never reads the answers.
        _ => format!("GET /v1/openapi.json HTTP/1.1\r\nHost: {server}\r\n\r\n").repeat(50),
    };
    // The server may hang up meanwhile, and takes no more once it answers nothing.
    let _ = timeout(Duration::from_secs(1), stream.write_all(sent.as_bytes())).await;
    Some(stream)
}

/// Each takes most files that this process may open.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

async fn starve(source: impl Fn(usize) -> IpAddr) {
    let _turn = ONE_AT_A_TIME.lock().await;
    let limit = server::open_files::raise_limit()
        .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
    let count = HOSTILE.min(limit.saturating_sub(OTHER_FILES));
    let installation = Installation::mailing_to(1);
    let program = installation.start();
    let address: SocketAddr = program.address().parse().unwrap();
    // Each of its requests is another person's, on a connection of its own.
    let others = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(PATIENCE);
    let others = others.local_address(IpAddr::from([127, 99, 9, 9])).build().unwrap();
    let answered = async || {
        let answer = others.get(format!("http://{address}/health/live")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    };
    answered().await;
    let before = program.memory();

    let mut clients = JoinSet::new();
    let mut open = Vec::new();
    for number in 0..count {
        clients.spawn(hostile(number, source(number), address));
        if clients.len() == 500 {
            open.push(clients.join_next().await.unwrap().unwrap());
        }
        if number % 100 == 0 {
            answered().await;
        }
    }
    while let Some(client) = clients.join_next().await {
        open.push(client.unwrap());
        if open.len() % 100 == 0 {
            answered().await;
        }
    }

    answered().await;
    let grown = program.memory().saturating_sub(before);
    assert!(grown < MEMORY, "{count} connections took {} MiB", grown >> 20);
    program.browser().becomes_ready().await;
    program.terminate();
    drop(open);
    assert!(program.exit().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn s36_hostile_connections_from_one_address_starve_nobody() {
    starve(|_| IpAddr::from([127, 0, 0, 5])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s36_hostile_connections_from_many_addresses_starve_nobody() {
    let byte = |number: usize| u8::try_from(number % 250).unwrap() + 1;
    starve(|number| IpAddr::from([127, 1, byte(number / 250), byte(number)])).await;
}
