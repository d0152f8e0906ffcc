//! The contract of [`Store`], written once and run against every back end.
//!
//! A back end joins by a module at the end, with a function that makes a fresh store and one that
//! opens the same store again, as after a restart.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use otp::{
    Channel, Code, Outcome, Policy, Recipient, State, Timestamp, Verification, VerificationId,
    alert::Alert,
    digest::{Pepper, Peppers},
    known::Mark,
    quota::Quota,
    tally::{DAY, HOUR, Tallies},
    verification::Opening,
};
use rand::rngs::SysRng;

use super::*;
use crate::keyring::Keyring;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const LEASE: Duration = Duration::from_secs(60);
/// End of the lease under which [`create`] adds a message.
const LEASED: Timestamp = Timestamp::from_millis(START.as_millis() + 60_000);
const RETENTION: Duration = Duration::from_secs(24 * 3600);
const QUOTA: Quota = Quota { limit: 7, per: Duration::from_secs(60) };

fn peppers() -> Peppers {
    Peppers::new([Pepper::new([7; 32])]).unwrap()
}

/// Master secrets, each a letter, newest first.
pub(super) fn keyring(letters: &str) -> Keyring {
    // 32 bytes in base64.
    let secrets: Vec<_> = letters.chars().map(|letter| letter.to_string().repeat(43)).collect();
    Keyring::parse(secrets.iter().map(String::as_str)).unwrap()
}

pub(super) fn opened(now: Timestamp) -> Verification {
    let opening = Opening {
        id: VerificationId::generate(now, &mut SysRng).unwrap(),
        site: "demo".into(),
        recipient: Recipient::parse("jo@example.com", None, None).unwrap(),
        purpose: String::new(),
        locale: "en".into(),
        policy: Policy::default(),
        details: otp::Details::default(),
    };
    Verification::open(opening, Channel::Email, &Code::parse("123456").unwrap(), &peppers(), now)
}

fn code_key(verification: VerificationId, number: u32) -> MessageKey {
    MessageKey { queue: Queue::Codes, verification, number }
}

fn message(verification: VerificationId, number: u32) -> Message {
    let key = code_key(verification, number);
    Message {
        key,
        expires_at: START + Duration::from_secs(300),
        tries: 0,
        unanswered: 0,
        tried: String::new(),
        leased_until: LEASED,
        sealed: vec![1, 2, 3],
    }
}

fn event(verification: VerificationId, number: u32) -> Message {
    let key = MessageKey { queue: Queue::Events, verification, number };
    Message { key, ..message(verification, number) }
}

/// Keys of counters: the caller's is `byte`, the recipient's the next one.
fn counter_keys(byte: u8) -> CounterKeys {
    let key = |byte| CounterKey { digest: [byte; 16], kept_for: LEASE };
    CounterKeys {
        callers: vec![CallerKey { key: key(byte), elsewhere: None, times: 1 }],
        recipient: Some(key(byte + 1)),
        ..CounterKeys::default()
    }
}

/// A step made of a closure.
struct Change<F> {
    id: VerificationId,
    counters: CounterKeys,
    run: F,
}

impl<T, F> Step for Change<F>
where
    T: Send + 'static,
    F: FnMut(&mut Records) -> Decision<T> + Send + 'static,
{
    type Output = T;

    fn verification(&self) -> VerificationId {
        self.id
    }

    fn now(&self) -> Timestamp {
        START
    }

    fn counters(&self, _verification: Option<&Verification>) -> CounterKeys {
        self.counters.clone()
    }

    fn run(&mut self, records: &mut Records) -> Decision<T> {
        (self.run)(records)
    }
}

fn change<T: Send + 'static>(
    id: VerificationId,
    mut run: impl FnMut(&mut Records) -> T + Send + 'static,
) -> impl Step<Output = T> {
    let counters = CounterKeys::default();
    Change { id, counters, run: move |records: &mut Records| Decision::Commit(run(records)) }
}

/// Takes one event from the recipient's quota.
fn counting(id: VerificationId) -> impl Step<Output = bool> {
    let run = |records: &mut Records| {
        Decision::Commit(records.recipient.wrong_checks.take(QUOTA, START).is_ok())
    };
    Change { id, counters: counter_keys(1), run }
}

/// Opens a verification with its message, leased until `START + LEASE`.
async fn create(store: &impl Store) -> VerificationId {
    let verification = opened(START);
    let id = verification.id();
    let step = change(id, move |records| {
        records.verification = Some(verification.clone().into());
        records.outbox.push(OutboxChange::Enqueue { message: message(id, 1) });
    });
    store.apply(step).await.unwrap();
    id
}

fn checking(id: VerificationId, digits: &str) -> impl Step<Output = Option<Outcome>> + use<> {
    let digits = digits.to_owned();
    change(id, move |records| {
        records.verification.as_mut().map(|found| found.check(&digits, None, &peppers(), START))
    })
}

async fn change_outbox(store: &impl Store, id: VerificationId, outbox: OutboxChange) {
    store.apply(change(id, move |records| records.outbox.push(outbox.clone()))).await.unwrap();
}

pub(super) async fn the_store_is_pinged(store: impl Store) {
    store.ping().await.unwrap();
}

async fn in_parallel<S: Step>(
    store: &impl Store,
    count: usize,
    step: impl Fn(usize) -> S,
) -> Vec<S::Output> {
    let results = in_parallel_results(store, count, step).await;
    results.into_iter().map(Result::unwrap).collect()
}

async fn in_parallel_results<S: Step>(
    store: &impl Store,
    count: usize,
    step: impl Fn(usize) -> S,
) -> Vec<Result<S::Output, StoreError>> {
    let start = Arc::new(tokio::sync::Barrier::new(count));
    let spawn = |number| {
        let (store, step, start) = (store.clone(), step(number), start.clone());
        tokio::spawn(async move {
            start.wait().await;
            store.apply(step).await
        })
    };
    let tasks: Vec<_> = (0..count).map(spawn).collect();
    let mut results = Vec::with_capacity(count);
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// Makes one test of each function of the suite, for one back end.
///
/// `$fresh` is an expression that gives a new empty store and a function that closes a store and
/// opens the same again.
macro_rules! contract {
    ($fresh:expr; $($simple:ident)+; $($reopening:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $simple() {
                let (store, _reopen) = $fresh;
                crate::store::contract::$simple(store).await;
            }
        )+
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $reopening() {
                let (store, reopen) = $fresh;
                crate::store::contract::$reopening(store, reopen).await;
            }
        )+
    };
    ($fresh:expr) => {
        contract! { $fresh;
            what_was_opened_is_read_and_an_unknown_id_is_no_error
            s3_of_200_parallel_right_checks_one_is_approved
            s4_of_200_parallel_wrong_checks_the_budget_is_compared
            counters_shared_by_many_verifications_never_exceed_their_quota
            an_aborted_step_leaves_no_trace_and_a_committed_refusal_is_kept
            s5_a_step_that_counts_a_recipient_without_a_key_fails
            an_answer_of_an_aborted_step_is_not_saved
            an_observer_is_told_of_the_alerts_of_committed_and_of_aborted_steps
            an_observer_sees_each_change_and_its_additions_are_committed_with_it
            a_step_that_panics_leaves_no_trace_and_the_store_lives
            a_failing_step_does_not_take_its_neighbours_down
            a_message_is_leased_to_one_caller_until_the_lease_ends
            a_message_given_back_is_due_at_its_time_with_its_tries
            a_message_is_not_given_back_by_who_has_lost_it
            a_lease_is_renewed_by_who_holds_it
            a_removed_message_never_comes_back
            a_claim_takes_the_longest_waiting_first_and_no_more_than_its_limit
            a_message_that_is_scheduled_is_nobodys_until_its_time
            a_message_that_is_scheduled_again_stays_as_it_was
            each_queue_is_claimed_settled_and_due_by_itself
            a_flood_of_one_queue_keeps_the_other_from_nothing
            a_sweep_leaves_an_event_that_outlives_its_verification
            a_request_is_answered_anew_once_however_many_send_it
            a_sweep_drops_what_is_over_and_nothing_else
            a_sweep_keeps_counters_as_long_as_something_in_them_is_needed
            a_sweep_tells_when_it_has_left_something
            tallies_of_a_failing_step_are_not_kept
            an_aborted_step_keeps_its_tallies_alone
            the_store_is_pinged;
            s24_all_that_was_answered_is_there_after_a_restart
            s28_the_latest_time_is_known_after_a_restart
            s37_what_a_wrong_clock_has_stored_goes_back_with_it
            s37_counters_keep_their_names_over_a_restart
            a_restart_brings_nothing_forward_that_is_scheduled
            tallies_of_parallel_steps_add_up_and_survive_a_restart
            a_sweep_drops_tallies_that_nobody_has_changed_for_long
        }
    };
}

mod at_rest;
mod outbox;
mod restarts;
mod saved_answers;
mod sqlite;
mod steps;
mod sweeps;
mod tallies;

pub(super) use self::{outbox::*, restarts::*, saved_answers::*, steps::*, sweeps::*, tallies::*};
