use super::*;

const START: Timestamp = Timestamp::from_millis(1_700_006_400_000);
const TEXT: Text<'static> = Text {
    site: "shop",
    country: "GB",
    prefix: "+44770",
    price: Price(400),
    begins: true,
    is_known: false,
};

/// A site and a server, with what was counted and told.
struct World {
    site: SiteTexts,
    server: ServerTexts,
    tallies: Tallies,
    alerts: Vec<Alert>,
}

impl World {
    fn new() -> Self {
        let site = SiteTexts { guard: Guard::Enforce, ..SiteTexts::UNLIMITED };
        Self {
            site,
            server: ServerTexts::unlimited(),
            tallies: Tallies::default(),
            alerts: Vec::new(),
        }
    }

    fn send(&mut self, text: Text<'_>, now: Timestamp) -> Result<(), TextRefused> {
        let limits = TextLimits { site: &self.site, server: &self.server };
        limits.admit(&text, &mut self.tallies, &mut self.alerts, now)?;
        limits.count(&text, &mut self.tallies, &mut self.alerts, now);
        Ok(())
    }

    /// Number of texts out of `asked` that are sent.
    fn sent(&mut self, asked: u32, now: Timestamp) -> usize {
        (0..asked).filter(|_| self.send(TEXT, now).is_ok()).count()
    }

    /// Approves a verification that began at that time.
    fn approve(&mut self, began: Timestamp) {
        self.tallies.count_approval(true, began);
        self.tallies.take_back(began);
    }

    fn told(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.alerts)
    }
}

#[test]
fn s33_each_ceiling_holds_and_the_operator_is_told_once() {
    let name = || Some("shop".to_owned());
    let place = |place: &str| Some(place.to_owned());
    for (hours, wait) in [(1, HOUR), (24, DAY)] {
        let low = if hours == 1 {
            Ceiling { hour: 7, day: 1000 }
        } else {
            Ceiling { hour: 1000, day: 7 }
        };
        let mut worlds = [World::new(), World::new(), World::new(), World::new()];
        worlds[0].server.all = low;
        worlds[1].site.all = low;
        worlds[2].site.country = low;
        worlds[3].site.prefix = low;
        let named =
            [(None, None), (name(), None), (name(), place("GB")), (name(), place("+44770"))];
        for (mut world, (site, destination)) in worlds.into_iter().zip(named) {
            let ends = START + wait + wait / 20;
            assert_eq!(world.sent(20, START), 7);
            let reached = Alert::CeilingReached { site, destination, texts: 7, hours };
            assert_eq!(world.told(), [reached]);
            let Err(TextRefused::Ceiling { retry_at }) = world.send(TEXT, START) else {
                panic!("a ceiling refuses");
            };
            assert!(retry_at > START && retry_at <= ends);
            assert_eq!(world.sent(1, ends), 1);
        }
    }
}

#[test]
fn s33_a_day_costs_at_most_the_cap_and_four_fifths_of_it_warn() {
    for is_site in [true, false] {
        let (mut world, cap) = (World::new(), Some(Price(4100)));
        world.site.guard = Guard::Off;
        *if is_site { &mut world.site.cap } else { &mut world.server.cap } = cap;
        let site = is_site.then(|| "shop".to_owned());
        assert_eq!(world.sent(8, START), 8);
        assert_eq!(world.told(), []);
        let near = Alert::SpendingNear { site: site.clone(), spent: 3600, cap: 4100 };
        assert_eq!(world.sent(2, START), 2);
        assert_eq!(world.told(), [near]);
        assert_eq!(world.sent(5, START), 0);
        let reached = Alert::SpendingReached { site, spent: 4000, cap: 4100 };
        assert_eq!(world.told(), [reached]);
        let cheap = Text { price: Price(100), ..TEXT };
        assert_eq!(world.send(cheap, START), Ok(()));
        let Err(TextRefused::Ceiling { retry_at }) = world.send(TEXT, START) else {
            panic!("the cap refuses");
        };
        assert_eq!(world.send(TEXT, retry_at), Ok(()));
    }
    let mut world = World::new();
    world.site.cap = Some(Price(0));
    assert_eq!(world.sent(5, START), 0);
    assert_eq!(world.send(Text { price: Price(0), ..TEXT }, START), Ok(()));
}

#[test]
fn s33_a_text_fits_the_cap_as_soon_as_it_leaves_room_and_four_fifths_exactly_do_not_warn() {
    let mut world = World::new();
    world.site.guard = Guard::Off;
    world.site.cap = Some(Price(800));
    assert_eq!((world.sent(1, START), world.sent(2, START + HOUR * 2)), (1, 1));
    let Err(TextRefused::Ceiling { retry_at }) = world.send(TEXT, START + HOUR * 2) else {
        panic!("the cap refuses");
    };
    assert!(retry_at <= START + DAY + DAY / 20, "the first text of the day makes room");
    assert_eq!(world.send(TEXT, retry_at), Ok(()));

    let mut world = World::new();
    world.site.guard = Guard::Off;
    world.site.cap = Some(Price(5000));
    assert_eq!((world.sent(10, START), world.told()), (10, vec![]));
    assert_eq!((world.sent(1, START), world.told().len()), (1, 1));
    // The highest price there is.
    world.site.cap = Some(Price(u32::MAX));
    assert_eq!(world.sent(1, START), 1);
    let free = Text { price: Price(0), ..TEXT };
    world.tallies = Tallies::default();
    assert_eq!(world.send(free, START), Ok(()));
    assert!(world.tallies.site.spent.is_empty(), "nothing is kept of what costs nothing");
    // It is sent also if more is spent than the cap, which has been lowered.
    assert_eq!(world.sent(2, START), 2);
    world.site.cap = Some(Price(100));
    assert_eq!((world.sent(1, START), world.send(free, START)), (0, Ok(())));
}

#[test]
fn a_country_without_a_price_of_its_own_has_that_of_all_others() {
    let by_country = [("GB".to_owned(), Price(400))].into();
    let prices = Prices { by_country, elsewhere: Price(900) };
    assert_eq!(["GB", "FR"].map(|country| prices.of(country)), [Price(400), Price(900)]);
}

#[test]
fn s33_a_destination_closes_and_opens_by_the_verifications_that_are_not_approved() {
    let mut world = World::new();
    assert_eq!(world.sent(20, START), 10);
    let closed = |destination: &str, unverified| Alert::DestinationClosed {
        site: "shop".into(),
        destination: destination.into(),
        unverified,
        tolerated: unverified,
        recorded_only: false,
    };
    assert_eq!(world.told(), [closed("GB", 10)], "the country closes first, of one prefix");
    let resend = Text { begins: false, ..TEXT };
    assert_eq!(world.send(resend, START), Ok(()), "those that have begun go on");
    // An approval makes room.
    world.approve(START);
    assert_eq!(world.send(TEXT, START), Ok(()));
    assert!(world.send(TEXT, START).is_err());
    assert_eq!(world.told(), [], "not told at every approval");
    assert_eq!(world.send(Text { is_known: true, ..TEXT }, START), Ok(()), "known people go on");
    // Eleven that are not approved become eight and, with one more text, nine.
    (0..3).for_each(|_| world.approve(START));
    assert_eq!((world.send(TEXT, START), world.told()), (Ok(()), vec![]), "four fifths exactly");
    (0..2).for_each(|_| world.approve(START));
    assert_eq!(world.send(TEXT, START), Ok(()));
    let opened = Alert::DestinationOpened { site: "shop".into(), destination: "GB".into() };
    assert_eq!(world.told(), [opened]);
    // Thirty in a day.
    for hour in 1..20 {
        world.sent(20, START + HOUR * hour + HOUR / 10 * hour);
    }
    let Tallies { prefix, .. } = &world.tallies;
    assert_eq!(prefix.unverified.day.sum(DAY, START + HOUR * 22), 30);
}

#[test]
fn s33_another_prefix_and_another_country_are_counted_by_themselves() {
    let mut world = World::new();
    assert_eq!(world.sent(20, START), 10);
    // The other tallies are those of other names.
    world.tallies.prefix = CopyOnWrite::default();
    assert!(world.send(TEXT, START).is_err());
    world.tallies.country = CopyOnWrite::default();
    assert_eq!(world.sent(20, START), 10);
}

#[test]
fn s33_what_is_tolerated_grows_with_what_is_approved() {
    let mut world = World::new();
    for _ in 0..1000 {
        world.approve(START);
    }
    let now = START + HOUR;
    assert_eq!(world.sent(1000, now), 75, "in an hour a quarter of 300");
    // Two weeks later the best day still counts, and after it no more.
    assert_eq!(world.sent(1000, START + DAY * 14), 75);
    assert_eq!(world.sent(1000, START + DAY * 16), 10);
}

#[test]
fn s33_a_new_site_and_one_that_only_records_refuse_nobody_and_tell() {
    let mut world = World::new();
    world.site.learning = DAY * 7;
    assert_eq!(world.sent(50, START), 50);
    let recorded =
        |alert: &Alert| matches!(alert, Alert::DestinationClosed { recorded_only: true, .. });
    let told = world.told();
    assert!(told.len() == 2 && told.iter().all(recorded), "{told:?}");
    assert_eq!(world.sent(50, START + DAY * 6), 50);
    assert_eq!(world.sent(50, START + DAY * 7), 0);
    let refused =
        |alert: &Alert| matches!(alert, Alert::DestinationClosed { recorded_only: false, .. });
    assert!(world.told().iter().any(refused), "told again when it begins to refuse");

    let mut world = World::new();
    world.site.guard = Guard::RecordOnly;
    assert_eq!(world.sent(50, START), 50);
    let told = world.told();
    assert!(told.len() == 2 && told.iter().all(recorded), "{told:?}");
    world.site.guard = Guard::Off;
    world.tallies = Tallies::default();
    assert_eq!((world.sent(50, START), world.told()), (50, vec![]));
}

#[test]
fn a_refused_text_is_counted_nowhere() {
    let mut world = World::new();
    world.sent(10, START);
    world.sent(1, START);
    let before = world.tallies.clone();
    assert_eq!(world.sent(5, START), 0);
    assert_eq!(world.tallies, before);
}

#[test]
fn a_price_is_that_of_the_country_or_of_all_others() {
    let by_country = HashMap::from([("GB".to_owned(), Price(400))]);
    let prices = Prices { by_country, elsewhere: Price(900) };
    assert_eq!((prices.of("GB"), prices.of("DE")), (Price(400), Price(900)));
}
