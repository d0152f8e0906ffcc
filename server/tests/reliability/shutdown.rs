//! S27: SIGTERM ends the program without losing what it was doing.

use std::net::TcpListener;

use app::wire::{Outcome, State};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use crate::{
    SOON,
    browser::Browser,
    installation::{Installation, Program},
    postbox::Postbox,
};

#[tokio::test(flavor = "multi_thread")]
async fn s27_a_request_in_flight_is_answered_and_nobody_else_is_let_in() {
    let postbox = Postbox::open().await;
    let installation = Installation::mailing(&postbox);
    let program = installation.start();
    let browser = program.browser();
    browser.becomes_ready().await;
    let mut request = HalfARequest::begin(&program).await;

    program.terminate();
    turned_away(&browser).await;
    let answer = request.finish().await;
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    assert_eq!(program.exit().code(), Some(0));

    let program = installation.start();
    let (_, id) = answer.split_once("location: /v/").unwrap();
    let id = id.lines().next().unwrap();
    let code = &postbox.codes("jo@example.com", 1).await[0];
    assert_eq!(program.browser().check(id, code).await.unwrap(), Outcome::Approved);
}

/// Whatever it does when the signal comes, what it has answered holds, and it ends by itself.
#[tokio::test(flavor = "multi_thread")]
async fn s27_nothing_that_was_accepted_is_lost_when_it_ends_under_load() {
    let postbox = Postbox::open().await;
    let installation = Installation::mailing(&postbox);
    let program = installation.start();
    let mut people = JoinSet::new();
    for person in 0..8 {
        let browser = program.browser();
        people.spawn(async move {
            let mut accepted = Vec::new();
            loop {
                let address = format!("{person}.{}@example.com", accepted.len());
                let Ok(id) = browser.start(&address).await else { return accepted };
                accepted.push((address, id));
            }
        });
    }
    // Until everything is in full swing.
    postbox.codes("0.3@example.com", 1).await;
    program.terminate();
    assert_eq!(program.exit().code(), Some(0));

    let program = installation.start();
    for (address, id) in people.join_all().await.into_iter().flatten() {
        let view = program.browser().view(&id).await.unwrap().expect("it was accepted");
        assert_eq!(view.state, State::Pending);
        let code = &postbox.codes(&address, 1).await[0];
        assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s27_a_mail_server_that_hangs_does_not_keep_it_and_the_message_goes_out_later() {
    // Connections are taken by the kernel and read by nobody.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let installation =
        Installation::mailing_to(port).with("LATCHKEY_SERVER__SHUTDOWN_TIMEOUT", "1");
    let program = installation.start();
    let id = program.browser().start("jo@example.com").await.unwrap();
    let (connection, _) = tokio::task::block_in_place(|| silent.accept().unwrap());

    program.terminate();
    assert_eq!(program.exit().code(), Some(0));
    drop((connection, silent));

    let postbox = Postbox::at(port).await;
    let program = installation.start();
    let code = &postbox.codes("jo@example.com", 1).await[0];
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
}

/// A request whose body is still on its way: the server has read the head and waits.
struct HalfARequest(TcpStream);

impl HalfARequest {
    const BODY: &str = "channel=email&email=jo%40example.com";

    async fn begin(program: &Program) -> Self {
        let mut stream = TcpStream::connect(program.address()).await.unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
             Expect: 100-continue\r\n\r\n",
            Self::BODY.len(),
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut go_on).await.unwrap();
        assert!(go_on.starts_with(b"HTTP/1.1 100 "));
        Self(stream)
    }

    async fn finish(&mut self) -> String {
        self.0.write_all(Self::BODY.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(SOON, self.0.read_to_string(&mut answer)).await.expect("an answer").unwrap();
        answer
    }
}

/// Asks whether requests should be sent, until told no; from then on it is never yes again.
async fn turned_away(browser: &Browser) {
    let asking = async { while browser.is_ready().await.unwrap_or(false) {} };
    timeout(SOON, asking).await.expect("it says no");
    for _ in 0..20 {
        assert!(!browser.is_ready().await.unwrap_or(false));
    }
}
