//! Pumping of texts: a script asks for codes to numbers of its own, and for further ones (S33).

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use crate::{
    Fault, Report, Setup, Sizes, World,
    crowd::each,
    numbers::Number,
    visitor::{Refused, Visitor},
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Time between two requests for another code.
const RESEND: Duration = Duration::from_secs(121);
/// Codes that are asked for again at most, if the server does not say before that there are no more.
const RESENDS: u64 = 9;
/// One in so many verifications has further codes sent.
const SENT_AGAIN: usize = 5;
/// Verifications without approval that are tolerated in a day and in an hour at a destination where few people
/// verify.
const TOLERATED: (u64, u64) = (30, 10);

/// Numbers for which verifications begin at a time, from one address and from many networks.
const WAVES: (usize, usize) = (5, 25);

/// A day of pumping, from one address or from many networks, at a site that has been open for more than a week.
///
/// # Errors
/// A fault.
pub async fn run(setup: &Setup, sizes: Sizes, from_one_address: bool) -> Result<Report, Fault> {
    let Sizes { numbers, networks, .. } = sizes;
    let (networks, wave) = if from_one_address { (1, WAVES.0) } else { (networks, WAVES.1) };
    let mut rng = setup.rng();
    let world = setup.world(&[]).await?;
    learn(&world).await?;

    let from: Vec<_> = (0..networks).map(|_| world.new_network()).collect();
    let asked: Vec<_> = (0..numbers).map(|index| Number::of(index, &mut rng)).collect();
    let whence =
        if from_one_address { "one address".into() } else { format!("{networks} networks") };
    let title = format!("Pump {numbers} numbers in 20 countries, from {whence}, in a day");
    let mut report = Report::new(title);
    let mut sent = Sent::default();
    let asked: Vec<_> = asked.iter().zip(from.iter().cycle()).collect();
    let waves: Vec<_> = asked.chunks(wave).collect();
    // Half of them in the first hour, and the others in the rest of the day.
    let (first, rest) = waves.split_at(waves.len() / 2);
    for (waves, time) in [(first, HOUR), (rest, DAY.saturating_sub(HOUR))] {
        for wave in waves {
            let time = time / u32::try_from(waves.len())?;
            pump(&world, wave, time, &mut sent, &mut report).await?;
        }
    }
    sent.fill(&mut report, numbers);
    report.figure("requests", world.requests());
    Ok(report)
}

/// Begins a verification for each number, and has further codes sent to some.
async fn pump(
    world: &World,
    wave: &[(&Number, &IpAddr)],
    mut time: Duration,
    sent: &mut Sent,
    report: &mut Report,
) -> Result<(), Fault> {
    let begun = each(wave, async |(number, address)| {
        let visitor = Visitor { world, address: **address };
        Ok((visitor, number, visitor.begin(&number.text).await?))
    });
    let mut open = Vec::new();
    for (visitor, number, begun) in begun.await? {
        match begun {
            Ok(id) => {
                sent.begun(number, world.hour());
                open.push((visitor, id, 0));
            }
            Err(Refused(words)) => report.refuse(&words),
        }
    }
    world.skip_arriving(open.len().try_into()?).await?;
    open.truncate(open.len().div_ceil(SENT_AGAIN));
    for _ in 0..RESENDS {
        world.advance(RESEND.min(time));
        time = time.saturating_sub(RESEND);
        let resent = each(&open, async |(visitor, id, _)| visitor.resend(id).await).await?;
        let arriving = resent.iter().filter(|resent| resent.is_ok()).count();
        world.skip_arriving(arriving.try_into()?).await?;
        let mut resent = resent.into_iter();
        open.retain_mut(|(.., again)| match resent.next() {
            Some(Ok(())) => {
                *again += 1;
                sent.again(*again);
                true
            }
            Some(Err(Refused(words))) => {
                report.refuse(&words);
                words == "too-early"
            }
            None => false,
        });
    }
    world.advance(time);
    Ok(())
}

/// Lets a site send its first text and a week pass, in which its guard records only. In real time the guard may
/// still do so.
async fn learn(world: &World) -> Result<(), Fault> {
    if !world.can_advance() {
        return Ok(());
    }
    let visitor = Visitor { world, address: world.new_network() };
    let begun = visitor.begin("+447400000000").await?;
    begun.map_err(|Refused(words)| format!("the first text of the site is refused: {words}"))?;
    world.skip_arriving(1).await?;
    world.advance(DAY * 8);
    Ok(())
}

/// Texts that got out.
#[derive(Default)]
struct Sent {
    texts: u64,
    /// Most texts of one verification after its first.
    resends: u64,
    by_country: BTreeMap<&'static str, u64>,
    by_prefix: BTreeMap<String, u64>,
    by_hour: BTreeMap<(&'static str, u64), u64>,
}

impl Sent {
    fn begun(&mut self, number: &Number, hour: u64) {
        self.texts += 1;
        *self.by_country.entry(number.country).or_default() += 1;
        *self.by_prefix.entry(number.prefix.clone()).or_default() += 1;
        *self.by_hour.entry((number.country, hour)).or_default() += 1;
    }

    fn again(&mut self, resends: u64) {
        self.texts += 1;
        self.resends = self.resends.max(resends);
    }

    fn fill(&self, report: &mut Report, numbers: u32) {
        let begun: u64 = self.by_country.values().sum();
        let (day, hour) = TOLERATED;
        report.figure("verifications asked for", numbers);
        report.figure("verifications begun", begun);
        report.figure("texts, some of them sent again", self.texts);
        report.figure("texts, had all been sent again", begun * (1 + self.resends));
        for (country, begun) in &self.by_country {
            report.figure(format!("begun in {country}"), format!("{begun}, {day} tolerated"));
        }
        let countries = self.by_country.len() as u64;
        let most = |counts: &mut dyn Iterator<Item = u64>| figure(counts.max().unwrap_or(0));
        for (words, measured, bound) in [
            (
                "S33 verifications begun in a country",
                most(&mut self.by_country.values().copied()),
                day,
            ),
            (
                "S33 verifications begun at a prefix",
                most(&mut self.by_prefix.values().copied()),
                day,
            ),
            ("S33 in a country within an hour", most(&mut self.by_hour.values().copied()), hour),
            ("S33 verifications begun in all", figure(begun), day * countries),
        ] {
            report.promise(words, measured, figure(bound));
        }
    }
}

/// A count as a figure of a promise.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn figure(count: u64) -> f64 {
    count as f64
}
