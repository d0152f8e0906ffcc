//! The composition root: the only place that names concrete stores and providers together.
//!
//! `main` and the tests build the same [`Application`] from a [`Config`]; tests bind port 0 and
//! hand in a clock that stands still.

mod error;
mod store;

use std::{collections::HashMap, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use app::wire::{Country, StartOptions};
use axum::Router;
use futures_util::future::join_all;
use otp::{
    Channel, Timestamp,
    recipient::{CallingRegion, calling_regions},
    token::MAX_LIFETIME,
};
use rand::rngs::SysRng;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;
use url::Url;

use self::store::{find_store, open_store, readiness, start_clock};
pub use self::{error::StartupError, store::inspect_store};
use crate::{
    clock::{Clock, ClockRefused},
    config::{Config, DeliverySettings, KeySettings, Mode, ServerSettings, StoreSettings},
    delivery::{DeliveryWorker, Dispatcher, Inbox, Provider, Receipts, Route, SetUp},
    derived_keys::DerivedKeys,
    housekeeping, http,
    i18n::Catalogue,
    keyring::{KeyFileError, Keyring},
    open_files,
    outbox::{Backoff, Held},
    port::BrowserPort,
    service::{Rules, Service},
    site::Sites,
    skew::Skew,
    store::{AnyStore, Store},
    tokens::Tokens,
    webhook,
};

/// Committed messages that may wait for the worker in memory; further ones wait in the outbox.
const COMMITTED: usize = 1024;

/// A server that listens and does not answer yet.
pub struct Application {
    server: http::Server,
    bounds: http::Bounds,
    is_https: bool,
    router: Router,
    readiness: http::Readiness,
    worker: Arc<DeliveryWorker>,
    committed: mpsc::Receiver<crate::store::Message>,
    events: Arc<webhook::WebhookWorker>,
    store: AnyStore,
    clock: Clock,
    skew: Arc<Skew>,
    retention: Duration,
}

impl Application {
    /// Puts everything together on the machine's clock, with `accept_clock` however far that is from the
    /// latest time that the store has seen.
    ///
    /// # Errors
    /// Any [`StartupError`].
    pub async fn build(config: &Config, accept_clock: bool) -> Result<Self, StartupError> {
        Self::build_on(config, |latest| Clock::system(latest, accept_clock)).await
    }

    /// Puts everything together on a clock of the caller's choice, which is told the latest time
    /// that the store has seen.
    ///
    /// # Errors
    /// Any [`StartupError`].
    pub async fn build_on(
        config: &Config,
        clock: impl FnOnce(Timestamp) -> Result<Clock, ClockRefused>,
    ) -> Result<Self, StartupError> {
        let catalogue = Arc::new(Catalogue::load()?);
        let found = find_store(&config.store).await?;
        let keyring = keyring_of(&config.keys, found.is_new)?;
        let keys = DerivedKeys::derive(&keyring)?;
        let told = config.sites.all().filter(|site| site.webhook.is_some());
        let told = told.map(|site| site.name.clone());
        let recorder = webhook::EventRecorder::new(told, keys.sealer.clone());
        let recorder = Arc::new(recorder.with_operator(config.alerts.is_some()));
        // Before the store is opened, which brings its tables and its key up to date.
        let clock = start_clock(found.latest, clock)?;
        let store = open_store(&config.store, &keyring, &clock).await?;
        let store = store.observed_by(recorder.clone());

        let address = config.server.bind;
        let bind = http::Server::bind(address);
        let server = bind.map_err(|source| StartupError::Bind { address, source })?;
        let origin = config.server.origin(server.address());
        let is_https = origin.is_https();
        let tokens = Tokens::derive(&keyring, origin.as_str())?;

        let inbox = Arc::new(Inbox::new(catalogue.clone()));
        let dispatcher = dispatcher(config, &catalogue, &inbox)?;
        let lease = config.delivery.lease;
        // A result that is approved at the last moment can still be redeemed.
        let retention = longest_life(&config.sites) + MAX_LIFETIME + config.keep_finished;
        let development = config.server.mode == Mode::Development;
        let sites = Arc::new(config.sites.clone());
        let receipts = config.delivery.receipts.unwrap_or(is_https);
        let rules = Rules {
            sites: sites.clone(),
            carried: dispatcher.channels().collect(),
            default_country: config.page.default_country.clone(),
            limits: config.limits.clone(),
            texts: config.texts.clone(),
            work: config.work,
            fixed_recipient: config.page.fixed_recipient.clone(),
            count_test_suites: !development,
            receipts: receipts.then(|| Receipts::new(dispatcher.clone(), origin.clone())),
            lease,
        };
        let start = start_options(config);
        let (wake, committed) = mpsc::channel(COMMITTED);
        let service = Service::new(store.clone(), keys.clone(), tokens, rules, clock.clone(), wake);
        let sender =
            webhook::WebhookSender::new(config.webhook.clone()).map_err(StartupError::Webhooks)?;
        let events = Arc::new(webhook::WebhookWorker {
            store: store.clone(),
            recorder,
            sender,
            endpoints: endpoints(config, &keyring)?,
            clock: clock.clone(),
        });
        let worker = Arc::new(DeliveryWorker {
            store: store.clone(),
            dispatcher,
            keys,
            clock: clock.clone(),
            backoff: backoff(&config.delivery),
            lease,
            held: Held::default(),
            sites,
            origin: origin.clone(),
            receipts,
            server_ends: CancellationToken::new(),
        });

        let (readiness, skew) = readiness(&store, &clock);
        let web = http::Web {
            port: Arc::new(BrowserPort { service: service.clone() }),
            service,
            catalogue,
            assets: http::assets::page_assets(),
            brand: config.sites.first().brand.clone(),
            start,
            countries: calling_regions().into_iter().map(country).collect(),
            has_start_page: config.page.start,
            inbox: development.then(|| Box::new(move || inbox.messages()) as _),
            development_hosts: development.then(|| config.server.development_hosts.clone()),
            readiness: readiness.clone(),
            trusted_proxies: config.server.trusted_proxies.clone(),
            origin,
            request_timeout: config.server.request_timeout,
            security_contacts: config.server.security_contacts.clone(),
            now: Box::new({
                let clock = clock.clone();
                move || clock.now().as_millis()
            }),
        };
        let router = http::router(web, http::assets::router());
        Ok(Self {
            server,
            bounds: bounds(&config.server),
            is_https,
            router,
            readiness,
            worker,
            committed,
            events,
            store,
            clock,
            skew,
            retention,
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The providers, for a look at whether they would work.
    pub fn dispatcher(&self) -> &Dispatcher {
        &self.worker.dispatcher
    }

    /// Answers until `stop` is done, then lets everything in flight end: requests first, because
    /// they commit messages; then the messages being handed over. All of it together takes no longer
    /// than the configuration gives it (S27).
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> http::Ended {
        let stopping = CancellationToken::new();
        let delivery = self.worker.clone();
        let worker = tokio::spawn(self.worker.run(self.committed, stopping.clone()));
        let events = tokio::spawn(self.events.run(stopping.clone()));
        let (store, clock, skew) = (self.store, self.clock, self.skew);
        let sweeper = housekeeping::run(store, clock, skew, self.retention, stopping.clone());
        let sweeper = tokio::spawn(sweeper);

        let mut deadline = Instant::now();
        let mut bounds = self.bounds;
        // The rest is for tries that are cut off, to record what is known of them.
        let rest = bounds.timeouts.shutdown / 5;
        let shutdown = 4 * rest;
        bounds.timeouts.shutdown = shutdown;
        let stop = async {
            stop.await;
            self.readiness.stop();
            deadline = Instant::now() + shutdown;
        };
        let ended = self.server.run(self.router, bounds, self.is_https, stop).await;
        stopping.cancel();
        let mut tasks = pin!(async { (worker.await, events.await, sweeper.await) });
        if timeout_at(deadline, &mut tasks).await.is_err() {
            delivery.server_ends.cancel();
            if timeout_at(deadline + rest, tasks).await.is_err() {
                tracing::warn!("a message was still being handed over; its lease will end");
            }
        }
        let close = delivery.dispatcher.all().into_iter().map(|route| route.provider().close());
        let close = join_all(close);
        // Providers are told as long as there is time; nothing depends on it.
        let _ = timeout_at(deadline + rest, close).await;
        ended
    }
}

/// The providers that the configuration names, in its order.
///
/// # Errors
/// A provider cannot be set up with its settings.
pub fn dispatcher(
    config: &Config,
    catalogue: &Arc<Catalogue>,
    inbox: &Arc<Inbox>,
) -> Result<Dispatcher, StartupError> {
    // Before the first start there are none, and nothing is sent then.
    let keyring = read_keyring(&config.keys)?;
    let signer = |name: &str| {
        let secrets = keyring.as_ref().map(|keyring| webhook::Secret::of_provider(keyring, name));
        Ok(webhook::Signer::new(&secrets.transpose()?.unwrap_or_default()))
    };
    let set_up = SetUp { catalogue, inbox, requests: &config.webhook, signer: &signer };
    let mut routes = HashMap::new();
    for settings in &config.providers {
        routes.insert(settings.name.clone(), Arc::new(Route::set_up(settings.clone(), &set_up)?));
    }
    // Unless a provider has its name.
    let inbox = Arc::new(Route::from(Provider::Inbox(inbox.clone())));
    routes.entry(inbox.name().to_owned()).or_insert(inbox);
    let named =
        |names: &[String]| names.iter().filter_map(|name| routes.get(name).cloned()).collect();
    let lists = config.delivery.providers.iter();
    Ok(Dispatcher::new(lists.map(|(channel, names)| (*channel, named(names)))))
}

/// The master secrets, from wherever the configuration keeps them.
///
/// # Errors
/// [`StartupError::Keys`] and [`StartupError::NoKeys`].
pub fn keyring(settings: &KeySettings, store: &StoreSettings) -> Result<Keyring, StartupError> {
    keyring_of(settings, store.is_new())
}

fn keyring_of(settings: &KeySettings, store_is_new: bool) -> Result<Keyring, StartupError> {
    match read_keyring(settings)? {
        Some(keyring) => Ok(keyring),
        // A database that is there already needs the secrets that it was made with.
        None if settings.may_generate && store_is_new => {
            Ok(Keyring::read_or_make(&settings.file, &mut SysRng)?)
        }
        None => Err(StartupError::NoKeys(settings.file.clone())),
    }
}

/// The master secrets, unless they are yet to be made.
fn read_keyring(settings: &KeySettings) -> Result<Option<Keyring>, KeyFileError> {
    match &settings.given {
        Some(given) => Ok(Some(given.clone())),
        None => Keyring::read(&settings.file),
    }
}

/// Longest time from the start of a verification to the end of its last code.
fn longest_life(sites: &Sites) -> Duration {
    let lives = sites.all().map(|site| site.policy.window() + site.policy.lifetime());
    lives.max().unwrap_or_default()
}

/// Webhook endpoints of the sites and of the operator.
fn endpoints(
    config: &Config,
    keyring: &Keyring,
) -> Result<HashMap<webhook::Receiver, webhook::Endpoint>, StartupError> {
    let endpoint = |url: &Url, secrets: &[_]| {
        webhook::Endpoint::new(url.clone(), webhook::Signer::new(secrets))
    };
    let mut endpoints = HashMap::new();
    for site in config.sites.all() {
        if let Some(url) = &site.webhook {
            let secrets = webhook::Secret::of_site(keyring, &site.name)?;
            let receiver = webhook::Receiver::Site(site.name.clone());
            endpoints.insert(receiver, endpoint(url, &secrets));
        }
    }
    if let Some(url) = &config.alerts {
        let secrets = webhook::Secret::of_operator(keyring)?;
        endpoints.insert(webhook::Receiver::Operator, endpoint(url, &secrets));
    }
    Ok(endpoints)
}

/// Waits between the tries of a message.
fn backoff(settings: &DeliverySettings) -> Backoff {
    Backoff { first: settings.retry_first, longest: settings.retry_longest }
}

/// Limits on the time and number of connections, within the system's limit of open files.
fn bounds(server: &ServerSettings) -> http::Bounds {
    http::Bounds {
        timeouts: http::Timeouts {
            header: server.header_timeout,
            write: server.write_timeout,
            shutdown: server.shutdown_timeout,
        },
        connections: http::ConnectionLimits {
            total: open_files::connections(server.max_connections),
            per_address: server.max_connections_per_address,
            trusted_proxies: server.trusted_proxies.clone(),
        },
    }
}

/// Options of the start page, in no language yet.
fn start_options(config: &Config) -> StartOptions {
    let channels = Channel::first_of_each_kind(&config.sites.first().channels);
    let by_phone = channels.iter().any(|channel| channel.is_of_phones());
    let mut regions = if by_phone { calling_regions() } else { Vec::new() };
    if let Some(served) = config.sites.first().destinations.regions() {
        regions.retain(|country| served.contains(&country.region));
    }
    StartOptions {
        channels,
        fixed_recipient: config.page.fixed_recipient.as_ref().map(otp::Recipient::masked),
        countries: regions.into_iter().map(country).collect(),
        default_country: config.page.default_country.clone(),
    }
}

/// A country of the phone form, in no language yet.
fn country(CallingRegion { region, calling_code }: CallingRegion) -> Country {
    Country { name: region.clone(), region, calling_code }
}
