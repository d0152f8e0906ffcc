//! S25: retries with one provider that is down, slow or refuses messages.

use std::{sync::Arc, time::Duration};

use otp::{DeliveryState, State};
use server::{
    config::{Config, Environment, Sources},
    delivery::{Inbox, Provider},
    outbox::Backoff,
    store::{Queue, Store},
};

use crate::{
    catalogue,
    mail_server::{MailServer, PASSWORD, provider},
    outbox::{BACKOFF, LEASE, Outbox, START, TESTER, plain_mail},
    postfix::Postfix,
};

#[tokio::test]
async fn s25_a_greylisted_message_is_accepted_until_it_is_sent_at_the_second_try() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let id = outbox.send("greylist@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    let due = outbox.store.next_due(Queue::Codes).await.unwrap().unwrap();
    let wait = due.since(START);
    assert!(BACKOFF.first / 2 <= wait && wait <= BACKOFF.first, "{wait:?}");
    assert_eq!(outbox.worker.deliver_due().await, 0, "not before the due time");
    outbox.until_settled().await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 2));
    server.next("message").await;
}

#[tokio::test]
async fn s25_a_permanently_refused_recipient_fails_the_verification() {
    let server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let id = outbox.send("unknown@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Undelivered, 1));
    assert_eq!(outbox.verification(id).await.state(START), State::Failed);
    assert_eq!(outbox.store.next_due(Queue::Codes).await.unwrap(), None);
}

#[tokio::test]
async fn s25_a_relay_that_denies_us_at_rcpt_is_the_providers_failure() {
    let server = MailServer::usual().await;
    let mut alone = Outbox::by_mail(&server);
    let id = alone.send("denied@example.com").await;
    assert_eq!(alone.progress(id).await, (DeliveryState::Accepted, 1));
    assert_eq!(alone.verification(id).await.state(START), State::Pending);

    let inbox = Arc::new(Inbox::new(catalogue()));
    let mut outbox =
        Outbox::of(vec![server.provider(), Provider::Inbox(inbox.clone())], Vec::new());
    let mut sent_after_another = async |to: &str| {
        let id = outbox.send(to).await;
        outbox.until_settled().await;
        outbox.progress(id).await == (DeliveryState::Sent, 2)
    };
    for _ in 0..10 {
        assert!(sent_after_another("denied@example.com").await, "one mailbox shows nothing");
    }
    for number in 1..5 {
        assert!(sent_after_another(&format!("denied+{number}@example.com")).await);
    }
    assert!(!sent_after_another("jo@example.com").await, "the provider is left alone");
    assert_eq!(inbox.messages().len(), 15);
}

#[tokio::test]
async fn s25_while_the_server_is_gone_waits_grow_and_nothing_is_tried_after_the_code_has_expired() {
    let server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    server.end().await;
    let id = outbox.send("jo@example.com").await;
    let waits = outbox.until_settled().await;
    for (wait, longest) in waits.iter().zip([2, 4, 8, 16, 30, 30, 30, 30]) {
        let longest = Duration::from_secs(longest);
        assert!(longest / 2 <= *wait && *wait <= longest, "{waits:?}");
    }
    // Waits get shorter before the end, so the last try is close to it.
    let left = outbox.verification(id).await.code_expires_at().since(outbox.clock.now());
    assert_eq!(left, Duration::from_secs(10));
    let verification = outbox.verification(id).await;
    assert!(outbox.clock.now() < verification.code_expires_at());
    let tries = u32::try_from(waits.len()).unwrap() + 1;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Undelivered, tries));
    // A resend is still possible.
    assert_eq!(verification.state(outbox.clock.now()), State::Pending);
}

#[tokio::test]
async fn s25_a_message_arrives_when_the_server_is_back() {
    let server = MailServer::start(&["--security", "plain"]).await;
    let port = server.settings().port.to_string();
    let mut outbox = Outbox::of(vec![plain_mail(&server)], Vec::new());
    server.end().await;
    let id = outbox.send("jo@example.com").await;
    let mut server = MailServer::start(&["--security", "plain", "--port", &port]).await;
    assert_eq!(outbox.until_settled().await.len(), 1);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 2));
    server.next("message").await;
}

#[tokio::test]
async fn s25_an_unconfirmed_message_is_tried_twice_at_most_and_not_shown_as_undelivered() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let id = outbox.send("drop@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    assert_eq!(outbox.until_settled().await.len(), 1);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 2));
    // It may have arrived, so the code is still accepted.
    assert_eq!(outbox.verification(id).await.state(START), State::Pending);
    let mut message_id = async || {
        let message = server.next("message").await;
        let raw = message["raw"].as_str().unwrap().to_owned();
        raw.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned()
    };
    assert_eq!(message_id().await, message_id().await, "duplicates have the same id");
    assert!(!server.end().await.contains(&"message".to_owned()));
}

#[tokio::test]
async fn s23_a_server_that_strips_starttls_is_sent_nothing_and_the_verification_lives() {
    let server = MailServer::start(&["--security", "plain"]).await;
    let mut outbox = Outbox::by_mail(&server);
    let id = outbox.send("jo@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    assert_eq!(outbox.verification(id).await.state(START), State::Pending);
    assert_eq!(server.end().await, ["connection"]);
}

#[tokio::test]
async fn s25_a_wrong_password_is_the_providers_failure_and_the_verification_lives() {
    let mut postfix = Postfix::start().await;
    let mut outbox = Outbox::of(vec![provider(postfix.settings())], Vec::new());
    postfix.change_password("another");
    let id = outbox.send("jo@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
    assert_eq!(outbox.verification(id).await.state(START), State::Pending);
    postfix.change_password(PASSWORD);
    outbox.until_settled().await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 2));
    postfix.receiver.next("message").await;
}

#[tokio::test]
async fn s25_after_an_outage_of_twenty_seconds_the_last_code_arrives_within_ten() {
    let server = MailServer::start(&["--security", "plain"]).await;
    let port = server.settings().port.to_string();
    let mut outbox = Outbox::of(vec![plain_mail(&server)], Vec::new());
    outbox.worker.backoff = default_backoff();
    server.end().await;
    for number in 0..20 {
        outbox.send(&format!("{number}@example.com")).await;
        outbox.clock.advance(Duration::from_secs(1));
        outbox.worker.deliver_due().await;
    }
    let _server = MailServer::start(&["--security", "plain", "--port", &port]).await;
    let back = outbox.clock.now();
    while let Some(due) = outbox.store.next_due(Queue::Codes).await.unwrap() {
        outbox.clock.advance(due.since(outbox.clock.now()));
        outbox.worker.deliver_due().await;
    }
    let last = outbox.clock.now().since(back);
    assert!(last <= Duration::from_secs(10), "{last:?}");
}

fn default_backoff() -> Backoff {
    let directory = std::env::temp_dir();
    let sources = Sources { directory, environment: Environment::default(), file: None };
    let delivery = Config::load(&sources).unwrap().delivery;
    Backoff { first: delivery.retry_first, longest: delivery.retry_longest }
}

#[tokio::test]
async fn s25_a_try_that_is_cut_off_by_the_end_of_the_server_is_requeued_as_what_is_known_of_it() {
    for (to, event, unanswered) in
        [("silent@example.com", "recipient", 0), ("hang@example.com", "message", 1)]
    {
        let mut server = MailServer::usual().await;
        let mut outbox = Outbox::by_mail(&server);
        let (id, message) = outbox.accept(to).await;
        tokio::join!(outbox.worker.attempt(message), async {
            server.next(event).await;
            outbox.worker.server_ends.cancel();
        });
        assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 1));
        let due = outbox.store.next_due(Queue::Codes).await.unwrap().unwrap();
        let claimed = outbox.store.claim(Queue::Codes, due, LEASE, 1).await.unwrap();
        assert_eq!((claimed[0].tries, claimed[0].unanswered), (1, unanswered), "{to}");
    }
}

#[tokio::test]
async fn a_connection_lost_between_two_messages_costs_no_try() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    outbox.send("jo@example.com").await;
    server.disconnect().await;
    let id = outbox.send("sam@example.com").await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1));
}

#[tokio::test]
async fn s25_nothing_is_sent_once_the_code_has_expired() {
    let server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let (id, message) = outbox.accept("jo@example.com").await;
    outbox.clock.advance(message.expires_at.since(START));
    assert_eq!(outbox.worker.deliver_due().await, 1);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Undelivered, 0));
    assert_eq!(server.end().await, [""; 0]);
}

#[tokio::test]
async fn s25_a_slow_provider_is_cut_off_when_the_code_expires() {
    let server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let (id, message) = outbox.accept("jo@example.com").await;
    let just_before = message.expires_at - Duration::from_millis(1);
    outbox.clock.advance(just_before.since(START));
    assert_eq!(outbox.worker.deliver_due().await, 1);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Undelivered, 1));
    assert!(!server.end().await.contains(&"message".to_owned()));
}

#[tokio::test]
async fn a_test_recipient_looks_like_any_other_and_is_sent_nothing() {
    let server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let (ordinary, message) = outbox.accept("jane@example.com").await;
    let tested = outbox.open(TESTER).await;
    assert_eq!(outbox.progress(tested).await, outbox.progress(ordinary).await);
    outbox.worker.attempt(message).await;
    assert_eq!(outbox.until_settled().await.len(), 1, "after a while, as a provider takes one");
    assert_eq!(outbox.progress(ordinary).await, (DeliveryState::Sent, 1));
    assert_eq!(outbox.progress(tested).await, (DeliveryState::Sent, 1));
    let messages = server.end().await.into_iter().filter(|event| event == "message").count();
    assert_eq!(messages, 1);
}
