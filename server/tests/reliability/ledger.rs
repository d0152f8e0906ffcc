//! The acknowledged requests, with which the server is compared after each restart.

use app::wire::{Outcome, State, VerificationView};

/// Checks of the default policy.
const CHECKS: u32 = 5;

/// One verification whose start was acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) address: String,
    known: Counts,
    /// Requests without a response, which may have taken effect.
    uncertain: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    sends: u32,
    wrong_checks: u32,
    approved: u32,
}

impl Entry {
    pub(crate) fn started(id: String, address: String) -> Self {
        let known = Counts { sends: 1, ..Counts::default() };
        Self { id, address, known, uncertain: Counts::default() }
    }

    /// Acknowledged messages.
    pub(crate) fn sends(&self) -> u32 {
        self.known.sends
    }

    pub(crate) fn state(&self) -> State {
        if self.known.approved > 0 {
            State::Approved
        } else if self.known.wrong_checks >= CHECKS {
            State::MaxAttemptsReached
        } else {
            State::Pending
        }
    }

    /// Records a resend; `None` if there was no response.
    pub(crate) fn resent(&mut self, answered: Option<()>) {
        match answered {
            Some(()) => self.known.sends += 1,
            None => self.uncertain.sends += 1,
        }
    }

    /// Records a check; `None` if there was no response.
    pub(crate) fn checked(&mut self, right: bool, outcome: Option<Outcome>) {
        let Some(outcome) = outcome else {
            if right {
                self.uncertain.approved += 1;
            } else {
                self.uncertain.wrong_checks += 1;
            }
            return;
        };
        let expected = match self.state() {
            State::Approved => Outcome::AlreadyUsed,
            State::MaxAttemptsReached => Outcome::TooManyAttempts,
            _ if right => {
                self.known.approved += 1;
                Outcome::Approved
            }
            _ => {
                self.known.wrong_checks += 1;
                Outcome::Incorrect { attempts_left: CHECKS - self.known.wrong_checks }
            }
        };
        assert_eq!(outcome, expected, "{self:?}");
    }

    /// Compares with the view of a new process, which then replaces the counts.
    pub(crate) fn compare(&mut self, view: Option<&VerificationView>) {
        let view = view.unwrap_or_else(|| panic!("lost: {self:?}"));
        let between = |name: &str, seen: u32, known: u32, uncertain: u32| {
            let possible = known..=known + uncertain;
            assert!(possible.contains(&seen), "{name}: {seen} of {possible:?} in {view:?}");
        };
        let wrong_checks = CHECKS - view.attempts_left;
        let approved = u32::from(view.state == State::Approved);
        let Counts { sends, wrong_checks: wrong, approved: right } = self.known;
        between("sends", view.delivery.number, sends, self.uncertain.sends);
        between("wrong checks", wrong_checks, wrong, self.uncertain.wrong_checks);
        between("approved", approved, right, self.uncertain.approved);
        self.known = Counts { sends: view.delivery.number, wrong_checks, approved };
        self.uncertain = Counts::default();
        assert_eq!(view.state, self.state());
    }
}
