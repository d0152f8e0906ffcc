//! Configuration: from layers of text to one typed, validated value.
//!
//! The embedded `default.toml` is the reference of every key; a file and the environment override
//! it key by key (`layers`). The sections turn that into types (`reader` gathers whatever is
//! wrong), so that a server which starts has a configuration that makes sense as a whole, and one
//! which does not says everything that is missing at once.
//!
//! Nothing here connects to anything or reads a clock; the composition root builds the rest of
//! the server from the [`Config`].

mod delivery;
mod environment;
mod keys;
mod layers;
mod logging;
mod page;
mod policy;
mod problem;
mod reader;
mod server;
mod sites;
mod smtp;
mod smtp_url;
#[cfg(test)]
mod tests;
mod twilio;
mod webhook;

use std::{path::PathBuf, time::Duration};

pub use self::{
    delivery::{DeliverySettings, ProviderName},
    environment::{CONFIG_VARIABLE, Environment},
    keys::KeySettings,
    layers::Source,
    logging::{LogFormat, LogSettings},
    page::PageSettings,
    policy::{LimitSettings, PolicySettings},
    problem::{ConfigError, Problem},
    server::{Mode, ServerSettings},
    sites::{PUBLIC_KEY_PREFIX, SECRET_KEY_PREFIX, site_name_problem},
};
use self::{layers::Layers, reader::Reader};
use crate::{
    delivery::{SmtpSettings, TwilioSettings},
    site::Sites,
    webhook::WebhookSettings,
};

/// Where a configuration is read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file named on the command line.
    pub file: Option<PathBuf>,
    /// Where relative paths start; empty for the working directory.
    pub directory: PathBuf,
    /// The environment variables.
    pub environment: Environment,
}

impl Sources {
    /// The environment and working directory of this process, and the file it was told to read.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        Self { file, directory: PathBuf::new(), environment: Environment::of_process() }
    }
}

/// Everything the server needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens and whom it trusts.
    pub server: ServerSettings,
    /// The file of the database.
    pub store: PathBuf,
    /// Where the master secrets are.
    pub keys: KeySettings,
    /// The rules of one verification.
    pub policy: PolicySettings,
    /// The quotas across verifications.
    pub limits: LimitSettings,
    /// Which provider carries which channel.
    pub delivery: DeliverySettings,
    /// The mail server, where one is configured.
    pub smtp: Option<SmtpSettings>,
    /// The Twilio account, where one is configured.
    pub twilio: Option<TwilioSettings>,
    /// How relying parties are told of their verifications.
    pub webhook: WebhookSettings,
    /// What people see.
    pub page: PageSettings,
    /// The relying parties.
    pub sites: Sites,
    about_sites: Vec<String>,
    /// Whether providers are asked before serving whether they accept the credentials.
    pub check_providers: bool,
    /// How long what has ended is kept.
    pub keep_finished: Duration,
    /// What is logged, and how.
    pub log: LogSettings,
}

impl Config {
    /// Reads and validates, and reports everything that is wrong at once.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(Layers::read(sources));
        let config = Self::read(&mut reader, sources);
        reader.finish(config)
    }

    fn read(reader: &mut Reader, sources: &Sources) -> Self {
        let server = ServerSettings::read(reader);
        let mode = server.mode;
        let store = sources.directory.join(reader.text("store.path"));
        if reader.text("store.path").is_empty() {
            reader.refuse("store.path", "must name a file");
        }
        let keys = KeySettings::read(reader, mode, &sources.directory, &store);
        let policy = PolicySettings::read(reader);
        let limits = LimitSettings::read(reader);
        let smtp = smtp::read(reader, &sources.directory);
        let twilio = twilio::read(reader, mode);
        let delivery = DeliverySettings::read(reader, mode, smtp.is_some(), twilio.is_some());
        let page = PageSettings::read(reader);
        let surroundings = sites::Surroundings {
            mode,
            directory: &sources.directory,
            page: &page,
            policy: &policy,
            delivery: &delivery,
        };
        let (sites, about_sites) = sites::read(reader, &surroundings);
        Self {
            delivery,
            webhook: webhook::read(reader, mode),
            page,
            sites,
            about_sites,
            check_providers: reader.flag("startup.check_providers"),
            keep_finished: reader.seconds("retention.finished", 0..=2_592_000),
            log: LogSettings::read(reader, mode),
            server,
            store,
            keys,
            policy,
            limits,
            smtp,
            twilio,
        }
    }

    /// What the operator should know although the server can start: one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let server = &self.server;
        if server.mode == Mode::Development && !server.bind.ip().is_loopback() {
            warnings.push(format!(
                "development mode listens on {}, which other machines can reach; the development \
                 inbox shows every code to whoever opens it",
                server.bind
            ));
        }
        if self.policy.lifetime > sites::LONGEST_FOR_SIGNING_IN {
            warnings.push(
                "policy.lifetime is above 600 seconds, the longest that NIST SP 800-63B accepts \
                 for signing in"
                    .to_owned(),
            );
        }
        warnings.extend(self.about_sites.iter().cloned());
        warnings
    }
}
