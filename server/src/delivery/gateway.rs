//! Common parts of the providers that are reached by plain HTTP requests: the client, and the kinds of
//! its failures.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use otp::Timestamp;
use reqwest::{Method, RequestBuilder, Response, Url, header::RETRY_AFTER};

use super::{HandOver, OutgoingMessage, ProbeError, Probed, Undelivered};
use crate::{outbox::not_before, webhook::FilteredClient};

/// Longest answer that is read. It holds an id or an error.
const LONGEST_ANSWER: usize = 64 * 1024;

/// A client that connects to allowed addresses only.
#[derive(Clone, Debug)]
pub(super) struct GatewayClient(pub(super) Arc<FilteredClient>);

impl GatewayClient {
    /// A request. An address that is not allowed is no fault of the message.
    pub(super) fn request(&self, method: Method, url: &Url) -> Result<RequestBuilder, Undelivered> {
        let request = self.0.request(method, url);
        request.map_err(|refused| Undelivered::account(refused.to_string()))
    }

    /// Whether the server at a URL answers at all. Nothing is sent to it but a HEAD without credentials.
    pub(super) async fn reach(&self, url: &Url) -> Result<Probed, ProbeError> {
        let unreachable = |failed: Undelivered| ProbeError::Unreachable { reason: failed.reason };
        let request = self.request(Method::HEAD, url).map_err(unreachable)?;
        let answer = exchange(request, &HandOver::default()).await;
        answer.map(|_| Probed::Answers).map_err(unreachable)
    }
}

/// An answer to a request.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Its beginning; empty if it is too long.
    pub(super) body: Vec<u8>,
    retry_after: Option<String>,
}

impl Answer {
    /// The time before which the provider asks not to be tried again.
    pub(super) fn not_before(&self, now: Timestamp) -> Option<Timestamp> {
        not_before(self.retry_after.as_deref(), now)
    }
}

/// Sends a request, and says by `hand_over` when the other side may have its content.
pub(super) async fn exchange(
    request: RequestBuilder,
    hand_over: &HandOver,
) -> Result<Answer, Undelivered> {
    let failed = |error: reqwest::Error| not_sent(&error, hand_over);
    let (client, request) = request.build_split();
    let mut request = request.map_err(failed)?;
    if let Some(body) = request.body_mut() {
        let content = Bytes::copy_from_slice(body.as_bytes().unwrap_or_default());
        let hand_over = hand_over.clone();
        *body = reqwest::Body::wrap(Content { content: Full::new(content), hand_over });
    }
    let mut answer = client.execute(request).await.map_err(failed)?;
    let retry_after = retry_after(&answer);
    let mut body = Vec::new();
    // The status alone decides where the body breaks off.
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend(chunk);
        if body.len() > LONGEST_ANSWER {
            body.clear();
            break;
        }
    }
    Ok(Answer { status: answer.status().as_u16(), body, retry_after })
}

fn retry_after(answer: &Response) -> Option<String> {
    Some(answer.headers().get(RETRY_AFTER)?.to_str().ok()?.to_owned())
}

/// Whole seconds until the code of a message expires.
pub(super) fn seconds_left(message: &OutgoingMessage, now: Timestamp) -> u64 {
    message.expires_at.since(now).as_secs()
}

/// The failure of a request without a response. The text of the error is not used, since it contains the URL.
fn not_sent(error: &reqwest::Error, hand_over: &HandOver) -> Undelivered {
    let reason = FilteredClient::reason(error);
    if error.is_builder() || FilteredClient::is_refused(error) {
        Undelivered::account(reason)
    } else if error.is_connect() || !hand_over.has_begun() {
        Undelivered::transient(reason)
    } else {
        Undelivered::ambiguous(reason)
    }
}

/// The content of a request. It is first polled when there is a connection to write it to.
struct Content {
    content: Full<Bytes>,
    hand_over: HandOver,
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.hand_over.begin();
        Pin::new(&mut self.content).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}
