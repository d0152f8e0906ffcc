//! `[providers.webhook]`: a gateway that takes signed requests.

use crate::{
    config::{server::Mode, settings::Settings, sites::parse_url},
    delivery::GatewaySettings,
};

pub(super) fn read(settings: &mut Settings, mode: Mode) -> Option<GatewaySettings> {
    let timeout = settings.seconds("webhook.timeout", 1..=60);
    if settings.text("webhook.url").is_empty() {
        settings.refuse("webhook.url", "is missing");
    }
    let url = settings.parse_optional("webhook.url", |text| parse_url(text, mode))?;
    Some(GatewaySettings { url, timeout })
}
