//! Receivers that are unwell, slow, gone or busy, and servers that die.

use std::time::Duration;

use server::store::{Queue, Store};

use crate::{
    house::{House, START},
    receiver::{Receiver, Reply},
    taking,
};

fn busy_for(seconds: u64) -> Reply {
    Reply::Answer { status: 503, retry_after: Some(seconds) }
}

#[tokio::test]
async fn after_an_error_the_same_event_comes_again_with_a_fresh_signature() {
    let mut receiver = Receiver::replying([Reply::status(500)], Reply::status(204)).await;
    let house = House::of(&[("shop", &receiver.url)]);
    house.cancel_one("shop").await;
    house.events.deliver_due().await;
    assert_eq!(house.events.deliver_due().await, 0, "not before its time");
    let wait = house.wait().await.unwrap();
    assert!((Duration::from_secs(4)..=Duration::from_secs(5)).contains(&wait), "{wait:?}");
    house.events.deliver_due().await;
    let [first, second] = &receiver.so_far()[..] else { panic!("it is posted twice") };
    assert_eq!((&first.id, &first.body), (&second.id, &second.body));
    assert_eq!(second.seconds, house.clock.now().as_millis() / 1000);
    assert_ne!(first.signatures, second.signatures);
    assert_eq!(house.next_due().await, None);
}

#[tokio::test]
async fn after_a_time_out_the_event_comes_again() {
    let mut receiver = Receiver::replying([Reply::Silence], Reply::status(204)).await;
    let house = House::of(&[("shop", &receiver.url)]);
    house.cancel_one("shop").await;
    let impatient = house.worker_with(Duration::from_millis(500));
    let (_, first) = tokio::join!(impatient.deliver_due(), receiver.next());
    house.wait().await.unwrap();
    house.events.deliver_due().await;
    assert_eq!(receiver.next().await.id, first.id);
    assert_eq!(house.next_due().await, None);
}

#[tokio::test]
async fn what_is_never_taken_is_posted_eight_times_over_a_day() {
    let mut receiver = Receiver::replying([], Reply::status(404)).await;
    let house = House::of(&[("shop", &receiver.url)]);
    house.cancel_one("shop").await;
    let mut waits = Vec::new();
    loop {
        house.events.deliver_due().await;
        let Some(wait) = house.wait().await else { break };
        waits.push(wait);
    }
    let longest = [5, 300, 1800, 7200, 18_000, 28_800, 28_800].map(Duration::from_secs);
    assert_eq!(waits.len(), longest.len());
    for (wait, longest) in waits.iter().zip(longest) {
        assert!(longest.mul_f64(0.79) <= *wait && *wait <= longest, "{waits:?}");
    }
    assert_eq!(receiver.so_far().len(), 8);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_not_asked_again() {
    let mut receiver = Receiver::replying([], Reply::status(410)).await;
    let house = House::of(&[("shop", &receiver.url)]);
    house.cancel_one("shop").await;
    house.events.deliver_due().await;
    assert_eq!(receiver.so_far().len(), 1);
    assert_eq!(house.next_due().await, None);
}

#[tokio::test]
async fn a_receiver_that_asks_to_wait_is_given_the_time() {
    let receiver = Receiver::replying([busy_for(3600)], Reply::status(204)).await;
    let house = House::of(&[("shop", &receiver.url)]);
    house.cancel_one("shop").await;
    house.events.deliver_due().await;
    assert_eq!(house.wait().await, Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn whoever_asks_to_wait_for_ever_is_told_nothing_after_three_days() {
    let mut receiver = Receiver::replying([], busy_for(u64::MAX)).await;
    let house = House::of(&[("shop", &receiver.url)]);
    house.cancel_one("shop").await;
    house.events.deliver_due().await;
    while house.wait().await.is_some() {
        house.events.deliver_due().await;
    }
    assert!(house.clock.now() < START + Duration::from_secs(3 * 24 * 3600));
    assert_eq!(receiver.so_far().len(), 3);
}

#[tokio::test]
async fn s24_an_event_that_was_being_posted_when_the_server_died_is_posted_again() {
    let mut receiver = Receiver::replying([Reply::Silence], Reply::status(204)).await;
    let house = House::of(&[("shop", &receiver.url)]);
    house.cancel_one("shop").await;
    let first = tokio::select! {
        _ = house.events.deliver_due() => panic!("it is not answered"),
        first = receiver.next() => first,
    };
    let house = house.restarted().await;
    assert_eq!(house.events.deliver_due().await, 1);
    let again = receiver.next().await;
    assert_eq!((first.id, first.body), (again.id, again.body));
    assert_eq!(house.next_due().await, None);
}

#[tokio::test]
async fn an_event_whose_lease_has_ended_goes_to_another_worker() {
    let mut receiver = taking().await;
    let house = House::of(&[("shop", &receiver.url)]);
    house.cancel_one("shop").await;
    let lease = Duration::from_secs(60);
    assert_eq!(house.store.claim(Queue::Events, START, lease, 10).await.unwrap().len(), 1);
    assert_eq!(house.events.deliver_due().await, 0);
    assert_eq!(house.wait().await, Some(lease));
    assert_eq!(house.events.deliver_due().await, 1);
    assert_eq!(receiver.so_far().len(), 1);
}

#[tokio::test]
async fn a_site_whose_webhook_was_taken_away_is_told_nothing_more() {
    let house = House::of(&[("shop", "http://127.0.0.1:9/")]);
    house.cancel_one("shop").await;
    let mut events = house.worker_with(Duration::from_secs(60));
    std::sync::Arc::get_mut(&mut events).unwrap().endpoints.clear();
    assert_eq!(events.deliver_due().await, 1);
    assert_eq!(house.next_due().await, None);
}
