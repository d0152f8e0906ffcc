//! A slow or broken receiver does not affect other sites.

use std::{collections::BTreeSet, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    accepting_receiver,
    harness::{Harness, START},
    receiver::{Receiver, Reply},
};

#[tokio::test]
async fn a_silent_receiver_does_not_delay_the_events_of_other_sites() {
    let mut silent = Receiver::replying([], Reply::Silence).await;
    let mut healthy = accepting_receiver().await;
    let harness = Harness::of(&[("slow", &silent.url), ("shop", &healthy.url)]);
    // More than fit into memory for one site, and more than one batch.
    for _ in 0..150 {
        harness.cancel_one("slow").await;
    }
    let stop = CancellationToken::new();
    let worker = tokio::spawn(harness.events.clone().run(stop.clone()));
    silent.next().await;
    let ids = [harness.cancel_one("shop").await, harness.cancel_one("shop").await];
    let events = [healthy.next().await, healthy.next().await];
    let delivered: BTreeSet<_> = events
        .iter()
        .map(|event| event.json()["data"]["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(delivered, ids.map(|id| id.to_string()).into());
    assert!(silent.so_far().len() < 8, "concurrent requests are limited");
    worker.abort();
}

#[tokio::test]
async fn an_open_breaker_requeues_events_without_a_try() {
    let mut receiver = Receiver::replying([], Reply::status(500)).await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    for _ in 0..5 {
        harness.cancel_one("shop").await;
    }
    harness.events.deliver_due().await;
    assert_eq!(receiver.so_far().len(), 5);
    harness.cancel_one("shop").await;
    harness.events.deliver_due().await;
    assert_eq!(receiver.so_far().len(), 0);
    harness.clock.advance(Duration::from_secs(29));
    harness.events.deliver_due().await;
    assert_eq!(receiver.so_far().len(), 0);
    harness
        .clock
        .advance(Duration::from_secs(120).saturating_sub(harness.clock.now().since(START)));
    harness.events.deliver_due().await;
    assert!(!receiver.so_far().is_empty(), "the receiver is tried again");
}

#[tokio::test]
async fn a_burst_is_delivered_completely() {
    let mut receiver = accepting_receiver().await;
    let harness = Harness::of(&[("shop", &receiver.url)]);
    let ids: Vec<_> = {
        let mut ids = Vec::new();
        for _ in 0..200 {
            ids.push(harness.cancel_one("shop").await);
        }
        ids
    };
    harness.drain().await;
    let requests = receiver.so_far();
    assert_eq!(requests.len(), ids.len());
    let distinct: BTreeSet<_> = requests.iter().map(|request| request.id.clone()).collect();
    assert_eq!(distinct.len(), ids.len());
}
