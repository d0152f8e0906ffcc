//! The only door from the pages to the server.
//!
//! Server functions cannot be generic, so the service is erased once, when the server is put
//! together, to this trait. Server functions, plain HTML forms and the JSON API all go through it,
//! so each rule exists once.

use std::net::IpAddr;

use async_trait::async_trait;

use crate::{
    error::ApiError,
    wire::{Channel, CheckAnswer, StartRequest, VerificationView},
};

/// Who is asking: what quotas are counted under and whose rules apply.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The caller's address, as far as the configured proxies vouch for it.
    pub address: IpAddr,
    /// The language negotiated with the browser, a BCP 47 tag that the catalogue has.
    pub locale: String,
}

/// The use cases, as the pages and the API see them.
#[async_trait]
pub trait Port: Send + Sync {
    /// Begins a verification and accepts its first message.
    async fn start(
        &self,
        caller: &Caller,
        request: StartRequest,
    ) -> Result<VerificationView, ApiError>;

    /// Looks a verification up. `None` where it has expired or never was. Changes nothing.
    async fn view(&self, id: &str) -> Result<Option<VerificationView>, ApiError>;

    /// Checks one guess, as typed. A wrong code is an outcome, not an error.
    async fn check(&self, caller: &Caller, id: &str, guess: &str) -> Result<CheckAnswer, ApiError>;

    /// Sends a new code, by another channel if one is named.
    async fn resend(
        &self,
        caller: &Caller,
        id: &str,
        channel: Option<Channel>,
    ) -> Result<VerificationView, ApiError>;

    /// Calls a verification off. Calling it off twice is no error.
    async fn cancel(&self, caller: &Caller, id: &str) -> Result<(), ApiError>;
}
