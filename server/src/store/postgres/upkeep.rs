//! Deletion of what is over, and the time that the servers share.

use std::time::Duration;

use otp::{Timestamp, VerificationId};
use tokio_postgres::{Client, Error};

use super::{
    columns::{millis, timestamp},
    outbox::number_of,
};
use crate::store::{Queue, Swept};

/// Rows of each table that one sweep looks at, so that none holds locks for long.
const SWEEP: i64 = 500;

/// Distance from which on the latest time in the store counts as wrong, at the start of a server. The clocks of
/// servers differ a little, and those of others that run may have been ahead; a server starts with a clock that is
/// further behind only if its operator has accepted that (`clock.rs`).
const WRONG: Duration = Duration::from_secs(24 * 3600);

/// Sweeps once. Rows that are locked are passed over, be it by steps or by the sweep of another server. Digests
/// have no useful order, so the counters are looked at from the key on at which the last sweep has ended.
pub(super) async fn sweep(
    client: &Client,
    now: Timestamp,
    retention: Duration,
    counters_from: Vec<u8>,
) -> Result<(Swept, Vec<u8>), Error> {
    let time = millis(now);
    client.execute("UPDATE clock SET latest = $1 WHERE latest < $1", &[&time]).await?;
    let lead = client.query_one("SELECT counters_lead FROM clock", &[]).await?.get::<_, i64>(0);
    let counters_time = time.saturating_add(lead);

    let opened_before = VerificationId::first_at(now - retention);
    let opened_before = &opened_before.as_bytes()[..];
    let verifications = client
        .execute(
            "DELETE FROM verification WHERE id = ANY (ARRAY(
                SELECT id FROM verification WHERE id < $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED))",
            &[&opened_before, &SWEEP],
        )
        .await?;
    // An event may outlive the verification that it tells of, since its receiver may be away. So no
    // more than the oldest of a queue are looked at: what a receiver has not taken can be millions.
    let mut messages = 0;
    for queue in [Queue::Codes, Queue::Events] {
        messages += client
            .execute(
                "WITH oldest AS MATERIALIZED (
                    SELECT verification, number, expires_at FROM outbox
                    WHERE queue = $1 AND verification < $2 ORDER BY verification, number LIMIT $3
                ), ended AS MATERIALIZED (
                    SELECT o.verification, o.number FROM outbox o, oldest
                    WHERE o.queue = $1 AND o.verification = oldest.verification
                        AND o.number = oldest.number AND oldest.expires_at <= $4
                    FOR UPDATE OF o SKIP LOCKED
                )
                DELETE FROM outbox o USING ended
                WHERE o.queue = $1 AND o.verification = ended.verification AND o.number = ended.number",
                &[&number_of(queue), &opened_before, &SWEEP, &time],
            )
            .await?;
    }
    let saved_answers = client
        .execute(
            "DELETE FROM saved_answer WHERE key = ANY (ARRAY(
                SELECT key FROM saved_answer WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
            &[&time, &SWEEP],
        )
        .await?;

    let last = "SELECT key FROM (SELECT key FROM counters WHERE key > $1 ORDER BY key LIMIT $2) k
                ORDER BY key DESC LIMIT 1";
    let last = client.query_opt(last, &[&counters_from, &SWEEP]).await?;
    let up_to: Option<Vec<u8>> = last.map(|row| row.get(0));
    let counters = match &up_to {
        Some(up_to) => {
            client
                .execute(
                    "DELETE FROM counters WHERE key = ANY (ARRAY(
                        SELECT key FROM counters WHERE key > $1 AND key <= $2 AND expires_at <= $3
                        FOR UPDATE SKIP LOCKED))",
                    &[&counters_from, up_to, &counters_time],
                )
                .await?
        }
        None => 0,
    };
    client
        .execute(
            "WITH old AS MATERIALIZED (
                SELECT name, part FROM tally WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM tally t USING old WHERE t.name = old.name AND t.part = old.part",
            &[&counters_time],
        )
        .await?;
    let bound = u64::try_from(SWEEP).unwrap_or(u64::MAX);
    let more = [verifications, saved_answers, messages].into_iter().any(|dropped| dropped >= bound);
    let number = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
    let swept = Swept {
        verifications: number(verifications),
        counters: number(counters),
        saved_answers: number(saved_answers),
        messages: number(messages),
        more,
    };
    // Past the last key the next sweep starts again at the first.
    Ok((swept, up_to.unwrap_or_default()))
}

/// The time of the newest verification or of the last sweep.
pub(super) async fn latest_time(client: &Client) -> Result<Timestamp, Error> {
    let select = "SELECT latest, (SELECT id FROM verification ORDER BY id DESC LIMIT 1) FROM clock";
    let row = client.query_one(select, &[]).await?;
    // Ids begin with the time they were made, so the greatest is the newest.
    let newest = row.get::<_, Option<&[u8]>>(1).and_then(|id| VerificationId::from_bytes(id).ok());
    let opened = newest.map_or(Timestamp::default(), |id| id.created_at());
    Ok(timestamp(row.get(0)).max(opened))
}

/// Starts again at `now`, in a transaction that has locked the row of the clock.
pub(super) async fn resume(client: &Client, now: Timestamp) -> Result<(), Error> {
    client.batch_execute("BEGIN; SET LOCAL statement_timeout = 0").await?;
    let resumed = resume_locked(client, now).await;
    client.batch_execute(if resumed.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    resumed
}

async fn resume_locked(client: &Client, now: Timestamp) -> Result<(), Error> {
    client.query_one("SELECT latest FROM clock FOR UPDATE", &[]).await?;
    let back = latest_time(client).await?.since(now);
    let time = millis(now);
    if back < WRONG {
        client.execute("UPDATE clock SET latest = $1 WHERE latest < $1", &[&time]).await?;
        return Ok(());
    }
    let back = i64::try_from(back.as_millis()).unwrap_or(i64::MAX);
    client.execute("DELETE FROM verification", &[]).await?;
    client.execute("DELETE FROM outbox WHERE queue = $1", &[&number_of(Queue::Codes)]).await?;
    let events =
        "UPDATE outbox SET due_at = greatest(due_at - $1, 0), expires_at = expires_at - $1";
    client.execute(events, &[&back]).await?;
    let answers = "UPDATE saved_answer SET expires_at = expires_at - $1";
    client.execute(answers, &[&back]).await?;
    let clock = "UPDATE clock SET latest = $1, counters_lead = counters_lead + $2";
    client.execute(clock, &[&time, &back]).await?;
    Ok(())
}
