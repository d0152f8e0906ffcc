//! Length of text messages (3GPP TS 23.038).

/// Longest text in the GSM alphabet. A message holds 160 septets; the rest is left for text that carriers
/// add.
const SMS_SEPTETS: usize = 140;
/// Length of one message in UCS-2, for languages outside the GSM alphabet.
const SMS_UCS2_UNITS: usize = 70;

/// Whether every character is in the GSM alphabet.
pub(in crate::delivery) fn is_gsm(text: &str) -> bool {
    septets(text).is_some()
}

/// Whether a text fits into one message.
pub(super) fn fits(text: &str) -> bool {
    match septets(text) {
        Some(septets) => septets <= SMS_SEPTETS,
        None => text.encode_utf16().count() <= SMS_UCS2_UNITS,
    }
}

/// The reason why a text does not fit into one message; `None` if it does.
pub(super) fn problem(text: &str) -> Option<String> {
    if fits(text) {
        return None;
    }
    let (length, most, because) = if let Some(septets) = septets(text) {
        (septets, SMS_SEPTETS, String::new())
    } else {
        let foreign = text.chars().find(|c| !is_gsm(&c.to_string())).unwrap_or_default();
        (text.encode_utf16().count(), SMS_UCS2_UNITS, format!(" because of {foreign}"))
    };
    Some(format!(
        "has {length} characters with brand and last line, where {most} fit into one message{because}"
    ))
}

/// Length in the default alphabet of 3GPP TS 23.038; `None` if a character is not in it.
pub(super) fn septets(text: &str) -> Option<usize> {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                         ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    // Sent as an escape and a second character.
    const EXTENDED: &str = "^{}\\[~]|€";
    text.chars()
        .map(|c| match c {
            c if BASIC.contains(c) => Some(1),
            c if EXTENDED.contains(c) => Some(2),
            _ => None,
        })
        .sum()
}
