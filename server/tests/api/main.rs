//! The whole server through its real router: a listening application, a real store, real HTTP.

mod app;
mod back_ends;
#[path = "../common/card.rs"]
mod card;
mod channels;
mod destinations;
mod hosted;
mod limits;
mod networks;
mod not_me;
mod once;
mod proof;
mod rotation;
mod secrecy;
mod texts;
mod web;
mod work;
