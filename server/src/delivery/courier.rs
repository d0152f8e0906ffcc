//! The providers of each channel, in the order in which they are asked.

use std::time::Duration;

use otp::{Channel, Timestamp};

use super::{Failure, Letter, Provider, Receipt, Undelivered};

/// After so many failures that may pass, a message goes to the next provider of its channel.
const TRIES_EACH: u32 = 3;

/// Everything that can carry messages.
#[derive(Debug)]
pub struct Courier {
    email: Vec<Provider>,
    sms: Vec<Provider>,
}

impl Courier {
    /// A courier with the providers of each channel, the preferred first.
    pub fn new(email: Vec<Provider>, sms: Vec<Provider>) -> Self {
        Self { email, sms }
    }

    /// The channels that have a provider.
    pub fn channels(&self) -> Vec<Channel> {
        let channels = [Channel::Email, Channel::Sms];
        channels.into_iter().filter(|channel| !self.of(*channel).is_empty()).collect()
    }

    /// Every provider of every channel.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.email.iter().chain(&self.sms)
    }

    /// The longest that [`Courier::deliver`] can take.
    pub fn patience(&self) -> Duration {
        let channel = |providers: &[Provider]| providers.iter().map(Provider::patience).sum();
        Duration::max(channel(&self.email), channel(&self.sms))
    }

    /// Hands a letter over, having tried so `tries` times before.
    ///
    /// A provider that refuses for good is passed over for the next one at once. One that fails for
    /// the moment is asked again later, and after a few such failures the next one has its turn.
    pub async fn deliver(
        &self,
        letter: &Letter,
        tries: u32,
        now: Timestamp,
    ) -> Result<Receipt, Undelivered> {
        let providers = self.of(letter.channel);
        let turn = usize::try_from(tries / TRIES_EACH).unwrap_or_default();
        let mut last = Undelivered::permanent("no provider carries this channel");
        for offset in 0..providers.len() {
            let provider = &providers[(turn + offset) % providers.len()];
            match provider.deliver(letter, now).await {
                Ok(receipt) => return Ok(receipt),
                Err(undelivered) => {
                    tracing::warn!(
                        provider = provider.name(),
                        channel = letter.channel.as_str(),
                        to = %letter.to,
                        tries = tries + 1,
                        error = %undelivered,
                        "a message was not taken",
                    );
                    if undelivered.kind != Failure::Permanent {
                        return Err(undelivered);
                    }
                    last = undelivered;
                }
            }
        }
        Err(last)
    }

    fn of(&self, channel: Channel) -> &[Provider] {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
        }
    }
}
