//! A gateway of the operator's own: a JSON request for each message, signed by *Standard Webhooks*.
//!
//! Statuses from 200 to 299 accept the message, 401 says that the signature is refused, other ones from 400 to
//! 499 refuse the message, except 408, 425 and 429. Those and 503 ask for a retry of a message that was not sent, and
//! others from 500 on for one that may have been. The id of the message is the same for all tries, so that the
//! gateway can recognise one that it has sent already. A redirect is the URL's fault.

use std::{sync::Arc, time::Duration};

use otp::{Channel, Timestamp};
use reqwest::{Method, Url, header::CONTENT_TYPE};
use serde::Serialize;
use serde_json::Value;

use super::{
    OutgoingMessage, ProbeError, Probed, Receipt, Undelivered,
    gateway::{GatewayClient, exchange},
    template::{self, Rendered},
};
use crate::{
    i18n::Catalogue,
    webhook::{Signer, rfc3339},
};

/// Settings of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewaySettings {
    /// URL of the requests.
    pub url: Url,
    /// Time-out of one request.
    pub timeout: Duration,
}

/// The provider of kind `webhook`.
#[derive(Debug)]
pub struct Webhook {
    settings: GatewaySettings,
    client: GatewayClient,
    signer: Signer,
    catalogue: Arc<Catalogue>,
}

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    channel: Channel,
    to: &'a str,
    code: &'a str,
    text: String,
    /// Mail only.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// Mail only.
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    locale: &'a str,
    brand: &'a str,
    expires_at: String,
    /// URL that receipts are taken at.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt_url: Option<&'a str>,
}

impl Webhook {
    pub(super) fn new(
        settings: GatewaySettings,
        client: GatewayClient,
        signer: Signer,
        catalogue: Arc<Catalogue>,
    ) -> Self {
        Self { settings, client, signer, catalogue }
    }

    /// The gateway without path and query, which may hold a secret.
    pub(super) fn place(&self) -> String {
        self.settings.url.origin().ascii_serialization()
    }

    pub(super) async fn deliver(
        &self,
        message: &OutgoingMessage,
        now: Timestamp,
    ) -> Result<Receipt, Undelivered> {
        let unbuilt = || Undelivered::permanent("the request to the gateway cannot be built");
        let body = self.body(message, now).map_err(|_| unbuilt())?;
        let (id, seconds) = (format!("msg_{}", message.id), now.as_millis() / 1000);
        let request = self
            .client
            .request(Method::POST, &self.settings.url)?
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", self.signer.sign(&id, seconds, body.as_bytes()))
            .body(body);
        let answer = exchange(request, &message.hand_over).await?;
        let status = answer.status;
        let reason = format!("HTTP {status}");
        let undelivered = match status {
            200..=299 => {
                let answer: Option<Value> = serde_json::from_slice(&answer.body).ok();
                let reference =
                    answer.and_then(|answer| Some(answer.get("id")?.as_str()?.to_owned()));
                return Ok(Receipt { provider: "webhook", reference });
            }
            300..=399 => Undelivered::account(format!("{reason}, a redirect")),
            401 => Undelivered::account(format!("{reason}, so the signature is refused")),
            408 | 425 | 429 | 503 => Undelivered::transient(reason),
            400..=499 => Undelivered::permanent(reason),
            // From a proxy in between, which may cut off several tries.
            502 | 504 => Undelivered::ambiguous(reason),
            _ => Undelivered::unclear(reason),
        };
        Err(undelivered.not_before(answer.not_before(now)))
    }

    fn body(&self, message: &OutgoingMessage, now: Timestamp) -> serde_json::Result<String> {
        let Rendered { text, email } = template::render(&self.catalogue, message, now);
        let (subject, html) = email.unzip();
        let data = Data {
            channel: message.channel,
            to: message.to.address(),
            code: message.code.as_str(),
            text,
            subject,
            html,
            locale: &message.locale,
            brand: &message.site.brand.name,
            expires_at: rfc3339(message.expires_at),
            receipt_url: message.receipts.as_ref().map(|receipts| &*receipts.url),
        };
        serde_json::to_string(&Payload { kind: "message.send", timestamp: rfc3339(now), data })
    }

    pub(super) async fn probe(&self) -> Result<Probed, ProbeError> {
        self.client.reach(&self.settings.url).await
    }
}
