//! Common parts of the providers that are reached by plain HTTP requests: the client, and the kinds of
//! its failures.

use std::sync::Arc;

use otp::Timestamp;
use reqwest::{Method, RequestBuilder, Url};

use super::{OutgoingMessage, ProbeError, Undelivered};
use crate::webhook::{FilteredClient, Refused};

/// Longest answer that is read. It holds an id or an error.
const LONGEST_ANSWER: usize = 64 * 1024;

/// A client that connects to allowed addresses only.
#[derive(Clone, Debug)]
pub(super) struct GatewayClient(pub(super) Arc<FilteredClient>);

impl GatewayClient {
    /// A request, unless its address is not allowed.
    pub(super) fn request(&self, method: Method, url: &Url) -> Result<RequestBuilder, Refused> {
        self.0.request(method, url)
    }

    /// Sends a request; gives the status and the beginning of the answer.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
    ) -> Result<(u16, Vec<u8>), Undelivered> {
        let mut answer = request.send().await.map_err(|error| not_sent(&error))?;
        let mut body = Vec::new();
        // The status alone decides where the body breaks off.
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend(chunk);
            if body.len() > LONGEST_ANSWER {
                body.clear();
                break;
            }
        }
        Ok((answer.status().as_u16(), body))
    }

    /// Whether the server at a URL answers at all. Nothing is sent to it but a HEAD without credentials.
    pub(super) async fn reach(&self, url: &Url) -> Result<(), ProbeError> {
        let unreachable = |reason| ProbeError::Unreachable { reason };
        let request = self.request(Method::HEAD, url);
        let request = request.map_err(|refused| unreachable(refused.to_string()))?;
        let answer = request.send().await;
        answer.map(|_| ()).map_err(|error| unreachable(not_sent(&error).reason))
    }
}

/// Whole seconds until the code of a message expires.
pub(super) fn seconds_left(message: &OutgoingMessage, now: Timestamp) -> u64 {
    message.expires_at.since(now).as_secs()
}

/// The failure of a request without a response. The text of the error is not used, since it contains the URL.
fn not_sent(error: &reqwest::Error) -> Undelivered {
    let reason = FilteredClient::reason(error);
    // Nothing was sent yet in these cases; after that, the message may have been.
    if error.is_connect() {
        Undelivered::transient(reason)
    } else if error.is_builder() {
        Undelivered::permanent(reason)
    } else {
        Undelivered::ambiguous(reason)
    }
}
