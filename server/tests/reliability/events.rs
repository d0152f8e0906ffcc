//! S24: webhook events survive `kill -9`.

use std::collections::BTreeSet;

use app::wire::Outcome;

use crate::{
    SOON,
    installation::Installation,
    mail_sink::MailSink,
    receiver::{Receiver, Reply},
};

/// Number of verifications.
const VERIFICATIONS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn s24_events_in_flight_when_the_program_is_killed_are_delivered_after_the_restart() {
    let mail = MailSink::open().await;
    // No event of the first process is answered, so all are in flight when it is killed.
    let first = [Reply::Silence; 2 * VERIFICATIONS];
    let mut receiver = Receiver::replying(first, Reply::status(204)).await;
    let sites = format!(
        "[webhook]\nallowed_networks = [\"127.0.0.1\"]\n\
         [[sites]]\nname = \"demo\"\n[sites.webhook]\nurl = \"{}\"\n",
        receiver.url
    );
    let installation = Installation::mailing(&mail).configured(&sites);
    let program = installation.start();
    let mut approved = BTreeSet::new();
    for number in 0..VERIFICATIONS {
        let to = format!("{number}@example.com");
        let id = program.browser().start(&to).await.unwrap();
        let code = &mail.codes(&to, 1).await[0];
        assert_eq!(program.browser().check(&id, code).await.unwrap(), Outcome::Approved);
        approved.insert(id);
    }
    let first = receiver.next().await;
    program.kill();
    receiver.so_far();

    let _program = installation.start();
    let mut delivered = BTreeSet::new();
    let all_approvals = async {
        while delivered != approved {
            let request = receiver.next().await;
            if request.id == first.id {
                assert_eq!(request.body, first.body);
            }
            assert!(request.seconds >= first.seconds && request.signatures.starts_with("v1,"));
            if request.kind() == "verification.approved" {
                delivered.insert(request.json()["data"]["id"].as_str().unwrap().to_owned());
            }
        }
    };
    tokio::time::timeout(SOON, all_approvals).await.expect("every approval is delivered");
}
