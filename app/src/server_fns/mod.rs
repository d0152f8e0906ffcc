//! The functions that the hydrated card calls over HTTP: thin, the rules stand behind
//! [`Port`](crate::port::Port).
//!
//! Only what the card needs is here. Starting and calling off are plain forms with and without
//! script, since both lead to another page. Every function answers with what the card shows next,
//! or with the [`Flash`] that it shows instead, so the browser learns to read nothing else.

use leptos::prelude::*;
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

use crate::{
    card::Card,
    flash::Flash,
    server_fns::json::{Json, JsonPost},
    wire::Channel,
    wire_codec::pack_fields,
};

pub mod json;

/// What the functions run in, named here because otherwise the macro goes by one of its features,
/// which `leptos_axum` would switch on and bring the router along.
#[cfg(feature = "ssr")]
type Backend = server_fn::axum::AxumServerFnBackend;

/// Looks a verification up.
#[server(prefix = "/ui", endpoint = "view", input = JsonPost, output = JsonPost, server = Backend)]
pub(crate) async fn view_verification(id: String) -> Result<Card, Flash> {
    let door = Door::open()?;
    let view = door.port.view(&id).await.map_err(|error| door.refuse(error))?;
    Ok(Card { view, flash: None })
}

/// Checks one guess, as typed.
#[server(prefix = "/ui", endpoint = "check", input = JsonPost, output = JsonPost, server = Backend)]
pub(crate) async fn check_code(id: String, guess: String) -> Result<Card, Flash> {
    let door = Door::open()?;
    let answer =
        door.port.check(&door.caller, &id, &guess).await.map_err(|error| door.refuse(error))?;
    Ok(Card { view: answer.verification, flash: Flash::of_check(answer.outcome) })
}

/// Asks for another code, by another channel if one is named.
#[server(prefix = "/ui", endpoint = "resend", input = JsonPost, output = JsonPost, server = Backend)]
pub(crate) async fn resend_code(id: String, channel: Option<Channel>) -> Result<Card, Flash> {
    let door = Door::open()?;
    match door.port.resend(&door.caller, &id, channel).await {
        Ok(view) => Ok(Card { view: Some(view), flash: None }),
        // The card shows that as expired, like the page of an unknown verification.
        Err(crate::error::ApiError::NotFound) => Ok(Card { view: None, flash: None }),
        Err(error) => Err(door.refuse(error)),
    }
}

pack_fields!(ViewVerification { id });
pack_fields!(CheckCode { id, guess });
pack_fields!(ResendCode { id, channel });

/// Faults of the call itself become notices too.
impl FromServerFnError for Flash {
    type Encoder = Json;

    fn from_server_fn_error(_: ServerFnErrorErr) -> Self {
        // On the server the arguments were odd. In the browser the server, or the way to it, is
        // gone, or some gateway in between has answered in its place.
        if cfg!(feature = "ssr") { Self::NotUnderstood } else { Self::Unavailable }
    }
}

#[cfg(feature = "ssr")]
mod handler;

#[cfg(feature = "ssr")]
use handler::Door;
#[cfg(feature = "ssr")]
pub use handler::{handle, paths};
