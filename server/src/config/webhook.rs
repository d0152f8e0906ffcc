//! How relying parties are told of their verifications.

use super::{reader::Reader, server::Mode};
use crate::webhook::WebhookSettings;

pub(super) fn read(reader: &mut Reader, mode: Mode) -> WebhookSettings {
    WebhookSettings {
        timeout: reader.seconds("webhook.timeout", 1..=60),
        allowed_networks: reader.networks("webhook.allowed_networks"),
        https_only: mode == Mode::Production,
    }
}
