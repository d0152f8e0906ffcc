//! `[webhook]`: events for relying parties.

use super::{server::Mode, settings::Settings};
use crate::webhook::WebhookSettings;

pub(super) fn read(settings: &mut Settings, mode: Mode) -> WebhookSettings {
    WebhookSettings {
        timeout: settings.seconds("webhook.timeout", 1..=60),
        allowed_networks: settings.networks("webhook.allowed_networks"),
        https_only: mode == Mode::Production,
    }
}
