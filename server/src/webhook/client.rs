//! HTTP client for addresses that others have a say in: it connects to allowed ones only.

use std::{error::Error, sync::Arc, time::Duration};

use ipnet::IpNet;
use reqwest::{Client, Method, RequestBuilder, dns::Resolve, redirect};
use url::Url;

use super::{
    AddressFilter,
    resolver::{Filtered, Refused, System},
};

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

impl WebhookSettings {
    /// Whether the host of a URL is an address that requests may not go to. Names are looked up, and their addresses
    /// filtered, at each request.
    pub fn refuses(&self, url: &Url) -> bool {
        AddressFilter::public_and(self.allowed_networks.clone()).refuses(url)
    }
}

/// A client that follows no redirect and connects to allowed addresses only.
#[derive(Debug)]
pub struct FilteredClient {
    client: Client,
    filter: AddressFilter,
    timeout: Duration,
}

impl FilteredClient {
    /// Sets up the client, without connecting.
    ///
    /// # Errors
    /// If the client cannot be built.
    pub fn new(settings: WebhookSettings) -> Result<Self, reqwest::Error> {
        Self::with_resolver(System, settings)
    }

    pub(super) fn with_resolver(
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
            // Shorter than the whole, or a connection that is not made in time could not be told from an answer that
            // does not come.
            .connect_timeout(timeout / 2)
            .timeout(timeout)
            .build()?;
        Ok(Self { client, filter, timeout })
    }

    /// Longest duration of a request.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// A request to a URL.
    ///
    /// # Errors
    /// If its host is an address that is not allowed.
    pub fn request(&self, method: Method, url: &Url) -> Result<RequestBuilder, Refused> {
        if self.filter.refuses(url) {
            return Err(Refused);
        }
        Ok(self.client.request(method, url.clone()))
    }

    /// Whether a request failed since its host has addresses only that are not allowed.
    pub fn is_refused(error: &reqwest::Error) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if error.is::<Refused>() {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// A failed request in words, without the URL, which may hold a secret.
    pub fn reason(error: &reqwest::Error) -> String {
        let reason = if Self::is_refused(error) {
            return Refused.to_string();
        } else if error.is_builder() {
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
}
