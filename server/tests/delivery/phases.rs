//! Fate of a message by the phase of SMTP that failed.

use server::delivery::{Failure, SmtpSecurity, SmtpSettings};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use crate::{
    mail_server::{MailServer, provider},
    smtp::{refusal, settings},
};

#[tokio::test]
async fn replies_of_a_server_decide_whether_to_try_again() {
    let server = MailServer::usual().await;
    let provider = server.provider();
    for (to, kind, status) in [
        ("unknown@example.com", Failure::Permanent, "550 5.1.1"),
        ("nowhere@example.com", Failure::Permanent, "550"),
        ("full@example.com", Failure::Permanent, "552 5.2.2"),
        ("denied@example.com", Failure::Account, "554 5.7.1"),
        ("spam@example.com", Failure::Account, "550 5.7.1"),
        ("busy@example.com", Failure::Transient, "451 4.3.0"),
    ] {
        let undelivered = refusal(&provider, to).await;
        assert_eq!(undelivered.kind, kind, "{to}");
        assert!(undelivered.reason.contains(status), "{undelivered}");
    }
}

#[tokio::test]
async fn s25_a_time_out_after_the_message_is_ambiguous() {
    let mut server = MailServer::usual().await;
    let provider = server.provider();
    let (undelivered, ()) = tokio::join!(refusal(&provider, "hang@example.com"), async {
        server.next("message").await;
        tokio::time::pause();
    });
    assert_eq!(undelivered.kind, Failure::Ambiguous);
    assert!(undelivered.reason.contains("timed out"), "{undelivered}");
}

#[tokio::test]
async fn s25_a_time_out_before_the_message_is_transient() {
    let mut server = MailServer::usual().await;
    let provider = server.provider();
    let (undelivered, ()) = tokio::join!(refusal(&provider, "silent@example.com"), async {
        server.next("recipient").await;
        tokio::time::pause();
    });
    assert_eq!(undelivered.kind, Failure::Transient);
    assert!(undelivered.reason.contains("timed out"), "{undelivered}");
    assert!(!server.end().await.contains(&"message".to_owned()));
}

#[tokio::test]
async fn s25_a_connection_lost_during_the_message_is_ambiguous() {
    let server = MailServer::usual().await;
    let undelivered = refusal(&server.provider(), "drop@example.com").await;
    assert_eq!(undelivered.kind, Failure::Ambiguous);

    let server = MailServer::start(&["--security", "tls"]).await;
    let settings =
        SmtpSettings { security: SmtpSecurity::Tls, credentials: None, ..server.settings() };
    let undelivered = refusal(&provider(settings), "drop@example.com").await;
    assert_eq!(undelivered.kind, Failure::Ambiguous);
}

/// A server in clear that takes everything up to DATA, sends `ready` and closes the connection, with `reads` after
/// the first part of the message; returns its port.
async fn closing_at_data(ready: &'static str, reads: bool) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut client = tokio::io::BufReader::new(listener.accept().await.unwrap().0);
        client.write_all(b"220 localhost\r\n").await.unwrap();
        let mut line = String::new();
        while client.read_line(&mut line).await.unwrap() > 0 && line != "DATA\r\n" {
            client.write_all(b"250 localhost\r\n").await.unwrap();
            line.clear();
        }
        client.write_all(ready.as_bytes()).await.unwrap();
        if reads {
            client.fill_buf().await.unwrap();
        }
    });
    port
}

#[tokio::test]
async fn s25_a_connection_lost_before_the_end_of_the_message_is_transient() {
    // Time passes only while nothing else happens.
    tokio::time::pause();
    for (ready, reads) in [("", false), ("354 go\r\n", false), ("354 go\r\n", true)] {
        let plain = SmtpSettings { security: SmtpSecurity::Plain, ..settings() };
        let port = closing_at_data(ready, reads).await;
        let provider = provider(SmtpSettings { host: "127.0.0.1".to_owned(), port, ..plain });
        let undelivered = refusal(&provider, "jane@example.com").await;
        assert_eq!(undelivered.kind, Failure::Transient, "{undelivered}");
        assert!(undelivered.reason.contains("sending the message"), "{undelivered}");
    }
}
