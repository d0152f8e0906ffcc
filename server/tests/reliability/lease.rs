//! S24, S26: leases of messages when a worker or the store fails.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode};
use otp::DeliveryState;
use server::store::{Queue, Store};
use tokio::sync::Semaphore;

use crate::{
    SOON, TIMEOUT,
    chaos::route,
    mail_server::{MailServer, provider},
    outbox::{BACKOFF, LEASE, Outbox, START},
    postfix::Postfix,
};

#[tokio::test]
async fn s24_after_a_crash_between_sending_and_settling_the_message_is_sent_again() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let (id, message) = outbox.accept("jo@example.com").await;
    let lock = outbox.lock_database();
    tokio::select! {
        _ = outbox.worker.attempt(message) => panic!("the database is locked"),
        _ = server.next("message") => {}
    }
    drop(lock);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 0));
    assert_eq!(outbox.until_settled().await, [LEASE]);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1));
    server.next("message").await;
}

#[tokio::test]
async fn s26_a_message_sent_while_the_store_was_unavailable_is_settled_afterwards() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let (id, message) = outbox.accept("jo@example.com").await;
    let lock = outbox.lock_database();
    let both = async {
        tokio::join!(outbox.worker.attempt(message), async {
            server.next("message").await;
            // The first try to settle it has failed.
            assert!(outbox.store.ping().await.is_err());
            drop(lock);
        })
    };
    tokio::time::timeout(SOON, both).await.expect("the message is settled");
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1));
    assert_eq!(outbox.until_settled().await, []);
    assert!(!server.end().await.contains(&"message".to_owned()), "it is not sent twice");
}

#[tokio::test]
async fn s25_a_lease_is_renewed_while_a_server_scans_a_message_so_that_it_is_sent_once() {
    let mut postfix = Postfix::start().await;
    postfix.scans_slowly(true);
    let mut outbox = Outbox::of(vec![provider(postfix.settings())], Vec::new());
    let other = outbox.another_worker(vec![provider(postfix.settings())]);
    let (id, message) = outbox.accept("jo@example.com").await;
    // Renewals come every few milliseconds.
    outbox.worker.lease = Duration::from_millis(20);
    tokio::join!(outbox.worker.attempt(message), async {
        postfix.has_received(1).await;
        // By now its first lease would have ended.
        outbox.clock.advance(LEASE);
        let renewed = async {
            while outbox.store.next_due(Queue::Codes).await.unwrap() <= Some(outbox.clock.now()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, renewed).await.expect("the lease is renewed");
        assert_eq!(other.deliver_due().await, 0);
        postfix.scans_slowly(false);
    });
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1));
    assert_eq!(outbox.until_settled().await, []);
    postfix.receiver.next("message").await;
    assert_eq!(postfix.received(), 1);
}

#[tokio::test]
async fn s25_a_try_whose_lease_has_ended_is_joined_by_no_other_of_this_server() {
    let (arrived, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (arriving, waiting) = (arrived.clone(), gate.clone());
    let router = Router::new().fallback(async move || {
        // The first one waits.
        if arriving.fetch_add(1, SeqCst) == 0 {
            let _passed = waiting.acquire().await;
        }
        StatusCode::SERVICE_UNAVAILABLE
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow = route("slow", listener.local_addr().unwrap(), TIMEOUT);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut outbox = Outbox::by_routes(vec![slow], Vec::new());
    let (id, message) = outbox.accept("jo@example.com").await;
    tokio::join!(outbox.worker.attempt(message), async {
        while arrived.load(SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        // The clock is set forward, or the store has taken no renewal for so long.
        outbox.clock.advance(LEASE);
        assert_eq!(outbox.worker.deliver_due().await, 0);
        gate.add_permits(1);
    });
    assert_eq!(
        (outbox.progress(id).await, arrived.load(SeqCst)),
        ((DeliveryState::Accepted, 1), 1)
    );
    // What came of it is known, although the lease was taken anew meanwhile.
    let due = outbox.store.next_due(Queue::Codes).await.unwrap().unwrap();
    assert!(due <= outbox.clock.now() + BACKOFF.first, "{due:?}");
}

#[tokio::test]
async fn s24_two_workers_never_send_the_same_message() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let other = outbox.another_worker(vec![server.provider()]);
    let mut stale = Vec::new();
    for number in 0..20 {
        stale.push(outbox.accept(&format!("{number}@example.com")).await.1);
    }
    outbox.clock.advance(LEASE);
    let (one, another) = tokio::join!(outbox.worker.deliver_due(), other.deliver_due());
    assert_eq!(one + another, 20);
    // The leases of the first worker have ended.
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
async fn a_message_whose_lease_could_end_during_the_try_is_requeued_untried() {
    let mut server = MailServer::usual().await;
    let mut outbox = Outbox::by_mail(&server);
    let (id, message) = outbox.accept("jo@example.com").await;
    let just_in_time = message.leased_until - LEASE / 2;
    outbox.clock.advance(just_in_time.since(START) + Duration::from_millis(1));
    outbox.worker.attempt(message).await;
    assert_eq!(outbox.progress(id).await, (DeliveryState::Accepted, 0));
    assert_eq!(outbox.until_settled().await, [Duration::ZERO]);
    assert_eq!(outbox.progress(id).await, (DeliveryState::Sent, 1));
    server.next("message").await;
}
