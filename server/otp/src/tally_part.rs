//! Parts of a tally, each counted by one writer, so that writers need not wait for each other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    tally::{Closed, Line, Tally},
    time::Timestamp,
};

/// Slots or days after which a count is dropped: more than the longest window has.
const KEPT: u64 = 21;

/// The part of a tally that one writer has counted. Counts that it has taken back and another one has added
/// are negative here, so that the sum over all parts is right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TallyPart {
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// The last change of state that the writer knew, and its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<(Timestamp, Option<Closed>)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    told: Vec<(Line, Timestamp)>,
    /// (slot or day, events) by the name of the count, oldest first.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    counts: BTreeMap<String, Vec<(u64, i64)>>,
}

/// Counts of a tally, as (slot or day, events).
type Count = Vec<(u64, u32)>;

impl TallyPart {
    /// The tally of which these are the parts.
    pub fn total(parts: &[Self]) -> Tally {
        let mut told: Vec<(Line, Timestamp)> = Vec::new();
        for (line, at) in parts.iter().flat_map(|part| &part.told) {
            match told.iter_mut().find(|(known, _)| known == line) {
                Some((_, latest)) => *latest = (*latest).max(*at),
                None => told.push((*line, *at)),
            }
        }
        let mut total = Tally {
            since: parts.iter().filter_map(|part| part.since).min(),
            closed: latest(parts).and_then(|(_, closed)| closed),
            told,
            ..Tally::default()
        };
        for (name, count) in counts_mut(&mut total) {
            let mut sums = BTreeMap::new();
            for (slot, events) in parts.iter().filter_map(|part| part.counts.get(name)).flatten() {
                *sums.entry(*slot).or_insert(0_i64) += events;
            }
            *count = sums.into_iter().filter_map(|(slot, sum)| positive(slot, sum)).collect();
        }
        total
    }

    /// The part after its writer has changed the total of all `parts` from `before` to `after`.
    #[must_use]
    pub fn after(self, parts: &[Self], (before, after): (&Tally, &Tally), now: Timestamp) -> Self {
        // Other parts may be dropped when nobody has changed them for long, so each holds all that is no count.
        let mut part = Self {
            since: after.since,
            closed: if after.closed == before.closed {
                latest(parts)
            } else {
                Some((now, after.closed))
            },
            told: after.told.clone(),
            counts: self.counts,
        };
        for ((name, before), (_, after)) in counts(before).into_iter().zip(counts(after)) {
            if before != after {
                let own = part.counts.entry(name.to_owned()).or_default();
                *own = changed(own, before, after);
            }
        }
        part.counts.retain(|_, count| !count.is_empty());
        part
    }
}

/// Adds the difference of two counts to a third one.
fn changed(own: &[(u64, i64)], before: &Count, after: &Count) -> Vec<(u64, i64)> {
    let newest = after.iter().chain(before).map(|(slot, _)| *slot).max().unwrap_or_default();
    let mut sums: BTreeMap<u64, i64> = own.iter().copied().collect();
    for (slot, events) in after {
        *sums.entry(*slot).or_default() += i64::from(*events);
    }
    for (slot, events) in before {
        *sums.entry(*slot).or_default() -= i64::from(*events);
    }
    // Slots that have left the window were dropped by age, and are not taken back from anybody.
    sums.retain(|slot, events| *events != 0 && slot.saturating_add(KEPT) > newest);
    sums.into_iter().collect()
}

fn positive(slot: u64, sum: i64) -> Option<(u64, u32)> {
    let events = u32::try_from(sum.clamp(0, u32::MAX.into())).ok()?;
    (events > 0).then_some((slot, events))
}

/// The last change of state.
fn latest(parts: &[TallyPart]) -> Option<(Timestamp, Option<Closed>)> {
    parts.iter().filter_map(|part| part.closed).max_by_key(|(at, _)| *at)
}

fn counts(tally: &Tally) -> [(&'static str, &Count); 10] {
    [
        ("sends", &tally.sends.slots),
        ("texts_hour", &tally.texts.hour.slots),
        ("texts_day", &tally.texts.day.slots),
        ("spent", &tally.spent.slots),
        ("unverified_hour", &tally.unverified.hour.slots),
        ("unverified_day", &tally.unverified.day.slots),
        ("verified", &tally.verified.recent.slots),
        ("verified_days", &tally.verified.days),
        ("wrong_checks", &tally.wrong_checks.recent.slots),
        ("wrong_checks_days", &tally.wrong_checks.days),
    ]
}

/// As [`counts`], in the same order.
fn counts_mut(tally: &mut Tally) -> [(&'static str, &mut Count); 10] {
    [
        ("sends", &mut tally.sends.slots),
        ("texts_hour", &mut tally.texts.hour.slots),
        ("texts_day", &mut tally.texts.day.slots),
        ("spent", &mut tally.spent.slots),
        ("unverified_hour", &mut tally.unverified.hour.slots),
        ("unverified_day", &mut tally.unverified.day.slots),
        ("verified", &mut tally.verified.recent.slots),
        ("verified_days", &mut tally.verified.days),
        ("wrong_checks", &mut tally.wrong_checks.recent.slots),
        ("wrong_checks_days", &mut tally.wrong_checks.days),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::tally::{DAY, FIVE_MINUTES, HOUR};

    const START: Timestamp = Timestamp::from_millis(1_700_006_400_000);

    /// One event of a tally.
    fn count(tally: &mut Tally, kind: u8, now: Timestamp) {
        match kind {
            0 => tally.texts.add(now),
            1 => tally.unverified.add(now),
            2 => tally.unverified.take_back(now - Duration::from_secs(40)),
            3 => tally.verified.add(u64::MAX, now),
            4 => tally.wrong_checks.add(3, now),
            5 => tally.sends.add(FIVE_MINUTES, 1, now),
            6 => tally.closed = Some(Closed::Refused),
            7 => tally.closed = None,
            _ => tally.since = tally.since.or(Some(now)),
        }
    }

    /// What a tally says at a time.
    fn said(tally: &Tally, now: Timestamp) -> impl PartialEq + std::fmt::Debug + use<> {
        let sums = [
            tally.texts.hour.sum(HOUR, now),
            tally.texts.day.sum(DAY, now),
            tally.unverified.hour.sum(HOUR, now),
            tally.unverified.day.sum(DAY, now),
            tally.sends.sum(FIVE_MINUTES, now),
            tally.verified.last_day(now),
            tally.verified.highest(now),
            tally.wrong_checks.last_day(now),
            tally.wrong_checks.median(now),
        ];
        (sums, tally.closed, tally.since)
    }

    proptest! {
        /// Three writers in turns, each of which reads what all have written, count what one tally counts.
        #[test]
        fn parts_count_together_as_one_tally_does(
            events in prop::collection::vec((0_u8..9, 0_usize..3, 0_u64..5_000_000), 1..120),
        ) {
            let mut one = Tally::default();
            let mut parts: [TallyPart; 3] = Default::default();
            let mut now = START;
            for (kind, writer, pause) in events {
                now = now + Duration::from_millis(pause);
                count(&mut one, kind, now);
                let before = TallyPart::total(&parts);
                let mut after = before.clone();
                count(&mut after, kind, now);
                let own = parts[writer].clone();
                parts[writer] = own.after(&parts, (&before, &after), now);
                prop_assert_eq!(said(&TallyPart::total(&parts), now), said(&one, now));
            }
            let stored = serde_json::to_string(&parts).unwrap();
            prop_assert_eq!(serde_json::from_str::<[TallyPart; 3]>(&stored).unwrap(), parts);
        }
    }

    #[test]
    fn counts_that_two_writers_add_at_the_same_time_are_both_kept() {
        let before = Tally::default();
        let parts = [Duration::ZERO, HOUR].map(|pause| {
            let mut after = before.clone();
            after.texts.add(START + pause);
            TallyPart::default().after(&[], (&before, &after), START)
        });
        assert_eq!(TallyPart::total(&parts).texts.day.sum(DAY, START + HOUR), 2);
    }

    #[test]
    fn a_part_knows_what_is_no_count_when_the_others_are_dropped() {
        let mut first =
            Tally { since: Some(START), closed: Some(Closed::Refused), ..Tally::default() };
        first.tells(Line::Guesses, DAY, START);
        let old = TallyPart::default().after(&[], (&Tally::default(), &first), START);
        let before = TallyPart::total(std::slice::from_ref(&old));
        let mut after = before.clone();
        after.texts.add(START);
        let own = TallyPart::default().after(&[old], (&before, &after), START + DAY);
        assert_eq!(TallyPart::total(&[own]), after);
    }

    #[test]
    fn a_part_has_bounded_size() {
        let (mut part, mut total) = (TallyPart::default(), Tally::default());
        for number in 0..1000 {
            let mut after = total.clone();
            after.texts.add(START + HOUR * number);
            part = part.clone().after(&[part], (&total, &after), START);
            total = after;
        }
        assert!(serde_json::to_string(&part).unwrap().len() < 1000);
    }
}
