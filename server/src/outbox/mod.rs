//! Tools of the workers that empty the outbox.
//!
//! A worker claims messages that are due, tries each and settles it before the lease ends
//! ([`LeasedQueue`]). Retries wait by [`Backoff`]; a receiver that keeps failing is skipped by a circuit
//! [`Breaker`]. Contents are encrypted ([`seal`], [`open`]).

mod backoff;
mod breaker;
mod leased_queue;
mod message_id;
mod sealed;

pub use self::{
    backoff::{Backoff, with_jitter},
    breaker::Breaker,
    leased_queue::LeasedQueue,
    message_id::public_id,
    sealed::{Unreadable, open, seal},
};
