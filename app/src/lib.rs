//! Latchkey's pages and the contract between browser and server.
//!
//! Compiled twice: natively with `ssr` for the server, to WebAssembly with `hydrate` for the
//! browser. It knows no database, no provider and no secret; the server is reached through
//! [`port::Port`] alone.

#[cfg(feature = "ssr")]
pub mod look;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod port;

pub mod countdown;
pub mod error;
pub mod flash;
pub mod server_fns;
pub mod texts;
pub mod wire;

mod card;
mod wire_codec;
