//! Proof of work before a message is sent for a stranger, once that is asked for often.
//!
//! A demand is stateless: its seal is an HMAC over the demand, the client's network, its door and the site or the
//! verification that the message is for. Seal and solution are checked before the step, rates and single use
//! inside it.

use std::num::NonZeroU32;

use app::work::{Challenge, Work};
use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac, pbkdf2};
use otp::{
    Timestamp,
    work::{Demand, Level, ROUNDS},
};

use super::{
    Refused, Scope,
    commands::{Action, Command},
    refused::seconds_until,
};
use crate::store::Records;

/// An answer with the server's seal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    demand: Demand,
    /// It brings the number that was to be found.
    is_solved: bool,
}

impl Command {
    /// Reads the client's answer, if it brings one to a demand that was made to it here.
    pub(super) fn read_answer(&self) -> Option<Answer> {
        let (challenge, number) = Challenge::read_answer(self.client.work.as_deref()?)?;
        let Challenge { level, at, seal } = challenge;
        let demand = Demand { level: Level::new(level)?, at: Timestamp::from_millis(at) };
        let seal = seal.to_be_bytes();
        let is_sealed = |key| verify_slices_are_equal(&self.seal(key, demand), &seal).is_ok();
        // The trial costs more than the seal, so it comes last.
        self.shared.keys.work.iter().any(is_sealed).then(|| Answer {
            demand,
            is_solved: number.is_some_and(|number| is_solution(challenge, demand.level, number)),
        })
    }

    /// The work that a message for this client takes, with what was counted before it.
    pub(super) fn work_demanded(&self, records: &Records) -> Option<Level> {
        let thresholds = self.shared.rules.work.filter(|_| self.client.is_stranger())?;
        let span = self.limits().caller_sends.per;
        let network = records.caller.sends.sum(span, self.counted_at(records));
        thresholds.level(network, self.server_sends)
    }

    /// Takes the client's answer, which is spent with it.
    pub(super) fn take_answer(
        &self,
        records: &mut Records,
        demanded: Option<Level>,
    ) -> Result<(), Refused> {
        let Some(level) = demanded else { return Ok(()) };
        let now = self.counted_at(records);
        let met = &mut records.caller.work_met;
        match self.answer.filter(|answer| answer.demand.counts(level, *met, now)) {
            Some(Answer { demand, is_solved }) if is_solved || now >= demand.opens_at() => {
                *met = demand.at;
                Ok(())
            }
            // The wait of a demand that is still good goes on.
            Some(Answer { demand, .. }) => self.demand(demand, now),
            None => self.demand(Demand::new(level, *met, now), now),
        }
    }

    fn demand(&self, demand: Demand, now: Timestamp) -> Result<(), Refused> {
        let key = self.shared.keys.work.first().ok_or(Refused::Crypto)?;
        let Demand { level, at } = demand;
        let seal = u128::from_be_bytes(self.seal(key, demand));
        Err(Refused::WorkNeeded(Work {
            challenge: Challenge { level: level.number(), at: at.as_millis(), seal },
            bits: level.bits(),
            rounds: ROUNDS,
            retry_after: seconds_until(demand.opens_at(), now),
        }))
    }

    /// The seal of a demand to this client, at this door, for this site or verification.
    fn seal(&self, key: &hmac::Key, Demand { level, at }: Demand) -> [u8; 16] {
        let network = self.client.address.map(|address| self.shared.pseudonyms.caller(address));
        let (site, door) = match &self.client.scope {
            Scope::Holder => ("", "island"),
            Scope::Hosted => ("", "page"),
            Scope::Framed { site, origin } => (site.as_str(), origin.as_str()),
            Scope::Site(site) => (site.as_str(), "back end"),
        };
        let verification = self.id.to_string();
        let (verb, subject) = match &self.action {
            Action::Open { opening, .. } => ("start", opening.site.as_str()),
            _ => ("resend", verification.as_str()),
        };
        let mut context = hmac::Context::with_key(key);
        let demand = [&[level.number()][..], &at.as_millis().to_be_bytes()].concat();
        for part in [
            &network.unwrap_or_default()[..],
            site.as_bytes(),
            door.as_bytes(),
            verb.as_bytes(),
            subject.as_bytes(),
            &demand,
        ] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
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
