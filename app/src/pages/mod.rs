//! The pages: each a function from what is known to a whole HTML document.
//!
//! There is no router and no global state; the HTTP layer decides which page an address gets,
//! and hands over the texts, the assets and the nonce of this one answer.

mod inbox;
mod problem;
mod reference;
mod setting;
mod shell;
mod start;
mod verification;
mod way_back;

pub use self::{
    inbox::{InboxPage, inbox},
    problem::{ProblemPage, problem},
    reference::{Endpoint, Group, Member, Reference, ReferencePage, reference},
    setting::Setting,
    shell::{Assets, Frame},
    start::{StartForm, StartPage, start},
    verification::{VerificationPage, verification},
};
