//! Memory before the first request, and after many flows.

use std::time::Duration;

use super::{BUSY, IDLE};
use crate::{
    flow::{Answers, Running, kinds::RECIPIENT},
    process::Process,
    verdict,
};

const PARTS: usize = 5;

pub(super) async fn measure(number: usize) {
    let server = Process::latchkey(&[]);
    // Until the first sweeps are over.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let memory = server.memory();
    println!("Resident memory\n  idle: {memory:.1} MiB{}", verdict(memory, IDLE));
    drop(server);
    let mut running = Running::start(&RECIPIENT).await;
    for part in 1..=PARTS {
        running.run(number / PARTS).await;
        let memory = running.server.memory();
        let flows = number / PARTS * part;
        println!("  after {flows} flows: {memory:.1} MiB{}", verdict(memory, BUSY));
    }
}
