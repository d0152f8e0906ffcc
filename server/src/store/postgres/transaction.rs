//! One batch of steps as one transaction: a pipeline that reads, and one that writes and commits.

use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
    time::Duration,
};

use futures_util::future::OptionFuture;
use otp::CopyOnWrite;
use tokio_postgres::types::ToSql;

use super::{
    columns::{self, key, timestamp},
    failed::{Failed, ReadError},
    job::Job,
    link::Session,
    rows::{self, BatchRows, Parts},
    writes::Writes,
};
use crate::{
    derived_keys::Sealer,
    store::{
        CounterKeys, SavedAnswer,
        batch::{Kept, tally_names},
    },
};

/// A stored verification that is read in the place of one that is not there (S9).
pub(super) type Decoy = OnceLock<(Vec<u8>, Vec<u8>)>;

/// Keys of the rows that a batch locks, each table's in its order.
#[derive(Default)]
struct Needed {
    counters: BTreeSet<[u8; 16]>,
    tallies: BTreeSet<String>,
}

impl Needed {
    fn add(&mut self, CounterKeys { callers, recipient, tallies }: &CounterKeys) {
        for caller in callers {
            self.counters.insert(caller.key.digest);
            self.counters.extend(caller.elsewhere.map(|key| key.digest));
        }
        self.counters.extend(recipient.map(|key| key.digest));
        self.tallies.extend(tally_names(tallies).into_iter().flatten());
    }
}

/// Runs the steps of a batch and commits their changes.
pub(super) async fn run(
    session: &Session,
    sealer: &Sealer,
    decoy: &Decoy,
    jobs: &mut Vec<Box<dyn Job>>,
) -> Result<(), Failed> {
    let read = read(session, sealer, decoy, jobs).await;
    let (mut rows, lead) = match read {
        Ok(read) => read,
        Err(error) => {
            let failed = Failed::in_reading(error);
            roll_back(session).await;
            return Err(failed);
        }
    };
    // Whoever has given up while rows were locked was told that nothing was done.
    let (gone, waiting) = std::mem::take(jobs).into_iter().partition(|job| job.is_abandoned());
    drop::<Vec<_>>(gone);
    *jobs = waiting;
    let mut kept = Kept::default();
    for job in jobs.iter_mut() {
        job.run(&mut kept, &mut rows, lead);
    }
    match Writes::new(&mut kept, &mut rows, sealer) {
        Ok(writes) => writes.commit(session, &rows).await,
        Err(error) => {
            roll_back(session).await;
            Err(Failed::Refused(error))
        }
    }
}

/// Reads and locks the rows of the steps: verifications, saved answers, counters, tallies, always in this order, and
/// those of one table in the order of their keys. Counters of a step can depend on its verification, and take a second
/// round then.
async fn read(
    session: &Session,
    sealer: &Sealer,
    decoy: &Decoy,
    jobs: &mut [Box<dyn Job>],
) -> Result<(BatchRows, Duration), ReadError> {
    let (client, prepared) = (session.client(), &session.statements);
    let ids: BTreeSet<_> = jobs.iter().filter_map(|job| job.verification()).collect();
    let answers: BTreeSet<_> = jobs.iter().filter_map(|job| job.idempotency_key()).collect();
    let mut needed = Needed::default();
    for job in jobs.iter().filter(|job| job.verification().is_none()) {
        needed.add(&job.counters(None));
    }
    let in_one_round = ids.is_empty();

    let id_list: Vec<&[u8]> = ids.iter().map(|id| &id.as_bytes()[..]).collect();
    let answer_list: Vec<&[u8]> = answers.iter().map(|key| &key[..]).collect();
    let parameters: [&[&(dyn ToSql + Sync)]; 2] = [&[&id_list], &[&answer_list]];
    // The first poll of each sends it, so that they go out in this order.
    let (begun, lead, found, saved, counted) = tokio::join!(
        client.batch_execute("BEGIN"),
        client.query_one(&prepared.lead, &[]),
        some(!ids.is_empty(), client.query(&prepared.verifications, parameters[0])),
        some(!answers.is_empty(), client.query(&prepared.answers, parameters[1])),
        OptionFuture::from(in_one_round.then(|| count(session, &needed))),
    );
    begun?;
    let lead = u64::try_from(lead?.get::<_, i64>(0)).unwrap_or_default();
    // In their order: after an error the later ones fail for another reason.
    let found = found.transpose()?.unwrap_or_default();
    let saved = saved.transpose()?.unwrap_or_default();

    let mut rows = BatchRows::default();
    rows.answers.extend(answers.iter().map(|key| (*key, None)));
    for row in saved {
        let (expires_at, sealed) = (timestamp(row.get(1)), row.get(2));
        rows.answers.insert(key(&row, 0)?, Some(SavedAnswer { sealed, expires_at }));
    }
    rows.verifications.extend(ids.iter().map(|id| (*id, Ok(None))));
    for row in found {
        let read = rows::verification(&row, sealer).map(|found| Some(CopyOnWrite::from(found)));
        let read = read.map_err(|error| crate::error_chain::chain(&error));
        decoy.get_or_init(|| (row.get(0), row.get(1)));
        rows.verifications.insert(columns::id(&row, 0)?, read);
    }
    if let Some((id, sealed)) = decoy.get() {
        for _ in rows.verifications.values().filter(|found| matches!(found, Ok(None))) {
            let body = sealer.open(id, sealed).unwrap_or_default();
            std::hint::black_box(serde_json::from_slice::<otp::Verification>(&body).is_ok());
        }
    }

    let counted = if let Some(counted) = counted {
        counted
    } else {
        for job in jobs.iter() {
            let Some(id) = job.verification() else { continue };
            // A record that cannot be read fails its steps when they run.
            if let Some(Ok(found)) = rows.verifications.get(&id) {
                needed.add(&job.counters(found.as_deref()));
            }
        }
        count(session, &needed).await
    };
    let (counters, tallies) = counted?;
    rows.counters = counters;
    rows.tallies = tallies;
    Ok((rows, Duration::from_millis(lead)))
}

/// Counters and tallies by their keys.
type Counted = (HashMap<[u8; 16], Option<String>>, HashMap<String, Parts>);

/// Reads and locks counters and the session's own parts of tallies. Parts of others are not locked: they may be
/// behind by the batches that run at the same time.
async fn count(session: &Session, needed: &Needed) -> Result<Counted, ReadError> {
    let (client, prepared) = (session.client(), &session.statements);
    let keys: Vec<&[u8]> = needed.counters.iter().map(|key| &key[..]).collect();
    let names: Vec<&str> = needed.tallies.iter().map(String::as_str).collect();
    let of_counters: [&(dyn ToSql + Sync); 1] = [&keys];
    let of_tallies: [&(dyn ToSql + Sync); 2] = [&names, &session.part];
    let (found, own, others) = tokio::join!(
        some(!keys.is_empty(), client.query(&prepared.counters, &of_counters)),
        some(!names.is_empty(), client.query(&prepared.own_tallies, &of_tallies)),
        some(!names.is_empty(), client.query(&prepared.tallies, &of_tallies)),
    );
    let mut counters: HashMap<_, _> = needed.counters.iter().map(|key| (*key, None)).collect();
    for row in found.transpose()?.unwrap_or_default() {
        counters.insert(key(&row, 0)?, Some(row.get(1)));
    }
    let mut tallies: HashMap<_, _> =
        needed.tallies.iter().map(|name| (name.clone(), Parts::default())).collect();
    for row in own.transpose()?.unwrap_or_default() {
        tallies.entry(row.get(0)).or_default().own = Some(row.get(1));
    }
    for row in others.transpose()?.unwrap_or_default() {
        tallies.entry(row.get(0)).or_default().others.push(row.get(2));
    }
    Ok((counters, tallies))
}

fn some<F: Future>(is_needed: bool, future: F) -> OptionFuture<F> {
    OptionFuture::from(is_needed.then_some(future))
}

/// Ends a transaction, or the connection.
async fn roll_back(session: &Session) {
    if session.client().batch_execute("ROLLBACK").await.is_err() {
        session.give_up();
    }
}
