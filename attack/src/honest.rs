//! Ordinary days of a site: people verify, mistype, ask again too soon, give up and come back (S33).

use std::{net::IpAddr, time::Duration};

use rand::{RngExt, rngs::StdRng};

use crate::{
    Fault, Report, Setup, Sizes, World,
    crowd::each,
    numbers::Number,
    visitor::{Checked, Refused, Visitor},
};

const HOUR: Duration = Duration::from_secs(3600);
/// People of each hour of a day, of [`PER_DAY`].
const ARRIVALS: [u32; 24] =
    [1, 1, 1, 1, 1, 2, 3, 5, 7, 7, 7, 6, 6, 6, 6, 6, 6, 7, 7, 6, 5, 4, 2, 1];
const PER_DAY: u32 = 104;
/// People that begin at a time, unless a slot would be too short for them to type.
const AT_ONCE: u32 = 6;
/// Most slots of an hour.
const SLOTS: u32 = 54;
/// Addresses that a tenth of the people share, as those of mobile networks.
const SHARED_ADDRESSES: u32 = 10;

/// Time from asking for a code to typing it, and to asking for another one.
const TYPING: Duration = Duration::from_secs(20);
const IMPATIENCE: Duration = Duration::from_secs(45);
/// Time from giving up to coming back.
const RETURN: Duration = Duration::from_secs(1800);

/// A person's way with a code, with the share of people who have it in per cent. Of 100 people 85 verify.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Types the code.
    Straight,
    /// Types a wrong digit first.
    Mistypes,
    /// Asks for another code and types that.
    Impatient,
    /// Gives up, and comes back later.
    Returns,
    /// Types no code.
    Leaves,
    /// Types two wrong codes and leaves.
    Fails,
    /// Asks for another code and leaves.
    Tires,
}

const WAYS: [(Way, u32); 7] = [
    (Way::Straight, 69),
    (Way::Mistypes, 9),
    (Way::Impatient, 5),
    (Way::Returns, 2),
    (Way::Leaves, 10),
    (Way::Fails, 2),
    (Way::Tires, 3),
];

struct Person {
    to: String,
    /// Country of the number; empty for an address.
    country: &'static str,
    address: IpAddr,
    way: Way,
}

impl Person {
    fn new(number: u32, rng: &mut StdRng) -> Self {
        let mut drawn = rng.random_range(0..100);
        let way = WAYS.into_iter().find_map(|(way, share)| {
            let found = drawn < share;
            drawn = drawn.saturating_sub(share);
            found.then_some(way)
        });
        let (to, country) = if rng.random_ratio(1, 5) {
            (format!("person{number}@example.com"), "")
        } else {
            let number = Number::of_a_person(rng);
            (number.text, number.country)
        };
        let host =
            if rng.random_ratio(1, 10) { number % SHARED_ADDRESSES } else { number + 0x0100_0000 };
        let [a, b, c, d] = host.to_be_bytes();
        Self { to, country, address: [64 + a, b, c, d].into(), way: way.unwrap_or(Way::Straight) }
    }
}

/// Counts of a day.
#[derive(Default)]
struct Counts {
    people: u64,
    asked: u64,
    verified: u64,
    wrong: u64,
    /// Codes of more than six digits.
    longer: u64,
    /// Codes that ended early, since codes became longer.
    ended: u64,
    refused: Vec<Refused>,
}

/// A day of honest people after some days like it. Prints the first day too, on which there is no history.
///
/// # Errors
/// A fault.
pub async fn run(setup: &Setup, sizes: Sizes) -> Result<Report, Fault> {
    let Sizes { people, history, .. } = sizes;
    let mut rng = setup.rng();
    let world = setup.world(&ceilings(people)).await?;
    let mut crowd = Crowd { world: &world, rng: &mut rng, met: 0, waiting: Vec::new() };
    let title = format!("An honest day of {people} people, after {history} days like it");
    let mut report = Report::new(title);
    let mut days = Vec::new();
    for _ in 0..=history {
        days.push(crowd.day(people).await?);
    }
    let mut print = |name: &str, day: &Counts| {
        let Counts { people, asked, verified, wrong, longer, ended, refused } = day;
        report.figure(
            name,
            format!(
                "{people} people, {verified} verified, {asked} messages asked for, {wrong} wrong \
                 codes, {longer} longer codes, {ended} ended early, {} refusals",
                refused.len()
            ),
        );
    };
    let (first, last) = (&days[0], &days[days.len() - 1]);
    print("the first day", first);
    print("the last day", last);
    let all: usize = days.iter().map(|day| day.refused.len()).sum();
    report.figure("refusals on all days", all);
    for Refused(words) in days.iter().flat_map(|day| &day.refused) {
        report.refuse(words);
    }
    let refused = u32::try_from(last.refused.len())?;
    report.promise("S33 refusals of honest people on the last day", refused.into(), 0.0);
    report.figure("requests", world.requests());
    Ok(report)
}

/// Ceilings of a site with so many people: what two of them ask for in place of one.
fn ceilings(people: u32) -> Vec<(&'static str, String)> {
    let ceilings = [
        ("LATCHKEY_SMS__TEXTS_PER_HOUR", 500),
        ("LATCHKEY_SMS__TEXTS_PER_DAY", 5000),
        ("LATCHKEY_SMS__COUNTRY_TEXTS_PER_HOUR", 500),
        ("LATCHKEY_SMS__COUNTRY_TEXTS_PER_DAY", 5000),
        ("LATCHKEY_SMS__PREFIX_TEXTS_PER_HOUR", 100),
        ("LATCHKEY_SMS__PREFIX_TEXTS_PER_DAY", 1000),
        ("LATCHKEY_LIMITS__TEXTS_PER_HOUR", 2000),
        ("LATCHKEY_LIMITS__TEXTS_PER_DAY", 20_000),
    ];
    // The defaults are for 2,500 people.
    let times = people.div_ceil(2500).max(1);
    ceilings.map(|(name, most)| (name, (most * times).to_string())).into()
}

struct Crowd<'a> {
    world: &'a World,
    rng: &'a mut StdRng,
    /// Number of people so far.
    met: u32,
    /// People who come back, with the time until then.
    waiting: Vec<(Person, Duration)>,
}

/// A verification that is open, of a person who reads their messages.
type Open<'a> = (&'a Person, String);

impl Crowd<'_> {
    /// A day of so many people.
    async fn day(&mut self, people: u32) -> Result<Counts, Fault> {
        let mut counts = Counts::default();
        let (mut sum, mut arrived) = (0, 0);
        for share in ARRIVALS {
            sum += share;
            let of_hour = people * sum / PER_DAY - arrived;
            arrived += of_hour;
            let slots = of_hour.div_ceil(AT_ONCE).clamp(1, SLOTS);
            for slot in 0..slots {
                let of_slot = of_hour * (slot + 1) / slots - of_hour * slot / slots;
                self.slot(of_slot, HOUR / slots, &mut counts).await?;
            }
        }
        Ok(counts)
    }

    /// People who begin at the same time, and those who come back.
    async fn slot(
        &mut self,
        people: u32,
        length: Duration,
        counts: &mut Counts,
    ) -> Result<(), Fault> {
        counts.people += u64::from(people);
        let (mut here, away): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|(_, wait)| wait.is_zero());
        self.waiting = away;
        for _ in 0..people {
            self.met += 1;
            here.push((Person::new(self.met, self.rng), Duration::ZERO));
        }
        let here: Vec<_> = here.into_iter().map(|(person, _)| person).collect();
        let open = self.begin(&here, counts).await?;
        self.world.advance(TYPING);
        let (patient, impatient): (Vec<_>, Vec<_>) = open
            .into_iter()
            .partition(|(open, _)| !matches!(open.0.way, Way::Impatient | Way::Tires));
        self.type_codes(&patient, counts).await?;
        self.world.advance(IMPATIENCE.saturating_sub(TYPING));
        let impatient: Vec<_> = impatient.into_iter().map(|(open, _)| open).collect();
        let again = self.resend(impatient, counts).await?;
        self.world.advance(TYPING);
        self.type_codes(&again, counts).await?;
        self.world.advance(length.saturating_sub(IMPATIENCE + TYPING));

        for (_, wait) in &mut self.waiting {
            *wait = wait.saturating_sub(length);
        }
        for person in here.into_iter().filter(|person| person.way == Way::Returns) {
            self.waiting.push((Person { way: Way::Straight, ..person }, RETURN));
        }
        Ok(())
    }

    /// Begins a verification of each person, and reads their codes.
    async fn begin<'p>(
        &self,
        people: &'p [Person],
        counts: &mut Counts,
    ) -> Result<Vec<(Open<'p>, String)>, Fault> {
        counts.asked += people.len() as u64;
        let begun = each(people, async |person| {
            Ok((person, self.visitor(person).begin(&person.to).await?))
        });
        let mut open = Vec::new();
        for (person, begun) in begun.await? {
            match begun {
                Ok(id) => open.push((person, id)),
                Err(Refused(words)) => {
                    counts.refused.push(Refused(format!("{words} ({})", person.country)));
                }
            }
        }
        self.read(open, counts).await
    }

    /// Asks for another code for each, and reads it.
    async fn resend<'p>(
        &self,
        open: Vec<Open<'p>>,
        counts: &mut Counts,
    ) -> Result<Vec<(Open<'p>, String)>, Fault> {
        counts.asked += open.len() as u64;
        let resent =
            each(&open, async |(person, id)| self.visitor(person).resend(id).await).await?;
        let mut again = Vec::new();
        for (open, resent) in open.into_iter().zip(resent) {
            match resent {
                Ok(()) => again.push(open),
                Err(refused) => counts.refused.push(refused),
            }
        }
        self.read(again, counts).await
    }

    /// Reads the codes that were just sent.
    async fn read<'p>(
        &self,
        open: Vec<Open<'p>>,
        counts: &mut Counts,
    ) -> Result<Vec<(Open<'p>, String)>, Fault> {
        let to: Vec<_> = open.iter().map(|(person, _)| person.to.as_str()).collect();
        let codes = self.world.codes(&to).await?;
        let with_code = open.into_iter().map(|open| {
            let code = codes.get(&open.0.to).cloned().unwrap_or_default();
            (open, code)
        });
        let with_code: Vec<_> = with_code.collect();
        counts.longer += with_code.iter().filter(|(_, code)| code.len() > 6).count() as u64;
        Ok(with_code)
    }

    /// Has each person type what they type. Those whose code has ended ask for another one.
    async fn type_codes(
        &self,
        open: &[(Open<'_>, String)],
        counts: &mut Counts,
    ) -> Result<(), Fault> {
        let typed = each(open, async |((person, id), code)| {
            let visitor = self.visitor(person);
            let wrong = match person.way {
                Way::Mistypes => 1,
                Way::Fails => 2,
                _ => 0,
            };
            let mut compared = 0;
            for steps in 1..=wrong {
                match visitor.check(id, &wrong_digit(code, steps)).await? {
                    Checked::Incorrect(_) => compared += 1,
                    last => return Ok((compared, Some(last))),
                }
            }
            let types = matches!(person.way, Way::Straight | Way::Mistypes | Way::Impatient);
            let last = if types { Some(visitor.check(id, code).await?) } else { None };
            Ok((compared, last))
        });
        let mut ended = Vec::new();
        for ((compared, last), ((person, id), _)) in typed.await?.into_iter().zip(open) {
            counts.wrong += compared;
            match last {
                None => {}
                Some(Checked::Approved) => counts.verified += 1,
                Some(Checked::Expired) => ended.push((*person, id.clone())),
                Some(other) => counts.refused.push(Refused(format!("a right code: {other:?}"))),
            }
        }
        if ended.is_empty() {
            return Ok(());
        }
        counts.ended += ended.len() as u64;
        let again = self.resend(ended, counts).await?;
        let typed =
            each(&again, async |((person, id), code)| self.visitor(person).check(id, code).await);
        for checked in typed.await? {
            match checked {
                Checked::Approved => counts.verified += 1,
                other => counts.refused.push(Refused(format!("a further code: {other:?}"))),
            }
        }
        Ok(())
    }

    fn visitor(&self, person: &Person) -> Visitor<'_> {
        Visitor { world: self.world, address: person.address }
    }
}

/// The code with its last digit moved on by some steps, at least one.
fn wrong_digit(code: &str, steps: u8) -> String {
    let (first, last) = code.split_at(code.len().saturating_sub(1));
    let last = last.parse().unwrap_or(0_u8);
    format!("{first}{}", (last + steps) % 10)
}
