//! The service and its delivery worker in this process. The worker runs when a test calls it, on a manual
//! clock, so that every wait is exact.

use std::{sync::Arc, time::Duration};

use app::wire::Brand;
use otp::{
    Channel, Code, DeliveryState, Details, Outcome, Policy, Recipient, Timestamp, Verification,
    VerificationId,
    limits::Limits,
    quota::Quota,
    texts::{Ceiling, Guard, ServerTexts, SiteTexts},
};
use server::{
    clock::Clock,
    delivery::{DeliveryWorker, Dispatcher, Provider, Receipts, Route, SmtpSecurity, SmtpSettings},
    derived_keys::DerivedKeys,
    keyring::Keyring,
    origin::Origin,
    outbox::{Backoff, Held},
    service::{Carried, Client, Refused, Rules, Scope, Service, Start},
    site::{Sites, builtin},
    store::{AnyStore, Message, Queue, SqliteStore, Store},
    tokens::Tokens,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::mail_server::{MailServer, provider};

pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub(crate) const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(30) };
/// Longer than a test, so that no lease is renewed unless a test shortens it.
pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// The test recipient of the site.
pub(crate) const TESTER: &str = "tester@example.com";

/// Most retries that a test needs; more mean that a message is retried without end.
const MAX_RETRIES: usize = 500;

/// The service and its delivery worker.
pub(crate) struct Outbox {
    pub(crate) store: AnyStore,
    pub(crate) service: Service,
    pub(crate) worker: DeliveryWorker,
    committed: mpsc::Receiver<Message>,
    pub(crate) clock: Clock,
    folder: tempfile::TempDir,
}

impl Outbox {
    pub(crate) fn of(email: Vec<Provider>, sms: Vec<Provider>) -> Self {
        Self::by_routes(routes(email), routes(sms))
    }

    pub(crate) fn by_routes(email: Vec<Arc<Route>>, sms: Vec<Arc<Route>>) -> Self {
        Self::open_with(Dispatcher::new([(Channel::Email, email), (Channel::Sms, sms)]), false)
    }

    /// Takes receipts of these providers, which carry both channels.
    pub(crate) fn with_receipts(routes: Vec<Arc<Route>>) -> Self {
        let both = [(Channel::Email, routes.clone()), (Channel::Sms, routes)];
        Self::open_with(Dispatcher::new(both), true)
    }

    fn open_with(dispatcher: Dispatcher, with_receipts: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keyring = keyring();
        let store = SqliteStore::open(&folder.path().join("latchkey.db"), &keyring).unwrap();
        let store = AnyStore::Sqlite(store);
        let clock = Clock::manual(START);
        let keys = DerivedKeys::derive(&keyring).unwrap();
        let tokens = Tokens::derive(&keyring, "https://login.example.com").unwrap();
        let plenty = Quota { limit: 1000, per: Duration::from_secs(600) };
        let brand = Brand { name: "Example".to_owned(), ..Brand::default() };
        let mut demo = builtin::demo(Policy::default(), brand);
        demo.texts = SiteTexts {
            prefix: Ceiling { hour: 100, day: 1000 },
            guard: Guard::Enforce,
            ..SiteTexts::UNLIMITED
        };
        demo.test_recipients = [(TESTER.to_owned(), Code::parse("424242").unwrap())].into();
        let sites = Arc::new(Sites::new(demo, []));
        let rules = Rules {
            sites: sites.clone(),
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
            receipts: with_receipts.then(|| Receipts::new(dispatcher.clone(), origin())),
            lease: LEASE,
        };
        let (wake, committed) = mpsc::channel(100);
        let service = Service::new(store.clone(), keys.clone(), tokens, rules, clock.clone(), wake);
        let mut worker = worker(store.clone(), dispatcher, keys, sites, clock.clone());
        worker.receipts = with_receipts;
        Self { store, service, worker, committed, clock, folder }
    }

    /// Another worker on the same store.
    pub(crate) fn another_worker(&self, email: Vec<Provider>) -> DeliveryWorker {
        let dispatcher = Dispatcher::new([(Channel::Email, routes(email))]);
        let DeliveryWorker { keys, sites, .. } = &self.worker;
        worker(self.store.clone(), dispatcher, keys.clone(), sites.clone(), self.clock.clone())
    }

    /// Locks the database until the connection is dropped.
    pub(crate) fn lock_database(&self) -> rusqlite::Connection {
        let other = rusqlite::Connection::open(self.folder.path().join("latchkey.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    }

    pub(crate) fn by_mail(server: &MailServer) -> Self {
        Self::of(vec![server.provider()], Vec::new())
    }

    /// Opens a verification; returns its id and the message for the worker.
    pub(crate) async fn accept(&mut self, to: &str) -> (VerificationId, Message) {
        let id = self.open(to).await;
        (id, self.committed.try_recv().expect("a message is committed"))
    }

    /// Opens a verification.
    pub(crate) async fn open(&self, to: &str) -> VerificationId {
        self.try_open(to).await.unwrap()
    }

    /// Opens a verification, unless that is refused.
    pub(crate) async fn try_open(&self, to: &str) -> Result<VerificationId, Refused> {
        let recipient = Recipient::parse(to, None, None).unwrap();
        let start = Start {
            site: self.service.sites().first().clone(),
            channel: recipient.channels()[0],
            recipient,
            purpose: String::new(),
            locale: "en".to_owned(),
            details: Details::default(),
        };
        Ok(self.service.start(&self.client(), start).await?.verification.id())
    }

    /// Asks for another code, and tries its message once.
    pub(crate) async fn resend(&mut self, id: VerificationId) -> Result<(), Refused> {
        self.service.resend(&self.client(), id, None).await?;
        let message = self.committed.try_recv().expect("a message is committed");
        self.worker.attempt(message).await;
        Ok(())
    }

    /// As [`Outbox::resend`], once that is possible.
    pub(crate) async fn wait_and_resend(&mut self, id: VerificationId) {
        let wait = self.verification(id).await.resend_at().since(self.clock.now());
        self.clock.advance(wait);
        self.resend(id).await.unwrap();
    }

    /// Checks a guess.
    pub(crate) async fn check(&self, id: VerificationId, guess: &str) -> Outcome {
        self.service.check(&self.client(), id, guess, None).await.unwrap().outcome
    }

    /// Replaces the providers of texts.
    pub(crate) fn replace_providers(&mut self, sms: Vec<Provider>) {
        self.worker.dispatcher = Dispatcher::new([(Channel::Sms, routes(sms))]);
    }

    /// As [`Outbox::accept`], and tries it once.
    pub(crate) async fn send(&mut self, to: &str) -> VerificationId {
        let (id, message) = self.accept(to).await;
        self.worker.attempt(message).await;
        id
    }

    fn client(&self) -> Client {
        let person = self.service.person_here([127, 0, 0, 1].into(), "");
        Client { scope: Scope::Holder, person, idempotency_key: None, work: None }
    }

    pub(crate) async fn verification(&self, id: VerificationId) -> Verification {
        self.store.read(id).await.unwrap().expect("it was opened")
    }

    /// Delivery state and tries of the newest message.
    pub(crate) async fn progress(&self, id: VerificationId) -> (DeliveryState, u32) {
        let verification = self.verification(id).await;
        (verification.last_send().delivery, verification.last_send().tries)
    }

    /// Retries each message at its due time until the outbox is empty; returns the waits.
    pub(crate) async fn until_settled(&self) -> Vec<Duration> {
        let mut waits = Vec::new();
        for _ in 0..MAX_RETRIES {
            let Some(due) = self.store.next_due(Queue::Codes).await.unwrap() else { return waits };
            waits.push(due.since(self.clock.now()));
            self.clock.advance(due.since(self.clock.now()));
            assert_ne!(self.worker.deliver_due().await, 0);
        }
        panic!("a message is retried without end");
    }
}

/// The master secret.
pub(crate) fn keyring() -> Keyring {
    Keyring::parse(["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]).unwrap()
}

fn origin() -> Origin {
    Origin::parse("https://login.example.com").unwrap()
}

/// Each under the name of its kind.
fn routes(providers: Vec<Provider>) -> Vec<Arc<Route>> {
    providers.into_iter().map(|provider| Arc::new(Route::from(provider))).collect()
}

fn worker(
    store: AnyStore,
    dispatcher: Dispatcher,
    keys: DerivedKeys,
    sites: Arc<Sites>,
    clock: Clock,
) -> DeliveryWorker {
    DeliveryWorker {
        store,
        dispatcher,
        keys,
        clock,
        backoff: BACKOFF,
        lease: LEASE,
        held: Held::default(),
        sites,
        origin: origin(),
        receipts: false,
        server_ends: CancellationToken::new(),
    }
}

pub(crate) fn plain_mail(server: &MailServer) -> Provider {
    let settings = server.settings();
    provider(SmtpSettings { security: SmtpSecurity::Plain, credentials: None, ..settings })
}
