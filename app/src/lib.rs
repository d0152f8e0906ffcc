//! Pages of Latchkey, and the types shared by browser and server.
//!
//! Compiled twice: natively with `ssr` for the server, to WebAssembly with `hydrate` for the browser.
//! It depends on no database, provider or secret; [`port::Port`] is the only interface to the
//! server.

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
pub mod work;

mod card;
mod card_state;
mod wire_codec;
