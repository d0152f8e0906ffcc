//! Providers: those of `[smtp]` and `[twilio]`, and each `[[providers]]` of the file.
//!
//! A kind of provider has a table of settings in `provider.toml`, and one arm in [`read_kind`].

mod http;
mod preset;
#[cfg(test)]
mod tests;
mod webhook;

use std::path::Path;

use otp::{Channel, recipient::Country};
use url::Url;

pub(super) use self::preset::apply_preset;
use super::{
    channels::words_of,
    server::Mode,
    settings::Settings,
    sites::{parse_url, site_name},
    smtp, twilio,
};
use crate::{
    delivery::{Kind, KindSettings, RouteSettings, TwilioSettings},
    origin::Origin,
    webhook::WebhookSettings,
};

/// The tables of settings of one kind each.
const TABLES: [(&str, Kind); 4] = [
    ("smtp", Kind::Smtp),
    ("twilio", Kind::Twilio),
    ("webhook", Kind::Webhook),
    ("http", Kind::Http),
];

/// The rest of the configuration that providers depend on.
#[derive(Clone, Copy)]
pub(super) struct ProviderContext<'a> {
    pub(super) mode: Mode,
    pub(super) directory: &'a Path,
    pub(super) public_origin: Option<&'a Origin>,
    pub(super) gateways: Gateways<'a>,
}

/// The URLs that gateways may have.
#[derive(Clone, Copy)]
pub(super) struct Gateways<'a> {
    pub(super) mode: Mode,
    pub(super) requests: &'a WebhookSettings,
}

impl Gateways<'_> {
    /// Reads the URL of a gateway.
    fn parse_url(&self, text: &str) -> Result<Url, &'static str> {
        let url = parse_url(text, self.mode)?;
        if self.requests.refuses(&url) {
            return Err("has an address that is not public; webhook.allowed_networks can allow it");
        }
        Ok(url)
    }
}

/// A provider that is meant to be used, even if its settings have problems.
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) channels: Vec<Channel>,
}

/// The providers in the order of preference.
#[derive(Default)]
pub(super) struct Providers {
    pub(super) listed: Vec<Listed>,
    pub(super) routes: Vec<RouteSettings>,
}

impl Providers {
    fn add(
        &mut self,
        name: &str,
        (channels, countries): (Vec<Channel>, Vec<Country>),
        (kind, receipts): (Option<KindSettings>, bool),
    ) {
        let name = name.to_owned();
        self.listed.push(Listed { name: name.clone(), channels });
        self.routes.extend(kind.map(|kind| RouteSettings { name, countries, receipts, kind }));
    }
}

/// Reads all providers. `configured` holds the settings of each `[[providers]]`.
pub(super) fn read(
    server: &mut Settings,
    configured: Vec<Settings>,
    context: ProviderContext<'_>,
) -> Providers {
    let mut providers = Providers::default();
    for kind in [Kind::Smtp, Kind::Twilio] {
        let settings = read_kind(server, kind, kind.channels(), context);
        // A section with problems is meant to be used.
        if settings.is_some() || !server.is_fine(kind.word()) {
            let channels =
                settings.as_ref().map_or(kind.channels().to_vec(), KindSettings::channels);
            let receipts = read_receipts(server, kind);
            providers.add(kind.word(), (channels, Vec::new()), (settings, receipts));
        }
    }
    for mut settings in configured {
        read_one(&mut settings, &mut providers, context);
        server.absorb(settings);
    }
    providers
}

/// Reads one `[[providers]]`.
fn read_one(settings: &mut Settings, providers: &mut Providers, context: ProviderContext<'_>) {
    let name = settings.parse("name", provider_name).unwrap_or_default();
    if providers.listed.iter().any(|other| other.name == name) {
        settings.refuse("name", "is the name of another provider as well");
    }
    let countries = settings.parse_list("countries", |text| {
        Country::parse(text).ok_or("must be the two letters of a country with phone numbers")
    });
    let words = Kind::ALL.map(Kind::word).join(", ");
    let kind = settings.parse("kind", |text| {
        match Kind::of(text).ok_or_else(|| format!("must be one of: {words}"))? {
            Kind::Inbox if context.mode == Mode::Production => {
                Err("is inbox, which shows codes to anyone: refused in production".to_owned())
            }
            kind => Ok(kind),
        }
    });
    let listed = read_channels(settings, kind);
    let Some(kind) = kind else { return };
    if name == Kind::Inbox.word() && kind != Kind::Inbox {
        settings.refuse("name", "is the name of the inbox of development");
    }
    for (table, _) in TABLES.iter().filter(|(_, other)| *other != kind) {
        if let Some(key) = settings.first_set(&format!("{table}.")) {
            settings.refuse(&key, format!("is for the kind {table}, and this is {}", kind.word()));
        }
    }
    let read = read_kind(settings, kind, &listed, context);
    if read.is_none() && settings.is_fine("") {
        let table = kind.word();
        settings.refuse(table, format!("is missing: the settings of the {table}"));
    }
    let channels = match &read {
        Some(read) if listed.is_empty() => read.channels(),
        None if listed.is_empty() => kind.channels().to_vec(),
        _ => listed,
    };
    if let Some(KindSettings::Twilio(twilio)) = &read {
        refuse_without_sender(settings, &channels, twilio);
    }
    let receipts = read_receipts(settings, kind);
    providers.add(&name, (channels, countries), (read, receipts));
}

/// Whether a provider of this kind is asked for receipts.
fn read_receipts(settings: &mut Settings, kind: Kind) -> bool {
    let has_key = TABLES.iter().any(|(_, other)| *other == kind);
    has_key && settings.get(&format!("{}.receipts", kind.word()))
}

/// The settings of one kind; `None` if they are missing or have problems.
fn read_kind(
    settings: &mut Settings,
    kind: Kind,
    channels: &[Channel],
    ProviderContext { mode, directory, public_origin, gateways }: ProviderContext<'_>,
) -> Option<KindSettings> {
    match kind {
        Kind::Smtp => smtp::read(settings, directory, public_origin).map(KindSettings::Smtp),
        Kind::Twilio => twilio::read(settings, mode).map(KindSettings::Twilio),
        Kind::Webhook => webhook::read(settings, gateways).map(KindSettings::Webhook),
        Kind::Http => {
            http::read(settings, gateways, channels).map(|http| KindSettings::Http(Box::new(http)))
        }
        Kind::Inbox => Some(KindSettings::Inbox),
    }
}

/// The channels that are listed.
fn read_channels(settings: &mut Settings, kind: Option<Kind>) -> Vec<Channel> {
    let preset = settings.text("http.preset");
    let possible = match kind {
        // The presets describe the gateways' requests for texts.
        Some(Kind::Http) if !preset.is_empty() => &[Channel::Sms][..],
        _ => kind.map_or(Channel::ALL, Kind::channels),
    };
    let words = words_of(possible);
    let listed = settings.parse_list("channels", |text| {
        let found = Channel::parse(text).filter(|channel| possible.contains(channel));
        found.ok_or_else(|| format!("must be one of: {words}"))
    });
    if kind == Some(Kind::Http) && listed.is_empty() && settings.is_fine("channels") {
        settings.refuse("channels", format!("is missing: some of {words}"));
    }
    listed
}

/// Refuses channels that a Twilio account has no sender for.
fn refuse_without_sender(settings: &mut Settings, channels: &[Channel], twilio: &TwilioSettings) {
    let possible = twilio.channels();
    for channel in channels.iter().filter(|channel| !possible.contains(channel)) {
        let key = match channel {
            Channel::Whatsapp => "twilio.whatsapp_sender",
            Channel::Voice => "twilio.voice_sender",
            Channel::Sms | Channel::Email => "twilio.sender_number",
        };
        if settings.is_fine(key) {
            settings.refuse(key, format!("is missing, but channels lists {}", channel.as_str()));
        }
    }
}

/// The name of a provider.
pub(super) fn provider_name(text: &str) -> Result<String, &'static str> {
    site_name(text)
}
