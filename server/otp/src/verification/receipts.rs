//! Receipts: reports of providers about messages that they took.
//!
//! A message that a provider took stays in the outbox while that provider may report on it, so that it can go to
//! another one if it did not arrive. Reports come late, twice, in any order, and before the provider's answer was
//! recorded. So each provider's report of a failure counts once, a report of arrival outdoes all others, and nothing
//! is recorded once the verification has ended by time, since its state could change.

use otp_types::{DeliveryState, State};

use super::Verification;
use crate::{send::Send, time::Timestamp};

/// Longest id of a provider that is kept, in bytes.
const LONGEST_REFERENCE: usize = 255;

/// A message that a provider took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Name of the provider.
    pub provider: String,
    /// Its id of the message.
    pub reference: Option<String>,
    /// It will report whether the message arrives.
    pub gives_receipts: bool,
}

/// Further way of a message that a provider took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterTaken {
    /// None.
    Done,
    /// It stays in the outbox until the provider reports, or its code expires.
    Awaits,
    /// The provider has reported already that it did not arrive, so another one can be asked.
    Returned,
}

/// Meaning of a report that a message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterReturn {
    /// It changes nothing now.
    Noted,
    /// The message is undelivered.
    Over,
    /// The message is in the outbox, and another provider may be asked.
    MayGoAgain,
}

impl Verification {
    /// Records the provider that took message `number` (from 1).
    pub fn record_taken(&mut self, number: u32, taken: &Taken, now: Timestamp) -> AfterTaken {
        let (has_lapsed, may_go_again) = (self.has_lapsed(now), self.may_go_again(number, now));
        let Some(send) = self.send_mut(number) else { return AfterTaken::Done };
        let Taken { provider, reference, gives_receipts } = taken;
        send.provider = Some(provider.clone());
        send.reference = reference.clone().filter(|id| id.len() <= LONGEST_REFERENCE);
        let was_returned = send.returned_by.contains(provider);
        let is_open = send.delivery != DeliveryState::Delivered && may_go_again;
        send.is_kept = *gives_receipts && is_open;
        if send.is_kept {
            return if was_returned { AfterTaken::Returned } else { AfterTaken::Awaits };
        }
        if was_returned && !has_lapsed {
            send.delivery = send.delivery.max(DeliveryState::Undelivered);
        }
        AfterTaken::Done
    }

    /// Records a report that message `number` has arrived. Returns whether it may still be in the outbox.
    pub fn record_arrival(&mut self, number: u32, now: Timestamp) -> bool {
        if self.has_lapsed(now) {
            return false;
        }
        let Some(send) = self.send_mut(number) else { return false };
        let may_be_kept = send.is_waiting();
        send.delivery = DeliveryState::Delivered;
        send.is_kept = false;
        may_be_kept
    }

    /// Records a report of `provider` that message `number`, with this id of its own, did not arrive.
    ///
    /// After [`AfterReturn::MayGoAgain`] the caller has another provider asked, or calls
    /// [`Verification::record_undelivered`].
    pub fn record_return(
        &mut self,
        number: u32,
        provider: &str,
        reference: Option<&str>,
        now: Timestamp,
    ) -> AfterReturn {
        let (has_lapsed, may_go_again) = (self.has_lapsed(now), self.may_go_again(number, now));
        let Some(send) = self.send_mut(number).filter(|_| !has_lapsed) else {
            return AfterReturn::Noted;
        };
        let is_known = send.returned_by.iter().any(|known| known == provider);
        if send.delivery == DeliveryState::Delivered || is_known {
            return AfterReturn::Noted;
        }
        let is_last = send.provider.as_deref() == Some(provider);
        // A try without an answer may have made another copy of the message.
        let other_copy = |(known, told): (&str, &str)| known != told;
        if is_last && send.reference.as_deref().zip(reference).is_some_and(other_copy) {
            return AfterReturn::Noted;
        }
        send.returned_by.push(provider.to_owned());
        if !is_last {
            return AfterReturn::Noted;
        }
        if send.is_kept && may_go_again {
            return AfterReturn::MayGoAgain;
        }
        self.record_undelivered(number);
        AfterReturn::Over
    }

    /// Records that message `number` did not arrive and is not sent again, unless it did arrive.
    pub fn record_undelivered(&mut self, number: u32) {
        if let Some(send) = self.send_mut(number) {
            send.delivery = send.delivery.max(DeliveryState::Undelivered);
            send.is_kept = false;
        }
    }

    /// Records that message `number`, which a provider took, is sent by no other: it is undelivered if that provider
    /// reported so.
    pub fn record_end(&mut self, number: u32, now: Timestamp) {
        let has_lapsed = self.has_lapsed(now);
        let Some(send) = self.send_mut(number) else { return };
        send.is_kept = false;
        let was_returned = send.provider.as_ref().is_some_and(|by| send.returned_by.contains(by));
        if was_returned && !has_lapsed {
            self.record_undelivered(number);
        }
    }

    /// Whether message `number` may be sent again: its code is the newest one and accepted.
    fn may_go_again(&self, number: u32, now: Timestamp) -> bool {
        number == self.send_count()
            && now < self.last_send.expires_at
            && self.state(now) == State::Pending
    }

    /// Whether it has ended by time.
    fn has_lapsed(&self, now: Timestamp) -> bool {
        self.finished.is_none() && now >= self.expires_at()
    }

    fn send_mut(&mut self, number: u32) -> Option<&mut Send> {
        let index = number.checked_sub(1)? as usize;
        self.earlier_sends.iter_mut().chain([&mut self.last_send]).nth(index)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use otp_types::{Channel, Outcome};
    use proptest::prelude::*;

    use super::*;
    use crate::verification::tests::{LIFETIME, START, check, code, pending, peppers};

    fn taken_by(provider: &str) -> Taken {
        Taken { provider: provider.into(), reference: Some("id".into()), gives_receipts: true }
    }

    /// A verification whose message was taken by `a`.
    fn taken() -> Verification {
        let mut verification = pending();
        take(&mut verification, "a");
        verification
    }

    fn take(verification: &mut Verification, provider: &str) -> AfterTaken {
        verification.record_delivery(1, DeliveryState::Sent, 1);
        verification.record_taken(1, &taken_by(provider), START)
    }

    fn returned(verification: &mut Verification, provider: &str) -> AfterReturn {
        verification.record_return(1, provider, Some("id"), START)
    }

    fn delivery(verification: &Verification) -> DeliveryState {
        verification.last_send().delivery
    }

    #[test]
    fn s40_a_message_that_did_not_arrive_goes_to_another_provider_once_and_is_withdrawn_meanwhile()
    {
        let mut verification = taken();
        assert_eq!(verification.waiting_sends().collect::<Vec<_>>(), [1]);
        assert_eq!(returned(&mut verification, "a"), AfterReturn::MayGoAgain);
        assert_eq!(returned(&mut verification, "a"), AfterReturn::Noted, "again");
        assert_eq!(delivery(&verification), DeliveryState::Sent, "another one is asked");
        assert_eq!(verification.waiting_sends().collect::<Vec<_>>(), [1], "until it is over");
        assert_eq!(take(&mut verification, "b"), AfterTaken::Awaits);
        assert_eq!(returned(&mut verification, "a"), AfterReturn::Noted, "it is not the last one");
        assert_eq!(returned(&mut verification, "b"), AfterReturn::MayGoAgain);
        verification.record_end(1, START);
        assert_eq!(delivery(&verification), DeliveryState::Undelivered);
        assert_eq!(verification.state(START), State::Pending, "a mistaken report ends nothing");
    }

    #[test]
    fn s40_reports_before_the_answer_of_the_provider_count_once_it_is_there() {
        let mut verification = pending();
        assert_eq!(returned(&mut verification, "a"), AfterReturn::Noted);
        assert_eq!(delivery(&verification), DeliveryState::Accepted);
        assert_eq!(take(&mut verification, "a"), AfterTaken::Returned);

        let mut verification = pending();
        assert!(verification.record_arrival(1, START), "it is in the outbox");
        assert_eq!(take(&mut verification, "a"), AfterTaken::Done);
        assert_eq!(delivery(&verification), DeliveryState::Delivered);
    }

    #[test]
    fn s40_an_arrival_outdoes_failures_whatever_comes_first() {
        let mut verification = taken();
        assert!(verification.record_arrival(1, START));
        assert_eq!(returned(&mut verification, "a"), AfterReturn::Noted);
        assert_eq!(delivery(&verification), DeliveryState::Delivered);

        let mut verification = taken();
        returned(&mut verification, "a");
        verification.record_undelivered(1);
        assert!(!verification.record_arrival(1, START));
        assert_eq!(delivery(&verification), DeliveryState::Delivered);
    }

    #[test]
    fn s40_a_report_about_another_copy_or_an_unknown_message_changes_nothing() {
        let mut verification = taken();
        let before = verification.clone();
        assert_eq!(verification.record_return(1, "a", Some("other"), START), AfterReturn::Noted);
        for number in [0, 2] {
            assert_eq!(verification.record_return(number, "a", None, START), AfterReturn::Noted);
            assert!(!verification.record_arrival(number, START));
        }
        assert_eq!(verification, before);
        assert_eq!(verification.record_return(1, "a", None, START), AfterReturn::MayGoAgain);
    }

    #[test]
    fn s40_only_a_code_that_is_the_newest_and_accepted_is_sent_again() {
        let mut expired = taken();
        let end = START + LIFETIME;
        assert_eq!(expired.record_return(1, "a", None, end), AfterReturn::Over);
        assert_eq!(delivery(&expired), DeliveryState::Undelivered);

        let mut approved = taken();
        assert_eq!(check(&mut approved, "123456", START), Outcome::Approved);
        assert_eq!(approved.record_return(1, "a", None, START), AfterReturn::Over);
        assert_eq!(approved.state(START), State::Approved);

        let mut resent = taken();
        let later = START + Duration::from_secs(30);
        resent.resend(Channel::Email, &code("654321"), &peppers(), later).unwrap();
        assert_eq!(resent.record_return(1, "a", None, later), AfterReturn::Over);
        assert_eq!(resent.earlier_providers().collect::<Vec<_>>(), ["a", "a"]);
        assert_eq!(resent.record_taken(1, &taken_by("b"), later), AfterTaken::Done);
    }

    #[test]
    fn s40_a_verification_that_ended_by_time_stays_as_it_is() {
        let mut verification = taken();
        let end = verification.expires_at();
        let before = verification.clone();
        assert_eq!(verification.record_return(1, "a", None, end), AfterReturn::Noted);
        assert!(!verification.record_arrival(1, end));
        assert_eq!(verification, before);
        assert_eq!(verification.state(end), State::Expired);
    }

    #[test]
    fn a_provider_without_receipts_is_waited_for_by_nobody_and_long_ids_are_left_out() {
        let mut verification = pending();
        verification.record_delivery(1, DeliveryState::Sent, 1);
        let reference = Some("x".repeat(256));
        let taken = Taken { provider: "a".into(), reference, gives_receipts: false };
        assert_eq!(verification.record_taken(1, &taken, START), AfterTaken::Done);
        assert_eq!(verification.waiting_sends().next(), None);
        assert_eq!(verification.last_send().reference, None);
        verification.record_end(1, START);
        assert_eq!(delivery(&verification), DeliveryState::Sent);
    }

    #[derive(Clone, Debug)]
    enum Report {
        Taken(usize),
        Returned(usize),
        Arrived,
        End,
    }

    fn reports() -> impl Strategy<Value = Vec<(u64, Report)>> {
        let report = prop_oneof![
            2 => (0_usize..3).prop_map(Report::Taken),
            4 => (0_usize..3).prop_map(Report::Returned),
            1 => Just(Report::Arrived),
            1 => Just(Report::End),
        ];
        prop::collection::vec((0_u64..120, report), 0..20)
    }

    proptest! {
        /// Whatever is reported when, states do not go back, and each provider makes room for one more at most.
        #[test]
        fn s40_reports_in_any_order_never_go_back_and_multiply_nothing(reports in reports()) {
            let names = ["a", "b", "c"];
            let (mut verification, mut now, mut sent_again) = (pending(), START, 0);
            for (pause, report) in reports {
                now = now + Duration::from_secs(pause);
                let before = (delivery(&verification), verification.state(now));
                match report {
                    Report::Taken(by) => {
                        verification.record_delivery(1, DeliveryState::Sent, 1);
                        verification.record_taken(1, &taken_by(names[by]), now);
                    }
                    Report::Returned(by) => {
                        let after = verification.record_return(1, names[by], None, now);
                        if after == AfterReturn::MayGoAgain {
                            prop_assert!(now < START + LIFETIME);
                            sent_again += 1;
                        }
                    }
                    Report::Arrived => {
                        verification.record_arrival(1, now);
                    }
                    Report::End => verification.record_end(1, now),
                }
                prop_assert!(delivery(&verification) >= before.0);
                prop_assert!(sent_again <= names.len());
                prop_assert_eq!(verification.state(now), before.1);
            }
        }
    }
}
