//! Receipts: requests in which providers report whether a message has arrived.
//!
//! Each names its message by a reference that nobody else can make ([`ReceiptKeys`]), in its URL or, for a bounce, in
//! the `Message-ID` of the mail that came back. Beyond that it has to prove that it is the provider's, as far as the
//! kind of provider can: by Twilio's signature, that of Standard Webhooks, or a secret. Everything unproven is answered
//! alike (S22).

mod bounce;
mod fields;
mod standard;
mod twilio;

use otp::{Channel, Recipient, Timestamp, VerificationId};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};

pub use self::fields::ReceiptFields;
pub(super) use self::twilio::Account;
use super::{Dispatcher, Provider, Route};
use crate::{
    derived_keys::ReceiptKeys,
    origin::Origin,
    outbox::public_id,
    store::{MessageKey, Queue},
    webhook::Signer,
};

/// A request that may be a receipt.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptRequest<'a> {
    /// Name of the provider, from the path.
    pub provider: &'a str,
    /// Reference of the message, from the path; `None` for a bounce.
    pub reference: Option<&'a str>,
    /// The query.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

/// A provider's report about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Name of the provider.
    pub provider: String,
    /// The verification of the message.
    pub verification: VerificationId,
    /// Number of the message, from 1.
    pub number: u32,
    /// Its fate.
    pub told: Told,
}

/// The fate of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whether it has arrived, or never will.
    pub has_arrived: bool,
    /// The provider's id of it, if the report names one.
    pub reference: Option<String>,
}

/// A request that no provider has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forged;

/// Reader of receipts.
#[derive(Clone, Debug)]
pub struct Receipts {
    dispatcher: Dispatcher,
    origin: Origin,
}

impl Receipts {
    /// Reads receipts of these providers, which are sent to this public origin.
    pub fn new(dispatcher: Dispatcher, origin: Origin) -> Self {
        Self { dispatcher, origin }
    }

    /// Reads a request; `None` if it is genuine and says nothing about the fate of a message.
    ///
    /// # Errors
    /// If it is not proven to come from the provider.
    pub fn read(
        &self,
        request: &ReceiptRequest<'_>,
        keys: &ReceiptKeys,
        now: Timestamp,
    ) -> Result<Option<Report>, Forged> {
        let named = self.dispatcher.named(request.provider);
        let route = named.filter(|route| route.gives_receipts()).ok_or(Forged)?;
        let message = |reference| keys.read(route.name(), reference);
        let (found, told) = match request.reference {
            Some(reference) => {
                let (verification, number) = message(reference).ok_or(Forged)?;
                let key = MessageKey { queue: Queue::Codes, verification, number };
                let told = self.told(route, request, reference, &public_id(&key), now)?;
                (Some((verification, number)), told)
            }
            None => match bounce_of(route, request)? {
                Some((reference, told)) => (message(&reference), Some(told)),
                None => (None, None),
            },
        };
        let report = found.zip(told).map(|((verification, number), told)| {
            let provider = route.name().to_owned();
            Report { provider, verification, number, told }
        });
        Ok(report)
    }

    /// Whether a message to this recipient can go by a provider besides these.
    pub fn can_go_without(&self, channel: Channel, to: &Recipient, names: &[String]) -> bool {
        self.dispatcher.reaches_without(channel, to, names)
    }

    /// The fate of the message with this reference and id.
    fn told(
        &self,
        route: &Route,
        request: &ReceiptRequest<'_>,
        reference: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Told>, Forged> {
        match (route.provider(), route.signer()) {
            (Provider::Twilio(twilio), _) => {
                let path = receipt_path(route.name(), reference);
                twilio.account().read(request, &self.origin, &path)
            }
            (Provider::Webhook(_), Some(signer)) => standard::read(request, signer, id, now),
            (Provider::Http(gateway), _) => {
                Ok(gateway.receipts().and_then(|fields| fields.read(request)))
            }
            _ => Err(Forged),
        }
    }
}

/// Path of the receipts about one message.
pub(super) fn receipt_path(provider: &str, reference: &str) -> String {
    format!("/receipts/{provider}/{reference}")
}

/// The reference and the fate of a mail that came back.
fn bounce_of(
    route: &Route,
    request: &ReceiptRequest<'_>,
) -> Result<Option<(String, Told)>, Forged> {
    let (Provider::Smtp(_), Some(signer)) = (route.provider(), route.signer()) else {
        return Err(Forged);
    };
    if !is_authorized(request.headers, signer) {
        return Err(Forged);
    }
    Ok(bounce::read(request.body))
}

/// Whether a request has the provider's secret as its bearer token.
fn is_authorized(headers: &HeaderMap, signer: &Signer) -> bool {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|given| given.split_once(' '));
    token.is_some_and(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer") && signer.is_secret(token.trim())
    })
}

/// Whether the body is of this type.
fn is_of_type(headers: &HeaderMap, kind: &str) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(kind)
}

/// The fields of a form, or of a query.
fn form(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// The form in a body; `None` if it is none.
fn form_in(request: &ReceiptRequest<'_>) -> Option<Vec<(String, String)>> {
    let is_form = is_of_type(request.headers, "application/x-www-form-urlencoded");
    is_form.then(|| form(request.body))
}

/// The value of a field.
fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(found, _)| found == name).map(|(_, value)| &**value)
}
