//! The provider `smtp`, tested with a real Postfix.

use futures_util::poll;
use server::delivery::{Failure, ProbeError, SmtpSettings};

use crate::{
    NOW, TIMEOUT,
    mail_server::{MailServer, provider},
    message,
    postfix::Postfix,
};

#[tokio::test]
async fn postfix_takes_a_message_over_starttls_with_a_password_and_a_qualified_name() {
    let mut postfix = Postfix::start().await;
    let provider = provider(postfix.settings());
    provider.probe().await.unwrap();
    provider.deliver(&message("jane@example.com"), NOW).await.unwrap();
    let arrived = postfix.receiver.next("message").await;
    assert_eq!(arrived["to"][0], "jane@example.com");
    let raw = arrived["raw"].as_str().unwrap();
    assert!(raw.contains("Received: from otp.example.com"), "the name by EHLO: {raw}");
    provider.close().await;
    let log = postfix.log();
    assert!(log.contains("quit=1") && !log.contains("lost connection"), "{log}");
}

#[tokio::test]
async fn a_probe_finds_that_postfix_refuses_a_name_without_domain() {
    let postfix = Postfix::start().await;
    let provider = provider(SmtpSettings { hello: "otp".to_owned(), ..postfix.settings() });
    let Err(ProbeError::Refused { reason }) = provider.probe().await else {
        panic!("Postfix refuses it: {}", postfix.log());
    };
    assert!(reason.contains("504 5.5.2"), "{reason}");
    assert!(provider.deliver(&message("jane@example.com"), NOW).await.is_err());
    assert_eq!(postfix.received(), 0);
}

#[tokio::test]
async fn an_error_about_the_certificate_names_the_authority_that_is_trusted() {
    let postfix = Postfix::start().await;
    let other = MailServer::start(&["--security", "plain"]).await;
    let ca_file = other.settings().ca_file;
    let provider = provider(SmtpSettings { ca_file: ca_file.clone(), ..postfix.settings() });
    let Err(ProbeError::Unreachable { reason }) = provider.probe().await else {
        panic!("another authority has signed: {}", postfix.log());
    };
    assert!(reason.contains("certificate"), "{reason}");
    assert!(reason.contains(ca_file.unwrap().to_str().unwrap()), "{reason}");
}

#[tokio::test]
async fn an_internationalised_sender_is_taken_by_a_server_without_smtputf8() {
    let mut postfix = Postfix::start().await;
    let from = "Bücher <otp@bücher.example>".to_owned();
    let provider = provider(SmtpSettings { from, ..postfix.settings() });
    provider.probe().await.unwrap();
    provider.deliver(&message("jane@example.com"), NOW).await.unwrap();
    let arrived = postfix.receiver.next("message").await;
    assert_eq!(arrived["from"], "otp@bücher.example", "as the receiver shows it");
    assert!(arrived["raw"].as_str().unwrap().contains("<otp@xn--bcher-kva.example>"));
}

#[tokio::test]
async fn a_password_that_is_changed_after_the_start_is_a_refusal_of_the_account() {
    let postfix = Postfix::start().await;
    let provider = provider(postfix.settings());
    provider.probe().await.unwrap();
    provider.close().await;
    postfix.change_password("another");
    let undelivered = provider.deliver(&message("jane@example.com"), NOW).await.unwrap_err();
    assert_eq!(undelivered.kind, Failure::Account, "{undelivered}");
    assert!(undelivered.reason.contains("535 5.7.8"), "{undelivered}");
}

#[tokio::test]
async fn s25_a_server_that_scans_longer_than_the_time_out_is_waited_for() {
    let mut postfix = Postfix::start().await;
    postfix.scans_slowly(true);
    let provider = provider(postfix.settings());
    let message = message("jane@example.com");
    let mut delivery = std::pin::pin!(provider.deliver(&message, NOW));
    tokio::select! {
        result = &mut delivery => panic!("it is not confirmed: {result:?}"),
        () = postfix.has_received(1) => {}
    }
    assert!(message.hand_over.has_begun());
    tokio::time::pause();
    tokio::time::advance(2 * TIMEOUT).await;
    assert!(poll!(&mut delivery).is_pending(), "the code lives");
    tokio::time::resume();
    postfix.scans_slowly(false);
    delivery.await.unwrap();
    postfix.receiver.next("message").await;
    assert_eq!(postfix.received(), 1);
}
