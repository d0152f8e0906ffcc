//! The real program under what kills servers: SIGKILL at any instant, SIGTERM in the middle of
//! work, a database that others hold, a disk that is full, a clock that was set back.
//!
//! And the outbox in this process, on a clock that is moved by hand, under what happens to messages
//! on their way.
//!
//! Mail goes to a real mail server (`end2end/servers/smtp.mjs`), which outlives the program, so what
//! was delivered is known however often that dies.

mod browser;
#[path = "../common/card.rs"]
mod card;
mod clock;
mod dice;
mod events;
mod handover;
mod installation;
mod kill;
mod ledger;
#[path = "../delivery/mail_server.rs"]
mod mail_server;
mod outbox;
mod postbox;
#[path = "../common/receiver.rs"]
mod receiver;
mod retry;
mod shutdown;
mod store;
mod takeover;

use std::{sync::Arc, time::Duration};

use server::i18n::Catalogue;

/// For one step of a conversation with a provider.
const PATIENCE: Duration = Duration::from_secs(10);
/// For anything that should happen soon; only a test that fails waits so long.
const SOON: Duration = Duration::from_secs(60);

fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::load().unwrap())
}
