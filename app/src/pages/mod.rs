//! The pages, each a function from its input to a complete HTML document.
//!
//! There is no router and no global state: the server routes requests, and passes the texts, the
//! assets and the nonce of each response.

mod api_reference;
mod inbox;
mod not_me;
mod problem;
mod return_form;
mod setting;
mod shell;
mod start;
mod verification;
mod work;

pub use self::{
    api_reference::{Endpoint, Group, Member, Reference, ReferencePage, reference},
    inbox::{InboxPage, inbox},
    not_me::{NotMePage, not_me},
    problem::{ProblemPage, problem},
    setting::Setting,
    shell::{Assets, Frame},
    start::{StartForm, StartPage, start},
    verification::{VerificationPage, verification},
    work::{WorkPage, work},
};
