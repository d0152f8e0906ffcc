use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn limits() -> Limits {
    let quota = |limit, seconds| Quota { limit, per: Duration::from_secs(seconds) };
    Limits {
        recipient_sends_short: quota(5, 600),
        recipient_sends_long: quota(10, 3600),
        recipient_wrong_checks: quota(30, 24 * 3600),
        caller_sends: quota(30, 300),
        caller_checks: quota(60, 60),
        cool_down: Duration::from_secs(24 * 3600),
    }
}

fn caller(times: u32) -> [Caller; 1] {
    [Caller { counters: CopyOnWrite::default(), elsewhere: CopyOnWrite::default(), times }]
}

fn counters() -> (RecipientCounters, [Caller; 1]) {
    (RecipientCounters::default(), caller(1))
}

#[test]
fn counters_are_kept_for_the_longest_window_that_they_are_counted_over() {
    let day = Duration::from_secs(24 * 3600);
    let limits = || Limits { cool_down: Duration::ZERO, ..limits() };
    assert_eq!(
        (limits().caller_span(), limits().recipient_span()),
        (Duration::from_secs(300), day)
    );
    let long = Quota { limit: 1, per: day * 2 };
    let longer = Limits { recipient_sends_long: long, caller_checks: long, ..limits() };
    assert_eq!((longer.caller_span(), longer.recipient_span()), (long.per, long.per));
    let cooling = Limits { cool_down: day * 3, ..limits() };
    assert_eq!(cooling.recipient_span(), day * 3);
}

#[test]
fn a_refused_message_is_counted_nowhere() {
    let (mut recipient, mut caller) = counters();
    for _ in 0..5 {
        limits().take_send(&mut caller, &mut recipient, Standing::Known, START).unwrap();
    }
    let before = (recipient.clone(), caller.clone());
    let refused =
        limits().take_send(&mut caller, &mut recipient, Standing::Known, START).unwrap_err();
    assert_eq!(refused.limit, Limit::RecipientSends);
    assert_eq!((recipient, caller), before);
}

#[test]
fn the_longer_window_refuses_after_the_shorter_one_has_opened_again() {
    let (mut recipient, mut caller) = counters();
    let mut now = START;
    for _ in 0..2 {
        for _ in 0..5 {
            limits().take_send(&mut caller, &mut recipient, Standing::Known, now).unwrap();
        }
        now = now + Duration::from_secs(700);
    }
    let refused =
        limits().take_send(&mut caller, &mut recipient, Standing::Known, now).unwrap_err();
    assert!(refused.retry_at >= START + Duration::from_secs(3600));
}

#[test]
fn s5_a_test_recipient_whose_wrong_checks_are_spent_waits() {
    let mut recipient = RecipientCounters::default();
    for _ in 0..30 {
        limits().allow_check(&recipient, START).unwrap();
        limits().count_wrong_check(&mut recipient, START);
    }
    let refused = limits().allow_check(&recipient, START).unwrap_err();
    assert_eq!(refused.limit, Limit::RecipientChecks);
    recipient.wrong_checks.clear();
    assert!(limits().allow_check(&recipient, START).is_ok());
}

#[test]
fn s35_a_cool_down_ends_at_its_time_and_as_soon_as_it_is_switched_off() {
    let recipient = RecipientCounters { disowned_at: Some(START), ..RecipientCounters::default() };
    let end = START + Duration::from_secs(24 * 3600);
    let refused = Exceeded { limit: Limit::RecipientCooledDown, retry_at: end };
    let just_before = end - Duration::from_millis(1);
    assert_eq!(limits().allow_stranger(&recipient, just_before), Err(refused));
    assert_eq!(limits().allow_stranger(&recipient, end), Ok(()));
    let off = Limits { cool_down: Duration::ZERO, ..limits() };
    assert_eq!(off.allow_stranger(&recipient, START), Ok(()));
    assert_eq!(limits().allow_stranger(&RecipientCounters::default(), START), Ok(()));
}

#[test]
fn s35_counters_are_kept_for_the_whole_cool_down() {
    let week = Duration::from_secs(7 * 24 * 3600);
    assert_eq!(Limits { cool_down: week, ..limits() }.recipient_span(), week);
}

#[test]
fn a_caller_has_its_own_limits() {
    let mut caller = caller(1);
    let mut send = || {
        let recipient = &mut RecipientCounters::default();
        limits().take_send(&mut caller, recipient, Standing::Stranger, START)
    };
    for _ in 0..30 {
        send().unwrap();
    }
    assert_eq!(send().unwrap_err().limit, Limit::CallerSends);
    for _ in 0..60 {
        limits().take_check(&mut caller, START).unwrap();
    }
    let refused = limits().take_check(&mut caller, START);
    assert_eq!(refused.unwrap_err().limit, Limit::CallerChecks);
}

#[test]
fn a_wider_network_has_a_multiple_of_the_limits_and_a_refusal_is_counted_nowhere() {
    let callers = || [caller(1), caller(8)].concat();
    let [mut first, mut second] = [callers(), callers()];
    for _ in 0..60 {
        limits().take_check(&mut first, START).unwrap();
    }
    let before = first.clone();
    assert!(limits().take_check(&mut first, START).is_err());
    assert_eq!(first, before);
    for _ in 0..420 {
        second[1].counters.checks.add(Duration::from_secs(60), 1, START);
    }
    for _ in 0..60 {
        limits().take_check(&mut second, START).unwrap();
    }
    let another_address = &mut [caller(1), [second[1].clone()]].concat();
    assert!(limits().take_check(another_address, START).is_err());
}

#[test]
fn the_same_caller_elsewhere_counts_and_is_not_counted() {
    let mut caller = caller(1);
    for _ in 0..20 {
        caller[0].elsewhere.checks.add(Duration::from_secs(60), 1, START);
    }
    let before = caller[0].elsewhere.clone();
    for _ in 0..40 {
        limits().take_check(&mut caller, START).unwrap();
    }
    assert!(limits().take_check(&mut caller, START).is_err());
    assert_eq!(caller[0].elsewhere, before);
    caller[0].elsewhere = CopyOnWrite::default();
    assert!(limits().take_check(&mut caller, START).is_ok());
}

#[test]
fn s35_two_fifths_are_kept_for_known_clients_and_one_is_left_for_strangers() {
    let part = |limit| Standing::Stranger.part_of(Quota { limit, per: Duration::ZERO }).limit;
    for (limit, strangers) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (10, 6), (1000, 600)] {
        assert_eq!(part(limit), strangers, "of {limit}");
    }
    let largest = Quota { limit: u32::MAX, per: Duration::ZERO };
    assert_eq!(part(u32::MAX), u32::MAX / 5 * 3);
    assert_eq!(Standing::Known.part_of(largest), largest);
}

#[test]
fn s35_strangers_spend_three_and_six_and_known_clients_the_rest() {
    let mut recipient = RecipientCounters::default();
    let mut sends = |standing, now| {
        let mut send = || limits().take_send(&mut caller(1), &mut recipient, standing, now);
        let taken = (0..20).take_while(|_| send().is_ok()).count();
        let refused = send().unwrap_err();
        assert_eq!(refused.limit, Limit::RecipientSends);
        taken
    };
    assert_eq!(sends(Standing::Stranger, START), 3);
    let later = START + Duration::from_secs(700);
    assert_eq!(sends(Standing::Stranger, later), 3);
    assert_eq!(sends(Standing::Known, later), 2);
    let later = later + Duration::from_secs(700);
    assert_eq!(sends(Standing::Stranger, later), 0);
    assert_eq!(sends(Standing::Known, later), 2);
}

proptest! {
    /// Strangers send as often as they can, the others now and then.
    #[test]
    fn s35_strangers_never_take_what_is_kept_and_the_total_never_grows(
        (short, long) in (1_u32..12, 1_u32..24),
        steps in prop::collection::vec((any::<bool>(), 0_u64..120), 1..200),
    ) {
        let mut limits = limits();
        limits.recipient_sends_short.limit = short;
        limits.recipient_sends_long.limit = long;
        let mut recipient = RecipientCounters::default();
        let mut sent: Vec<(Timestamp, Standing)> = Vec::new();
        let mut now = START;
        for (is_known, seconds) in steps {
            now = now + Duration::from_secs(seconds);
            let standing = if is_known { Standing::Known } else { Standing::Stranger };
            let taken = limits.take_send(&mut [], &mut recipient, standing, now);
            if taken.is_ok() {
                sent.push((now, standing));
            }
            for (limit, per) in [(short, 600), (long, 3600)] {
                let since = now - Duration::from_secs(per);
                let recent = sent.iter().filter(|(at, _)| *at > since);
                prop_assert!(recent.clone().count() <= limit as usize);
                let strangers = recent.filter(|(_, standing)| *standing == Standing::Stranger);
                prop_assert!(strangers.count() * 5 < limit as usize * 3 + 5);
            }
        }
        // However the strangers have sent, a known client that has waited for its own sends has room.
        let strangers = |limit: u32| limit - limit * 2 / 5;
        let mut attacked = RecipientCounters::default();
        for _ in 0..100 {
            let _ = limits.take_send(&mut [], &mut attacked, Standing::Stranger, now);
        }
        let room = (short - strangers(short)).min(long - strangers(long));
        for _ in 0..room {
            let taken = limits.take_send(&mut [], &mut attacked, Standing::Known, now);
            prop_assert!(taken.is_ok());
        }
    }
}
