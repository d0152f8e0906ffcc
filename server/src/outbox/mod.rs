//! Tools of the workers that empty the outbox.
//!
//! A worker claims messages that are due, tries each while its lease is renewed, and settles it
//! ([`LeasedQueue`]). Retries wait by [`Backoff`]; a receiver that keeps failing is skipped by a circuit
//! [`Breaker`]. Contents are encrypted ([`seal`], [`open`]).

mod backoff;
mod breaker;
mod held;
mod leased_queue;
mod message_id;
mod retry_after;
mod sealed;

pub use self::{
    backoff::{Backoff, LEAST_LEFT, with_jitter, within},
    breaker::Breaker,
    held::Held,
    leased_queue::LeasedQueue,
    message_id::public_id,
    retry_after::not_before,
    sealed::{Unreadable, open, seal},
};
