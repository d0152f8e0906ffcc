//! The channel of the first message, and the channels that are offered after it.

use otp::{
    Destinations, RecipientProblem,
    destinations::Countries,
    recipient::{Country, LineType},
};

use super::*;

const MOBILE: &str = "+447400123456";
const LANDLINE: &str = "+442079460001";
const FRENCH: &str = "+33612345678";
const TESTER: &str = "+447400999999";

fn country(code: &str) -> Country {
    Country::parse(code).unwrap()
}

/// Texts, WhatsApp messages and calls, of which no call goes to France.
fn rules(site: &Site) -> Rules {
    let calls = Some(vec![country("GB"), country("IE")]);
    Rules {
        sites: Arc::new(Sites::new(site.clone(), [])),
        carried: [(Channel::Email, None), (Channel::Sms, None), (Channel::Voice, calls)]
            .into_iter()
            .collect(),
        default_country: "GB".to_owned(),
        limits: limits(),
        texts: ServerTexts::unlimited(),
        work: None,
        fixed_recipient: None,
        count_test_suites: false,
        lease: Duration::from_secs(60),
    }
}

/// A site for mobile phones in two countries, which calls landlines as well.
fn site(channels: &[Channel]) -> Site {
    let mut site = Site::named("shop", Policy::default(), Brand::default());
    site.channels = channels.to_vec();
    site.destinations = Destinations {
        countries: Countries::Listed(vec![country("GB"), country("FR")]),
        line_types: vec![LineType::Mobile],
        call_line_types: vec![LineType::Mobile, LineType::FixedLine],
        ..Destinations::everywhere()
    };
    site.test_recipients = [(TESTER.to_owned(), Code::parse("424242").unwrap())].into();
    site
}

fn first(site: &Site, to: &str, asked: Option<Channel>) -> Result<Channel, Refused> {
    let recipient = Recipient::parse(to, None, None).unwrap();
    rules(site).first_channel(site, &recipient, asked)
}

#[test]
fn the_first_channel_that_reaches_the_number_carries_the_first_message() {
    use Channel::{Email, Sms, Voice, Whatsapp};
    for (channels, to, asked, expected) in [
        (&[Email, Sms, Voice][..], MOBILE, None, Sms),
        (&[Email, Voice, Sms], MOBILE, None, Voice),
        (&[Email, Voice, Sms], MOBILE, Some(Sms), Sms),
        // Nobody carries WhatsApp messages, no call goes to France, and no text to a landline.
        (&[Whatsapp, Sms], MOBILE, None, Sms),
        (&[Voice, Sms], FRENCH, None, Sms),
        (&[Sms, Voice], LANDLINE, None, Voice),
        (&[Sms, Email], "jo@example.com", None, Email),
    ] {
        assert_eq!(first(&site(channels), to, asked).unwrap(), expected, "{to} by {channels:?}");
    }
}

#[test]
fn s33_a_channel_that_does_not_reach_the_number_is_refused() {
    use Channel::{Email, Sms, Voice, Whatsapp};
    let refused = |channels: &[Channel], to, asked| first(&site(channels), to, asked).unwrap_err();
    for (channels, to, asked) in [
        (&[Email, Sms][..], MOBILE, Some(Voice)),
        (&[Email, Sms, Whatsapp], MOBILE, Some(Whatsapp)),
        (&[Sms, Voice], FRENCH, Some(Voice)),
        (&[Email], MOBILE, None),
        (&[Sms], "jo@example.com", None),
        (&[Email, Sms], "jo@example.com", Some(Sms)),
        (&[Email, Sms], MOBILE, Some(Email)),
    ] {
        let refused = refused(channels, to, asked);
        assert!(matches!(refused, Refused::ChannelUnavailable), "{to} {channels:?}: {refused:?}");
    }
    let line = refused(&[Sms, Voice], LANDLINE, Some(Sms));
    assert!(matches!(line, Refused::Recipient(RecipientProblem::NotMobile)), "{line:?}");
    let country = refused(&[Sms, Voice], "+353850123456", None);
    assert!(matches!(country, Refused::DestinationNotServed), "{country:?}");
}

#[test]
fn the_channels_that_reach_a_number_are_offered_in_the_order_of_the_site() {
    use Channel::{Email, Sms, Voice, Whatsapp};
    let offered = |channels: &[Channel], to: &str| {
        let (site, to) = (site(channels), Recipient::parse(to, None, None).unwrap());
        let is_test = site.test_code(&to).is_some();
        rules(&site).channels_to(&site, &to, is_test)
    };
    let all = [Voice, Email, Whatsapp, Sms];
    assert_eq!(offered(&all, MOBILE), [Voice, Sms]);
    assert_eq!(offered(&all, FRENCH), [Sms]);
    assert_eq!(offered(&all, LANDLINE), [Voice]);
    assert_eq!(offered(&all, "jo@example.com"), [Email]);
    // Nothing is sent to test recipients, so no provider is needed.
    assert_eq!(offered(&all, TESTER), [Voice, Whatsapp, Sms]);
    assert_eq!(offered(&[Email], TESTER), [Sms]);
}
