//! Scopes of clients, repeated requests, test recipients and results.

use app::wire::Brand;
use otp::{DeliveryState, Limit, Policy, State, quota::Quota, texts::ServerTexts};
use tempfile::TempDir;

use super::*;
use crate::{
    keyring::Keyring,
    site::{SecretDigest, builtin},
    store::{Queue, SqliteStore},
};

mod channels;
mod cool_down;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A service over a store of its own.
pub(crate) struct Installation {
    store: AnyStore,
    pub(crate) service: Service,
    committed: mpsc::Receiver<Message>,
    clock: Clock,
    _folder: TempDir,
}

pub(crate) fn installation() -> Installation {
    installation_counting(false)
}

fn limits() -> Limits {
    let quota = Quota { limit: 3, per: Duration::from_secs(600) };
    Limits {
        recipient_sends_short: quota,
        recipient_sends_long: quota,
        recipient_wrong_checks: quota,
        caller_sends: quota,
        caller_checks: quota,
        cool_down: Duration::from_secs(24 * 3600),
    }
}

/// An installation that counts callers with the keys of sites for test suites, or does not.
pub(crate) fn installation_counting(count_test_suites: bool) -> Installation {
    let folder = tempfile::tempdir().unwrap();
    let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let keyring = Keyring::parse([secret]).unwrap();
    let store = SqliteStore::open(&folder.path().join("latchkey.db"), &keyring).unwrap();
    let store = AnyStore::Sqlite(store);
    let keys = DerivedKeys::derive(&keyring).unwrap();
    let tokens = Tokens::derive(&keyring, "https://otp.example.com").unwrap();
    let (policy, brand) = (Policy::default(), Brand::default());
    let mut shop = Site::named("shop", policy.clone(), brand.clone());
    shop.secrets = vec![SecretDigest::of("lk_sec_shop")];
    shop.test_recipients =
        [("tester@example.com".to_owned(), Code::parse("424242").unwrap())].into();
    let others = builtin::for_tests(&policy, &brand, &[]).into_iter().chain([shop]);
    let rules = Rules {
        sites: Arc::new(Sites::new(builtin::demo(policy.clone(), brand.clone()), others)),
        carried: Carried::everywhere([Channel::Email, Channel::Sms]),
        default_country: "GB".to_owned(),
        limits: limits(),
        texts: ServerTexts::unlimited(),
        work: None,
        fixed_recipient: None,
        count_test_suites,
        lease: Duration::from_secs(60),
    };
    let clock = Clock::manual(START);
    let (wake, committed) = mpsc::channel(100);
    let service = Service::new(store.clone(), keys, tokens, rules, clock.clone(), wake);
    Installation { store, service, committed, clock, _folder: folder }
}

/// The back end of a site, which calls its request by a name or not.
fn backend(latchkey: &Installation, site: &str, request: Option<(&str, u8)>) -> Client {
    let named = |(key, body)| latchkey.service.idempotency_key(site, key, [body; 32]);
    let scope = Scope::Site(site.to_owned());
    Client { scope, person: Person::default(), idempotency_key: request.map(named), work: None }
}

/// A person with a browser.
fn browser(latchkey: &Installation) -> Client {
    let person = latchkey.service.person_here([192, 0, 2, 1].into(), "Firefox/140.0");
    Client { scope: Scope::Holder, person, idempotency_key: None, work: None }
}

impl Installation {
    fn start_for(&self, site: &str, to: &str) -> Start {
        let recipient = Recipient::parse(to, None, None).unwrap();
        Start {
            site: self.service.sites().named(site).unwrap().clone(),
            channel: recipient.channels()[0],
            recipient,
            purpose: "sign-up".to_owned(),
            locale: "en".to_owned(),
            details: Details::default(),
        }
    }

    async fn start(&self, client: &Client, to: &str) -> Result<Snapshot, Refused> {
        let Scope::Site(site) = &client.scope else { panic!("a back end starts for its site") };
        self.service.start(client, self.start_for(site, to)).await
    }

    /// The token that the page of a verification gets.
    async fn token(&self, client: &Client, id: VerificationId) -> Option<String> {
        let snapshot = self.service.find(&client.scope, id).await.unwrap().unwrap();
        self.service.token(&snapshot)
    }

    async fn check(&self, client: &Client, id: VerificationId, guess: &str) -> Outcome {
        self.service.check(client, id, guess, None).await.unwrap().outcome
    }
}

#[tokio::test]
async fn a_site_reaches_no_verification_of_another() {
    let latchkey = installation();
    let (shop, demo) = (backend(&latchkey, "shop", None), backend(&latchkey, "demo", None));
    let id = latchkey.start(&shop, "tester@example.com").await.unwrap().verification.id();
    assert!(latchkey.service.find(&demo.scope, id).await.unwrap().is_none());
    assert_eq!(latchkey.check(&demo, id, "424242").await, Outcome::Expired);
    assert!(matches!(latchkey.service.cancel(&demo, id).await, Err(Refused::NotFound)));
    assert!(matches!(latchkey.service.resend(&demo, id, None).await, Err(Refused::NotFound)));
    assert_eq!(latchkey.check(&shop, id, "424242").await, Outcome::Approved);
    let token = latchkey.token(&shop, id).await.unwrap();
    let person = Client {
        scope: Scope::Holder,
        person: Person::default(),
        idempotency_key: None,
        work: None,
    };
    let redeem = async |client| latchkey.service.redeem(client, &token).await;
    assert!(matches!(redeem(&demo).await, Err(Refused::InvalidToken)));
    assert!(matches!(redeem(&person).await, Err(Refused::InvalidToken)));
    assert!(redeem(&shop).await.is_ok());
}

#[tokio::test]
async fn another_code_that_is_asked_for_again_gets_its_answer_although_nothing_else_is_left() {
    let latchkey = installation();
    let client = backend(&latchkey, "shop", Some(("k1", 1)));
    let plain = backend(&latchkey, "shop", None);
    let id = latchkey.start(&plain, "jo@example.com").await.unwrap().verification.id();
    latchkey.clock.advance(Duration::from_secs(30));
    let first = latchkey.service.resend(&client, id, None).await.unwrap();
    let swept =
        latchkey.store.sweep(latchkey.clock.now() + Duration::from_secs(60), Duration::ZERO);
    assert_eq!(swept.await.unwrap().verifications, 1);
    let again = latchkey.service.resend(&client, id, None).await.unwrap();
    assert_eq!((again.verification, again.repeated), (first.verification, true));
}

#[tokio::test]
async fn a_request_that_is_sent_again_does_nothing_again() {
    let mut latchkey = installation();
    let client = backend(&latchkey, "shop", Some(("k1", 1)));
    let first = latchkey.start(&client, "jo@example.com").await.unwrap();
    let again = latchkey.start(&client, "jo@example.com").await.unwrap();
    assert_eq!((first.repeated, again.repeated), (false, true));
    assert_eq!(first.verification, again.verification);
    latchkey.committed.recv().await.unwrap();
    assert!(latchkey.committed.try_recv().is_err(), "one message is enough");

    let other = backend(&latchkey, "shop", Some(("k1", 2)));
    assert!(matches!(latchkey.start(&other, "jan@example.com").await, Err(Refused::KeyReused)));
    // Idempotency keys are bound to their site.
    let demo = backend(&latchkey, "demo", Some(("k1", 2)));
    assert!(!latchkey.start(&demo, "jo@example.com").await.unwrap().repeated);

    latchkey.clock.advance(Duration::from_secs(24 * 3600));
    assert!(!latchkey.start(&other, "jan@example.com").await.unwrap().repeated);
}

#[tokio::test]
async fn s5_a_wrong_check_that_is_sent_again_counts_once() {
    let latchkey = installation();
    let plain = backend(&latchkey, "shop", None);
    let id = latchkey.start(&plain, "tester@example.com").await.unwrap().verification.id();
    let client = backend(&latchkey, "shop", Some(("k1", 1)));
    for _ in 0..3 {
        let outcome = latchkey.check(&client, id, "000000").await;
        assert_eq!(outcome, Outcome::Incorrect { attempts_left: 4 });
    }
    assert_eq!(latchkey.check(&plain, id, "000001").await, Outcome::Incorrect { attempts_left: 3 });
}

#[tokio::test]
async fn s5_the_code_of_a_test_recipient_is_guessed_at_no_more_often_than_any() {
    let latchkey = installation();
    let client = backend(&latchkey, "shop", None);
    let guess = |id, digits| latchkey.service.check(&client, id, digits, None);
    for wrong in ["000000", "000001", "000002"] {
        // It stays the same, so a verification of its own for each guess must gain nothing.
        let id = latchkey.start(&client, "tester@example.com").await.unwrap().verification.id();
        assert!(matches!(guess(id, wrong).await.unwrap().outcome, Outcome::Incorrect { .. }));
    }
    let id = latchkey.start(&client, "tester@example.com").await.unwrap().verification.id();
    let refused = guess(id, "424242").await;
    let Err(Refused::Exceeded { exceeded, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(exceeded.limit, Limit::RecipientChecks);
}

#[tokio::test]
async fn whoever_begins_with_a_test_recipient_is_counted_like_everybody() {
    let latchkey = installation();
    let person = browser(&latchkey);
    let begin =
        |site| latchkey.service.start(&person, latchkey.start_for(site, "tester@example.com"));
    for _ in 0..10 {
        begin("test-approve").await.unwrap();
    }
    for _ in 0..3 {
        begin("shop").await.unwrap();
    }
    let refused = begin("shop").await;
    let Err(Refused::Exceeded { exceeded, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(exceeded.limit, Limit::CallerSends);
}

#[tokio::test]
async fn a_verification_that_is_over_sends_no_message_that_still_waits() {
    let latchkey = installation();
    let client = backend(&latchkey, "shop", None);
    let (canceled, pending) = (
        latchkey.start(&client, "jo@example.com").await,
        latchkey.start(&client, "jan@example.com").await,
    );
    let (canceled, pending) = (canceled.unwrap().verification, pending.unwrap().verification);
    latchkey.service.cancel(&client, canceled.id()).await.unwrap();
    let lease = Duration::from_secs(60);
    let waiting =
        latchkey.service.store.claim(Queue::Codes, START + lease, lease, 10).await.unwrap();
    let waiting: Vec<_> = waiting.iter().map(|message| message.key.verification).collect();
    assert_eq!(waiting, [pending.id()]);
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let latchkey = installation();
    let client = backend(&latchkey, "shop", None);
    for _ in 0..3 {
        latchkey.start(&client, "jo@example.com").await.unwrap();
    }
    let client = backend(&latchkey, "shop", Some(("k1", 1)));
    let refused = latchkey.start(&client, "jo@example.com").await;
    assert!(matches!(refused, Err(Refused::Exceeded { .. })));
    latchkey.clock.advance(Duration::from_secs(1200));
    assert!(!latchkey.start(&client, "jo@example.com").await.unwrap().repeated);
}

#[tokio::test]
async fn s20_a_result_is_redeemed_once_and_in_time_and_the_same_request_gets_it_again() {
    let latchkey = installation();
    let plain = backend(&latchkey, "shop", None);
    let id = latchkey.start(&plain, "tester@example.com").await.unwrap().verification.id();
    assert_eq!(latchkey.token(&plain, id).await, None, "not approved yet");
    latchkey.check(&plain, id, "424242").await;
    let token = latchkey.token(&plain, id).await.unwrap();
    let redeem = async |client: Client| latchkey.service.redeem(&client, &token).await;

    let named = backend(&latchkey, "shop", Some(("k1", 1)));
    let first = redeem(named.clone()).await.unwrap();
    assert!(matches!(redeem(plain.clone()).await, Err(Refused::AlreadyRedeemed)));
    latchkey.clock.advance(Duration::from_secs(300));
    let again = redeem(named).await.unwrap();
    assert_eq!((again.verification, again.repeated), (first.verification, true));
    assert!(matches!(redeem(plain).await, Err(Refused::TokenExpired)));
}

#[tokio::test]
async fn s20_of_50_parallel_redeems_one_succeeds() {
    let latchkey = installation();
    let client = backend(&latchkey, "shop", None);
    let id = latchkey.start(&client, "tester@example.com").await.unwrap().verification.id();
    latchkey.check(&client, id, "424242").await;
    let token = latchkey.token(&client, id).await.unwrap();
    let tries = (0..50).map(|_| latchkey.service.redeem(&client, &token));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}

#[tokio::test]
async fn sites_for_tests_always_do_the_same_and_send_nothing() {
    let mut latchkey = installation();
    let client = |site| backend(&latchkey, site, None);
    let (approve, incorrect, undeliverable, limited) = (
        client("test-approve"),
        client("test-incorrect"),
        client("test-undeliverable"),
        client("test-limited"),
    );
    // More often than any limit allows: nothing of it is counted.
    for _ in 0..10 {
        let begun = latchkey.start(&approve, "jo@example.com").await.unwrap().verification;
        assert_eq!(begun.last_send().delivery, DeliveryState::Delivered);
        assert_eq!(latchkey.check(&approve, begun.id(), "000000").await, Outcome::Approved);
    }
    let begun = latchkey.start(&incorrect, "jo@example.com").await.unwrap().verification;
    for left in (0..5).rev() {
        let guess = format!("00000{left}");
        let outcome = latchkey.check(&incorrect, begun.id(), &guess).await;
        assert_eq!(outcome, Outcome::Incorrect { attempts_left: left });
    }
    let lost = latchkey.start(&undeliverable, "jo@example.com").await.unwrap().verification;
    assert_eq!(lost.state(START), State::Failed);
    let refused = latchkey.start(&limited, "jo@example.com").await;
    assert!(matches!(refused, Err(Refused::Exceeded { .. })));
    assert!(latchkey.committed.try_recv().is_err(), "nothing was sent");
}

#[tokio::test]
async fn a_test_recipient_gets_no_message_again_either() {
    let mut latchkey = installation();
    let client = backend(&latchkey, "shop", None);
    let id = latchkey.start(&client, "tester@example.com").await.unwrap().verification.id();
    latchkey.clock.advance(Duration::from_secs(30));
    let resent = latchkey.service.resend(&client, id, None).await.unwrap().verification;
    assert!(resent.details().test_mode);
    assert!(latchkey.committed.try_recv().is_err());
    assert_eq!(latchkey.check(&client, id, "424242").await, Outcome::Approved);
}

#[tokio::test]
async fn a_check_that_the_recipients_limit_refuses_still_counts_for_its_caller() {
    let latchkey = installation();
    let client = backend(&latchkey, "shop", None);
    for wrong in ["000000", "000001", "000002"] {
        let id = latchkey.start(&client, "tester@example.com").await.unwrap().verification.id();
        latchkey.check(&client, id, wrong).await;
    }
    let id = latchkey.start(&client, "tester@example.com").await.unwrap().verification.id();
    let person = browser(&latchkey);
    let mut limits = Vec::new();
    for _ in 0..4 {
        let refused = latchkey.service.check(&person, id, "424242", None).await;
        let Err(Refused::Exceeded { exceeded, .. }) = refused else { panic!("{refused:?}") };
        limits.push(exceeded.limit);
    }
    let expected = [[Limit::RecipientChecks; 3].as_slice(), &[Limit::CallerChecks]].concat();
    assert_eq!(limits, expected);
}

#[tokio::test]
async fn a_message_that_a_limit_refuses_is_charged_to_nobody() {
    let latchkey = installation();
    let client = backend(&latchkey, "shop", None);
    let person = browser(&latchkey);
    for _ in 0..3 {
        latchkey.start(&client, "jo@example.com").await.unwrap();
    }
    for _ in 0..5 {
        let refused = latchkey.service.start(&person, latchkey.start_for("shop", "jo@example.com"));
        assert!(matches!(refused.await, Err(Refused::Exceeded { .. })));
    }
    // The caller's own three are untouched.
    for to in ["a@example.com", "b@example.com", "c@example.com"] {
        latchkey.service.start(&person, latchkey.start_for("shop", to)).await.unwrap();
    }
}

#[tokio::test]
async fn s37_after_a_start_ten_years_ahead_no_code_revives_and_limits_run_as_ever() {
    let latchkey = installation();
    let shop = backend(&latchkey, "shop", None);
    latchkey.clock.advance(Duration::from_secs(10 * 365 * 24 * 3600));
    latchkey.store.resume(latchkey.clock.now()).await.unwrap();
    let id = latchkey.start(&shop, "tester@example.com").await.unwrap().verification.id();
    for _ in 0..3 {
        latchkey.start(&shop, "jo@example.com").await.unwrap();
    }
    assert!(latchkey.start(&shop, "jo@example.com").await.is_err());

    // The clock is right again, and accepted.
    let Clock::Manual(millis) = &latchkey.clock else { panic!("it is advanced by hand") };
    millis.store(START.as_millis(), std::sync::atomic::Ordering::SeqCst);
    latchkey.store.resume(START).await.unwrap();
    assert_eq!(latchkey.store.latest_time().await.unwrap(), START);
    assert_eq!(latchkey.check(&shop, id, "424242").await, Outcome::Expired);
    let refused = latchkey.start(&shop, "jo@example.com").await.unwrap_err();
    let Refused::Exceeded { exceeded, now } = refused else { panic!("{refused:?}") };
    let wait = exceeded.retry_at.since(now);
    assert!(wait > Duration::from_secs(500) && wait <= Duration::from_secs(630), "{wait:?}");
    latchkey.clock.advance(wait);
    latchkey.start(&shop, "jo@example.com").await.unwrap();
    let id = latchkey.start(&shop, "tester@example.com").await.unwrap().verification.id();
    assert_eq!(latchkey.check(&shop, id, "424242").await, Outcome::Approved);
}
