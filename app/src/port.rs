//! The use cases as pages need them.
//!
//! Server functions cannot be generic, so the service is erased to this trait when the server is
//! put together. Server functions and plain HTML forms use it; the JSON API calls the same service
//! directly, so each rule exists once.

use std::net::IpAddr;

use async_trait::async_trait;

use crate::{
    error::ApiError,
    wire::{
        Channel, CheckAnswer, EmbedOffer, Embedding, NotMeView, PageView, StartRequest,
        VerificationView,
    },
};

/// The door through which a client comes. At each one, the verifications behind the others are unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// Our own pages: verifications that began outside of frames.
    Page,
    /// A frame: verifications that began in a frame of the same site and origin.
    Frame(Embedding),
    /// The server functions of the island, which runs behind both of the others.
    Island,
}

/// The client of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The caller's address, as far as the configured proxies vouch for it.
    pub address: IpAddr,
    /// The `User-Agent` of the browser; empty without one.
    pub user_agent: String,
    /// The language negotiated with the browser, a BCP 47 tag that the catalogue has.
    pub locale: String,
    /// The door through which it comes.
    pub door: Door,
    /// The client's answer to a demand of work; empty if it gives none.
    pub work: String,
}

/// The use cases, as pages see them.
#[async_trait]
pub trait Port: Send + Sync {
    /// The offer for frames in pages of this origin; `None` if no site has the key, or the site has
    /// not listed the origin.
    fn embed_offer(&self, site_key: &str, origin: &str) -> Option<EmbedOffer>;

    /// `true` if any site has listed this origin.
    fn knows_origin(&self, origin: &str) -> bool;

    /// Begins a verification and accepts its first message: for the page around the frame, or on our
    /// own first page.
    async fn start(
        &self,
        caller: &Caller,
        request: StartRequest,
    ) -> Result<VerificationView, ApiError>;

    /// Everything that the page of a verification shows, `None` where it never was, or has expired
    /// and leads nowhere. Changes nothing, and never holds a proof.
    async fn page(&self, caller: &Caller, id: &str) -> Result<Option<PageView>, ApiError>;

    /// Looks a verification up. `None` where it has expired or never was. Changes nothing.
    async fn view(&self, id: &str) -> Result<Option<VerificationView>, ApiError>;

    /// Checks one guess, as typed, with the claim of the page that it was typed on, if any. A wrong code
    /// is an outcome, not an error.
    async fn check(
        &self,
        caller: &Caller,
        id: &str,
        guess: &str,
        claim: &str,
    ) -> Result<CheckAnswer, ApiError>;

    /// Sends a new code, by another channel if one is named.
    async fn resend(
        &self,
        caller: &Caller,
        id: &str,
        channel: Option<Channel>,
    ) -> Result<VerificationView, ApiError>;

    /// Cancels a verification. Canceling it twice is no error.
    async fn cancel(&self, caller: &Caller, id: &str) -> Result<(), ApiError>;

    /// Everything that the page behind the link "this wasn't me" shows; `None` where nothing is left to end.
    /// Changes nothing.
    async fn not_me(&self, link: &str) -> Result<Option<NotMeView>, ApiError>;

    /// Ends the verification that the link names, for its recipient. Doing so twice is no error; `false` where
    /// nothing is left to end.
    async fn disown(&self, link: &str) -> Result<bool, ApiError>;
}
