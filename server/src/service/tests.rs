//! Whom a client reaches, requests that are sent again, rehearsals and results.

use app::wire::Brand;
use otp::quota::Quota;
use tempfile::TempDir;

use super::*;
use crate::{
    keyring::Keyring,
    site::{SecretDigest, builtin},
    store::{Queue, SqliteStore},
};

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

struct House {
    store: SqliteStore,
    service: Service<SqliteStore>,
    committed: mpsc::Receiver<Message>,
    clock: Clock,
    _folder: TempDir,
}

fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("latchkey.db")).unwrap();
    let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let secrets = DerivedKeys::derive(&Keyring::parse([secret]).unwrap()).unwrap();
    let (policy, brand) = (Policy::default(), Brand::default());
    let mut shop = Site::named("shop", policy.clone(), brand.clone());
    shop.secrets = vec![SecretDigest::of("lk_sec_shop")];
    shop.test_recipients =
        [("tester@example.com".to_owned(), Code::parse("424242").unwrap())].into();
    let others = builtin::for_tests(&policy, &brand, &[]).into_iter().chain([shop]);
    let quota = Quota { limit: 3, per: Duration::from_secs(600) };
    let rules = Rules {
        sites: Arc::new(Sites::new(builtin::demo(policy.clone(), brand.clone()), others)),
        limits: Limits {
            recipient_sends: [quota; 2],
            recipient_wrong_checks: quota,
            caller_sends: quota,
            caller_checks: quota,
        },
        lease: Duration::from_secs(60),
    };
    let clock = Clock::manual(START);
    let (wake, committed) = mpsc::channel(100);
    let service = Service::new(store.clone(), secrets, rules, clock.clone(), wake);
    House { store, service, committed, clock, _folder: folder }
}

/// The back end of a site, which calls its request by a name or not.
fn backend(house: &House, site: &str, request: Option<(&str, u8)>) -> Client {
    let named = |(key, body)| house.service.request(site, key, [body; 32]);
    Client { scope: Scope::Site(site.to_owned()), address: None, request: request.map(named) }
}

impl House {
    fn start_for(&self, site: &str, to: &str) -> Start {
        Start {
            site: self.service.sites().named(site).unwrap().clone(),
            recipient: Recipient::parse(to, None, None).unwrap(),
            purpose: "sign-up".to_owned(),
            locale: "en".to_owned(),
            details: Details::default(),
        }
    }

    async fn start(&self, client: &Client, to: &str) -> Result<Snapshot, Refused> {
        let Scope::Site(site) = &client.scope else { panic!("a back end starts for its site") };
        self.service.start(client, self.start_for(site, to)).await
    }

    async fn check(&self, client: &Client, id: VerificationId, guess: &str) -> Outcome {
        let code = Code::parse(guess).unwrap();
        self.service.check(client, id, move |_| Some(code.clone())).await.unwrap().outcome
    }
}

#[tokio::test]
async fn a_site_reaches_no_verification_of_another() {
    let house = house();
    let (shop, demo) = (backend(&house, "shop", None), backend(&house, "demo", None));
    let id = house.start(&shop, "tester@example.com").await.unwrap().verification.id();
    assert!(house.service.find(&demo.scope, id).await.unwrap().is_none());
    assert_eq!(house.check(&demo, id, "424242").await, Outcome::Expired);
    assert!(matches!(house.service.cancel(&demo, id).await, Err(Refused::NotFound)));
    assert!(matches!(house.service.resend(&demo, id, None).await, Err(Refused::NotFound)));
    assert_eq!(house.check(&shop, id, "424242").await, Outcome::Approved);
    let end = START + Duration::from_secs(300);
    assert!(matches!(house.service.redeem(&demo, id, end).await, Err(Refused::NotFound)));
    assert!(house.service.redeem(&shop, id, end).await.is_ok());
}

#[tokio::test]
async fn another_code_that_is_asked_for_again_gets_its_answer_although_nothing_else_is_left() {
    let house = house();
    let client = backend(&house, "shop", Some(("k1", 1)));
    let plain = backend(&house, "shop", None);
    let id = house.start(&plain, "jo@example.com").await.unwrap().verification.id();
    house.clock.advance(Duration::from_secs(30));
    let first = house.service.resend(&client, id, None).await.unwrap();
    let swept = house.store.sweep(house.clock.now() + Duration::from_secs(60), Duration::ZERO);
    assert_eq!(swept.await.unwrap().verifications, 1);
    let again = house.service.resend(&client, id, None).await.unwrap();
    assert_eq!((again.verification, again.replayed), (first.verification, true));
}

#[tokio::test]
async fn a_request_that_is_sent_again_does_nothing_again() {
    let mut house = house();
    let client = backend(&house, "shop", Some(("k1", 1)));
    let first = house.start(&client, "jo@example.com").await.unwrap();
    let again = house.start(&client, "jo@example.com").await.unwrap();
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(first.verification, again.verification);
    house.committed.recv().await.unwrap();
    assert!(house.committed.try_recv().is_err(), "one message is enough");

    let other = backend(&house, "shop", Some(("k1", 2)));
    assert!(matches!(house.start(&other, "jan@example.com").await, Err(Refused::RequestReused)));
    // What another site calls its requests is its own affair.
    let demo = backend(&house, "demo", Some(("k1", 2)));
    assert!(!house.start(&demo, "jo@example.com").await.unwrap().replayed);

    house.clock.advance(Duration::from_secs(24 * 3600));
    assert!(!house.start(&other, "jan@example.com").await.unwrap().replayed);
}

#[tokio::test]
async fn s5_a_wrong_check_that_is_sent_again_counts_once() {
    let house = house();
    let plain = backend(&house, "shop", None);
    let id = house.start(&plain, "tester@example.com").await.unwrap().verification.id();
    let client = backend(&house, "shop", Some(("k1", 1)));
    for _ in 0..3 {
        let outcome = house.check(&client, id, "000000").await;
        assert_eq!(outcome, Outcome::Incorrect { attempts_left: 4 });
    }
    assert_eq!(house.check(&plain, id, "000001").await, Outcome::Incorrect { attempts_left: 3 });
}

#[tokio::test]
async fn s5_the_code_of_a_test_recipient_is_guessed_at_no_more_often_than_any() {
    let house = house();
    let client = backend(&house, "shop", None);
    let guess = |id, digits| {
        let code = Code::parse(digits).unwrap();
        house.service.check(&client, id, move |_| Some(code.clone()))
    };
    for wrong in ["000000", "000001", "000002"] {
        // It stays the same, so a verification of its own for each guess must gain nothing.
        let id = house.start(&client, "tester@example.com").await.unwrap().verification.id();
        assert!(matches!(guess(id, wrong).await.unwrap().outcome, Outcome::Incorrect { .. }));
    }
    let id = house.start(&client, "tester@example.com").await.unwrap().verification.id();
    let refused = guess(id, "424242").await;
    let Err(Refused::Exceeded { exceeded, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(exceeded.limit, Limit::RecipientChecks);
}

#[tokio::test]
async fn whoever_begins_with_a_test_recipient_is_counted_like_everybody() {
    let house = house();
    let address = Some("192.0.2.1".parse().unwrap());
    let person = Client { scope: Scope::Held, address, request: None };
    let begin = |site| house.service.start(&person, house.start_for(site, "tester@example.com"));
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
    let house = house();
    let client = backend(&house, "shop", None);
    let (canceled, pending) = (
        house.start(&client, "jo@example.com").await,
        house.start(&client, "jan@example.com").await,
    );
    let (canceled, pending) = (canceled.unwrap().verification, pending.unwrap().verification);
    house.service.cancel(&client, canceled.id()).await.unwrap();
    let lease = Duration::from_secs(60);
    let waiting = house.service.store.claim(Queue::Codes, START + lease, lease, 10).await.unwrap();
    let waiting: Vec<_> = waiting.iter().map(|message| message.key.verification).collect();
    assert_eq!(waiting, [pending.id()]);
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let house = house();
    let client = backend(&house, "shop", None);
    for _ in 0..3 {
        house.start(&client, "jo@example.com").await.unwrap();
    }
    let client = backend(&house, "shop", Some(("k1", 1)));
    let refused = house.start(&client, "jo@example.com").await;
    assert!(matches!(refused, Err(Refused::Exceeded { .. })));
    house.clock.advance(Duration::from_secs(1200));
    assert!(!house.start(&client, "jo@example.com").await.unwrap().replayed);
}

#[tokio::test]
async fn s20_a_result_is_redeemed_once_and_in_time_and_the_same_request_gets_it_again() {
    let house = house();
    let plain = backend(&house, "shop", None);
    let id = house.start(&plain, "tester@example.com").await.unwrap().verification.id();
    let end = START + Duration::from_secs(300);
    let redeem = |client: Client| {
        let service = house.service.clone();
        async move { service.redeem(&client, id, end).await }
    };
    assert!(matches!(redeem(plain.clone()).await, Err(Refused::NotFound)), "not approved yet");
    house.check(&plain, id, "424242").await;

    let named = backend(&house, "shop", Some(("k1", 1)));
    let first = redeem(named.clone()).await.unwrap();
    assert!(matches!(redeem(plain.clone()).await, Err(Refused::AlreadyRedeemed)));
    house.clock.advance(Duration::from_secs(300));
    let again = redeem(named).await.unwrap();
    assert_eq!((again.verification, again.replayed), (first.verification, true));
    assert!(matches!(redeem(plain).await, Err(Refused::TokenExpired)));
}

#[tokio::test]
async fn s20_of_50_parallel_redeems_one_succeeds() {
    let house = house();
    let client = backend(&house, "shop", None);
    let id = house.start(&client, "tester@example.com").await.unwrap().verification.id();
    house.check(&client, id, "424242").await;
    let end = START + Duration::from_secs(300);
    let tries = (0..50).map(|_| house.service.redeem(&client, id, end));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}

#[tokio::test]
async fn sites_for_tests_always_do_the_same_and_send_nothing() {
    let mut house = house();
    let client = |site| backend(&house, site, None);
    let (approve, incorrect, undeliverable, limited) = (
        client("test-approve"),
        client("test-incorrect"),
        client("test-undeliverable"),
        client("test-limited"),
    );
    // More often than any limit allows: nothing of it is counted.
    for _ in 0..10 {
        let begun = house.start(&approve, "jo@example.com").await.unwrap().verification;
        assert_eq!(begun.last_send().delivery, Delivery::Delivered);
        assert_eq!(house.check(&approve, begun.id(), "000000").await, Outcome::Approved);
    }
    let begun = house.start(&incorrect, "jo@example.com").await.unwrap().verification;
    for left in (0..5).rev() {
        let outcome = house.check(&incorrect, begun.id(), "000000").await;
        assert_eq!(outcome, Outcome::Incorrect { attempts_left: left });
    }
    let lost = house.start(&undeliverable, "jo@example.com").await.unwrap().verification;
    assert_eq!(lost.state(START), State::Failed);
    let refused = house.start(&limited, "jo@example.com").await;
    assert!(matches!(refused, Err(Refused::Exceeded { .. })));
    assert!(house.committed.try_recv().is_err(), "nothing was sent");
}

#[tokio::test]
async fn a_test_recipient_gets_no_message_again_either() {
    let mut house = house();
    let client = backend(&house, "shop", None);
    let id = house.start(&client, "tester@example.com").await.unwrap().verification.id();
    house.clock.advance(Duration::from_secs(30));
    let resent = house.service.resend(&client, id, None).await.unwrap().verification;
    assert!(resent.details().rehearsal);
    assert!(house.committed.try_recv().is_err());
    assert_eq!(house.check(&client, id, "424242").await, Outcome::Approved);
}
