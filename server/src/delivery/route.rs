//! A provider as the configuration lists it.

use std::time::Duration;

use otp::{Recipient, Timestamp, recipient::Country};
use tokio_util::sync::CancellationToken;

use super::{
    Failure, KindSettings, OutgoingMessage, Provider, Receipt, SetUp, SetUpError, Undelivered,
    cut_off::until_cut_off, refusals::Refusals,
};
use crate::{clock::Clock, outbox::Breaker, webhook::Signer};

/// Settings of one provider.
#[derive(Clone, Debug)]
pub struct RouteSettings {
    /// Its name.
    pub name: String,
    /// Countries of the phone numbers that it is for; all if empty.
    pub countries: Vec<Country>,
    /// Whether its receipts are asked for and taken.
    pub receipts: bool,
    /// The settings of its kind.
    pub kind: KindSettings,
}

/// A provider under its name, with the countries that it is for and its circuit breaker.
#[derive(Debug)]
pub struct Route {
    name: String,
    countries: Vec<Country>,
    provider: Provider,
    receipts: bool,
    /// Knows the secret that bounces come with.
    signer: Option<Signer>,
    pub(super) breaker: Breaker,
    refusals: Refusals,
}

/// A failed try.
#[derive(Debug)]
pub struct FailedTry {
    /// The failure.
    pub undelivered: Undelivered,
    /// The provider refuses the account, and the operator is to be told of it.
    pub is_newly_refused: bool,
}

impl Route {
    /// A provider for phone numbers of these countries, or of all if there is none. Mail has no country.
    pub fn new(name: String, countries: Vec<Country>, provider: Provider) -> Self {
        let (receipts, signer) = (false, None);
        let (breaker, refusals) = (Breaker::default(), Refusals::default());
        Self { name, countries, provider, receipts, signer, breaker, refusals }
    }

    /// Sets up a provider, without connecting.
    ///
    /// # Errors
    /// If its settings are unfit.
    pub fn set_up(settings: RouteSettings, set_up: &SetUp<'_>) -> Result<Self, SetUpError> {
        let RouteSettings { name, countries, receipts, kind } = settings;
        let provider = set_up.provider(&name, kind)?;
        let signer = Some((set_up.signer)(&name)?);
        Ok(Self { receipts, signer, ..Self::new(name, countries, provider) })
    }

    /// The name in the configuration, the log and the outbox.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The provider.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Whether it reports on messages that it took, and these reports are taken.
    pub(super) fn gives_receipts(&self) -> bool {
        self.receipts && self.provider.can_give_receipts()
    }

    /// Knows the secrets that are derived for its name.
    pub(super) fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// The countries of the phone numbers that it is for; all if empty.
    pub(super) fn countries(&self) -> &[Country] {
        &self.countries
    }

    /// Whether messages to this recipient may go by it.
    pub(super) fn reaches(&self, to: &Recipient) -> bool {
        let Some(phone) = to.phone().filter(|_| !self.countries.is_empty()) else { return true };
        self.countries.contains(&phone.country())
    }

    /// Whether it is left alone at `now`.
    pub(super) fn is_left_alone(&self, now: Timestamp) -> bool {
        self.breaker.open_until(now).is_some()
    }

    /// Sends a message; one try.
    ///
    /// # Errors
    /// If the provider did not accept the message, or did not confirm it.
    pub async fn deliver(
        &self,
        message: &OutgoingMessage,
        now: Timestamp,
    ) -> Result<Receipt, FailedTry> {
        self.breaker.asked(now);
        let result = self.provider.deliver(message, now).await;
        self.record(message, result, now)
    }

    /// As [`Route::deliver`]; a try that takes longer than `left` is cut off, and so is one when the server ends.
    pub(super) async fn deliver_within(
        &self,
        message: &OutgoingMessage,
        clock: &Clock,
        left: Duration,
        server_ends: &CancellationToken,
    ) -> Result<Receipt, FailedTry> {
        let now = clock.now();
        self.breaker.asked(now);
        let attempt = Box::pin(self.provider.deliver(message, now));
        let result = until_cut_off(attempt, &message.hand_over, left, server_ends).await;
        self.record(message, result, clock.now())
    }

    /// Records the result of a try that ended at `now` with the breaker and in the log.
    fn record(
        &self,
        message: &OutgoingMessage,
        result: Result<Receipt, Undelivered>,
        now: Timestamp,
    ) -> Result<Receipt, FailedTry> {
        let undelivered = match result {
            Ok(receipt) => {
                self.breaker.succeeded();
                self.refusals.taken();
                return Ok(receipt);
            }
            Err(undelivered) => undelivered,
        };
        tracing::warn!(
            provider = self.name,
            channel = message.channel.as_str(),
            to = %message.to,
            error = %undelivered,
            "provider did not accept the message",
        );
        let mut is_newly_refused = false;
        let may_concern_recipient = undelivered.may_concern_recipient;
        match undelivered.kind {
            // A refusal of the message is an answer.
            Failure::Permanent | Failure::Returned => self.breaker.succeeded(),
            Failure::Account => {
                if !may_concern_recipient || self.refusals.concern_the_account(&message.to) {
                    self.breaker.refused(now);
                    is_newly_refused = self.refusals.are_news(now);
                }
            }
            // Or a few recipients, chosen for it, would push all others to another provider.
            _ if may_concern_recipient => {}
            Failure::Transient | Failure::Ambiguous | Failure::Unclear | Failure::Late => {
                self.breaker.failed(now);
            }
        }
        Err(FailedTry { undelivered, is_newly_refused })
    }
}

/// Under the name of its kind, for all countries.
impl From<Provider> for Route {
    fn from(provider: Provider) -> Self {
        Self::new(provider.kind().word().to_owned(), Vec::new(), provider)
    }
}
