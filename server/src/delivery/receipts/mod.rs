//! Receipts: requests in which providers report whether a message has arrived, by the kind of their proof.

pub(super) mod bounce;
mod fields;
pub(super) mod standard;
mod twilio;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};

pub use self::fields::ReceiptFields;
pub(super) use self::twilio::Account;
use crate::webhook::Signer;

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

/// Path of the receipts about one message.
pub(super) fn receipt_path(provider: &str, reference: &str) -> String {
    format!("/receipts/{provider}/{reference}")
}

/// Whether a request has the provider's secret as its bearer token.
pub(super) fn is_authorized(headers: &HeaderMap, signer: &Signer) -> bool {
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
