//! S34: codes that became too short are not delivered.

use std::sync::Arc;

use otp::Outcome;
use server::delivery::{Inbox, Provider};

use crate::{
    catalogue,
    outbox::{LEASE, Outbox},
};

#[tokio::test]
async fn s34_codes_that_became_too_short_are_taken_out_of_the_outbox() {
    let inbox = Arc::new(Inbox::new(catalogue()));
    let mut outbox = Outbox::of(vec![Provider::Inbox(inbox.clone())], Vec::new());
    // Their messages wait until the lease of a worker that has died ends.
    let mut waiting = Vec::new();
    for name in ["checked", "resent", "untouched"] {
        waiting.push(outbox.accept(&format!("{name}@example.com")).await.0);
    }
    for number in 0..61 {
        let id = outbox.send(&format!("{number}@example.com")).await;
        for wrong in 0..5 {
            outbox.check(id, &format!("00000{wrong}")).await;
        }
    }
    let told = inbox.messages().len();
    assert_eq!(outbox.check(waiting[0], "000000").await, Outcome::Expired);
    outbox.resend(waiting[1]).await.unwrap();
    outbox.clock.advance(LEASE);
    assert_eq!(outbox.worker.deliver_due().await, 1);
    let messages = inbox.messages();
    let since: Vec<_> = messages[..messages.len() - told].iter().collect();
    let since: Vec<_> = since.iter().map(|sent| (sent.to.as_str(), sent.code.len())).collect();
    assert_eq!(since, [("untouched@example.com", 6), ("resent@example.com", 8)]);
}
