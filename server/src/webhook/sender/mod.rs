//! HTTP client for webhooks.

use std::time::Duration;

use otp::Timestamp;
use reqwest::{
    Method, Response, StatusCode,
    dns::Resolve,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use url::Url;

use super::{
    Signer,
    client::{FilteredClient, WebhookSettings},
    resolver::{Refused, System},
};

/// Longest `Retry-After` that is respected.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

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
        status => {
            let after = response.headers().get(RETRY_AFTER);
            let after = after.and_then(|value| value.to_str().ok());
            Answer::Failed {
                reason: format!("HTTP {}", status.as_u16()),
                not_before: after.and_then(|after| not_before(after.trim(), now)),
            }
        }
    }
}

/// The time of a `Retry-After`: seconds from now, or a date (RFC 9110, 10.2.3).
fn not_before(after: &str, now: Timestamp) -> Option<Timestamp> {
    let latest = now + LONGEST_WAIT;
    if !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large to parse is more than the longest wait.
        let seconds = after.parse().map_or(LONGEST_WAIT, Duration::from_secs);
        return Some((now + seconds).min(latest));
    }
    let date = jiff::fmt::rfc2822::parse(after).ok()?.timestamp().as_millisecond();
    Some(Timestamp::from_millis(date.try_into().ok()?).min(latest))
}

#[cfg(test)]
mod tests;
