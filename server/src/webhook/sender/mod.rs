//! Posting one signed request to a receiver, once.

use std::{error::Error, net::IpAddr, sync::Arc, time::Duration};

use ipnet::IpNet;
use otp::Timestamp;
use reqwest::{
    Client, Response, StatusCode,
    dns::Resolve,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect,
};
use url::{Host, Url};

use super::{
    AddressFilter, Signer,
    resolver::{Guarded, Refused, System},
};

/// The longest that a receiver can ask us to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// What a sender works under.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// For one request, its connection included.
    pub timeout: Duration,
    /// Networks beside the public internet that may be posted to.
    pub allowed_networks: Vec<IpNet>,
    /// Whether plain http is refused.
    pub https_only: bool,
}

/// Posts to receivers.
#[derive(Debug)]
pub struct WebhookSender {
    client: Client,
    addresses: AddressFilter,
    timeout: Duration,
}

/// One request.
pub(super) struct Post<'a> {
    pub(super) url: &'a Url,
    pub(super) signer: &'a Signer,
    /// Names the event over all its tries.
    pub(super) id: &'a str,
    pub(super) body: String,
    pub(super) now: Timestamp,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The receiver has it.
    Taken,
    /// The receiver wants no more of these.
    Gone,
    /// The receiver may take it later.
    Failed {
        /// For the operator: what was being done. Neither the URL, which may hold a secret, nor
        /// anything that the receiver wrote.
        reason: String,
        /// The time before which the receiver asks not to be asked again.
        not_before: Option<Timestamp>,
    },
}

impl WebhookSender {
    /// Sets the client up; connects to nothing yet.
    pub fn new(settings: WebhookSettings) -> Result<Self, reqwest::Error> {
        Self::resolving_by(System, settings)
    }

    fn resolving_by(
        resolver: impl Resolve + 'static,
        settings: WebhookSettings,
    ) -> Result<Self, reqwest::Error> {
        let WebhookSettings { timeout, allowed_networks, https_only } = settings;
        let addresses = AddressFilter::public_and(allowed_networks);
        let client = Client::builder()
            .user_agent(concat!("Latchkey/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .https_only(https_only)
            // A proxy would resolve the name once more, and connect to what nobody has looked at.
            .no_proxy()
            .dns_resolver(Guarded { inner: Arc::new(resolver), addresses: addresses.clone() })
            .connect_timeout(timeout)
            .timeout(timeout)
            .build()?;
        Ok(Self { client, addresses, timeout })
    }

    /// The longest that a request can take.
    pub(super) fn patience(&self) -> Duration {
        self.timeout
    }

    pub(super) async fn post(&self, post: Post<'_>) -> Answer {
        let Post { url, signer, id, body, now } = post;
        // A host that is an address is not resolved, so the resolver cannot refuse it.
        if address_of(url).is_some_and(|address| !self.addresses.allow(address)) {
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
            // What it says beside is not read.
            Ok(response) => read(&response, now),
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

fn read(response: &Response, now: Timestamp) -> Answer {
    match response.status() {
        status if status.is_success() => Answer::Taken,
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

/// The time that a `Retry-After` names: seconds from now, or a date (RFC 9110, 10.2.3).
fn not_before(after: &str, now: Timestamp) -> Option<Timestamp> {
    let latest = now + LONGEST_WAIT;
    if !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are a long time as well.
        let seconds = after.parse().map_or(LONGEST_WAIT, Duration::from_secs);
        return Some((now + seconds).min(latest));
    }
    let date = jiff::fmt::rfc2822::parse(after).ok()?.timestamp().as_millisecond();
    Some(Timestamp::from_millis(date.try_into().ok()?).min(latest))
}

fn reason(error: &reqwest::Error) -> String {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Refused>() {
            return Refused.to_string();
        }
        cause = error.source();
    }
    let words = if error.is_builder() {
        "the request cannot be built, or plain http is refused"
    } else if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke before the answer"
    };
    words.to_owned()
}

#[cfg(test)]
mod tests;
