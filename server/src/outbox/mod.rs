//! Handing over what lies in the outbox: what every worker needs that empties one of its queues.
//!
//! A worker claims what is due, tries it, and settles it while the lease lasts ([`Desk`]). When it
//! tries again ([`Backoff`]), and whom it leaves alone for a while ([`Breaker`]), is decided here as
//! well; what a message says and who takes it is not.

mod breaker;
mod desk;
mod name;
mod retry;

pub use self::{
    breaker::Breaker,
    desk::{ChangeOutbox, Desk},
    name::{binding, public_id},
    retry::{Backoff, shortened},
};
