//! Text messages, WhatsApp messages and calls by Twilio.
//!
//! Creating a message or call is not idempotent at Twilio, so a lost answer is kept apart from a refusal: a retry
//! after it may send a second message.

mod voice;
mod whatsapp;

use std::{sync::Arc, time::Duration};

use otp::{Channel, Timestamp};
use reqwest::{Client, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub use self::{voice::VoiceSettings, whatsapp::WhatsappSettings};
use super::{
    HandOver, OutgoingMessage, ProbeError, Receipt, Senders, SetUpError, TextSender, Undelivered,
    gateway::{exchange, seconds_left},
    receipts, template,
};
use crate::i18n::Catalogue;

/// A Twilio account and its senders.
#[derive(Clone, Debug)]
pub struct TwilioSettings {
    /// Account SID, `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// The account's auth token.
    pub auth_token: SecretString,
    /// Sender of texts, if it sends any.
    pub sender: Option<TextSender>,
    /// Senders of texts to the numbers of some countries.
    pub senders: Senders,
    /// WhatsApp, if it is used.
    pub whatsapp: Option<WhatsappSettings>,
    /// Calls, if it makes any.
    pub voice: Option<VoiceSettings>,
    /// Base URL of the API, without a slash at the end.
    pub base_url: String,
    /// Time-out of one request.
    pub timeout: Duration,
}

impl TwilioSettings {
    /// The channels that it has a sender for.
    pub fn channels(&self) -> Vec<Channel> {
        let all = [
            (Channel::Sms, self.sender.is_some()),
            (Channel::Whatsapp, self.whatsapp.is_some()),
            (Channel::Voice, self.voice.is_some()),
        ];
        all.into_iter().filter(|(_, is_set)| *is_set).map(|(channel, _)| channel).collect()
    }
}

/// The provider `twilio`.
#[derive(Debug)]
pub struct Twilio {
    settings: TwilioSettings,
    account: Url,
    client: Client,
    catalogue: Arc<Catalogue>,
}

/// The fields of a request.
type Form = Vec<(&'static str, String)>;

/// Longest validity period that Twilio accepts, in seconds.
const LONGEST_VALIDITY: u64 = 14_400;

/// Response to a created message or call.
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
        // Not a refusal, which would end the verification.
        let too_late = || Undelivered::transient("the code is about to expire");
        let mut form = self.form(message, now).ok_or_else(too_late)?;
        let callback = message.receipts.as_ref();
        form.extend(callback.map(|receipts| ("StatusCallback", receipts.url.clone())));
        let resource = match message.channel {
            Channel::Voice => "/Calls.json",
            _ => "/Messages.json",
        };
        let request = self.client.post(self.resource(resource)).form(&form);
        let answer = exchange(self.authorized(request), &message.hand_over).await?;
        let refusal = match answer.status {
            200..=299 => {
                // It is created, even if the body cannot be read.
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

    /// The account that signs its receipts.
    pub(super) fn account(&self) -> receipts::Account<'_> {
        receipts::Account { token: &self.settings.auth_token }
    }

    /// The fields of a message or call; `None` if its code expires too soon.
    fn form(&self, message: &OutgoingMessage, now: Timestamp) -> Option<Form> {
        let TwilioSettings { sender, senders, whatsapp, voice, .. } = &self.settings;
        // Whole seconds, rounded down: Twilio drops messages that it cannot deliver in time.
        let left = seconds_left(message, now);
        let mut form = match (message.channel, whatsapp, voice) {
            (Channel::Voice, _, Some(voice)) => return voice.form(&self.catalogue, message, left),
            (Channel::Whatsapp, Some(whatsapp), _) => whatsapp.form(message),
            _ => {
                let (field, sender) = match senders.of(&message.to).or(sender.as_ref()) {
                    Some(TextSender::Service(sid)) => ("MessagingServiceSid", sid.clone()),
                    Some(TextSender::From(sender)) => ("From", sender.clone()),
                    None => ("From", String::new()),
                };
                vec![
                    ("To", message.to.address().to_owned()),
                    (field, sender),
                    ("Body", template::sms(&self.catalogue, message, now)),
                ]
            }
        };
        form.push(("ValidityPeriod", left.min(LONGEST_VALIDITY).to_string()));
        (left > 0).then_some(form)
    }

    /// The channels that it carries.
    pub(super) fn channels(&self) -> Vec<Channel> {
        self.settings.channels()
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
        // An account that is not active, credentials, access that is denied, and our address for receipts.
        (_, Some(Refusal { code })) => {
            matches!(code, 10001 | 20003 | 20005 | 20006 | 21609 | 90010)
        }
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
        21211 | 21217 => ": the recipient's number is not valid",
        21210 => ": the number to call from is not one of this account",
        21212 | 21606 | 21659 => ": the sender is not a number of this account that can send this",
        21215 | 21408 => ": the account may not send to this country",
        21219 | 21608 => ": a trial account sends to verified numbers only",
        21609 => {
            ": it cannot reach the address for receipts; if server.public_origin is not public, set \
             twilio.receipts to false"
        }
        21610 => ": the recipient has opted out of messages from this sender",
        21612 | 21614 => ": the recipient's number cannot receive texts from this sender",
        21655 | 21656 => ": the content template is unknown, or has other variables",
        63007 => ": the WhatsApp sender is not one of this account",
        63024 => ": the recipient cannot be reached by WhatsApp",
        _ => "",
    };
    format!("HTTP {status}, Twilio error {code}{words}")
}
