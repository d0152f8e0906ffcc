//! Handing over what lies in the outbox: what every worker needs that empties one of its queues.
//!
//! A worker claims what is due, tries it, and settles it while the lease lasts ([`LeasedQueue`]). When it
//! tries again ([`Backoff`]), and whom it leaves alone for a while ([`Breaker`]), is decided here as
//! well; what a message says and who takes it is not.

mod backoff;
mod breaker;
mod leased_queue;
mod message_id;

pub use self::{
    backoff::{Backoff, shortened},
    breaker::Breaker,
    leased_queue::{ChangeOutbox, LeasedQueue},
    message_id::{binding, public_id},
};
