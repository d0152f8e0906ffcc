//! Latchkey: proves that a person controls an e-mail address or a phone number.
//!
//! Read [`service`] first: the use cases. [`startup`] is the one place that names concrete stores
//! and providers together; everything else is handed what it needs.

pub mod service;

pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod derived_keys;
pub mod error_chain;
pub mod housekeeping;
pub mod http;
pub mod i18n;
pub mod keyring;
pub mod open_files;
pub mod origin;
pub mod outbox;
pub mod port;
pub mod site;
pub mod skew;
pub mod startup;
pub mod store;
pub mod telemetry;
pub mod tokens;
pub mod webhook;
