//! Lists of channels.

use otp::Channel;

use super::settings::Settings;

/// A list of channels that have a provider, in the order to offer them; an empty one stands for `usual`.
pub(super) fn read_channels(
    settings: &mut Settings,
    key: &str,
    carried: &[Channel],
    usual: &[Channel],
) -> Vec<Channel> {
    if settings.get::<Vec<String>>(key).is_empty() {
        return usual.to_vec();
    }
    settings.parse_list(key, |text| match Channel::parse(text) {
        Some(channel) if carried.contains(&channel) => Ok(channel),
        Some(_) => Err(format!("is {text}, which has no provider; see [delivery]")),
        None => Err(format!("must be one of: {}", words_of(Channel::ALL))),
    })
}

/// The words for some channels.
pub(super) fn words_of(channels: &[Channel]) -> String {
    channels.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(", ")
}
