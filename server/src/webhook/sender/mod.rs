//! HTTP client for webhooks.

use std::time::Duration;

use otp::Timestamp;
use reqwest::{
    Method, Response, StatusCode,
    dns::Resolve,
    header::{CONTENT_TYPE, HeaderName, RETRY_AFTER},
};
use url::Url;

use super::{
    Signer,
    client::{FilteredClient, WebhookSettings},
    resolver::{Refused, System},
};
use crate::outbox::not_before;

/// Sends webhook requests.
#[derive(Debug)]
pub struct WebhookSender {
    client: FilteredClient,
}

/// One request.
pub(super) struct Post<'a> {
    pub(super) url: &'a Url,
    pub(super) signer: &'a Signer,
    /// Id of the event, the same for all tries.
    pub(super) id: &'a str,
    pub(super) body: String,
    pub(super) now: Timestamp,
}

/// Result of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The receiver accepted the event.
    Accepted,
    /// The receiver answered 410: it does not want the event.
    Gone,
    /// The request failed; a later one may succeed.
    Failed {
        /// For the operator. Contains neither the URL, which may hold a secret, nor text of the receiver.
        reason: String,
        /// Time given by `Retry-After`.
        not_before: Option<Timestamp>,
    },
}

impl WebhookSender {
    /// Sets up the HTTP client, without connecting.
    ///
    /// # Errors
    /// If the client cannot be built.
    pub fn new(settings: WebhookSettings) -> Result<Self, reqwest::Error> {
        Self::with_resolver(System, settings)
    }

    fn with_resolver(
        resolver: impl Resolve + 'static,
        settings: WebhookSettings,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self { client: FilteredClient::with_resolver(resolver, settings)? })
    }

    /// Longest duration of a request.
    pub(super) fn timeout(&self) -> Duration {
        self.client.timeout()
    }

    pub(super) async fn post(&self, post: Post<'_>) -> Answer {
        let Post { url, signer, id, body, now } = post;
        let Ok(request) = self.client.request(Method::POST, url) else {
            return failed(Refused.to_string());
        };
        let seconds = now.as_millis() / 1000;
        let signature = signer.sign(id, seconds, body.as_bytes());
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            // The body is not read.
            Ok(response) => answer(&response, now),
            Err(error) => failed(FilteredClient::reason(&error)),
        }
    }
}

fn failed(reason: String) -> Answer {
    Answer::Failed { reason, not_before: None }
}

fn answer(response: &Response, now: Timestamp) -> Answer {
    match response.status() {
        status if status.is_success() => Answer::Accepted,
        StatusCode::GONE => Answer::Gone,
        status => Answer::Failed {
            reason: format!("HTTP {}", status.as_u16()),
            not_before: not_before(header(response, RETRY_AFTER), now),
        },
    }
}

fn header(response: &Response, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests;
