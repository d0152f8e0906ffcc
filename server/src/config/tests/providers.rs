//! Providers of messages.

use super::*;

#[test]
fn half_a_twilio_account_is_refused_by_what_is_missing() {
    let problems = problems(&[("TWILIO_SID", "SK1")]);

    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems[0].contains("begins with AC"), "{problems:#?}");
    assert!(problems[1].contains("TWILIO_AUTH_TOKEN"), "{problems:#?}");
    assert!(problems[2].contains("SENDER_NUMBER"), "{problems:#?}");
}

#[test]
fn senders_are_numbers_services_or_names() {
    let load = |sender| {
        load(&[("TWILIO_SID", "AC1"), ("TWILIO_AUTH_TOKEN", "t"), ("SENDER_NUMBER", sender)])
            .map(|config| twilio(&config).sender.unwrap().as_str().to_owned())
    };

    for good in ["+442079460001", "MG00000000000000000000000000000001", "My Shop", "12345"] {
        assert_eq!(load(good).unwrap(), good);
    }
    for number in ["15551234567", "442079460001", "07400 123", "1234"] {
        let refused = load(number).unwrap_err().to_string();
        assert!(refused.contains("must begin with +"), "{number}: {refused}");
    }
    for bad in ["+12", "+44207946000100000", "+44 (0)20 7946 0001", "a much too long name", "sh@p"]
    {
        assert!(load(bad).is_err(), "{bad}");
    }
}

const ACCOUNT: [(&str, &str); 2] = [("TWILIO_SID", "AC1"), ("TWILIO_AUTH_TOKEN", "t")];
const CONTENT: &str = "HX0123456789abcdef0123456789ABCDEF";

/// A Twilio account with these further variables of `[twilio]`.
fn account<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&ACCOUNT[..], more].concat()
}

#[test]
fn an_account_carries_the_channels_that_it_has_a_sender_for() {
    let voice = ("LATCHKEY_TWILIO__VOICE_SENDER", "+44 20 7946 0003");
    let whatsapp = [
        ("LATCHKEY_TWILIO__WHATSAPP_SENDER", "+442079460002"),
        ("LATCHKEY_TWILIO__WHATSAPP_CONTENT", CONTENT),
    ];
    let text = ("SENDER_NUMBER", "+442079460001");
    let carried = |config: &Config| -> Vec<Channel> {
        let by_twilio = Channel::ALL.iter().filter(|c| config.delivery.of(**c) == ["twilio"]);
        by_twilio.copied().collect()
    };
    let all = load(&account(&[text, voice, whatsapp[0], whatsapp[1]])).unwrap();
    assert_eq!(carried(&all), Channel::OF_PHONES);
    let settings = twilio(&all);
    assert_eq!(settings.voice.unwrap().sender, "+442079460003");
    assert_eq!(settings.whatsapp.unwrap().content, CONTENT);
    // Sites use them only if they are listed.
    assert_eq!(all.delivery.channels, [Channel::Email, Channel::Sms]);

    assert_eq!(carried(&load(&account(&[text])).unwrap()), [Channel::Sms]);
    assert_eq!(carried(&load(&account(&[voice])).unwrap()), [Channel::Voice]);
    assert_eq!(carried(&load(&account(&whatsapp)).unwrap()), [Channel::Whatsapp]);
}

#[test]
fn senders_of_calls_and_whatsapp_that_cannot_be_used_are_refused() {
    for (name, value, message) in [
        ("VOICE_SENDER", "Shop", "twilio.voice_sender: must be a number with its country code"),
        ("VOICE_SENDER", "MG00000000000000000000000000000001", "must be a number with its"),
        ("WHATSAPP_SENDER", "12345", "twilio.whatsapp_sender: must be a number with its country"),
        ("WHATSAPP_SENDER", "+442079460002", "twilio.whatsapp_content: is missing"),
        ("WHATSAPP_CONTENT", CONTENT, "twilio.whatsapp_sender: is missing"),
        ("WHATSAPP_CONTENT", "HX1", "twilio.whatsapp_content: must be the SID of a content"),
    ] {
        let name = format!("LATCHKEY_TWILIO__{name}");
        let problems = problems(&account(&[("SENDER_NUMBER", "Shop"), (&name, value)]));
        assert!(problems.iter().any(|problem| problem.contains(message)), "{name}: {problems:#?}");
    }
}

#[test]
fn the_channels_of_sites_are_those_that_are_listed_and_have_a_provider() {
    let listed = |list| load(&[("LATCHKEY_DELIVERY__CHANNELS", list)]);
    let config = listed("voice,email,sms").unwrap();
    let order = [Channel::Voice, Channel::Email, Channel::Sms];
    assert_eq!(config.delivery.channels, order);
    for site in ["demo", "test-approve"] {
        assert_eq!(config.sites.named(site).unwrap().channels, order, "{site}");
    }
    // At those for test suites the usual ones can always be tried.
    let config = listed("voice").unwrap();
    assert_eq!(config.sites.first().channels, [Channel::Voice]);
    assert_eq!(config.sites.named("test-approve").unwrap().channels, order);

    let refused = |list| listed(list).unwrap_err().to_string();
    assert!(refused("sms,fax").contains("item 2 must be one of: email, sms, whatsapp, voice"));
    assert!(refused("sms,sms").contains("item 2 is listed twice"));
    let production = [&PRODUCTION[..], &[("LATCHKEY_DELIVERY__CHANNELS", "email,voice")]].concat();
    let refused = problems(&production);
    assert_eq!(refused.len(), 1, "{refused:#?}");
    assert!(refused[0].contains("item 2 is voice, which has no provider"), "{refused:#?}");
}

#[test]
fn mail_servers_are_read_from_one_line() {
    let smtp = |url: &str| load(&[("SMTP_URL", url)]).map(|config| smtp(&config));

    let full = smtp(
        "smtp://me%40example.com:p%3A%20w%2F@mail.example.com:2525?from=A+B%20%3Ca@b.example%3E",
    );
    let full = full.unwrap();
    assert_eq!((&*full.host, full.port), ("mail.example.com", 2525));
    assert_eq!(full.security, SmtpSecurity::StartTls);
    let (username, password) = full.credentials.unwrap();
    assert_eq!((&*username, password.expose_secret()), ("me@example.com", "p: w/"));
    assert_eq!(full.from, "A B <a@b.example>");

    let tls = smtp("smtps://me%40example.com:x@[2001:db8::1]").unwrap();
    assert_eq!((&*tls.host, tls.port, tls.security), ("2001:db8::1", 465, SmtpSecurity::Tls));
    assert_eq!(tls.from, "me@example.com");

    let plain = smtp("smtp://localhost:1025?tls=none&from=a@b.example").unwrap();
    assert_eq!((plain.security, plain.credentials.is_none()), (SmtpSecurity::Plain, true));
}

#[test]
fn mail_servers_that_would_leak_or_cannot_work_are_refused() {
    // S23: TLS is required outside loopback.
    let refused = [
        ("smtp://mail.example.com?tls=none&from=a@b.example", "readable over the network"),
        ("smtp://mail.example.com?tls=opportunistic&from=a@b.example", "switch TLS off"),
        ("http://mail.example.com", "must look like smtp://"),
        ("smtp://", "must look like smtp://"),
        ("smtp://mail.example.com", "smtp.from: is missing"),
        ("smtp://me@mail.example.com?from=a@b.example", "smtp.password: is missing"),
        ("smtp://mail.example.com?from=nobody", "must be a sender such as"),
        ("smtp://mail.example.com?form=a@b.example", "may only have from=... and tls"),
    ];
    for (url, message) in refused {
        let problems = problems(&[("SMTP_URL", url)]);
        assert!(problems.iter().any(|problem| problem.contains(message)), "{url}: {problems:#?}");
    }
}

#[test]
fn a_setting_in_the_mail_url_and_beside_it_is_refused() {
    let problem = problems(&[
        ("SMTP_URL", "smtp://me:secret@mail.example.com?from=a@b.example"),
        ("LATCHKEY_SMTP__HOST", "other.example.com"),
        ("LATCHKEY_SMTP__FROM", "c@d.example"),
    ]);

    assert_eq!(problem.len(), 2, "{problem:#?}");
    assert!(problem[0].starts_with("smtp.host: is set, but smtp.url contains it already"));
    assert!(problem[1].starts_with("smtp.from"));
}
