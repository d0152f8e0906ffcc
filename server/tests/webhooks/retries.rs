//! Retries: receivers that fail, time out, are gone or busy, and servers that are killed.

use std::time::Duration;

use server::store::{Queue, Store};

use crate::{
    accepting_receiver,
    harness::{Harness, START},
    receiver::{Receiver, Reply},
};

fn busy_for(seconds: u64) -> Reply {
    Reply::Answer { status: 503, retry_after: Some(seconds) }
}

#[tokio::test]
async fn a_retry_has_the_same_id_and_body_and_a_fresh_signature() {
    let mut receiver = Receiver::replying([Reply::status(500)], Reply::status(204)).await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    harness.cancel_one("shop").await;
    harness.events.deliver_due().await;
    assert_eq!(harness.events.deliver_due().await, 0, "not before the due time");
    let wait = harness.wait().await.unwrap();
    assert!((Duration::from_secs(4)..=Duration::from_secs(5)).contains(&wait), "{wait:?}");
    harness.events.deliver_due().await;
    let [first, second] = &receiver.so_far()[..] else { panic!("two requests") };
    assert_eq!((&first.id, &first.body), (&second.id, &second.body));
    assert_eq!(second.seconds, harness.clock.now().as_millis() / 1000);
    assert_ne!(first.signatures, second.signatures);
    assert_eq!(harness.next_due().await, None);
}

#[tokio::test]
async fn an_event_is_retried_after_a_time_out() {
    let mut receiver = Receiver::replying([Reply::Silence], Reply::status(204)).await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    harness.cancel_one("shop").await;
    let impatient = harness.webhook_worker(Duration::from_millis(500));
    let (_, first) = tokio::join!(impatient.deliver_due(), receiver.next());
    harness.wait().await.unwrap();
    harness.events.deliver_due().await;
    assert_eq!(receiver.next().await.id, first.id);
    assert_eq!(harness.next_due().await, None);
}

#[tokio::test]
async fn a_failing_event_is_tried_eight_times_over_a_day() {
    let mut receiver = Receiver::replying([], Reply::status(404)).await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    harness.cancel_one("shop").await;
    harness.events.deliver_due().await;
    let waits = harness.drain().await;
    let longest = [5, 300, 1800, 7200, 18_000, 28_800, 28_800].map(Duration::from_secs);
    assert_eq!(waits.len(), longest.len());
    for (wait, longest) in waits.iter().zip(longest) {
        assert!(longest.mul_f64(0.79) <= *wait && *wait <= longest, "{waits:?}");
    }
    assert_eq!(receiver.so_far().len(), 8);
}

#[tokio::test]
async fn an_event_is_not_retried_after_410() {
    let mut receiver = Receiver::replying([], Reply::status(410)).await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    harness.cancel_one("shop").await;
    harness.events.deliver_due().await;
    assert_eq!(receiver.so_far().len(), 1);
    assert_eq!(harness.next_due().await, None);
}

#[tokio::test]
async fn retry_after_is_respected() {
    let receiver = Receiver::replying([busy_for(3600)], Reply::status(204)).await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    harness.cancel_one("shop").await;
    harness.events.deliver_due().await;
    assert_eq!(harness.wait().await, Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn an_event_is_discarded_after_three_days_of_retry_after() {
    let mut receiver = Receiver::replying([], busy_for(u64::MAX)).await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    harness.cancel_one("shop").await;
    harness.drain().await;
    assert!(harness.clock.now() < START + Duration::from_secs(3 * 24 * 3600));
    assert_eq!(receiver.so_far().len(), 3);
}

#[tokio::test]
async fn s24_an_event_in_flight_when_the_server_was_killed_is_posted_again() {
    let mut receiver = Receiver::replying([Reply::Silence], Reply::status(204)).await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    harness.cancel_one("shop").await;
    let first = tokio::select! {
        _ = harness.events.deliver_due() => panic!("the receiver does not answer"),
        first = receiver.next() => first,
    };
    let harness = harness.restarted().await;
    assert_eq!(harness.events.deliver_due().await, 1);
    let again = receiver.next().await;
    assert_eq!((first.id, first.body), (again.id, again.body));
    assert_eq!(harness.next_due().await, None);
}

#[tokio::test]
async fn an_event_is_claimed_again_when_its_lease_has_ended() {
    let mut receiver = accepting_receiver().await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    harness.cancel_one("shop").await;
    let lease = Duration::from_secs(60);
    assert_eq!(harness.store.claim(Queue::Events, START, lease, 10).await.unwrap().len(), 1);
    assert_eq!(harness.events.deliver_due().await, 0);
    assert_eq!(harness.wait().await, Some(lease));
    assert_eq!(harness.events.deliver_due().await, 1);
    assert_eq!(receiver.so_far().len(), 1);
}

#[tokio::test]
async fn events_of_a_site_whose_webhook_was_removed_are_discarded() {
    let harness = Harness::of(&[("shop", "http://127.0.0.1:9/")]);
    harness.cancel_one("shop").await;
    let mut events = harness.webhook_worker(Duration::from_secs(60));
    std::sync::Arc::get_mut(&mut events).unwrap().endpoints.clear();
    assert_eq!(events.deliver_due().await, 1);
    assert_eq!(harness.next_due().await, None);
}
