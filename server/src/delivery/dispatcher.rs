//! The providers of each channel, in the order in which they are asked.

use std::time::Duration;

use otp::{Channel, Timestamp};

use super::{Failure, OutgoingMessage, Provider, Receipt, Undelivered};
use crate::outbox::Breaker;

/// After so many failures that may pass, a message goes to the next provider of its channel.
const TRIES_EACH: u32 = 3;

/// Everything that can carry messages.
#[derive(Debug)]
pub struct Dispatcher {
    email: Vec<Carrier>,
    sms: Vec<Carrier>,
}

#[derive(Debug)]
struct Carrier {
    provider: Provider,
    breaker: Breaker,
}

impl Dispatcher {
    /// A dispatcher with the providers of each channel, the preferred first.
    pub fn new(email: Vec<Provider>, sms: Vec<Provider>) -> Self {
        let carrier = |provider| Carrier { provider, breaker: Breaker::default() };
        let carriers = |providers: Vec<_>| providers.into_iter().map(carrier).collect();
        Self { email: carriers(email), sms: carriers(sms) }
    }

    /// The channels that have a provider.
    pub fn channels(&self) -> Vec<Channel> {
        let channels = [Channel::Email, Channel::Sms];
        channels.into_iter().filter(|channel| !self.of(*channel).is_empty()).collect()
    }

    /// Every provider of every channel.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.email.iter().chain(&self.sms).map(|carrier| &carrier.provider)
    }

    /// The longest that [`Dispatcher::deliver`] can take.
    pub fn patience(&self) -> Duration {
        let channel =
            |carriers: &[Carrier]| carriers.iter().map(|carrier| carrier.provider.patience()).sum();
        Duration::max(channel(&self.email), channel(&self.sms))
    }

    /// Hands a message over, having tried so `tries` times before.
    ///
    /// A provider that refuses for good is passed over for the next one at once. One that fails for
    /// the moment is asked again later, and after a few such failures the next one has its turn.
    pub async fn deliver(
        &self,
        message: &OutgoingMessage,
        tries: u32,
        now: Timestamp,
    ) -> Result<Receipt, Undelivered> {
        let mut last = Undelivered::permanent("no provider carries this channel");
        for Carrier { provider, breaker } in self.in_turn(message.channel, tries, now) {
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
                        "a message was not taken",
                    );
                    // A refusal for good is about the message or the settings, and comes from a
                    // provider that answers.
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

    /// The providers of a channel in the order to ask them; last those that are left alone.
    fn in_turn(&self, channel: Channel, tries: u32, now: Timestamp) -> Vec<&Carrier> {
        let carriers = self.of(channel);
        let turn = usize::try_from(tries / TRIES_EACH).unwrap_or_default();
        let (later, first) = carriers.split_at(turn % carriers.len().max(1));
        let mut order: Vec<_> = first.iter().chain(later).collect();
        order.sort_by_key(|carrier| carrier.breaker.rests_until(now).is_some());
        order
    }

    fn of(&self, channel: Channel) -> &[Carrier] {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
        }
    }
}
