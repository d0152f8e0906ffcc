//! Configuration: from layers of text to one typed, validated value.
//!
//! The embedded `default.toml` lists every key; a file and the environment override it key by key
//! (`layers`). Each section then reads its own keys (`settings` collects the problems), so that a
//! server that starts has a configuration that makes sense as a whole, and one that does not reports
//! everything that is wrong at once.
//!
//! Nothing here connects to anything or reads a clock; the composition root builds the rest of
//! the server from the [`Config`].

mod channels;
mod delivery;
mod environment;
mod keys;
mod layers;
mod logging;
mod page;
mod policy;
mod problem;
mod providers;
mod senders;
mod server;
mod settings;
mod sites;
mod sms;
mod smtp;
mod smtp_url;
mod store;
#[cfg(test)]
mod tests;
mod twilio;
mod warnings;

use std::{path::Path, time::Duration};

use otp::{limits::Limits, policy::Draft, texts::ServerTexts, work::Thresholds};
use url::Url;

pub use self::{
    delivery::DeliverySettings,
    environment::{CONFIG_VARIABLE, Environment},
    keys::KeySettings,
    layers::Sources,
    logging::{LogFormat, LogSettings},
    page::PageSettings,
    problem::{ConfigError, ConfigProblem},
    server::{Mode, ServerSettings},
    sites::{PUBLIC_KEY_PREFIX, SECRET_KEY_PREFIX, site_name},
    store::StoreSettings,
};
use self::{
    layers::Layers,
    providers::{Gateways, ProviderContext},
    server::parse_network,
    sites::SiteContext,
};
use crate::{delivery::RouteSettings, site::Sites, webhook::WebhookSettings};

/// The configuration of a server, validated.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address, origin, trust and time-outs.
    pub server: ServerSettings,
    /// The place of the database.
    pub store: StoreSettings,
    /// The place of the master secrets.
    pub keys: KeySettings,
    /// The rules of one verification, within their bounds.
    pub policy: Draft,
    /// The quotas across verifications.
    pub limits: Limits,
    /// Limits on texts of all sites together.
    pub texts: ServerTexts,
    /// Rates from which on a message takes work, if it ever does.
    pub work: Option<Thresholds>,
    /// The providers of each channel, and retries.
    pub delivery: DeliverySettings,
    /// The providers, by the names that [`DeliverySettings`] lists. The inbox of development needs no settings.
    pub providers: Vec<RouteSettings>,
    /// Events for relying parties, and alerts.
    pub webhook: WebhookSettings,
    /// URL that alerts for the operator are posted to.
    pub alerts: Option<Url>,
    /// Name, country and recipient of the hosted page.
    pub page: PageSettings,
    /// The relying parties.
    pub sites: Sites,
    /// Whether providers are asked before serving whether they accept the credentials.
    pub check_providers: bool,
    /// How long finished verifications are kept.
    pub keep_finished: Duration,
    /// Format and level of log lines.
    pub log: LogSettings,
}

impl Config {
    /// Reads and validates all layers.
    ///
    /// # Errors
    /// Every problem that was found, each with its key and the place of its value.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut layers = layers::read(sources);
        let config = Self::read(&mut layers, &sources.directory);
        match layers.server.problems {
            problems if problems.is_empty() => Ok(config),
            problems => Err(ConfigError { problems }),
        }
    }

    fn read(layers: &mut Layers, directory: &Path) -> Self {
        let sites = std::mem::take(&mut layers.sites);
        let providers = std::mem::take(&mut layers.providers);
        let settings = &mut layers.server;
        let server = ServerSettings::read(settings);
        let mode = server.mode;
        let store = StoreSettings::read(settings, directory);
        let keys = KeySettings::read(settings, mode, directory, &store.path);
        let policy = policy::read_policy(settings);
        let limits = policy::read_limits(settings);
        let work = policy::read_work(settings);
        let providers = providers.into_iter().map(|provider| provider.settings).collect();
        let public_origin = server.public_origin.as_ref();
        let webhook = WebhookSettings {
            timeout: settings.seconds("webhook.timeout", 1..=60),
            allowed_networks: settings.parse_list("webhook.allowed_networks", parse_network),
            https_only: mode == Mode::Production,
        };
        let gateways = Gateways { mode, requests: &webhook };
        let context = ProviderContext { mode, directory, public_origin, gateways };
        let providers = providers::read(settings, providers, context);
        let delivery = DeliverySettings::read(settings, mode, &providers.listed);
        let page = PageSettings::read(settings, mode);
        let destinations = sms::read(settings, &page.default_country);
        let texts = sms::read_server_texts(settings);
        let context = SiteContext {
            mode,
            directory,
            page: &page,
            policy: &policy,
            destinations_of_demo: match mode {
                Mode::Development => sms::or_everywhere(settings, destinations),
                Mode::Production => destinations,
            },
            texts_of_demo: sms::read_site_texts(settings, &texts.prices),
            prices: &texts.prices,
            carried: delivery.providers.keys().copied().collect(),
            channels: delivery.channels.clone(),
        };
        let sites = sites::read(settings, sites, &context);
        sms::refuse_unless_served(settings, page.fixed_recipient.as_ref(), sites.first());
        Self {
            server,
            store,
            keys,
            policy,
            limits,
            texts,
            work,
            delivery,
            providers: providers.routes,
            webhook,
            alerts: settings.parse_optional("alerts.webhook", |text| sites::parse_url(text, mode)),
            page,
            sites,
            check_providers: settings.get("startup.check_providers"),
            keep_finished: settings.seconds("retention.finished", 0..=2_592_000),
            log: LogSettings::read(settings, mode),
        }
    }

    /// Advice for the operator of a server that can start, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = warnings::warnings(&self.server, &self.policy, &self.sites);
        warnings.extend(warnings::readable_store(&self.store));
        warnings.extend(warnings::short_calls(&self.sites));
        warnings.extend(warnings::unreached(&self.delivery, &self.providers, &self.sites));
        let origin = self.server.origin(self.server.bind);
        warnings.extend(warnings::overlong(&self.sites, &origin));
        warnings
    }
}
