//! Texts: how many are sent, how much they may cost, and when a destination is closed.
//!
//! Texts cost money, and whoever earns by those to a range of numbers has a script ask for them ("SMS
//! pumping"). Numbers and networks are cheap, so what is counted is the destination: a site sends no more
//! texts to a country or prefix than its ceilings, and no more verifications begin there than usually stay
//! without approval (S33).

use std::{collections::HashMap, time::Duration};

use crate::{
    alert::Alert,
    copy_on_write::CopyOnWrite,
    quota::{Exhausted, Quota, SlidingWindow},
    tally::{Closed, DAY, HOUR, HourAndDay, Line, Tallies, Tally},
    time::Timestamp,
};

/// Verifications without approval that are tolerated in a day, however few are approved.
const TOLERATED_IN_A_DAY: u64 = 30;
/// Those in an hour.
const TOLERATED_IN_AN_HOUR: u64 = 10;

/// Most texts in an hour and in a day of 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// In an hour.
    pub hour: u32,
    /// In a day.
    pub day: u32,
}

impl Ceiling {
    /// None.
    pub const UNLIMITED: Self = Self { hour: u32::MAX, day: u32::MAX };
}

/// An amount of money in ten-thousandths of the currency that prices are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(pub u32);

/// Prices of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// By country, as in ISO 3166-1.
    pub by_country: HashMap<String, Price>,
    /// In other countries.
    pub elsewhere: Price,
}

impl Prices {
    /// Price of a text to a country.
    pub fn of(&self, country: &str) -> Price {
        self.by_country.get(country).copied().unwrap_or(self.elsewhere)
    }
}

/// Effect of the conversion guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Closes destinations.
    Enforce,
    /// Tells the operator that it would.
    RecordOnly,
    /// None.
    Off,
}

/// Limits on the texts of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteTexts {
    /// To all destinations.
    pub all: Ceiling,
    /// To one country.
    pub country: Ceiling,
    /// To one prefix: the calling code and three digits.
    pub prefix: Ceiling,
    /// Money in a day.
    pub cap: Option<Price>,
    /// The conversion guard.
    pub guard: Guard,
    /// Time from the site's first text on for which the guard records only.
    pub learning: Duration,
}

impl SiteTexts {
    /// None.
    pub const UNLIMITED: Self = Self {
        all: Ceiling::UNLIMITED,
        country: Ceiling::UNLIMITED,
        prefix: Ceiling::UNLIMITED,
        cap: None,
        guard: Guard::Off,
        learning: Duration::ZERO,
    };
}

/// Limits on the texts of all sites together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTexts {
    /// Texts.
    pub all: Ceiling,
    /// Money in a day.
    pub cap: Option<Price>,
    /// Prices of a text.
    pub prices: Prices,
}

impl ServerTexts {
    /// None, and no prices.
    pub fn unlimited() -> Self {
        Self { all: Ceiling::UNLIMITED, cap: None, prices: Prices::default() }
    }
}

/// A text that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Name of the site.
    pub site: &'a str,
    /// Country of the number.
    pub country: &'a str,
    /// Calling code and three digits of the number.
    pub prefix: &'a str,
    /// Price of the text.
    pub price: Price,
    /// It is the first one of its verification, or those before it have not left.
    pub begins: bool,
    /// The recipient was approved lately, so the guard lets it pass.
    pub is_known: bool,
}

/// Reason for not sending a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextRefused {
    /// A ceiling or cap is reached.
    Ceiling {
        /// Time from which asking again can help.
        retry_at: Timestamp,
    },
    /// The destination is closed.
    Closed {
        /// Time from which asking again can help.
        retry_at: Timestamp,
    },
}

/// The limits on a text, of its site and of the server.
#[derive(Clone, Copy, Debug)]
pub struct TextLimits<'a> {
    /// Of the site.
    pub site: &'a SiteTexts,
    /// Of the server.
    pub server: &'a ServerTexts,
}

impl TextLimits<'_> {
    /// Whether a text may be sent. Counts nothing; `alerts` get the lines that it is refused at.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn admit(
        &self,
        text: &Text<'_>,
        tallies: &mut Tallies,
        alerts: &mut Vec<Alert>,
        now: Timestamp,
    ) -> Result<(), TextRefused> {
        let refused = |Exhausted { retry_at }| TextRefused::Ceiling { retry_at };
        let Tallies { server, site, country, prefix } = tallies;
        let (of_site, name) = (&self.site, Some(text.site));
        for (tally, ceiling, name, destination) in [
            (&mut *server, self.server.all, None, None),
            (&mut *site, of_site.all, name, None),
            (&mut *country, of_site.country, name, Some(text.country)),
            (&mut *prefix, of_site.prefix, name, Some(text.prefix)),
        ] {
            below_ceiling(tally, ceiling, (name, destination), alerts, now).map_err(refused)?;
        }
        for (tally, cap, name) in [(server, self.server.cap, None), (&mut *site, of_site.cap, name)]
        {
            below_cap(tally, cap, text.price, name, alerts, now).map_err(refused)?;
        }
        let is_guarded = text.begins && !text.is_known && of_site.guard != Guard::Off;
        if !is_guarded {
            return Ok(());
        }
        let is_learning = site.since.is_none_or(|since| now.since(since) < of_site.learning);
        let recorded_only = of_site.guard == Guard::RecordOnly || is_learning;
        for (tally, destination) in [(country, text.country), (prefix, text.prefix)] {
            let open = is_open(tally, (text.site, destination), recorded_only, alerts, now);
            open.map_err(|Exhausted { retry_at }| TextRefused::Closed { retry_at })?;
        }
        Ok(())
    }

    /// Counts a text that was admitted and is sent.
    pub fn count(
        &self,
        text: &Text<'_>,
        tallies: &mut Tallies,
        alerts: &mut Vec<Alert>,
        now: Timestamp,
    ) {
        let Tallies { server, site, country, prefix } = tallies;
        site.since.get_or_insert(now);
        for (tally, cap, name) in
            [(&mut *server, self.server.cap, None), (&mut *site, self.site.cap, Some(text.site))]
        {
            tally.texts.add(now);
            let Price(price) = text.price;
            if price > 0 {
                tally.spent.add(DAY, price, now);
            }
            let spent = tally.spent.sum(DAY, now);
            let cap = cap.map_or(u64::MAX, |Price(cap)| cap.into());
            if spent > cap / 5 * 4 && tally.tells(Line::SpendingNear, DAY, now) {
                alerts.push(Alert::SpendingNear { site: name.map(str::to_owned), spent, cap });
            }
        }
        for tally in [country, prefix] {
            tally.texts.add(now);
            if text.begins {
                tally.unverified.add(now);
            }
        }
    }
}

fn below_ceiling(
    tally: &mut CopyOnWrite<Tally>,
    ceiling: Ceiling,
    (site, destination): (Option<&str>, Option<&str>),
    alerts: &mut Vec<Alert>,
    now: Timestamp,
) -> Result<(), Exhausted> {
    let hour = (Quota { limit: ceiling.hour, per: HOUR }, Line::HourlyTexts, 1);
    let day = (Quota { limit: ceiling.day, per: DAY }, Line::DailyTexts, 24);
    for (quota, line, hours) in [hour, day] {
        let HourAndDay { hour, day } = &tally.texts;
        let texts = if hours == 1 { hour } else { day };
        if let Err(exhausted) = texts.would_take(quota, now) {
            if tally_tells(tally, line, quota.per, now) {
                let [site, destination] = [site, destination].map(|name| name.map(str::to_owned));
                alerts.push(Alert::CeilingReached { site, destination, texts: quota.limit, hours });
            }
            return Err(exhausted);
        }
    }
    Ok(())
}

fn below_cap(
    tally: &mut CopyOnWrite<Tally>,
    cap: Option<Price>,
    Price(price): Price,
    site: Option<&str>,
    alerts: &mut Vec<Alert>,
    now: Timestamp,
) -> Result<(), Exhausted> {
    let Some(Price(cap)) = cap.filter(|_| price > 0) else { return Ok(()) };
    // A text fits as long as less than this is spent.
    let quota = Quota { limit: cap.saturating_add(1).saturating_sub(price), per: DAY };
    let Err(exhausted) = tally.spent.would_take(quota, now) else { return Ok(()) };
    if tally_tells(tally, Line::SpendingReached, DAY, now) {
        let (site, spent) = (site.map(str::to_owned), tally.spent.sum(DAY, now));
        alerts.push(Alert::SpendingReached { site, spent, cap: cap.into() });
    }
    Err(exhausted)
}

/// Whether a verification may begin at a destination, by the number of those that are not approved.
fn is_open(
    tally: &mut CopyOnWrite<Tally>,
    (site, destination): (&str, &str),
    recorded_only: bool,
    alerts: &mut Vec<Alert>,
    now: Timestamp,
) -> Result<(), Exhausted> {
    let (site, destination) = (site.to_owned(), destination.to_owned());
    let HourAndDay { hour, day } = &tally.unverified;
    let in_a_day = tolerated(tally, now);
    let in_an_hour = (in_a_day / 4).max(TOLERATED_IN_AN_HOUR);
    let windows = [(hour, in_an_hour, HOUR), (day, in_a_day, DAY)];
    let over = windows.into_iter().find_map(|(unverified, tolerated, per)| {
        let quota = Quota { limit: u32::try_from(tolerated).unwrap_or(u32::MAX), per };
        let exhausted = unverified.would_take(quota, now).err()?;
        Some((unverified.sum(per, now), tolerated, exhausted))
    });
    let Some((unverified, tolerated, exhausted)) = over else {
        // Not told at the line itself, where each approval opens it for one more.
        let is_below = |(unverified, tolerated, per): (&SlidingWindow, u64, _)| {
            unverified.sum(per, now) < tolerated / 5 * 4
        };
        if tally.closed.is_some() && windows.into_iter().all(is_below) {
            tally.closed = None;
            alerts.push(Alert::DestinationOpened { site, destination });
        }
        return Ok(());
    };
    let closed = Some(if recorded_only { Closed::Recorded } else { Closed::Refused });
    if tally.closed != closed {
        tally.closed = closed;
        alerts.push(Alert::DestinationClosed {
            site,
            destination,
            unverified,
            tolerated,
            recorded_only,
        });
    }
    if recorded_only { Ok(()) } else { Err(exhausted) }
}

/// Number of verifications without approval that are tolerated at a destination in a day: three tenths of
/// those that are approved on its best day of the last two weeks, or in the last 24 hours.
fn tolerated(tally: &Tally, now: Timestamp) -> u64 {
    let verified = tally.verified.highest(now).max(tally.verified.last_day(now));
    (verified * 3 / 10).max(TOLERATED_IN_A_DAY)
}

/// [`Tally::tells`], which does not copy a tally that has been told.
fn tally_tells(tally: &mut CopyOnWrite<Tally>, line: Line, span: Duration, now: Timestamp) -> bool {
    !tally.is_told(line, span, now) && tally.tells(line, span, now)
}

#[cfg(test)]
mod tests;
