//! S24: what a relying party was to be told survives `kill -9`.

use std::collections::BTreeSet;

use app::wire::Outcome;

use crate::{
    SOON,
    installation::Installation,
    postbox::Postbox,
    receiver::{Receiver, Reply},
};

/// Verifications of one life.
const VERIFICATIONS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn s24_an_event_is_told_although_the_program_is_killed_while_it_tells_it() {
    let postbox = Postbox::open().await;
    // Of the first life's events none is answered, so all are on their way when it ends.
    let first = [Reply::Silence; 2 * VERIFICATIONS];
    let mut receiver = Receiver::replying(first, Reply::status(204)).await;
    let sites = format!(
        "[webhook]\nallowed_networks = [\"127.0.0.1\"]\n\
         [[sites]]\nname = \"demo\"\n[sites.webhook]\nurl = \"{}\"\n",
        receiver.url
    );
    let installation = Installation::mailing(&postbox).configured(&sites);
    let program = installation.start();
    let mut approved = BTreeSet::new();
    for number in 0..VERIFICATIONS {
        let to = format!("{number}@example.com");
        let id = program.browser().start(&to).await.unwrap();
        let code = &postbox.codes(&to, 1).await[0];
        assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
        approved.insert(id);
    }
    let first = receiver.next().await;
    program.kill();
    receiver.so_far();

    let _program = installation.start();
    let mut told = BTreeSet::new();
    let all_are_told = async {
        while told != approved {
            let request = receiver.next().await;
            if request.id == first.id {
                assert_eq!(request.body, first.body);
            }
            assert!(request.seconds >= first.seconds && request.signatures.starts_with("v1,"));
            if request.kind() == "verification.approved" {
                told.insert(request.json()["data"]["id"].as_str().unwrap().to_owned());
            }
        }
    };
    tokio::time::timeout(SOON, all_are_told).await.expect("every approval is told");
}
