//! Presets of the kind `http`: gateways whose settings are known.

use toml::Table;

use crate::config::settings::Settings;

const PRESETS: [(&str, &str); 3] = [
    ("vonage", include_str!("presets/vonage.toml")),
    ("plivo", include_str!("presets/plivo.toml")),
    ("telnyx", include_str!("presets/telnyx.toml")),
];

/// Replaces the defaults of a provider by those of the preset that its table names, if it names one.
pub(in crate::config) fn apply_preset(settings: &mut Settings, table: &Table) {
    let named = table.get("http").and_then(|http| http.get("preset")?.as_str());
    if let Some((_, preset)) = PRESETS.iter().find(|(name, _)| named == Some(name)) {
        settings.redefine(preset.parse().expect("the presets are valid, as tests show"));
    }
}

/// Reports a preset that there is not.
pub(super) fn check(settings: &mut Settings) {
    settings.parse_optional("http.preset", |text| {
        let known = PRESETS.map(|(name, _)| name);
        let message = || format!("must be one of: {}", known.join(", "));
        known.contains(&text).then_some(()).ok_or_else(message)
    });
}

/// The presets by name.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.into_iter().map(|(name, _)| name)
}
