//! Recipients who did not ask for a code, and the cool-down after it.

use otp::Limit;

use super::*;

/// A person, who has no secret key.
fn person() -> Client {
    Client { scope: Scope::Holder, person: Person::default(), idempotency_key: None, work: None }
}

impl Installation {
    fn link(&self, id: VerificationId) -> String {
        self.service.shared.keys.links.link(id).unwrap()
    }

    async fn asks(&self, client: &Client, site: &str) -> Result<VerificationId, Limit> {
        match self.service.start(client, self.start_for(site, "jo@example.com")).await {
            Ok(started) => Ok(started.verification.id()),
            Err(Refused::Exceeded { exceeded, .. }) => Err(exceeded.limit),
            Err(refused) => panic!("{refused:?}"),
        }
    }
}

#[tokio::test]
async fn s35_a_cool_down_holds_at_one_site_and_not_for_its_back_end() {
    let latchkey = installation();
    let id = latchkey.asks(&person(), "shop").await.unwrap();
    assert!(latchkey.store.next_due(Queue::Codes).await.unwrap().is_some());
    let disowned = latchkey.service.disown(&latchkey.link(id)).await.unwrap().unwrap();
    assert_eq!(disowned.state(), State::Canceled);
    assert_eq!(latchkey.store.next_due(Queue::Codes).await.unwrap(), None, "it is withdrawn");
    // A stranger is not told why.
    assert_eq!(latchkey.asks(&person(), "shop").await, Err(Limit::RecipientSends));
    latchkey.asks(&person(), "demo").await.unwrap();
    latchkey.asks(&backend(&latchkey, "shop", None), "shop").await.unwrap();
    // A key that everybody knows is counted for an address, and is a stranger's.
    let Client { person, .. } = browser(&latchkey);
    let known = Client { person, ..backend(&latchkey, "shop", None) };
    assert_eq!(latchkey.asks(&known, "shop").await, Err(Limit::RecipientCooledDown));
}

#[tokio::test]
async fn s35_the_link_of_a_verification_that_is_deleted_is_like_an_unknown_one() {
    let latchkey = installation();
    let id = latchkey.asks(&person(), "shop").await.unwrap();
    let link = latchkey.link(id);
    assert!(latchkey.service.find_by_link(&link).await.unwrap().is_some());
    latchkey.clock.advance(Duration::from_secs(3 * 24 * 3600));
    let retention = Duration::from_secs(24 * 3600);
    latchkey.store.sweep(latchkey.clock.now(), retention).await.unwrap();
    assert!(latchkey.service.find_by_link(&link).await.unwrap().is_none());
    assert!(latchkey.service.disown(&link).await.unwrap().is_none());
    latchkey.asks(&person(), "shop").await.unwrap();
}
