//! The use cases as pages need them.
//!
//! Server functions cannot be generic, so the service is erased to this trait when the server is
//! put together. Server functions and plain HTML forms use it; the JSON API calls the same service
//! directly, so each rule exists once.

use std::net::IpAddr;

use async_trait::async_trait;

use crate::{
    error::ApiError,
    wire::{Channel, CheckAnswer, EmbedOffer, Embedding, PageView, StartRequest, VerificationView},
};

/// The client of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The caller's address, as far as the configured proxies vouch for it.
    pub address: IpAddr,
    /// The language negotiated with the browser, a BCP 47 tag that the catalogue has.
    pub locale: String,
}

/// The use cases, as pages see them.
#[async_trait]
pub trait Port: Send + Sync {
    /// The offer for frames in pages of this origin; `None` if no site has the key, or the site has
    /// not listed the origin.
    fn embed_offer(&self, site_key: &str, origin: &str) -> Option<EmbedOffer>;

    /// `true` if any site has listed this origin.
    fn knows_origin(&self, origin: &str) -> bool;

    /// Begins a verification and accepts its first message: for the page that it is embedded in, or
    /// on our own first page.
    async fn start(
        &self,
        caller: &Caller,
        embedding: Option<&Embedding>,
        request: StartRequest,
    ) -> Result<VerificationView, ApiError>;

    /// Everything that the page of a verification shows, `None` where it never was, or has expired
    /// and leads nowhere. Changes nothing.
    async fn page(&self, id: &str) -> Result<Option<PageView>, ApiError>;

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

    /// Cancels a verification. Canceling it twice is no error.
    async fn cancel(&self, caller: &Caller, id: &str) -> Result<(), ApiError>;
}
