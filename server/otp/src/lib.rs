//! The pure domain of one-time-passcode verification.
//!
//! No async, no IO, no clock and no random generator: time is a [`Timestamp`] parameter, and the
//! generator is passed in by the caller, so each rule can be tested at the millisecond where it
//! changes.
//!
//! Read the state machine in [`verification`] first.

pub mod verification;

pub mod alert;
pub mod claim;
pub mod code;
pub mod copy_on_write;
pub mod counters;
pub mod destinations;
pub mod details;
pub mod digest;
pub mod event;
pub mod guesses;
pub mod id;
pub mod known;
pub mod limits;
pub mod policy;
pub mod quota;
pub mod recipient;
pub mod risk;
pub mod send;

pub mod tally;
pub mod tally_part;
pub mod texts;
pub mod time;
pub mod token;
pub mod work;

pub use claim::{Claim, ClaimDigest};
pub use code::Code;
pub use copy_on_write::CopyOnWrite;
pub use destinations::Destinations;
pub use details::Details;
pub use id::VerificationId;
pub use policy::Policy;
pub use recipient::Recipient;
pub use time::Timestamp;
pub use token::ResultToken;
pub use verification::Verification;

pub use otp_types::{
    Assurance, Channel, CheckResult, CodeProblem, DeliveryState, Limit, Outcome, RecipientProblem,
    State,
};
