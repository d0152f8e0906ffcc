//! Guessing of codes: at one recipient all day, and a few times at each of many (S34).

use std::{net::IpAddr, time::Duration};

use crate::{
    Fault, Report, Setup, Sizes, World,
    crowd::each,
    visitor::{Checked, Refused, Visitor},
};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Verifications of one recipient that are asked for in a day.
const VERIFICATIONS: u32 = 240;
/// Guesses at one verification, if the server does not end it before.
const GUESSES: u32 = 5;
/// Time between two requests for another code.
const RESEND: Duration = Duration::from_secs(31);
/// Guesses after which codes are as long as they become.
const ENOUGH: u64 = 10_000;
/// Recipients that are guessed at at a time.
const WAVE: u32 = 50;

/// Guesses at verifications: each was compared with every code of its length that the verification has sent, or
/// fewer.
#[derive(Default)]
struct Guesses {
    /// Messages that were sent.
    sends: u64,
    /// Guesses that were compared.
    compared: u64,
    /// Expected number of right ones.
    expected: f64,
    /// Right ones.
    right: u64,
    /// Number of digits of the code that was guessed at last.
    digits: u8,
    refused: Vec<Refused>,
}

impl Guesses {
    /// Adds those that were made after these.
    fn add(&mut self, other: Self) {
        self.sends += other.sends;
        self.compared += other.compared;
        self.expected += other.expected;
        self.right += other.right;
        self.digits = if other.compared > 0 { other.digits } else { self.digits };
        self.refused.extend(other.refused);
    }

    fn fill(&self, report: &mut Report) {
        report.figure("messages sent", self.sends);
        report.figure("guesses compared", self.compared);
        report.figure("digits of the last code", self.digits);
        report.figure("right guesses", self.right);
        for Refused(words) in &self.refused {
            report.refuse(words);
        }
    }
}

/// Begins a verification, asks for `resends` further codes and guesses until it is over. A new network makes each
/// request.
async fn guess(world: &World, to: &str, resends: u32, digits: u8) -> Result<Guesses, Fault> {
    let mut made = Guesses { digits: digits.max(6), ..Guesses::default() };
    let visitor = |address: IpAddr| Visitor { world, address };
    let stranger = || visitor(world.new_network());
    let id = match stranger().begin(to).await? {
        Ok(id) => id,
        Err(refused) => {
            made.refused.push(refused);
            return Ok(made);
        }
    };
    // Codes that may be live, and their length.
    let (mut live, mut length) = (1, 0);
    made.sends += 1;
    for _ in 0..resends {
        world.advance(RESEND);
        match stranger().resend(&id).await? {
            Ok(()) => (made.sends, live) = (made.sends + 1, live + 1),
            Err(refused) => made.refused.push(refused),
        }
    }
    let mut guesses = 0;
    while guesses < GUESSES {
        let typed = "1234567890".get(..usize::from(made.digits)).unwrap_or("123456");
        match stranger().check(&id, typed).await? {
            Checked::Incorrect(digits) => {
                if length != 0 && length != digits {
                    live = 1;
                }
                length = digits;
                guesses += 1;
                made.compared += 1;
                made.expected += f64::from(live) / 10_f64.powi(i32::from(digits));
            }
            Checked::Length(digits) if digits != made.digits => made.digits = digits,
            Checked::Approved => {
                made.right += 1;
                break;
            }
            // A code that became too short is over; another one is sent at once.
            Checked::Expired => match stranger().resend(&id).await? {
                Ok(()) => (made.sends, live) = (made.sends + 1, 1),
                Err(refused) => {
                    made.refused.push(refused);
                    break;
                }
            },
            Checked::Length(_) => return Err("the length of a code is not told".into()),
            Checked::Refused(refused) => {
                made.refused.push(refused);
                break;
            }
        }
    }
    Ok(made)
}

/// A day of guessing at one recipient, from any number of networks: verifications are asked for all the
/// time, some of them with two codes. Gives the number of messages too.
///
/// # Errors
/// A fault.
pub async fn one(setup: &Setup) -> Result<(Report, u64), Fault> {
    let world = setup.world(&[]).await?;
    let to = format!("victim{}@example.com", setup.seed);
    let mut made = Guesses::default();
    for attempt in 0..VERIFICATIONS {
        world.advance(DAY / VERIFICATIONS);
        let resends = u32::from(attempt % 5 == 4);
        made.add(guess(&world, &to, resends, made.digits).await?);
    }
    let mut report =
        Report::new("Guess at one recipient for a day, from any number of networks".into());
    made.fill(&mut report);
    report.promise("S34 expected take-overs in a day", made.expected, 2e-5);
    report.figure("requests", world.requests());
    Ok((report, made.sends))
}

/// A day of five guesses at each of many recipients, from any number of networks. `sends` are the messages that
/// one recipient gets in a day of guessing: what is expected if all of them get as many is computed.
///
/// # Errors
/// A fault.
pub async fn many(setup: &Setup, sizes: Sizes, sends: u64) -> Result<Report, Fault> {
    let recipients = sizes.recipients;
    let world = setup.world(&[]).await?;
    let mut made = Guesses::default();
    for first in (0..recipients).step_by(WAVE as usize) {
        let wave = first..(first + WAVE).min(recipients);
        let digits = made.digits;
        let seed = setup.seed;
        let guesses = each(wave, async |number| {
            guess(&world, &format!("victim{number}.{seed}@example.com"), 0, digits).await
        });
        guesses.await?.into_iter().for_each(|guesses| made.add(guesses));
        world.advance(DAY * WAVE / recipients.max(WAVE));
    }
    let title = format!("Guess five times at each of {recipients} recipients, in a day");
    let mut report = Report::new(title);
    made.fill(&mut report);
    report.promise("S34 expected take-overs in a day", made.expected, 1e-3);
    // Further guesses are at codes of the last length.
    let all = f64::from(Sizes::FULL.recipients) * count(sends) * f64::from(GUESSES);
    let further = (all - count(made.compared)).max(0.0) / 10_f64.powi(i32::from(made.digits));
    if made.compared >= ENOUGH {
        let words = format!("S34 expected, with {sends} messages to each of 100000 recipients");
        report.promise(words, made.expected + further, 0.02);
    }
    report.figure("requests", world.requests());
    Ok(report)
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn count(number: u64) -> f64 {
    number as f64
}
