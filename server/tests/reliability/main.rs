//! The real program under SIGKILL, SIGTERM, a locked database, a full disk, a clock that was set back and
//! hostile connections;
//! and the outbox in this process, on a manual clock, under failures of delivery.
//!
//! Mail is sent to a real mail server (`end2end/servers/smtp.mjs`, or Postfix), which outlives the program and
//! records the deliveries.

mod browser;
#[path = "../common/card.rs"]
mod card;
mod chaos;
#[path = "../common/chosen_store.rs"]
mod chosen_store;
mod clock;
mod events;
mod failover;
mod installation;
mod kill;
mod lease;
mod ledger;
#[path = "../delivery/mail_server.rs"]
mod mail_server;
mod mail_sink;
mod outbox;
#[path = "../delivery/postfix.rs"]
mod postfix;
#[path = "../common/postgres.rs"]
mod postgres;
#[path = "../common/receiver.rs"]
mod receiver;
mod retry;
mod rng;
mod servers;
mod shutdown;
mod sockets;
mod store;
mod unsent;
mod withdrawn;

use std::{sync::Arc, time::Duration};

use server::i18n::Catalogue;

/// Time-out of one step with a provider.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Time-out of everything that a test waits for.
const SOON: Duration = Duration::from_secs(60);

fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::load().unwrap())
}
