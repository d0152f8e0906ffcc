//! The whole server through its real router: a listening application, a real store, real HTTP.

mod app;
mod limits;
mod once;
mod secrecy;
mod web;
