//! HTTP client for webhooks.

use std::{error::Error, net::IpAddr, sync::Arc, time::Duration};

use ipnet::IpNet;
use otp::Timestamp;
use reqwest::{Client, Response, StatusCode, dns::Resolve, header::CONTENT_TYPE, redirect};
use url::{Host, Url};

use super::{
    AddressFilter, Signer,
    resolver::{Filtered, Refused, System},
};
use crate::outbox::not_before;

/// Settings of webhook requests.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Time-out of one request, including the connection.
    pub timeout: Duration,
    /// Networks that are allowed in addition to public addresses.
    pub allowed_networks: Vec<IpNet>,
    /// Whether URLs with plain http are refused.
    pub https_only: bool,
}

/// Sends webhook requests.
#[derive(Debug)]
pub struct WebhookSender {
    client: Client,
    filter: AddressFilter,
    timeout: Duration,
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
        let WebhookSettings { timeout, allowed_networks, https_only } = settings;
        let filter = AddressFilter::public_and(allowed_networks);
        let client = Client::builder()
            .user_agent(concat!("Latchkey/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .https_only(https_only)
            // A proxy would resolve the name again, past the filter.
            .no_proxy()
            .dns_resolver(Filtered { inner: Arc::new(resolver), filter: filter.clone() })
            .connect_timeout(timeout)
            .timeout(timeout)
            .build()?;
        Ok(Self { client, filter, timeout })
    }

    /// Longest duration of a request.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) async fn post(&self, post: Post<'_>) -> Answer {
        let Post { url, signer, id, body, now } = post;
        // A literal address does not pass through the resolver.
        if address_of(url).is_some_and(|address| !self.filter.allow(address)) {
            return failed(Refused.to_string());
        }
        let seconds = now.as_millis() / 1000;
        let signature = signer.sign(id, seconds, body.as_bytes());
        let request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            // The body is not read.
            Ok(response) => answer(&response, now),
            Err(error) => failed(reason(&error)),
        }
    }
}

fn failed(reason: String) -> Answer {
    Answer::Failed { reason, not_before: None }
}

fn address_of(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
    }
}

fn answer(response: &Response, now: Timestamp) -> Answer {
    match response.status() {
        status if status.is_success() => Answer::Accepted,
        StatusCode::GONE => Answer::Gone,
        status => Answer::Failed {
            reason: format!("HTTP {}", status.as_u16()),
            not_before: not_before(response.headers(), now),
        },
    }
}

fn reason(error: &reqwest::Error) -> String {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Refused>() {
            return Refused.to_string();
        }
        cause = error.source();
    }
    let reason = if error.is_builder() {
        "the URL is invalid, or it is plain http, which is refused"
    } else if error.is_timeout() {
        "the request timed out"
    } else if error.is_connect() {
        "the connection failed"
    } else {
        "the connection was lost before the response"
    };
    reason.to_owned()
}

#[cfg(test)]
mod tests;
