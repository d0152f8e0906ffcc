//! The channels by which a site reaches a recipient.

use std::collections::BTreeMap;

use otp::{Channel, Recipient, recipient::Country};

use super::{Refused, Rules};
use crate::site::Site;

/// Channels that have a provider, with the countries of the phone numbers that those are for; `None` for all.
#[derive(Clone, Debug, Default)]
pub struct Carried(BTreeMap<Channel, Option<Vec<Country>>>);

impl Carried {
    /// Channels whose providers are for all countries.
    pub fn everywhere(channels: impl IntoIterator<Item = Channel>) -> Self {
        channels.into_iter().map(|channel| (channel, None)).collect()
    }

    fn has(&self, channel: Channel) -> bool {
        self.0.contains_key(&channel)
    }

    fn reaches(&self, channel: Channel, recipient: &Recipient) -> bool {
        let Some(countries) = self.0.get(&channel) else { return false };
        let (Some(countries), Some(phone)) = (countries, recipient.phone()) else { return true };
        countries.contains(&phone.country())
    }
}

impl FromIterator<(Channel, Option<Vec<Country>>)> for Carried {
    fn from_iter<I: IntoIterator<Item = (Channel, Option<Vec<Country>>)>>(channels: I) -> Self {
        Self(channels.into_iter().collect())
    }
}

impl Rules {
    /// Channels that a site can send by, in the order to offer them. A site for test suites sends
    /// nothing and needs no provider.
    pub(super) fn channels(&self, site: &Site) -> Vec<Channel> {
        let can_send = |channel: &Channel| site.test_mode.is_some() || self.carried.has(*channel);
        site.channels.iter().copied().filter(can_send).collect()
    }

    /// Channels by which a site sends to a recipient, in the order to offer them.
    pub(super) fn channels_to(
        &self,
        site: &Site,
        recipient: &Recipient,
        is_test: bool,
    ) -> Vec<Channel> {
        let reaches =
            |channel: &Channel| self.ensure_reached(site, recipient, *channel, is_test).is_ok();
        candidates(site, recipient, is_test).into_iter().filter(reaches).collect()
    }

    /// The channel for the first message to a recipient: the one that was asked for, or the first that reaches it.
    ///
    /// # Errors
    /// The reason why no channel does, or why the first one does not.
    pub(super) fn first_channel(
        &self,
        site: &Site,
        recipient: &Recipient,
        asked: Option<Channel>,
    ) -> Result<Channel, Refused> {
        let is_test = site.test_code(recipient).is_some();
        let mut refused = None;
        for channel in candidates(site, recipient, is_test) {
            if asked.is_some_and(|asked| asked != channel) {
                continue;
            }
            match self.ensure_reached(site, recipient, channel, is_test) {
                Ok(()) => return Ok(channel),
                Err(reason) => refused = refused.or(Some(reason)),
            }
        }
        Err(refused.unwrap_or(Refused::ChannelUnavailable))
    }

    /// Refuses a channel by which a site does not send to a recipient (S33). Nothing is sent to test recipients, so
    /// each can be reached.
    ///
    /// # Errors
    /// [`Refused::ChannelUnavailable`], [`Refused::DestinationNotServed`], or [`Refused::Recipient`] for a kind of line.
    pub(super) fn ensure_reached(
        &self,
        site: &Site,
        recipient: &Recipient,
        channel: Channel,
        is_test: bool,
    ) -> Result<(), Refused> {
        if !candidates(site, recipient, is_test).contains(&channel) {
            return Err(Refused::ChannelUnavailable);
        }
        if is_test {
            return Ok(());
        }
        if !self.carried.has(channel) {
            return Err(Refused::ChannelUnavailable);
        }
        site.serves(recipient, channel)?;
        if self.carried.reaches(channel, recipient) {
            Ok(())
        } else {
            Err(Refused::ChannelUnavailable)
        }
    }
}

/// The site's channels for this kind of recipient. A test recipient has one even at a site without any.
fn candidates(site: &Site, recipient: &Recipient, is_test: bool) -> Vec<Channel> {
    let of_kind = recipient.channels();
    let listed = site.channels.iter().copied().filter(|channel| of_kind.contains(channel));
    let listed: Vec<_> = listed.collect();
    if is_test && listed.is_empty() { of_kind[..1].to_vec() } else { listed }
}
