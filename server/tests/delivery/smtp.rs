//! The provider `smtp`, tested with a real mail server.

use std::{net::TcpListener, sync::Arc};

use secrecy::SecretString;
use serde_json::json;
use server::delivery::{
    Failure, OutgoingMessage, ProbeError, Provider, SetUpError, Smtp, SmtpSecurity, SmtpSettings,
    Undelivered,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::TcpStream,
};

use crate::{
    CODE, NOW, TIMEOUT, catalogue,
    mail_server::{MailServer, USER, provider},
    message, misdirected,
};

pub(crate) async fn refusal(provider: &Provider, to: &str) -> Undelivered {
    let undelivered = provider.deliver(&message(to), NOW).await.unwrap_err();
    for secret in [to, "example.com", CODE, USER] {
        assert!(!undelivered.reason.contains(secret), "{undelivered}");
    }
    undelivered
}

/// The server received neither credentials nor a message.
fn assert_nothing_sent(events: &[String]) {
    let sent = |event: &&String| !matches!(event.as_str(), "connection" | "error");
    assert_eq!(events.iter().find(sent), None, "{events:?}");
}

#[tokio::test]
async fn a_message_arrives_complete_over_starttls_with_a_password() {
    let mut server = MailServer::usual().await;
    let receipt = server.provider().deliver(&message("Jane@bücher.example"), NOW).await.unwrap();
    assert_eq!(receipt.provider, "smtp");
    assert_eq!(receipt.reference.as_deref(), Some("<message-1@example.com>"));

    let login = server.next("auth").await;
    assert_eq!((&login["accepted"], &login["secure"]), (&json!(true), &json!(true)));
    let message = server.next("message").await;
    assert_eq!(message["secure"], true);
    assert_eq!(message["from"], "otp@example.com");
    // The server decodes the domain; the header below has the ASCII form.
    assert_eq!(message["to"], json!(["Jane@bücher.example"]));
    let raw = message["raw"].as_str().unwrap();
    let (headers, body) = raw.split_once("\r\n\r\n").unwrap();
    let headers: Vec<_> = headers.split("\r\n").collect();
    for header in [
        "From: Example <otp@example.com>",
        "To: Jane@xn--bcher-kva.example",
        "Subject: Your Example code",
        "Date: Tue, 14 Nov 2023 22:13:20 +0000",
        "Message-ID: <message-1@example.com>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ] {
        assert!(headers.contains(&header), "{header} in {headers:#?}");
    }
    assert!(raw.contains("Content-Type: multipart/alternative;"), "{raw}");
    assert!(body.find("Content-Type: text/plain").unwrap() < body.find("text/html").unwrap());
    assert_eq!(body.split("\r\n").filter(|line| *line == CODE).count(), 2, "{body}");
}

#[tokio::test]
async fn a_message_arrives_over_implicit_tls() {
    let mut server = MailServer::start(&["--security", "tls"]).await;
    let settings =
        SmtpSettings { security: SmtpSecurity::Tls, credentials: None, ..server.settings() };
    provider(settings).deliver(&message("jane@example.com"), NOW).await.unwrap();
    assert_eq!(server.next("message").await["secure"], true);
}

#[tokio::test]
async fn s23_mail_without_tls_is_sent_to_loopback_addresses_only() {
    let mut server = MailServer::start(&["--security", "plain"]).await;
    let settings =
        SmtpSettings { security: SmtpSecurity::Plain, credentials: None, ..server.settings() };
    provider(settings.clone()).deliver(&message("jane@example.com"), NOW).await.unwrap();
    assert_eq!(server.next("message").await["secure"], false);

    for host in ["mail.example.com", "192.0.2.1", "localhost.example.com"] {
        let elsewhere = SmtpSettings { host: host.to_owned(), ..settings.clone() };
        let refused = Smtp::new(elsewhere, catalogue()).unwrap_err();
        assert!(matches!(refused, SetUpError::PlainOutsideLoopback { .. }), "{refused}");
    }
}

#[tokio::test]
async fn s23_a_server_that_strips_starttls_gets_nothing() {
    let arguments = ["--security", "plain", "--user", USER, "--password", "x"];
    let server = MailServer::start(&arguments).await;
    let provider = server.provider();
    let undelivered = refusal(&provider, "jane@example.com").await;
    assert_eq!(undelivered.kind, Failure::Account);
    assert!(undelivered.reason.contains("STARTTLS"), "{undelivered}");
    assert!(matches!(provider.probe().await, Err(ProbeError::Unreachable { .. })));
    assert_nothing_sent(&server.end().await);
}

/// Puts an attacker between a client and the server on port `genuine`, who adds `injected` in clear to the reply to
/// STARTTLS and otherwise passes everything on; returns the attacker's port.
async fn injecting(genuine: u16, injected: &'static str) -> u16 {
    let listener = tokio::net::TcpListener::bind("localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(("localhost", genuine)).await.unwrap();
        let (mut asked, mut replied) = (vec![0; 4096], vec![0; 4096]);
        let mut last = Vec::new();
        while last != b"STARTTLS\r\n" {
            tokio::select! {
                length = client.read(&mut asked) => {
                    last = asked[..length.unwrap()].to_vec();
                    server.write_all(&last).await.unwrap();
                }
                length = server.read(&mut replied) => {
                    client.write_all(&replied[..length.unwrap()]).await.unwrap();
                }
            }
        }
        let length = server.read(&mut replied).await.unwrap();
        assert!(replied.starts_with(b"220 "));
        let both = [&replied[..length], injected.as_bytes()].concat();
        client.write_all(&both).await.unwrap();
        // Either side may hang up.
        let _ = copy_bidirectional(&mut client, &mut server).await;
    });
    port
}

#[tokio::test]
async fn s38_replies_in_clear_together_with_the_one_to_starttls_never_count() {
    let server = MailServer::usual().await;
    let hello = "250-localhost\r\n250 AUTH PLAIN LOGIN\r\n";
    let accepted = "250-localhost\r\n250 AUTH PLAIN LOGIN\r\n235 in\r\n250 from\r\n250 to\r\n354 go\r\n250 sent\r\n";
    for injected in [accepted, hello, "\r\n", "2"] {
        let port = injecting(server.settings().port, injected).await;
        let provider = provider(SmtpSettings { port, ..server.settings() });
        let undelivered = refusal(&provider, "jane@example.com").await;
        assert_eq!(undelivered.kind, Failure::Transient, "{undelivered}");
        assert!(undelivered.reason.contains("connecting"), "{undelivered}");
    }
    assert_nothing_sent(&server.end().await);
}

#[tokio::test]
async fn s23_a_server_with_an_untrusted_certificate_gets_nothing() {
    let server = MailServer::usual().await;
    let provider = provider(SmtpSettings { ca_file: None, ..server.settings() });
    let undelivered = refusal(&provider, "jane@example.com").await;
    assert_eq!(undelivered.kind, Failure::Transient);
    assert!(undelivered.reason.contains("certificate"), "{undelivered}");
    assert!(undelivered.reason.contains("no ca_file is set"), "{undelivered}");
    assert_nothing_sent(&server.end().await);
}

#[tokio::test]
async fn a_wrong_password_is_a_refusal_of_the_account_and_found_by_a_probe() {
    let mut server = MailServer::usual().await;
    let wrong = Some((USER.to_owned(), SecretString::from("wrong")));
    let provider = provider(SmtpSettings { credentials: wrong, ..server.settings() });
    let undelivered = refusal(&provider, "jane@example.com").await;
    assert_eq!(undelivered.kind, Failure::Account);
    assert!(undelivered.reason.contains("535 5.7.8"), "{undelivered}");
    assert_eq!(server.next("auth").await["accepted"], false);
    let Err(ProbeError::Rejected { reason }) = provider.probe().await else {
        panic!("the probe fails");
    };
    assert!(reason.contains("535 5.7.8") && !reason.contains(USER), "{reason}");
    assert!(!server.end().await.contains(&"sender".to_owned()));
}

#[tokio::test]
async fn a_probe_of_a_server_that_accepts_us_sends_nothing() {
    let server = MailServer::usual().await;
    server.provider().probe().await.unwrap();
    assert_eq!(server.end().await, ["connection", "auth", "sender", "recipient"]);
}

#[tokio::test]
async fn a_greylisting_server_accepts_the_message_at_the_second_try() {
    let mut server = MailServer::usual().await;
    let provider = server.provider();
    let undelivered = refusal(&provider, "greylist@example.com").await;
    assert_eq!(undelivered.kind, Failure::Transient);
    assert!(undelivered.reason.contains("450 4.7.1"), "{undelivered}");
    provider.deliver(&message("greylist@example.com"), NOW).await.unwrap();
    let message = server.next("message").await;
    let id = "Message-ID: <message-1@example.com>";
    assert!(message["raw"].as_str().unwrap().contains(id), "the same over all tries");
}

#[tokio::test]
async fn without_a_language_a_mail_says_the_language_that_it_is_in() {
    let mut server = MailServer::usual().await;
    let unknown = OutgoingMessage { locale: String::new(), ..message("jane@example.com") };
    server.provider().deliver(&unknown, NOW).await.unwrap();
    let message = server.next("message").await;
    let raw = message["raw"].as_str().unwrap();
    assert!(raw.contains("\r\nContent-Language: en\r\n"), "{raw}");
    assert!(raw.contains("<html lang=3D\"en\"") || raw.contains("<html lang=\"en\""), "{raw}");
}

#[tokio::test]
async fn a_server_that_is_down_is_a_transient_failure() {
    let server = MailServer::usual().await;
    let provider = server.provider();
    server.end().await;
    assert_eq!(refusal(&provider, "jane@example.com").await.kind, Failure::Transient);
    assert!(matches!(provider.probe().await, Err(ProbeError::Unreachable { .. })));
}

#[tokio::test]
async fn a_server_that_never_greets_times_out() {
    // The kernel accepts connections, and nothing reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let provider = provider(SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: silent.local_addr().unwrap().port(),
        ..settings()
    });
    tokio::time::pause();
    let undelivered = refusal(&provider, "jane@example.com").await;
    assert_eq!(undelivered.kind, Failure::Transient);
    assert!(undelivered.reason.contains("timed out"), "{undelivered}");
}

#[tokio::test]
async fn a_connection_is_reused_for_the_next_message() {
    let mut server = MailServer::usual().await;
    let provider = server.provider();
    for to in ["jane@example.com", "john@example.com"] {
        provider.deliver(&message(to), NOW).await.unwrap();
    }
    server.next("message").await;
    assert_eq!(server.end().await, ["sender", "recipient", "message"], "and no second connection");
}

#[tokio::test]
async fn a_dead_idle_connection_is_replaced_without_a_failure() {
    let mut server = MailServer::usual().await;
    let provider = server.provider();
    provider.deliver(&message("jane@example.com"), NOW).await.unwrap();
    server.disconnect().await;
    provider.deliver(&message("john@example.com"), NOW).await.unwrap();
    server.next("connection").await;
    assert_eq!(server.next("message").await["to"], json!(["john@example.com"]));
}

#[tokio::test]
async fn messages_are_sent_concurrently() {
    let mut server = MailServer::usual().await;
    let provider = server.provider();
    let (jane, john) = (message("jane@example.com"), message("john@example.com"));
    let (first, second) = tokio::join!(provider.deliver(&jane, NOW), provider.deliver(&john, NOW));
    assert!(first.is_ok() && second.is_ok());
    let mut recipients = Vec::new();
    for _ in 0..2 {
        recipients.push(server.next("message").await["to"][0].as_str().unwrap().to_owned());
    }
    recipients.sort();
    assert_eq!(recipients, ["jane@example.com", "john@example.com"]);
}

#[tokio::test]
async fn the_sender_has_the_display_name_of_the_site() {
    let mut server = MailServer::usual().await;
    let mut named = message("jane@example.com");
    server.provider().deliver(&named, NOW).await.unwrap();
    Arc::make_mut(&mut named.site).sender = Some("Example sign-in".to_owned());
    server.provider().deliver(&named, NOW).await.unwrap();
    for name in ["Example", "Example sign-in"] {
        let message = server.next("message").await;
        let raw = message["raw"].as_str().unwrap();
        let from = raw.lines().find(|line| line.starts_with("From: ")).unwrap().replace('"', "");
        assert_eq!(from.split(" <").next(), Some(format!("From: {name}").as_str()), "{raw}");
    }
}

#[tokio::test]
async fn s18_a_display_name_cannot_inject_headers_or_recipients() {
    let mut server = MailServer::usual().await;
    let mut odd = message("jane@example.com");
    let brand = "Example\r\nBcc: john@example.com\r\n\r\n<john@example.com>, \"".to_owned();
    Arc::make_mut(&mut odd.site).brand.name.clone_from(&brand);
    for sender in [None, Some(brand)] {
        Arc::make_mut(&mut odd.site).sender = sender;
        server.provider().deliver(&odd, NOW).await.unwrap();
        let message = server.next("message").await;
        assert_eq!(message["to"], json!(["jane@example.com"]));
        let (headers, _) = message["raw"].as_str().unwrap().split_once("\r\n\r\n").unwrap();
        let names: Vec<_> = headers
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap_or_default())
            .collect();
        assert!(!names.contains(&"Bcc"), "{headers}");
        assert!(names.contains(&"Content-Type"), "{headers}");
    }
}

#[tokio::test]
async fn s25_an_expired_message_or_one_of_another_channel_is_not_sent() {
    let server = MailServer::usual().await;
    let provider = server.provider();
    let message = message("jane@example.com");
    let late = provider.deliver(&message, message.expires_at).await.unwrap_err();
    assert_eq!(late.kind, Failure::Permanent);
    let other = provider.deliver(&misdirected(message), NOW).await.unwrap_err();
    assert_eq!(other.kind, Failure::Permanent);
    assert_nothing_sent(&server.end().await);
}

pub(crate) fn settings() -> SmtpSettings {
    SmtpSettings {
        host: "mail.example.com".to_owned(),
        port: 587,
        security: SmtpSecurity::StartTls,
        credentials: None,
        from: "otp@example.com".to_owned(),
        hello: "otp.example.com".to_owned(),
        ca_file: None,
        timeout: TIMEOUT,
    }
}

#[test]
fn invalid_settings_are_refused_at_set_up() {
    let refused = |settings| Smtp::new(settings, catalogue()).unwrap_err();
    let from = SmtpSettings { from: "nobody".to_owned(), ..settings() };
    assert!(matches!(refused(from), SetUpError::Sender(_)));
    let missing = SmtpSettings { ca_file: Some("no/such.pem".into()), ..settings() };
    assert!(matches!(refused(missing), SetUpError::AuthorityFile { .. }));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    let named = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let settings = SmtpSettings { ca_file: Some(file.clone()), ..settings() };
        let refused = refused(settings).to_string();
        assert!(refused.contains("authority.pem"), "{refused}");
        refused
    };
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for empty in ["", "no certificate", key] {
        assert!(named(empty).contains("has no certificate"), "{empty}");
    }
    named("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
}

#[tokio::test]
async fn the_logo_of_the_site_is_attached_for_the_html_alone() {
    let mut server = MailServer::usual().await;
    let mut message = message("jane@example.com");
    let logo = "data:image/png;base64,iVBORw0KGgo=".to_owned();
    Arc::make_mut(&mut message.site).brand.logo = Some(logo);
    server.provider().deliver(&message, NOW).await.unwrap();
    let message = server.next("message").await;
    let raw = message["raw"].as_str().unwrap();
    let parts: Vec<_> = raw.split("\r\n").filter(|line| line.starts_with("Content-")).collect();
    let types = parts.iter().filter_map(|line| line.strip_prefix("Content-Type: "));
    let types: Vec<_> = types.map(|value| value.split(';').next().unwrap()).collect();
    assert_eq!(
        types,
        ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    );
    assert!(parts.contains(&"Content-ID: <logo>"), "{parts:?}");
    assert!(parts.contains(&"Content-Disposition: inline"), "{parts:?}");
}
