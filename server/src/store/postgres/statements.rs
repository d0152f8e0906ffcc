//! The statements of the group commit and of the outbox, prepared once for a session.

use tokio_postgres::{Client, Error, Statement};

/// Columns of a message in arrays, in the order of `outbox::Messages`.
macro_rules! add_messages {
    ($conflict:literal) => {
        concat!(
            "INSERT INTO outbox (queue, verification, number, due_at, leased, expires_at, tries, unanswered,
                                 sealed, tried)
             SELECT * FROM unnest($1::int2[], $2::bytea[], $3::int8[], $4::int8[], $5::bool[], $6::int8[],
                                  $7::int8[], $8::int8[], $9::bytea[], $10::text[])",
            $conflict
        )
    };
}

macro_rules! statements {
    ($($name:ident: $text:expr;)+) => {
        /// The statements.
        pub(super) struct Statements {
            $(pub(super) $name: Statement,)+
        }

        impl Statements {
            pub(super) async fn prepare(client: &Client) -> Result<Self, Error> {
                let ($($name,)+) = tokio::try_join!($(client.prepare($text),)+)?;
                Ok(Self { $($name,)+ })
            }
        }
    };
}

statements! {
    // What a batch reads. Rows are locked in the order of their keys.
    lead: "SELECT counters_lead FROM clock";
    verifications: "SELECT id, sealed FROM verification WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    answers: "SELECT key, expires_at, sealed FROM saved_answer WHERE key = ANY($1) ORDER BY key FOR UPDATE";
    counters: "SELECT key, body FROM counters WHERE key = ANY($1) ORDER BY key FOR UPDATE";
    tallies: "SELECT name, part, body FROM tally WHERE name = ANY($1) AND part <> $2";
    own_tallies: "SELECT name, body FROM tally WHERE name = ANY($1) AND part = $2 ORDER BY name FOR UPDATE";

    // What it writes. A row that was not there may have been added since: that fails, and the batch runs again.
    add_verifications: "INSERT INTO verification SELECT * FROM unnest($1::bytea[], $2::bytea[])";
    change_verifications: "UPDATE verification v SET sealed = n.sealed
        FROM unnest($1::bytea[], $2::bytea[]) n (id, sealed) WHERE v.id = n.id";
    add_answers: "INSERT INTO saved_answer SELECT * FROM unnest($1::bytea[], $2::int8[], $3::bytea[])";
    change_answers: "UPDATE saved_answer a SET expires_at = n.expires_at, sealed = n.sealed
        FROM unnest($1::bytea[], $2::int8[], $3::bytea[]) n (key, expires_at, sealed) WHERE a.key = n.key";
    add_counters: "INSERT INTO counters SELECT * FROM unnest($1::bytea[], $2::int8[], $3::text[])";
    change_counters: "UPDATE counters c SET expires_at = n.expires_at, body = n.body
        FROM unnest($1::bytea[], $2::int8[], $3::text[]) n (key, expires_at, body) WHERE c.key = n.key";
    add_tallies: "INSERT INTO tally (name, part, expires_at, body)
        SELECT n.name, $4::int2, n.expires_at, n.body
        FROM unnest($1::text[], $2::int8[], $3::text[]) n (name, expires_at, body)";
    change_tallies: "UPDATE tally t SET expires_at = n.expires_at, body = n.body
        FROM unnest($1::text[], $2::int8[], $3::text[]) n (name, expires_at, body)
        WHERE t.name = n.name AND t.part = $4";

    // The outbox.
    enqueue: add_messages!("");
    // An event may be scheduled twice if the first answer was lost; the second is ignored.
    schedule: add_messages!(" ON CONFLICT DO NOTHING");
    retry: "UPDATE outbox o
        SET due_at = n.at, leased = false, tries = n.tries, unanswered = n.unanswered, tried = n.tried
        FROM unnest($1::int2[], $2::bytea[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::text[])
            n (queue, verification, number, leased_until, at, tries, unanswered, tried)
        WHERE o.queue = n.queue AND o.verification = n.verification AND o.number = n.number
            AND o.leased AND o.due_at = n.leased_until";
    renew: "UPDATE outbox o SET due_at = n.until
        FROM unnest($1::int2[], $2::bytea[], $3::int8[], $4::int8[], $5::int8[])
            n (queue, verification, number, leased_until, until)
        WHERE o.queue = n.queue AND o.verification = n.verification AND o.number = n.number
            AND o.leased AND o.due_at = n.leased_until";
    remove: "DELETE FROM outbox o
        USING unnest($1::int2[], $2::bytea[], $3::int8[]) n (queue, verification, number)
        WHERE o.queue = n.queue AND o.verification = n.verification AND o.number = n.number";
    // Those that another server is claiming or settling are passed over.
    claim: "WITH due AS MATERIALIZED (
            SELECT queue, verification, number, due_at FROM outbox
            WHERE queue = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
        )
        UPDATE outbox o SET due_at = $4, leased = true FROM due
        WHERE o.queue = due.queue AND o.verification = due.verification AND o.number = due.number
        RETURNING due.due_at, o.verification, o.number, o.expires_at, o.tries, o.unanswered, o.sealed, o.tried";
    next_due: "SELECT due_at FROM outbox WHERE queue = $1 ORDER BY due_at LIMIT 1";

    // The row before the one that is not there is read in its place (S9).
    nearest: "SELECT id, sealed FROM verification WHERE id <= $1 ORDER BY id DESC LIMIT 1";
    ping: "UPDATE clock SET pings = pings + 1";
}
