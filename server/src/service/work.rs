//! Proof of work before a message is sent for a stranger, once that is asked for often.
//!
//! A demand is stateless: its seal is an HMAC over the demand and its [`Place`]. Seal and solution are checked
//! before the step, rates and single use inside it.

use std::num::NonZeroU32;

use app::work::{Challenge, Work};
use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac, pbkdf2};
use otp::{
    Timestamp,
    work::{Demand, Level, ROUNDS},
};

use super::{Refused, Scope, refused::seconds_until};

/// Place at which work is demanded; an answer from elsewhere is none.
pub(super) struct Place<'a> {
    /// Keys of seals, newest first.
    pub(super) keys: &'a [hmac::Key],
    /// Pseudonym of the client's network.
    pub(super) network: [u8; 16],
    /// The client's door.
    pub(super) door: &'a Scope,
    /// Site of a new verification, or else the verification that another message is for.
    pub(super) subject: Subject<'a>,
}

/// Subject of a demand.
pub(super) enum Subject<'a> {
    /// A new verification of this site.
    Site(&'a str),
    /// The verification of this id.
    Verification(String),
}

/// An answer with the server's seal for its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    demand: Demand,
    /// It brings the number that was to be found.
    is_solved: bool,
}

impl Place<'_> {
    /// Reads an answer; `None` if it is none to a demand that was made here and that can still be met.
    pub(super) fn read(&self, answer: &str, now: Timestamp) -> Option<Answer> {
        let (challenge, number) = Challenge::read_answer(answer)?;
        let Challenge { level, at, seal } = challenge;
        let demand = Demand { level: Level::new(level)?, at: Timestamp::from_millis(at) };
        let seal = seal.to_be_bytes();
        let is_sealed = |key| verify_slices_are_equal(&self.seal(key, demand), &seal).is_ok();
        // The trial costs more than the seal, so it comes last.
        let is_ours = !demand.is_over(now) && self.keys.iter().any(is_sealed);
        is_ours.then(|| Answer {
            demand,
            is_solved: number.is_some_and(|number| is_solution(challenge, demand.level, number)),
        })
    }

    /// Takes an answer for a message that takes work of `level`. `met` is the network's latest demand that was
    /// met, and becomes this one.
    ///
    /// # Errors
    /// [`Refused::WorkNeeded`], with the same demand as long as that is good, so that its wait goes on.
    pub(super) fn take(
        &self,
        answer: Option<Answer>,
        level: Level,
        met: &mut Timestamp,
        now: Timestamp,
    ) -> Result<(), Refused> {
        match answer.filter(|answer| answer.demand.counts(level, *met, now)) {
            Some(Answer { demand, is_solved }) if is_solved || now >= demand.opens_at() => {
                // A wait is one for all demands until now.
                *met = if is_solved { demand.at } else { now };
                Ok(())
            }
            Some(Answer { demand, .. }) => Err(self.refusal(demand, now)),
            None => Err(self.refusal(Demand::new(level, *met, now), now)),
        }
    }

    fn refusal(&self, demand: Demand, now: Timestamp) -> Refused {
        let Some(key) = self.keys.first() else { return Refused::Crypto };
        let Demand { level, at } = demand;
        let seal = u128::from_be_bytes(self.seal(key, demand));
        Refused::WorkNeeded(Work {
            challenge: Challenge { level: level.number(), at: at.as_millis(), seal },
            bits: level.bits(),
            rounds: ROUNDS,
            retry_after: seconds_until(demand.opens_at(), now),
        })
    }

    fn seal(&self, key: &hmac::Key, Demand { level, at }: Demand) -> [u8; 16] {
        let door = match self.door {
            Scope::Holder => ["island", "", ""],
            Scope::Hosted => ["page", "", ""],
            Scope::Framed { site, origin } => ["frame", site, origin],
            Scope::Site(site) => ["back end", site, ""],
        };
        let subject = match &self.subject {
            Subject::Site(site) => ["site", site],
            Subject::Verification(id) => ["verification", id],
        };
        let mut context = hmac::Context::with_key(key);
        context.update(&self.network);
        context.update(&[level.number()]);
        context.update(&at.as_millis().to_be_bytes());
        for part in door.into_iter().chain(subject) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut seal = [0; 16];
        seal.copy_from_slice(&context.sign().as_ref()[..16]);
        seal
    }
}

/// Whether the number is one that was to be found: see [`Work`].
fn is_solution(challenge: Challenge, level: Level, number: u64) -> bool {
    let Some(rounds) = NonZeroU32::new(ROUNDS) else { return false };
    let (salt, password) = (number.to_string(), challenge.to_string());
    let mut found = [0; 4];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(algorithm, rounds, salt.as_bytes(), password.as_bytes(), &mut found);
    u32::from_be_bytes(found).leading_zeros() >= level.bits().into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn keys(bytes: &[u8]) -> Vec<hmac::Key> {
        bytes.iter().map(|byte| hmac::Key::new(hmac::HMAC_SHA256, &[*byte; 32])).collect()
    }

    fn framed(site: &str, origin: &str) -> Scope {
        Scope::Framed { site: site.to_owned(), origin: origin.to_owned() }
    }

    fn level(number: u8) -> Level {
        Level::new(number).unwrap()
    }

    fn demanded(place: &Place<'_>, answer: Option<&str>, met: Timestamp, now: Timestamp) -> Work {
        let answer = answer.and_then(|text| place.read(text, now));
        match place.take(answer, level(0), &mut met.clone(), now) {
            Err(Refused::WorkNeeded(work)) => work,
            other => panic!("{other:?}"),
        }
    }

    fn solved(Work { challenge, .. }: Work) -> String {
        let level = level(challenge.level);
        let number = (0..u64::MAX).find(|number| is_solution(challenge, level, *number)).unwrap();
        format!("{challenge}-{number}")
    }

    #[test]
    fn s33_an_answer_is_one_at_its_place_alone() {
        let (keys, others) = (keys(&[1]), keys(&[2]));
        let site = || Subject::Site("shop");
        let page = Place { keys: &keys, network: [1; 16], door: &Scope::Hosted, subject: site() };
        let answer = solved(demanded(&page, None, Timestamp::default(), START));
        assert!(page.read(&answer, START).unwrap().is_solved);
        let (frame, holder) = (framed("shop", "https://shop.example"), Scope::Holder);
        let id = Subject::Verification("shop".to_owned());
        for elsewhere in [
            Place { network: [2; 16], subject: site(), ..page },
            Place { door: &frame, subject: site(), ..page },
            Place { door: &holder, subject: site(), ..page },
            Place { subject: Subject::Site("other"), ..page },
            Place { subject: id, ..page },
            Place { keys: &others, subject: site(), ..page },
        ] {
            assert!(elsewhere.read(&answer, START).is_none());
        }
        let one = Place { door: &frame, subject: site(), ..page };
        let answer = demanded(&one, None, Timestamp::default(), START).challenge.to_string();
        let other = framed("shop", "https://other.example");
        assert!(one.read(&answer, START).is_some());
        assert!(Place { door: &other, subject: site(), ..page }.read(&answer, START).is_none());
    }

    #[test]
    fn s33_an_altered_answer_is_none_and_a_wrong_number_solves_nothing() {
        let keys = keys(&[1]);
        let (door, subject) = (&Scope::Hosted, Subject::Site("shop"));
        let place = Place { keys: &keys, network: [1; 16], door, subject };
        let work = demanded(&place, None, Timestamp::default(), START);
        let Challenge { level, at, seal } = work.challenge;
        for altered in [
            Challenge { level: level + 1, at, seal },
            Challenge { level, at: at + 1, seal },
            Challenge { level, at, seal: seal ^ 1 },
            Challenge { level: u8::MAX, at, seal },
        ] {
            assert!(place.read(&altered.to_string(), START).is_none(), "{altered}");
        }
        let wrong = format!("{}-{}", work.challenge, u64::MAX);
        assert!(!place.read(&wrong, START).unwrap().is_solved);
        assert!(!place.read(&work.challenge.to_string(), START).unwrap().is_solved);
    }

    #[test]
    fn s33_an_answer_is_taken_once_and_a_wait_has_to_be_over() {
        let keys = keys(&[1]);
        let (door, subject) = (&Scope::Hosted, Subject::Site("shop"));
        let place = Place { keys: &keys, network: [1; 16], door, subject };
        let mut met = Timestamp::default();
        let work = demanded(&place, None, met, START);
        assert_eq!((work.bits, work.retry_after), (9, 10));
        let text = work.challenge.to_string();
        let early = START + Duration::from_millis(9_999);
        let rest = demanded(&place, Some(&text), met, early);
        assert_eq!((rest.challenge, rest.retry_after), (work.challenge, 1));
        let waited = place.read(&text, START);
        let over = START + Duration::from_secs(10);
        assert!(place.take(waited, level(1), &mut met, over).is_err(), "it has become harder");
        assert!(place.take(waited, level(0), &mut met, over).is_ok());
        assert!(place.take(waited, level(0), &mut met, over).is_err(), "it is spent");
        assert_eq!(met, over, "with all demands that were collected meanwhile");
        let long_over = over + Duration::from_secs(240);
        assert!(place.read(&text, long_over).is_none(), "no trial is made for it");
        let next = solved(demanded(&place, None, met, over));
        assert!(place.take(place.read(&next, over), level(0), &mut met, over).is_ok());
        assert!(place.take(place.read(&next, over), level(0), &mut met, over).is_err());
    }

    #[test]
    fn a_rotation_of_master_secrets_voids_no_demand() {
        let (old, new) = (keys(&[1]), keys(&[2, 1]));
        let subject = || Subject::Site("shop");
        let before =
            Place { keys: &old, network: [1; 16], door: &Scope::Hosted, subject: subject() };
        let text = demanded(&before, None, Timestamp::default(), START).challenge.to_string();
        assert!(Place { keys: &new, subject: subject(), ..before }.read(&text, START).is_some());
    }
}
