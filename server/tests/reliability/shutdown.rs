//! S27: graceful shutdown by SIGTERM.

use app::wire::{Outcome, State};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

use crate::{
    SOON,
    browser::Browser,
    installation::{Installation, Program},
    mail_server::MailServer,
    mail_sink::MailSink,
};

#[tokio::test(flavor = "multi_thread")]
async fn s27_a_request_in_flight_is_answered_and_new_ones_are_refused() {
    let mail = MailSink::open().await;
    let installation = Installation::mailing(&mail);
    let program = installation.start();
    let browser = program.browser();
    browser.becomes_ready().await;
    let mut request = PartialRequest::begin(&program).await;

    program.terminate();
    becomes_not_ready(&browser).await;
    let answer = request.finish().await;
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    assert_eq!(program.exit().code(), Some(0));

    let program = installation.start();
    let (_, id) = answer.split_once("location: /v/").unwrap();
    let id = id.lines().next().unwrap();
    let code = &mail.codes("jo@example.com", 1).await[0];
    assert_eq!(program.browser().check(id, code).await.unwrap(), Outcome::Approved);
}

/// Every acknowledged request is in the database, and the program ends by itself.
#[tokio::test(flavor = "multi_thread")]
async fn s27_nothing_that_was_accepted_is_lost_when_it_ends_under_load() {
    let mail = MailSink::open().await;
    let installation = Installation::mailing(&mail);
    let program = installation.start();
    let mut clients = JoinSet::new();
    for client in 0..8 {
        let browser = program.browser();
        clients.spawn(async move {
            let mut accepted = Vec::new();
            loop {
                let address = format!("{client}.{}@example.com", accepted.len());
                let Ok(id) = browser.start(&address).await else { return accepted };
                accepted.push((address, id));
            }
        });
    }
    // All clients are sending requests by then.
    mail.codes("0.3@example.com", 1).await;
    program.terminate();
    assert_eq!(program.exit().code(), Some(0));

    let program = installation.start();
    for (address, id) in clients.join_all().await.into_iter().flatten() {
        let view = program.browser().view(&id).await.unwrap().expect("it was accepted");
        assert_eq!(view.state, State::Pending);
        let code = &mail.codes(&address, 1).await[0];
        assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s27_a_hanging_mail_server_does_not_delay_the_end_and_the_message_is_sent_later() {
    // Nothing reads from the accepted connection.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let installation =
        Installation::mailing_to(port).with("LATCHKEY_SERVER__SHUTDOWN_TIMEOUT", "1");
    let program = installation.start();
    let id = program.browser().start("jo@example.com").await.unwrap();
    let accepted = timeout(SOON, silent.accept()).await.expect("the program connects");
    let (connection, _) = accepted.unwrap();

    program.terminate();
    assert_eq!(program.exit().code(), Some(0));
    drop((connection, silent));

    let mail = MailSink::at(port).await;
    let program = installation.start();
    let code = &mail.codes("jo@example.com", 1).await[0];
    assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn s27_a_message_without_its_confirmation_is_requeued_as_one_that_may_have_arrived() {
    let mut mail = MailServer::start(&["--security", "plain"]).await;
    let installation = Installation::mailing_to(mail.settings().port)
        .with("LATCHKEY_SERVER__SHUTDOWN_TIMEOUT", "1");
    let program = installation.start();
    program.browser().start("hang@example.com").await.unwrap();
    mail.next("message").await;
    program.terminate();
    assert_eq!(program.exit().code(), Some(0));
    let row =
        "SELECT tries, unanswered, CASE WHEN leased THEN 1 ELSE 0 END FROM outbox WHERE queue = 0";
    assert_eq!(installation.sql(row), "1|1|0");
}

/// A request whose head the server has read, and whose body has not been sent.
struct PartialRequest(TcpStream);

impl PartialRequest {
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
        let mut interim = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        let read = timeout(SOON, stream.read_exact(&mut interim)).await;
        read.expect("the head is answered").unwrap();
        assert!(interim.starts_with(b"HTTP/1.1 100 "));
        Self(stream)
    }

    async fn finish(&mut self) -> String {
        self.0.write_all(Self::BODY.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(SOON, self.0.read_to_string(&mut answer)).await.expect("an answer").unwrap();
        answer
    }
}

/// Waits until the server is not ready any more, and checks that it stays so.
async fn becomes_not_ready(browser: &Browser) {
    let polling = async { while browser.is_ready().await.unwrap_or(false) {} };
    timeout(SOON, polling).await.expect("the server is not ready any more");
    for _ in 0..20 {
        assert!(!browser.is_ready().await.unwrap_or(false));
    }
}
