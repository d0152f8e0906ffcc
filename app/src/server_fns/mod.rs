//! Server functions of the hydrated card. They are thin; the rules are behind [`Port`].
//!
//! Only what the card needs is here. Starting and canceling are plain forms with and without script,
//! since both lead to another page. Every function answers with the state that the card shows next,
//! or with the [`Flash`] that it shows instead, so the browser reads nothing else.
//!
//! The HTTP layer calls them through `leptos_axum` and provides an `Arc<dyn Port>` and a
//! [`Caller`] as context for each request.

pub mod json;

use leptos::prelude::*;
use server_fn::error::{FromServerFnError, ServerFnErrorErr};
#[cfg(feature = "ssr")]
use {
    crate::{
        error::ApiError,
        port::{Caller, Port},
    },
    axum::http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    leptos_axum::ResponseOptions,
    std::sync::Arc,
};

use crate::{
    card_state::Card,
    flash::Flash,
    server_fns::json::{Json, JsonPost},
    wire::Channel,
    wire_codec::pack_fields,
};

/// Looks a verification up.
///
/// # Errors
///
/// The store is away.
#[server(prefix = "/ui", endpoint = "view", input = JsonPost, output = JsonPost, input_derive = (Clone,))]
pub(crate) async fn view_verification(id: String) -> Result<Card, Flash> {
    let view = expect_context::<Arc<dyn Port>>().view(&id).await.map_err(refuse)?;
    Ok(Card { view, flash: None })
}

/// Checks one guess, as typed, with the claim of the page. The answer holds no proof: the card gets that
/// by posting its form.
///
/// # Errors
///
/// A limit is reached, or the store is away. A wrong code is no error.
#[server(prefix = "/ui", endpoint = "check", input = JsonPost, output = JsonPost, input_derive = (Clone,))]
pub(crate) async fn check_code(id: String, guess: String, claim: String) -> Result<Card, Flash> {
    let (port, caller) = (expect_context::<Arc<dyn Port>>(), expect_context::<Caller>());
    let answer = port.check(&caller, &id, &guess, &claim).await.map_err(refuse)?;
    Ok(Card { view: answer.verification, flash: Flash::of_check(answer.outcome) })
}

/// Asks for another code, by another channel if one is named.
///
/// # Errors
///
/// It is too early, a limit is reached, or the store is away.
#[server(prefix = "/ui", endpoint = "resend", input = JsonPost, output = JsonPost, input_derive = (Clone,))]
pub(crate) async fn resend_code(id: String, channel: Option<Channel>) -> Result<Card, Flash> {
    let (port, caller) = (expect_context::<Arc<dyn Port>>(), expect_context::<Caller>());
    match port.resend(&caller, &id, channel).await {
        Ok(view) => Ok(Card { view: Some(view), flash: None }),
        // Shown as expired, like the page of an unknown verification.
        Err(ApiError::NotFound) => Ok(Card { view: None, flash: None }),
        Err(error) => Err(refuse(error)),
    }
}

pack_fields!(ViewVerification { id });
pack_fields!(CheckCode { id, guess, claim });
pack_fields!(ResendCode { id, channel });

/// Sets the status and `Retry-After` of a refusal and returns what the card shows.
#[cfg(feature = "ssr")]
fn refuse(error: ApiError) -> Flash {
    let response = expect_context::<ResponseOptions>();
    let status = StatusCode::from_u16(error.status());
    response.set_status(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    if let Some(seconds) = error.retry_after() {
        response.insert_header(RETRY_AFTER, HeaderValue::from(seconds));
    }
    error.into()
}

/// Faults of the call itself.
impl FromServerFnError for Flash {
    type Encoder = Json;

    /// On the server the arguments could not be read, which is a 400 and not the 500 that
    /// `server_fn` has for every error. In the browser the server cannot be reached, or a gateway
    /// has answered in its place.
    fn from_server_fn_error(_: ServerFnErrorErr) -> Self {
        #[cfg(feature = "ssr")]
        return refuse(ApiError::BadRequest);
        #[cfg(not(feature = "ssr"))]
        Self::Unavailable
    }
}
