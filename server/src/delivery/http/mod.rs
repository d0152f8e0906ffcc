//! A gateway that is described by configuration alone: one request, built from templates, and the meaning of
//! its answers.

mod answer;
mod template;

use std::{sync::Arc, time::Duration};

use otp::Timestamp;
use reqwest::{
    Method, RequestBuilder, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use self::template::{Values, fill_json, has_control, has_template};
pub use self::{
    answer::Answers,
    template::{Place, Template, check_json},
};
use super::{
    OutgoingMessage, ProbeError, Receipt, ReceiptFields, Senders, Undelivered,
    gateway::{GatewayClient, seconds_left},
    template::{self as texts, Rendered},
};
use crate::i18n::Catalogue;

/// Settings of a gateway.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Whether the method is PUT and not POST.
    pub is_put: bool,
    /// The URL of the request.
    pub url: Url,
    /// URL that answers a GET with the credentials, for probes.
    pub probe_url: Option<Url>,
    /// The account.
    pub credentials: Credentials,
    /// The header `Authorization`.
    pub auth: Auth,
    /// Sender of texts; empty if the body names none.
    pub sender: String,
    /// Senders by country.
    pub senders: Senders,
    /// Headers besides that.
    pub headers: Vec<(String, Template)>,
    /// The body.
    pub body: Body,
    /// The meaning of the answers.
    pub answers: Answers,
    /// The meaning of receipts.
    pub receipts: Option<ReceiptFields>,
    /// Time-out of one request.
    pub timeout: Duration,
}

/// The account at a gateway. What is not set is empty.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Account, key or user name.
    pub username: String,
    /// Password.
    pub password: SecretString,
    /// Token.
    pub token: SecretString,
}

impl Credentials {
    /// Whether they can stand in a header.
    pub fn is_fit(&self) -> bool {
        let secrets = [self.password.expose_secret(), self.token.expose_secret()];
        !has_control(&self.username) && !secrets.into_iter().any(has_control)
    }
}

/// The header `Authorization` of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// None.
    None,
    /// User name and password.
    Basic,
    /// The token.
    Bearer,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// The fields of a form.
    Form(Vec<(String, Template)>),
    /// A JSON value, whose texts are templates that [`check_json`] has accepted.
    Json(Value),
}

impl Body {
    /// Whether it names the sender.
    pub fn needs_sender(&self) -> bool {
        self.has(Template::needs_sender)
    }

    /// Whether it names the URL for receipts.
    pub fn names_receipt_url(&self) -> bool {
        self.has(Template::names_receipt_url)
    }

    fn has(&self, is_it: fn(&Template) -> bool) -> bool {
        match self {
            Self::Form(fields) => fields.iter().any(|(_, template)| is_it(template)),
            Self::Json(json) => has_template(json, is_it),
        }
    }
}

/// Checks the name of a header that the configuration may set.
///
/// # Errors
/// The reason why it may not.
pub fn header_name(name: &str) -> Result<(), &'static str> {
    let own = ["host", "content-length", "content-type", "transfer-encoding", "connection"];
    if own.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err("is set by the request itself");
    }
    HeaderName::from_bytes(name.as_bytes()).map(|_| ()).map_err(|_| "is not the name of a header")
}

/// The provider of kind `http`.
#[derive(Debug)]
pub struct Http {
    settings: HttpSettings,
    client: GatewayClient,
    catalogue: Arc<Catalogue>,
}

impl Http {
    pub(super) fn new(
        settings: HttpSettings,
        client: GatewayClient,
        catalogue: Arc<Catalogue>,
    ) -> Self {
        Self { settings, client, catalogue }
    }

    /// The gateway without path and query, which may hold a secret.
    pub(super) fn place(&self) -> String {
        self.settings.url.origin().ascii_serialization()
    }

    /// The meaning of its receipts, if it is asked for some.
    pub(super) fn receipts(&self) -> Option<&ReceiptFields> {
        self.settings.receipts.as_ref().filter(|_| self.settings.body.names_receipt_url())
    }

    pub(super) async fn deliver(
        &self,
        message: &OutgoingMessage,
        now: Timestamp,
    ) -> Result<Receipt, Undelivered> {
        let values = self.values(message, now);
        let request = self
            .request(&values)
            .ok_or_else(|| Undelivered::permanent("the request to the gateway cannot be built"))?;
        message.hand_over.begin();
        let (status, body) = self.client.send(request).await?;
        let body = serde_json::from_slice::<Value>(&body).ok();
        let reference = self.settings.answers.judge(status, body.as_ref())?;
        Ok(Receipt { provider: "http", reference })
    }

    fn values<'a>(&'a self, message: &'a OutgoingMessage, now: Timestamp) -> Values<'a> {
        let Rendered { text, email } = texts::render(&self.catalogue, message, now);
        let (subject, html) = email.unwrap_or_default();
        let HttpSettings { sender, senders, credentials, .. } = &self.settings;
        Values {
            channel: message.channel.as_str(),
            to: message.to.address(),
            from: senders.of(&message.to).unwrap_or(sender),
            is_gsm: texts::is_gsm(&text),
            text,
            subject,
            html,
            code: message.code.as_str(),
            id: &message.id,
            locale: &message.locale,
            brand: &message.site.brand.name,
            seconds: seconds_left(message, now).to_string(),
            receipt_url: message.receipts.as_ref().map_or("", |receipts| &receipts.url),
            credentials,
        }
    }

    fn request(&self, values: &Values<'_>) -> Option<RequestBuilder> {
        let HttpSettings { is_put, url, headers, body, .. } = &self.settings;
        let method = if *is_put { Method::PUT } else { Method::POST };
        let mut map = HeaderMap::new();
        for (name, template) in headers {
            let mut value = HeaderValue::from_str(&template.with(values)).ok()?;
            value.set_sensitive(true);
            map.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
        }
        let request = self.authorized(self.client.request(method, url).ok()?).headers(map);
        Some(match body {
            Body::Form(fields) => {
                let fields = fields.iter().filter(|(_, template)| !template.is_left_out(values));
                let fields = fields.map(|(name, template)| (name, template.with(values)));
                request.form(&fields.collect::<Vec<_>>())
            }
            Body::Json(json) => request.json(&fill_json(json, values).ok()?),
        })
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        let Credentials { username, password, token } = &self.settings.credentials;
        match self.settings.auth {
            Auth::None => request,
            Auth::Basic => request.basic_auth(username, Some(password.expose_secret())),
            Auth::Bearer => request.bearer_auth(token.expose_secret()),
        }
    }

    pub(super) async fn probe(&self) -> Result<(), ProbeError> {
        let Some(url) = &self.settings.probe_url else {
            return self.client.reach(&self.settings.url).await;
        };
        let unreachable = |reason| ProbeError::Unreachable { reason };
        let request = self.client.request(Method::GET, url);
        let request = request.map_err(|refused| unreachable(refused.to_string()))?;
        let answer = self.client.send(self.authorized(request)).await;
        let (status, _) = answer.map_err(|undelivered| unreachable(undelivered.reason))?;
        let reason = format!("HTTP {status}");
        match &self.settings.answers {
            answers if answers.is_accepted(status) => Ok(()),
            answers if answers.is_account(status) => Err(ProbeError::Rejected { reason }),
            _ => Err(unreachable(reason)),
        }
    }
}
