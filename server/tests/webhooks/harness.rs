//! A server without HTTP, whose workers run when a test calls them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use app::wire::Brand;
use otp::{
    Channel, Code, Details, Policy, Recipient, Timestamp, VerificationId, limits::Limits,
    quota::Quota, texts::ServerTexts,
};
use secrecy::ExposeSecret;
use server::{
    clock::Clock,
    delivery::{
        DeliveryWorker, Dispatcher, GatewaySettings, Inbox, KindSettings, Provider, Route,
        RouteSettings, SetUp,
    },
    derived_keys::DerivedKeys,
    i18n::Catalogue,
    keyring::Keyring,
    origin::Origin,
    outbox::{Backoff, Held},
    service::{Carried, Client, Person, Rules, Scope, Service, Start},
    site::{Site, Sites, builtin},
    store::{AnyStore, OpenError, OpenProblem, Queue, SqliteStore, Store},
    tokens::Tokens,
    webhook::{
        Endpoint, EventRecorder, Receiver, Secret, Signer, WebhookSender, WebhookSettings,
        WebhookWorker,
    },
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// Time-out of requests. It never elapses in a test.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Most deliveries that a test needs; more mean that an event is requeued without end.
const MAX_DELIVERIES: usize = 1000;

pub(crate) struct Harness {
    pub(crate) store: AnyStore,
    pub(crate) service: Service,
    pub(crate) events: Arc<WebhookWorker>,
    pub(crate) clock: Clock,
    pub(crate) delivery: DeliveryWorker,
    committed: mpsc::Receiver<server::store::Message>,
    inbox: Arc<Inbox>,
    sites: Vec<(String, String)>,
    operator: Option<String>,
    folder: TempDir,
}

fn keyring() -> Keyring {
    Keyring::parse(["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]).unwrap()
}

/// The webhook secret of the operator.
pub(crate) fn operator_secret() -> String {
    let secrets = Secret::of_operator(&keyring()).unwrap();
    secrets[0].to_text().expose_secret().to_owned()
}

/// The webhook secret of a site.
pub(crate) fn secret(site: &str) -> String {
    let secrets = Secret::of_site(&keyring(), site).unwrap();
    secrets[0].to_text().expose_secret().to_owned()
}

impl Harness {
    /// A server with these sites: names and URLs of the receivers.
    pub(crate) fn of(sites: &[(&str, &str)]) -> Self {
        Self::with_operator(sites, None)
    }

    /// A server with these sites and a receiver of alerts at this URL, or without one.
    pub(crate) fn with_operator(sites: &[(&str, &str)], operator: Option<&str>) -> Self {
        let own = |(name, url): &(&str, &str)| ((*name).to_owned(), (*url).to_owned());
        let sites = sites.iter().map(own).collect();
        let operator = operator.map(str::to_owned);
        Self::open(tempfile::tempdir().unwrap(), sites, operator, Clock::manual(START))
    }

    fn open(
        folder: TempDir,
        sites: Vec<(String, String)>,
        operator: Option<String>,
        clock: Clock,
    ) -> Self {
        let keys = DerivedKeys::derive(&keyring()).unwrap();
        let tokens = Tokens::derive(&keyring(), "https://login.example.com").unwrap();
        let names = sites.iter().map(|(name, _)| name.clone());
        let recorder = EventRecorder::new(names, keys.sealer.clone());
        let recorder = Arc::new(recorder.with_operator(operator.is_some()));
        let store = AnyStore::Sqlite(open(&folder).unwrap()).observed_by(recorder.clone());
        let plenty = Quota { limit: 1000, per: Duration::from_secs(600) };
        let site = |(name, url): &(String, String)| Site {
            webhook: Some(url.parse().unwrap()),
            ..Site::named(name, Policy::default(), Brand::default())
        };
        let brand = Brand { name: "Example".to_owned(), ..Brand::default() };
        let first = builtin::demo(Policy::default(), brand);
        let registry = Arc::new(Sites::new(first, sites.iter().map(site)));
        let rules = Rules {
            sites: registry.clone(),
            carried: Carried::everywhere([Channel::Email, Channel::Sms]),
            default_country: "GB".to_owned(),
            limits: Limits {
                recipient_sends_short: plenty,
                recipient_sends_long: plenty,
                recipient_wrong_checks: plenty,
                caller_sends: plenty,
                caller_checks: plenty,
                cool_down: Duration::from_secs(24 * 3600),
            },
            texts: ServerTexts::unlimited(),
            work: None,
            fixed_recipient: None,
            count_test_suites: false,
            receipts: None,
            lease: TIMEOUT,
        };
        let (wake, committed) = mpsc::channel(1000);
        let service = Service::new(store.clone(), keys.clone(), tokens, rules, clock.clone(), wake);
        let inbox = Arc::new(Inbox::new(Arc::new(Catalogue::load().unwrap())));
        let delivery = DeliveryWorker {
            store: store.clone(),
            dispatcher: Dispatcher::new([(
                Channel::Email,
                vec![Arc::new(Route::from(Provider::Inbox(inbox.clone())))],
            )]),
            keys,
            clock: clock.clone(),
            backoff: Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(30) },
            lease: TIMEOUT,
            held: Held::default(),
            sites: registry,
            origin: Origin::parse("https://login.example.com").unwrap(),
            receipts: false,
            server_ends: CancellationToken::new(),
        };
        let events = worker(&store, &recorder, (&sites, operator.as_deref()), &clock, TIMEOUT);
        Self { store, service, events, clock, delivery, committed, inbox, sites, operator, folder }
    }

    /// Another worker on the same outbox, with this time-out.
    pub(crate) fn webhook_worker(&self, timeout: Duration) -> Arc<WebhookWorker> {
        let receivers = (&*self.sites, self.operator.as_deref());
        worker(&self.store, &self.events.recorder, receivers, &self.clock, timeout)
    }

    /// Restarts the server: everything is made again on the same database.
    pub(crate) async fn restarted(self) -> Self {
        let Self { folder, sites, operator, clock, store, service, events, delivery, .. } = self;
        drop((store, service, events, delivery));
        // Requests in flight release the store when they are next polled.
        let released = async {
            while matches!(open(&folder), Err(OpenError { reason: OpenProblem::InUse, .. })) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(TIMEOUT, released).await.expect("the store is released");
        Self::open(folder, sites, operator, clock)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("latchkey.db")
    }

    pub(crate) fn client(&self, request: Option<&str>) -> Client {
        let key = |key| self.service.idempotency_key("shop", key, [1; 32]);
        Client {
            scope: Scope::Holder,
            person: Person::default(),
            idempotency_key: request.map(key),
            work: None,
        }
    }

    /// Opens a verification for a site; its message is not sent yet.
    pub(crate) async fn open_for(&self, site: &str, client: &Client) -> VerificationId {
        let start = Start {
            site: self.service.sites().named(site).unwrap().clone(),
            recipient: Recipient::parse("jo@example.com", None, None).unwrap(),
            channel: Channel::Email,
            purpose: "sign-up".to_owned(),
            locale: "en".to_owned(),
            details: Details {
                metadata: [("order".to_owned(), "42".to_owned())].into(),
                ..Details::default()
            },
        };
        self.service.start(client, start).await.unwrap().verification.id()
    }

    /// A provider of kind `webhook` at this URL.
    pub(crate) fn gateway(&self, name: &str, url: &str) -> Arc<Route> {
        let kind =
            KindSettings::Webhook(GatewaySettings { url: url.parse().unwrap(), timeout: TIMEOUT });
        let allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
        let requests = WebhookSettings { timeout: TIMEOUT, allowed_networks, https_only: false };
        let catalogue = Arc::new(Catalogue::load().unwrap());
        let signer = |_: &str| Ok(Signer::new(&[]));
        let set_up = SetUp {
            catalogue: &catalogue,
            inbox: &self.inbox,
            requests: &requests,
            signer: &signer,
        };
        let settings =
            RouteSettings { name: name.to_owned(), countries: Vec::new(), receipts: false, kind };
        Arc::new(Route::set_up(settings, &set_up).unwrap())
    }

    /// Tries the oldest waiting message once.
    pub(crate) async fn try_next(&mut self) {
        let message = self.committed.try_recv().expect("a message waits");
        self.delivery.attempt(message).await;
    }

    /// Sends the oldest waiting message; returns its code.
    pub(crate) async fn send(&mut self) -> Code {
        self.try_next().await;
        Code::parse(&self.inbox.messages()[0].code).unwrap()
    }

    pub(crate) async fn check(&self, id: VerificationId, code: &Code) {
        self.check_as(&self.client(None), id, code).await;
    }

    pub(crate) async fn check_as(&self, client: &Client, id: VerificationId, code: &Code) {
        self.service.check(client, id, code.as_str(), None).await.unwrap();
    }

    /// Opens a verification of the site `shop` and enters its code.
    pub(crate) async fn approve(&mut self) -> VerificationId {
        let id = self.open_for("shop", &self.client(None)).await;
        let code = self.send().await;
        self.check(id, &code).await;
        id
    }

    /// Opens and cancels a verification, which makes one event.
    pub(crate) async fn cancel_one(&self, site: &str) -> VerificationId {
        let client = self.client(None);
        let id = self.open_for(site, &client).await;
        self.service.cancel(&client, id).await.unwrap();
        id
    }

    /// Due time of the next event.
    pub(crate) async fn next_due(&self) -> Option<Timestamp> {
        self.store.next_due(Queue::Events).await.unwrap()
    }

    /// Advances the clock to the due time of the next event; returns the wait.
    pub(crate) async fn wait(&self) -> Option<Duration> {
        let wait = self.next_due().await?.since(self.clock.now());
        self.clock.advance(wait);
        Some(wait)
    }

    /// Delivers everything that is due now.
    pub(crate) async fn deliver_all_due(&self) {
        for _ in 0..MAX_DELIVERIES {
            if self.events.deliver_due().await == 0 {
                return;
            }
        }
        panic!("events are requeued without end");
    }

    /// Delivers all events, each at its due time, until none is left; returns the waits.
    pub(crate) async fn drain(&self) -> Vec<Duration> {
        let mut waits = Vec::new();
        for _ in 0..MAX_DELIVERIES {
            let Some(wait) = self.wait().await else { return waits };
            waits.push(wait);
            self.events.deliver_due().await;
        }
        panic!("events are requeued without end");
    }
}

fn open(folder: &TempDir) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(&folder.path().join("latchkey.db"), &keyring())
}

fn worker(
    store: &AnyStore,
    recorder: &Arc<EventRecorder>,
    (sites, operator): (&[(String, String)], Option<&str>),
    clock: &Clock,
    timeout: Duration,
) -> Arc<WebhookWorker> {
    let endpoint =
        |url: &str, secrets: &[Secret]| Endpoint::new(url.parse().unwrap(), Signer::new(secrets));
    let of_site = |(name, url): &(String, String)| {
        let secrets = Secret::of_site(&keyring(), name).unwrap();
        (Receiver::Site(name.clone()), endpoint(url, &secrets))
    };
    let of_operator =
        |url| (Receiver::Operator, endpoint(url, &Secret::of_operator(&keyring()).unwrap()));
    let allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
    let settings = WebhookSettings { timeout, allowed_networks, https_only: false };
    Arc::new(WebhookWorker {
        store: store.clone(),
        recorder: recorder.clone(),
        sender: WebhookSender::new(settings).unwrap(),
        endpoints: sites.iter().map(of_site).chain(operator.map(of_operator)).collect(),
        clock: clock.clone(),
    })
}
