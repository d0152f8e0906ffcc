//! The provider `smtp` against a real mail server.

use std::{net::TcpListener, time::Duration};

use secrecy::SecretString;
use serde_json::json;
use server::delivery::{
    Failure, ProbeError, Provider, SetUpError, Smtp, SmtpSecurity, SmtpSettings, Undelivered,
};

use crate::{
    CODE, NOW, PATIENCE, catalogue, letter,
    mail_server::{MailServer, USER, provider},
    misdirected,
};

async fn refusal(provider: &Provider, to: &str) -> Undelivered {
    let undelivered = provider.deliver(&letter(to), NOW).await.unwrap_err();
    for secret in [to, "example.com", CODE, USER] {
        assert!(!undelivered.reason.contains(secret), "{undelivered}");
    }
    undelivered
}

/// Nothing was said to the server but hello.
fn assert_untold(events: &[String]) {
    let told = |event: &&String| !matches!(event.as_str(), "connection" | "error");
    assert_eq!(events.iter().find(told), None, "{events:?}");
}

#[tokio::test]
async fn a_letter_arrives_whole_over_starttls_with_a_password() {
    let mut server = MailServer::usual().await;
    let receipt = server.provider().deliver(&letter("Jane@bücher.example"), NOW).await.unwrap();
    assert_eq!(receipt.provider, "smtp");
    assert_eq!(receipt.reference.as_deref(), Some("<letter-1@example.com>"));

    let login = server.next("auth").await;
    assert_eq!((&login["accepted"], &login["secure"]), (&json!(true), &json!(true)));
    let message = server.next("message").await;
    assert_eq!(message["secure"], true);
    assert_eq!(message["from"], "otp@example.com");
    // As the server shows it; what crossed the network stands in the header below.
    assert_eq!(message["to"], json!(["Jane@bücher.example"]));
    let raw = message["raw"].as_str().unwrap();
    let (headers, body) = raw.split_once("\r\n\r\n").unwrap();
    let headers: Vec<_> = headers.split("\r\n").collect();
    for header in [
        "From: Example <otp@example.com>",
        "To: Jane@xn--bcher-kva.example",
        "Subject: Your Example code",
        "Date: Tue, 14 Nov 2023 22:13:20 +0000",
        "Message-ID: <letter-1@example.com>",
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
async fn a_letter_arrives_over_tls_from_the_first_byte() {
    let mut server = MailServer::start(&["--security", "tls"]).await;
    let settings =
        SmtpSettings { security: SmtpSecurity::Tls, credentials: None, ..server.settings() };
    provider(settings).deliver(&letter("jane@example.com"), NOW).await.unwrap();
    assert_eq!(server.next("message").await["secure"], true);
}

#[tokio::test]
async fn s23_a_letter_goes_in_the_clear_to_this_machine_and_no_other() {
    let mut server = MailServer::start(&["--security", "plain"]).await;
    let settings =
        SmtpSettings { security: SmtpSecurity::Plain, credentials: None, ..server.settings() };
    provider(settings.clone()).deliver(&letter("jane@example.com"), NOW).await.unwrap();
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
    assert_eq!(undelivered.kind, Failure::Permanent);
    assert!(undelivered.reason.contains("STARTTLS"), "{undelivered}");
    assert!(matches!(provider.probe().await, Err(ProbeError::Unreachable { .. })));
    assert_untold(&server.end().await);
}

#[tokio::test]
async fn s23_a_server_with_a_certificate_that_nobody_vouches_for_gets_nothing() {
    let server = MailServer::usual().await;
    let provider = provider(SmtpSettings { ca_file: None, ..server.settings() });
    let undelivered = refusal(&provider, "jane@example.com").await;
    assert_eq!(undelivered.kind, Failure::Transient);
    assert!(undelivered.reason.contains("certificate"), "{undelivered}");
    assert_untold(&server.end().await);
}

#[tokio::test]
async fn a_wrong_password_is_final_and_told_by_a_probe() {
    let mut server = MailServer::usual().await;
    let wrong = Some((USER.to_owned(), SecretString::from("wrong")));
    let provider = provider(SmtpSettings { credentials: wrong, ..server.settings() });
    let undelivered = refusal(&provider, "jane@example.com").await;
    assert_eq!(undelivered.kind, Failure::Permanent);
    assert!(undelivered.reason.contains("535 5.7.8"), "{undelivered}");
    assert_eq!(server.next("auth").await["accepted"], false);
    let Err(ProbeError::Rejected { reason }) = provider.probe().await else {
        panic!("the probe tells");
    };
    assert!(reason.contains("535 5.7.8") && !reason.contains(USER), "{reason}");
    assert!(!server.end().await.contains(&"sender".to_owned()));
}

#[tokio::test]
async fn a_probe_of_a_server_that_accepts_us_sends_nothing() {
    let server = MailServer::usual().await;
    server.provider().probe().await.unwrap();
    assert_eq!(server.end().await, ["connection", "auth"]);
}

#[tokio::test]
async fn a_greylisting_server_takes_the_letter_at_the_second_try() {
    let mut server = MailServer::usual().await;
    let provider = server.provider();
    let undelivered = refusal(&provider, "greylist@example.com").await;
    assert_eq!(undelivered.kind, Failure::Transient);
    assert!(undelivered.reason.contains("450 4.7.1"), "{undelivered}");
    provider.deliver(&letter("greylist@example.com"), NOW).await.unwrap();
    let message = server.next("message").await;
    let id = "Message-ID: <letter-1@example.com>";
    assert!(message["raw"].as_str().unwrap().contains(id), "the same over all tries");
}

#[tokio::test]
async fn replies_of_a_server_decide_whether_to_try_again() {
    let server = MailServer::usual().await;
    let provider = server.provider();
    for (to, kind, status) in [
        ("unknown@example.com", Failure::Permanent, "550 5.1.1"),
        ("full@example.com", Failure::Permanent, "552 5.2.2"),
        ("busy@example.com", Failure::Transient, "451 4.3.0"),
    ] {
        let undelivered = refusal(&provider, to).await;
        assert_eq!(undelivered.kind, kind, "{to}");
        assert!(undelivered.reason.contains(status), "{undelivered}");
    }
}

#[tokio::test]
async fn s25_a_server_that_hangs_after_the_message_leaves_it_open_whether_it_was_sent() {
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
async fn s25_a_server_that_hangs_before_the_message_has_not_sent_it() {
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
async fn s25_a_server_that_hangs_up_on_the_message_leaves_it_open_whether_it_was_sent() {
    let server = MailServer::usual().await;
    let undelivered = refusal(&server.provider(), "drop@example.com").await;
    assert_eq!(undelivered.kind, Failure::Ambiguous);
}

#[tokio::test]
async fn a_server_that_is_gone_may_come_back() {
    let server = MailServer::usual().await;
    let provider = server.provider();
    server.end().await;
    assert_eq!(refusal(&provider, "jane@example.com").await.kind, Failure::Transient);
    assert!(matches!(provider.probe().await, Err(ProbeError::Unreachable { .. })));
}

#[tokio::test]
async fn a_server_that_never_greets_is_given_up() {
    // Connections are accepted by the kernel and read by nobody.
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
async fn a_connection_carries_one_letter_after_another() {
    let mut server = MailServer::usual().await;
    let provider = server.provider();
    for to in ["jane@example.com", "john@example.com"] {
        provider.deliver(&letter(to), NOW).await.unwrap();
    }
    server.next("message").await;
    assert_eq!(server.end().await, ["sender", "recipient", "message"], "and no second connection");
}

#[tokio::test]
async fn a_kept_connection_that_has_died_is_replaced_without_a_failure() {
    let mut server = MailServer::usual().await;
    let provider = server.provider();
    provider.deliver(&letter("jane@example.com"), NOW).await.unwrap();
    server.disconnect().await;
    provider.deliver(&letter("john@example.com"), NOW).await.unwrap();
    server.next("connection").await;
    assert_eq!(server.next("message").await["to"], json!(["john@example.com"]));
}

#[tokio::test]
async fn letters_go_out_side_by_side() {
    let mut server = MailServer::usual().await;
    let provider = server.provider();
    let (jane, john) = (letter("jane@example.com"), letter("john@example.com"));
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
async fn mail_comes_from_the_name_of_the_site_where_it_has_one() {
    let mut server = MailServer::usual().await;
    let mut named = letter("jane@example.com");
    server.provider().deliver(&named, NOW).await.unwrap();
    named.sender = Some("Example sign-in".to_owned());
    server.provider().deliver(&named, NOW).await.unwrap();
    for name in ["Example", "Example sign-in"] {
        let message = server.next("message").await;
        let raw = message["raw"].as_str().unwrap();
        let from = raw.lines().find(|line| line.starts_with("From: ")).unwrap().replace('"', "");
        assert_eq!(from.split(" <").next(), Some(format!("From: {name}").as_str()), "{raw}");
    }
}

#[tokio::test]
async fn s18_no_name_makes_another_header_or_recipient() {
    let mut server = MailServer::usual().await;
    let mut odd = letter("jane@example.com");
    odd.brand = "Example\r\nBcc: john@example.com\r\n\r\n<john@example.com>, \"".to_owned();
    for sender in [None, Some(odd.brand.clone())] {
        odd.sender = sender;
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
async fn s25_a_letter_whose_code_has_expired_or_whose_channel_is_another_is_not_sent() {
    let server = MailServer::usual().await;
    let provider = server.provider();
    let letter = letter("jane@example.com");
    let late = provider.deliver(&letter, letter.expires_at).await.unwrap_err();
    assert_eq!(late.kind, Failure::Permanent);
    let other = provider.deliver(&misdirected(letter), NOW).await.unwrap_err();
    assert_eq!(other.kind, Failure::Permanent);
    assert_untold(&server.end().await);
}

fn settings() -> SmtpSettings {
    SmtpSettings {
        host: "mail.example.com".to_owned(),
        port: 587,
        security: SmtpSecurity::StartTls,
        credentials: None,
        from: "otp@example.com".to_owned(),
        ca_file: None,
        timeout: PATIENCE,
    }
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let refused = |settings| Smtp::new(settings, catalogue()).unwrap_err();
    let from = SmtpSettings { from: "nobody".to_owned(), ..settings() };
    assert!(matches!(refused(from), SetUpError::Sender(_)));
    let missing = SmtpSettings { ca_file: Some("no/such.pem".into()), ..settings() };
    assert!(matches!(refused(missing), SetUpError::AuthorityFile { .. }));
}

#[test]
fn a_lease_can_be_chosen_that_outlives_every_delivery() {
    let timeout = provider(settings()).timeout();
    assert!(timeout >= PATIENCE && timeout <= Duration::from_secs(600), "{timeout:?}");
}
