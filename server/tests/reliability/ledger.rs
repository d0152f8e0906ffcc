//! What was acknowledged, and so must be true for ever.

use app::wire::{Outcome, State, VerificationView};

/// As many as the policy allows by default.
const CHECKS: u32 = 5;

/// One verification whose start was acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) address: String,
    known: Counts,
    /// What was asked for when the connection was lost, and so may have been done.
    doubted: Counts,
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
        Self { id, address, known, doubted: Counts::default() }
    }

    /// Messages that must arrive.
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

    /// Asked for another message; `None` where no answer came.
    pub(crate) fn resent(&mut self, answered: Option<()>) {
        match answered {
            Some(()) => self.known.sends += 1,
            None => self.doubted.sends += 1,
        }
    }

    /// Checked a guess; `None` where no answer came.
    pub(crate) fn checked(&mut self, right: bool, outcome: Option<Outcome>) {
        let Some(outcome) = outcome else {
            return if right { self.doubted.approved += 1 } else { self.doubted.wrong_checks += 1 };
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

    /// Compares with what a new process says. From then on that is known, doubts included.
    pub(crate) fn compare(&mut self, view: Option<&VerificationView>) {
        let view = view.unwrap_or_else(|| panic!("lost: {self:?}"));
        let between = |name: &str, seen: u32, known: u32, doubted: u32| {
            let possible = known..=known + doubted;
            assert!(possible.contains(&seen), "{name}: {seen} of {possible:?} in {view:?}");
        };
        let wrong_checks = CHECKS - view.attempts_left;
        let approved = u32::from(view.state == State::Approved);
        let Counts { sends, wrong_checks: wrong, approved: right } = self.known;
        between("sends", view.delivery.number, sends, self.doubted.sends);
        between("wrong checks", wrong_checks, wrong, self.doubted.wrong_checks);
        between("approved", approved, right, self.doubted.approved);
        self.known = Counts { sends: view.delivery.number, wrong_checks, approved };
        self.doubted = Counts::default();
        assert_eq!(view.state, self.state());
    }
}
