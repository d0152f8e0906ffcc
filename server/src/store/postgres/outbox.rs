//! Changes of the outbox, gathered into as few statements as their order permits.

use std::collections::HashSet;

use futures_util::future::BoxFuture;
use tokio_postgres::Error;

use super::{columns::millis, link::Session};
use crate::store::{Message, MessageKey, OutboxChange, Queue};

/// The changes of a batch. Those of one wave concern different messages, so their order does not matter.
#[derive(Debug, Default)]
pub(super) struct Changes(Vec<Wave>);

#[derive(Debug, Default)]
struct Wave {
    concerned: HashSet<MessageKey>,
    enqueue: Messages,
    schedule: Messages,
    retry: Retries,
    renew: Renewals,
    remove: Keys,
}

/// Keys in columns.
#[derive(Debug, Default)]
struct Keys {
    queue: Vec<i16>,
    verification: Vec<Vec<u8>>,
    number: Vec<i64>,
}

#[derive(Debug, Default)]
struct Messages {
    keys: Keys,
    due_at: Vec<i64>,
    leased: Vec<bool>,
    expires_at: Vec<i64>,
    tries: Vec<i64>,
    unanswered: Vec<i64>,
    sealed: Vec<Vec<u8>>,
    tried: Vec<String>,
}

#[derive(Debug, Default)]
struct Retries {
    keys: Keys,
    leased_until: Vec<i64>,
    at: Vec<i64>,
    tries: Vec<i64>,
    unanswered: Vec<i64>,
    tried: Vec<String>,
}

#[derive(Debug, Default)]
struct Renewals {
    keys: Keys,
    leased_until: Vec<i64>,
    until: Vec<i64>,
}

impl Changes {
    pub(super) fn add(&mut self, change: OutboxChange) {
        let key = match &change {
            OutboxChange::Enqueue { message } | OutboxChange::Schedule { message, .. } => {
                message.key
            }
            OutboxChange::Retry { key, .. }
            | OutboxChange::Renew { key, .. }
            | OutboxChange::Remove { key } => *key,
        };
        if self.0.last().is_none_or(|wave| wave.concerned.contains(&key)) {
            self.0.push(Wave::default());
        }
        if let Some(wave) = self.0.last_mut() {
            wave.concerned.insert(key);
            wave.add(change);
        }
    }

    /// The statements, in their order.
    pub(super) fn statements<'a>(
        &'a self,
        session: &'a Session,
    ) -> Vec<BoxFuture<'a, Result<u64, Error>>> {
        self.0.iter().flat_map(|wave| wave.statements(session)).collect()
    }
}

impl Wave {
    fn add(&mut self, change: OutboxChange) {
        match change {
            OutboxChange::Enqueue { message } => {
                let due_at = millis(message.leased_until);
                self.enqueue.add(message, due_at, true);
            }
            OutboxChange::Schedule { message, at } => {
                self.schedule.add(message, millis(at), false);
            }
            OutboxChange::Retry { key, leased_until, at, tries, unanswered, tried } => {
                let Retries { keys, .. } = &mut self.retry;
                keys.add(&key);
                self.retry.leased_until.push(millis(leased_until));
                self.retry.at.push(millis(at));
                self.retry.tries.push(tries.into());
                self.retry.unanswered.push(unanswered.into());
                self.retry.tried.push(tried);
            }
            OutboxChange::Renew { key, leased_until, until } => {
                self.renew.keys.add(&key);
                self.renew.leased_until.push(millis(leased_until));
                self.renew.until.push(millis(until));
            }
            OutboxChange::Remove { key } => self.remove.add(&key),
        }
    }

    fn statements<'a>(&'a self, session: &'a Session) -> Vec<BoxFuture<'a, Result<u64, Error>>> {
        let Self { enqueue, schedule, retry, renew, remove, .. } = self;
        let (client, prepared) = (session.client(), &session.statements);
        let mut statements: Vec<BoxFuture<'a, _>> = Vec::new();
        for (messages, statement) in [(enqueue, &prepared.enqueue), (schedule, &prepared.schedule)]
        {
            if !messages.keys.is_empty() {
                statements.push(Box::pin(async move {
                    let Messages { keys, due_at, leased, expires_at, tries, unanswered, .. } =
                        messages;
                    let (Keys { queue, verification, number }, Messages { sealed, tried, .. }) =
                        (keys, messages);
                    client
                        .execute(
                            statement,
                            &[
                                queue,
                                verification,
                                number,
                                due_at,
                                leased,
                                expires_at,
                                tries,
                                unanswered,
                                sealed,
                                tried,
                            ],
                        )
                        .await
                }));
            }
        }
        if !retry.keys.is_empty() {
            statements.push(Box::pin(async move {
                let Retries { keys, leased_until, at, tries, unanswered, tried } = retry;
                let Keys { queue, verification, number } = keys;
                client
                    .execute(
                        &prepared.retry,
                        &[queue, verification, number, leased_until, at, tries, unanswered, tried],
                    )
                    .await
            }));
        }
        if !renew.keys.is_empty() {
            statements.push(Box::pin(async move {
                let Renewals { keys, leased_until, until } = renew;
                let Keys { queue, verification, number } = keys;
                let columns: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                    [queue, verification, number, leased_until, until];
                client.execute(&prepared.renew, &columns).await
            }));
        }
        if !remove.is_empty() {
            statements.push(Box::pin(async move {
                let Keys { queue, verification, number } = remove;
                client.execute(&prepared.remove, &[queue, verification, number]).await
            }));
        }
        statements
    }
}

impl Keys {
    fn add(&mut self, key: &MessageKey) {
        self.queue.push(number_of(key.queue));
        self.verification.push(key.verification.as_bytes().to_vec());
        self.number.push(key.number.into());
    }

    fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

impl Messages {
    fn add(&mut self, message: Message, due_at: i64, leased: bool) {
        self.keys.add(&message.key);
        self.due_at.push(due_at);
        self.leased.push(leased);
        self.expires_at.push(millis(message.expires_at));
        self.tries.push(message.tries.into());
        self.unanswered.push(message.unanswered.into());
        self.sealed.push(message.sealed);
        self.tried.push(message.tried);
    }
}

/// Number of a queue in the tables.
pub(super) fn number_of(queue: Queue) -> i16 {
    match queue {
        Queue::Codes => 0,
        Queue::Events => 1,
    }
}
