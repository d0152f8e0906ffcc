//! Text messages by Twilio's Messages API.
//!
//! Creating a message is not idempotent at Twilio, so a lost answer is kept apart from a refusal: a retry
//! after it may send a second message.

use std::{sync::Arc, time::Duration};

use otp::Timestamp;
use reqwest::{Client, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{
    HandOver, OutgoingMessage, ProbeError, Receipt, Senders, SetUpError, TextSender, Undelivered,
    gateway::{exchange, seconds_left},
    template,
};
use crate::i18n::Catalogue;

/// A Twilio account and the sender to use.
#[derive(Clone, Debug)]
pub struct TwilioSettings {
    /// Account SID, `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// The account's auth token.
    pub auth_token: SecretString,
    /// The sender.
    pub sender: TextSender,
    /// Senders of other kinds for the numbers of some countries.
    pub senders: Senders,
    /// Base URL of the API, without a slash at the end.
    pub base_url: String,
    /// Time-out of one request.
    pub timeout: Duration,
}

/// The provider `twilio`.
#[derive(Debug)]
pub struct Twilio {
    settings: TwilioSettings,
    account: Url,
    client: Client,
    catalogue: Arc<Catalogue>,
}

/// Longest validity period that Twilio accepts, in seconds.
const LONGEST_VALIDITY: u64 = 14_400;

/// Response to a created message.
#[derive(Deserialize)]
struct Created {
    sid: String,
}

/// Error response. Its message is ignored, since it may repeat the recipient.
#[derive(Deserialize)]
struct Refusal {
    code: u32,
}

/// Response with an account.
#[derive(Deserialize)]
struct Account {
    status: String,
}

impl Twilio {
    /// The provider's name.
    pub const NAME: &str = "twilio";

    /// Sets up the HTTP client, without connecting.
    ///
    /// # Errors
    /// If the base URL is not a URL or the client cannot be built.
    pub fn new(settings: TwilioSettings, catalogue: Arc<Catalogue>) -> Result<Self, SetUpError> {
        let mut account = Url::parse(&settings.base_url).map_err(|_| SetUpError::BaseUrl)?;
        account.path_segments_mut().map_err(|()| SetUpError::BaseUrl)?.pop_if_empty().extend([
            "2010-04-01",
            "Accounts",
            settings.account_sid.as_str(),
        ]);
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .referer(false)
            // Shorter than the whole, or a connection that is not made in time could not be told from an answer that
            // does not come.
            .connect_timeout(settings.timeout / 2)
            .timeout(settings.timeout);
        // A test server on this machine is not reached by the network's proxy.
        if matches!(account.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(SetUpError::HttpClient)?;
        Ok(Self { settings, account, client, catalogue })
    }

    /// The account and the API, for the operator.
    pub(super) fn place(&self) -> String {
        let TwilioSettings { account_sid, base_url, .. } = &self.settings;
        format!("Twilio account {account_sid} at {base_url}")
    }

    pub(super) async fn deliver(
        &self,
        message: &OutgoingMessage,
        now: Timestamp,
    ) -> Result<Receipt, Undelivered> {
        // Whole seconds, rounded down: Twilio drops messages that it cannot deliver in time.
        let validity = seconds_left(message, now).min(LONGEST_VALIDITY);
        if validity == 0 {
            // Not a refusal, which would end the verification.
            return Err(Undelivered::transient("the code is about to expire"));
        }
        let validity = validity.to_string();
        let text = template::sms(&self.catalogue, message, now);
        let sender = self.settings.senders.of(&message.to).unwrap_or(&self.settings.sender);
        let sender_field = match sender {
            TextSender::From(_) => "From",
            TextSender::Service(_) => "MessagingServiceSid",
        };
        let form = [
            ("To", message.to.address()),
            (sender_field, sender.as_str()),
            ("Body", text.as_str()),
            ("ValidityPeriod", validity.as_str()),
        ];
        let request = self.client.post(self.resource("/Messages.json")).form(&form);
        let answer = exchange(self.authorized(request), &message.hand_over).await?;
        let refusal = match answer.status {
            200..=299 => {
                // The message is created, even if the body cannot be read.
                let created = serde_json::from_slice::<Created>(&answer.body).ok();
                let reference = created.map(|created| created.sid);
                return Ok(Receipt { provider: Self::NAME, reference });
            }
            _ => serde_json::from_slice(&answer.body).ok(),
        };
        let reason = describe(answer.status, refusal.as_ref());
        let undelivered = match answer.status {
            status if is_about_account(status, refusal.as_ref()) => Undelivered::account(reason),
            429 | 503 => Undelivered::transient(reason),
            // Twilio failed with the message in hand, or a proxy in between did: it may have been sent.
            500.. => Undelivered::ambiguous(reason),
            _ => Undelivered::permanent(reason),
        };
        Err(undelivered.not_before(answer.not_before(now)))
    }

    pub(super) async fn probe(&self) -> Result<(), ProbeError> {
        let unreachable = |reason| ProbeError::Unreachable { reason };
        let request = self.authorized(self.client.get(self.resource(".json")));
        let answer = exchange(request, &HandOver::default()).await;
        let answer = answer.map_err(|failed| unreachable(failed.reason))?;
        match answer.status {
            200..=299 => match serde_json::from_slice::<Account>(&answer.body) {
                Ok(account) if account.status == "active" => Ok(()),
                Ok(_) => {
                    Err(ProbeError::Rejected { reason: "the account is not active".to_owned() })
                }
                Err(_) => Err(unreachable("the response is not one of Twilio's API".to_owned())),
            },
            status @ (401 | 403 | 404) => {
                let refusal = serde_json::from_slice::<Refusal>(&answer.body).ok();
                Err(ProbeError::Rejected { reason: describe(status, refusal.as_ref()) })
            }
            status => Err(unreachable(describe(status, None))),
        }
    }

    fn resource(&self, rest: &str) -> String {
        format!("{}{rest}", self.account)
    }

    fn authorized(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let token = self.settings.auth_token.expose_secret();
        request.basic_auth(&self.settings.account_sid, Some(token))
    }
}

/// Whether Twilio refuses the account, whatever the message. Errors about a sender may depend on the recipient's
/// country, so they are refusals of the message.
fn is_about_account(status: u16, refusal: Option<&Refusal>) -> bool {
    match (status, refusal) {
        // A redirect says that the base URL is wrong.
        (300..=399 | 401, _) => true,
        // An account that is not active, credentials, and access that is denied.
        (_, Some(Refusal { code })) => matches!(code, 10001 | 20003 | 20005 | 20006 | 90010),
        (_, None) => status == 403,
    }
}

/// Status and error code, explained if the operator can act on it.
fn describe(status: u16, refusal: Option<&Refusal>) -> String {
    let Some(Refusal { code }) = refusal else { return format!("HTTP {status}") };
    let words = match code {
        10001 | 90010 => ": the account is not active",
        20003 => ": Account SID or auth token is wrong",
        20429 => ": too many requests at once",
        21211 => ": the recipient's number is not valid",
        21212 | 21606 | 21659 => ": the sender is not a number of this account that can send texts",
        21408 => ": the account may not send to this country",
        21608 => ": a trial account sends to verified numbers only",
        21610 => ": the recipient has opted out of messages from this sender",
        21612 | 21614 => ": the recipient's number cannot receive texts from this sender",
        _ => "",
    };
    format!("HTTP {status}, Twilio error {code}{words}")
}
