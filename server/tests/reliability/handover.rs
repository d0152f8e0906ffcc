//! S24, S26: who holds a message, and what becomes of it when they are lost on the way.

use std::time::Duration;

use otp::DeliveryState;
use server::store::Store;

use crate::{
    mail_server::MailServer,
    outbox::{LEASE, Outbox, START},
};

#[tokio::test]
async fn s24_after_a_crash_between_hand_over_and_settling_the_message_goes_out_again() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let (id, message) = outbox.accept("jo@example.com").await;
    let held = outbox.hold();
    tokio::select! {
        () = outbox.worker.attempt(message) => panic!("it cannot be settled"),
        _ = server.next("message") => {}
    }
    drop(held);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 0));
    assert_eq!(outbox.until_settled().await, [LEASE]);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1));
    server.next("message").await;
}

#[tokio::test]
async fn s26_what_went_out_while_the_store_was_away_is_recorded_when_it_is_back() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let (id, message) = outbox.accept("jo@example.com").await;
    let held = outbox.hold();
    tokio::join!(outbox.worker.attempt(message), async {
        server.next("message").await;
        // The first try to record it comes to nothing.
        assert!(outbox.store.ping().await.is_err());
        drop(held);
    });
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1));
    assert_eq!(outbox.until_settled().await, []);
    assert!(!server.end().await.contains(&"message".to_owned()), "and is not sent twice");
}

#[tokio::test]
async fn s24_two_workers_never_hand_over_the_same_message() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let other = outbox.another_worker(server.provider());
    let mut stale = Vec::new();
    for number in 0..20 {
        stale.push(outbox.accept(&format!("{number}@example.com")).await.1);
    }
    outbox.clock.advance(LEASE);
    let (one, another) = tokio::join!(outbox.worker.deliver_due(), other.deliver_due());
    assert_eq!(one + another, 20);
    // The worker that they were given to first has come to them too late.
    for message in stale {
        outbox.worker.attempt(message).await;
    }
    let mut recipients = std::collections::BTreeSet::new();
    for _ in 0..20 {
        recipients.insert(server.next("message").await["to"].to_string());
    }
    assert_eq!(recipients.len(), 20);
    assert!(!server.end().await.contains(&"message".to_owned()));
}

#[tokio::test]
async fn a_message_whose_lease_might_end_during_the_try_is_given_back_untried() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let (id, message) = outbox.accept("jo@example.com").await;
    let just_in_time = message.leased_until - outbox.worker.dispatcher.patience();
    outbox.clock.advance(just_in_time.since(START) + Duration::from_millis(1));
    outbox.worker.attempt(message).await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 0));
    assert_eq!(outbox.until_settled().await, [Duration::ZERO]);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1));
    server.next("message").await;
}
