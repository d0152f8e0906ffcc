//! `[providers.webhook]`: a gateway that takes signed requests.

use super::Gateways;
use crate::{config::settings::Settings, delivery::GatewaySettings};

pub(super) fn read(settings: &mut Settings, gateways: Gateways<'_>) -> Option<GatewaySettings> {
    let timeout = settings.seconds("webhook.timeout", 1..=60);
    if settings.text("webhook.url").is_empty() {
        settings.refuse("webhook.url", "is missing");
    }
    let url = settings.parse_optional("webhook.url", |text| gateways.parse_url(text))?;
    Some(GatewaySettings { url, timeout })
}
