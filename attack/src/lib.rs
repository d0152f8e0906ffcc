//! A simulator of attacks on a running server, which counts what got through.
//!
//! - Attackers and honest people speak plain HTTP and know what strangers know: the form of the start page, the
//!   requests of a verification's page, and the words of refusals. No rule of the server is repeated here; each
//!   attacker asks, reads the answer and goes on. A few things are known besides: back ends have the key of
//!   the site of development, and honest people read their messages in its inbox.
//! - A `World` is a server and its time. Usually that is a server in this process, with a database of its own
//!   and a clock that is set forward, behind a trusted proxy: so an address is what `X-Forwarded-For` says. Or it is
//!   a development server on this machine, in real time: then everything happens at once, and from one address unless
//!   that server takes this machine for a proxy.
//! - A [`Report`] holds counts and promises (`docs/SECURITY.md`). The expected number of successful guesses is
//!   computed from the guesses that the server compared, at codes of the length that it asked for.

mod crowd;
pub mod guess;
pub mod honest;
pub mod lock_out;
mod numbers;
pub mod pump;
mod report;
mod visitor;
mod world;

use self::world::World;
pub use self::{
    report::{Promise, Report},
    world::Setup,
};

/// A fault of the simulation or of the server, which is none of the things that are counted.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Sizes of the scenarios.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Numbers that a pump asks for.
    pub numbers: u32,
    /// Networks that it asks from, where it has many.
    pub networks: u32,
    /// Recipients that are guessed at, five times each.
    pub recipients: u32,
    /// People of an honest day.
    pub people: u32,
    /// Honest days before it.
    pub history: u32,
}

impl Sizes {
    /// Sizes at which the promises are made.
    pub const FULL: Self =
        Self { numbers: 5000, networks: 200, recipients: 100_000, people: 10_000, history: 14 };
    /// Sizes of the tests. So many guesses are needed to reach the longest codes.
    pub const SMALL: Self =
        Self { numbers: 1000, networks: 200, recipients: 2100, people: 150, history: 14 };
}
