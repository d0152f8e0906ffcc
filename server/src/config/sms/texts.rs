//! Ceilings, caps and prices of text messages, and the conversion guard.

use std::collections::{BTreeMap, HashMap};

use otp::{
    recipient::Country,
    texts::{Ceiling, Guard, Price, Prices, ServerTexts, SiteTexts},
};

use crate::config::settings::Settings;

/// Largest ceiling.
const MOST: u32 = 100_000_000;

/// The limits of a site, or those that sites inherit.
pub(in crate::config) fn read_site_texts(settings: &mut Settings, prices: &Prices) -> SiteTexts {
    let learning = settings.seconds("sms.guard_learning", 0..=7_776_000);
    SiteTexts {
        all: ceiling(settings, "sms.texts"),
        country: ceiling(settings, "sms.country_texts"),
        prefix: ceiling(settings, "sms.prefix_texts"),
        cap: read_cap(settings, "sms.daily_cap", prices),
        guard: settings.choice(
            "sms.guard",
            &[("enforce", Guard::Enforce), ("record_only", Guard::RecordOnly), ("off", Guard::Off)],
        ),
        learning,
    }
}

/// The limits of all sites together, and the prices.
pub(in crate::config) fn read_server_texts(settings: &mut Settings) -> ServerTexts {
    let prices = read_prices(settings);
    ServerTexts {
        all: ceiling(settings, "limits.texts"),
        cap: read_cap(settings, "limits.daily_cap", &prices),
        prices,
    }
}

/// A cap of money. It needs a price for every country, or texts would count as free.
fn read_cap(settings: &mut Settings, key: &str, prices: &Prices) -> Option<Price> {
    let cap = settings.parse_optional(key, parse_price)?;
    if prices.elsewhere == Price(0) && settings.is_fine("prices") {
        settings.refuse(key, "needs a price of \"*\" in [prices], for countries without their own");
    }
    let dearest = prices.by_country.values().copied().max().max(Some(prices.elsewhere));
    if dearest > Some(cap) {
        settings
            .refuse(key, "is less than the dearest text of [prices], which could never be sent");
    }
    Some(cap)
}

fn ceiling(settings: &mut Settings, key: &str) -> Ceiling {
    Ceiling {
        hour: settings.number(&format!("{key}_per_hour"), 1..=MOST),
        day: settings.number(&format!("{key}_per_day"), 1..=MOST),
    }
}

fn read_prices(settings: &mut Settings) -> Prices {
    let mut prices = Prices { by_country: HashMap::new(), elsewhere: Price(0) };
    for (place, text) in settings.get::<BTreeMap<String, String>>("prices") {
        let price = parse_price(&text);
        match (price, Country::parse(&place)) {
            (Err(message), _) => settings.refuse("prices", format!("\"{place}\" {message}")),
            (Ok(price), _) if place == "*" => prices.elsewhere = price,
            (Ok(price), Some(country)) => {
                prices.by_country.insert(country.to_string(), price);
            }
            (Ok(_), None) => {
                let message =
                    "is neither the two letters of a country with phone numbers nor \"*\"";
                settings.refuse("prices", format!("\"{place}\" {message}"));
            }
        }
    }
    prices
}

/// An amount of money: "0.0425", at most 100000.
fn parse_price(text: &str) -> Result<Price, &'static str> {
    let amount = || {
        let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(whole) || !is_digits(part) || part.len() > 4 {
            return None;
        }
        let whole = whole.parse::<u32>().ok().filter(|whole| *whole <= 100_000)?;
        Some(Price(whole * 10_000 + format!("{part:0<4}").parse::<u32>().ok()?))
    };
    amount().ok_or("must be an amount in quotes with at most four decimal places, as \"0.0425\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        for (text, price) in [
            ("0.0425", 425),
            ("0.04", 400),
            ("12", 120_000),
            (" 1.5 ", 15_000),
            ("0", 0),
            ("100000", 1_000_000_000),
        ] {
            assert_eq!(parse_price(text), Ok(Price(price)), "{text}");
        }
        for text in ["", ".5", "5.", "-1", "1,5", "0.00001", "100001", "1e3", "five", "0.1 EUR"] {
            assert!(parse_price(text).is_err(), "{text}");
        }
    }
}
