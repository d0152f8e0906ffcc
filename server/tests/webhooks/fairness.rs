//! A receiver that is slow or dead is its site's own trouble.

use std::{collections::BTreeSet, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    house::{House, START},
    receiver::{Receiver, Reply},
    taking,
};

#[tokio::test]
async fn nobody_waits_for_somebody_elses_receiver() {
    let mut silent = Receiver::replying([], Reply::Silence).await;
    let mut well = taking().await;
    let house = House::of(&[("slow", &silent.url), ("shop", &well.url)]);
    // More than are ever held in memory for one site, and more than are claimed at once.
    for _ in 0..150 {
        house.cancel_one("slow").await;
    }
    let stop = CancellationToken::new();
    let worker = tokio::spawn(house.events.clone().run(stop.clone()));
    silent.next().await;
    let ids = [house.cancel_one("shop").await, house.cancel_one("shop").await];
    let told = [well.next().await, well.next().await];
    let told: BTreeSet<_> =
        told.iter().map(|told| told.json()["data"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ids.map(|id| id.to_string()).into());
    assert!(silent.so_far().len() < 8, "no more than its places at the same time");
    worker.abort();
}

#[tokio::test]
async fn a_receiver_that_keeps_failing_is_left_alone_and_that_is_no_try() {
    let mut receiver = Receiver::replying([], Reply::status(500)).await;
    let house = House::of(&[("shop", &receiver.url)]);
    for _ in 0..5 {
        house.cancel_one("shop").await;
    }
    house.events.deliver_due().await;
    assert_eq!(receiver.so_far().len(), 5);
    house.cancel_one("shop").await;
    house.events.deliver_due().await;
    assert_eq!(receiver.so_far().len(), 0);
    house.clock.advance(Duration::from_secs(29));
    house.events.deliver_due().await;
    assert_eq!(receiver.so_far().len(), 0);
    house.clock.advance(Duration::from_secs(120).saturating_sub(house.clock.now().since(START)));
    house.events.deliver_due().await;
    assert!(!receiver.so_far().is_empty(), "asked again");
}

#[tokio::test]
async fn a_burst_is_posted_whole() {
    let mut receiver = taking().await;
    let house = House::of(&[("shop", &receiver.url)]);
    let ids: Vec<_> = {
        let mut ids = Vec::new();
        for _ in 0..200 {
            ids.push(house.cancel_one("shop").await);
        }
        ids
    };
    while house.next_due().await.is_some() {
        house.wait().await;
        house.events.deliver_due().await;
    }
    let requests = receiver.so_far();
    assert_eq!(requests.len(), ids.len());
    let distinct: BTreeSet<_> = requests.iter().map(|request| request.id.clone()).collect();
    assert_eq!(distinct.len(), ids.len());
}
