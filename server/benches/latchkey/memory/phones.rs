//! Memory after phone numbers of all countries: what is kept of a numbering plan once it was needed.

use super::BUSY;
use crate::{
    client::{Client, JSON},
    load, numbers,
    process::Process,
    settings, verdict,
};

const CONNECTIONS: usize = 16;
const PARTS: usize = 5;

pub(super) async fn measure(number: usize) {
    let server = Process::latchkey(&settings::texts());
    let mut clients = Client::connect_all(server.address(), CONNECTIONS, "lk_sec_demo").await;
    println!("Resident memory under phone numbers of all countries");
    let mut accepted = 0;
    for part in 1..=PARTS {
        let phones: Vec<_> =
            numbers::typed().skip(number / PARTS * (part - 1)).take(number / PARTS).collect();
        let statuses = load::each(&mut clients, phones.len(), async |client, phone| {
            let body = format!(r#"{{"to":"{}"}}"#, phones[phone]);
            client.post("/v1/verifications", JSON, &body).await.status
        });
        accepted += statuses.await.into_iter().filter(|status| *status == 201).count();
        let memory = server.memory();
        let asked = number / PARTS * part;
        println!("  after {asked}, {accepted} accepted: {memory:.1} MiB{}", verdict(memory, BUSY));
    }
}
