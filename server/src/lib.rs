//! Latchkey: proves that a person controls an e-mail address or a phone number.
//!
//! Read [`service`] first: the use cases. [`startup`] is the one place that names concrete stores
//! and providers together; everything else is handed what it needs.

pub mod config;
pub mod keys;
pub mod store;
