//! Selection of the provider for a message.

use otp::{Channel, Timestamp};

use super::{Failure, OutgoingMessage, Provider, Receipt, Undelivered};
use crate::outbox::Breaker;

/// Transient failures after which a message goes to the next provider of its channel.
const TRIES_PER_PROVIDER: u32 = 3;

/// The providers of each channel, in order of preference.
#[derive(Debug)]
pub struct Dispatcher {
    email: Vec<Entry>,
    sms: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    provider: Provider,
    breaker: Breaker,
}

impl Dispatcher {
    /// Takes the providers of each channel, the preferred one first.
    pub fn new(email: Vec<Provider>, sms: Vec<Provider>) -> Self {
        let entry = |provider| Entry { provider, breaker: Breaker::default() };
        let entries = |providers: Vec<_>| providers.into_iter().map(entry).collect();
        Self { email: entries(email), sms: entries(sms) }
    }

    /// Channels that have a provider.
    pub fn channels(&self) -> Vec<Channel> {
        let channels = [Channel::Email, Channel::Sms];
        channels.into_iter().filter(|channel| !self.entries(*channel).is_empty()).collect()
    }

    /// All providers.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.email.iter().chain(&self.sms).map(|entry| &entry.provider)
    }

    /// Sends a message that has been tried `tries` times before.
    ///
    /// After a permanent failure the next provider is tried at once. After a transient one the caller
    /// retries later; after a few of them, retries begin with the next provider.
    ///
    /// # Errors
    /// The failure of the last provider tried.
    pub async fn deliver(
        &self,
        message: &OutgoingMessage,
        tries: u32,
        now: Timestamp,
    ) -> Result<Receipt, Undelivered> {
        let mut last = Undelivered::permanent("no provider for this channel");
        for Entry { provider, breaker } in self.in_order(message.channel, tries, now) {
            match provider.deliver(message, now).await {
                Ok(receipt) => {
                    breaker.succeeded();
                    return Ok(receipt);
                }
                Err(undelivered) => {
                    tracing::warn!(
                        provider = provider.name(),
                        channel = message.channel.as_str(),
                        to = %message.to,
                        tries = tries + 1,
                        error = %undelivered,
                        "provider did not accept the message",
                    );
                    // A permanent failure is an answer, so it does not count for the breaker.
                    if undelivered.kind != Failure::Permanent {
                        breaker.failed(now);
                        return Err(undelivered);
                    }
                    last = undelivered;
                }
            }
        }
        Err(last)
    }

    /// The providers of a channel in the order to try them; those with an open breaker come last.
    fn in_order(&self, channel: Channel, tries: u32, now: Timestamp) -> Vec<&Entry> {
        let entries = self.entries(channel);
        let turn = usize::try_from(tries / TRIES_PER_PROVIDER).unwrap_or_default();
        let (later, first) = entries.split_at(turn % entries.len().max(1));
        let mut order: Vec<_> = first.iter().chain(later).collect();
        order.sort_by_key(|entry| entry.breaker.open_until(now).is_some());
        order
    }

    fn entries(&self, channel: Channel) -> &[Entry] {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
        }
    }
}
