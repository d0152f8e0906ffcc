//! Verifications whose codes go by several channels.

use super::*;

#[test]
fn a_recipient_gets_codes_by_the_channels_of_its_kind_alone() {
    let later = START + LIFETIME;
    let phone = opened_for("+447400123456", policy::Draft::default(), "123456");
    for channel in Channel::ALL.iter().copied() {
        let (right, wrong) =
            if channel.is_of_phones() { (&phone, &pending()) } else { (&pending(), &phone) };
        assert_eq!(right.may_resend(channel, later), Ok(()));
        assert_eq!(wrong.may_resend(channel, later), Err(ResendRefused::WrongChannel));
    }
}

#[test]
fn s25_providers_of_another_channel_are_not_avoided() {
    let mut verification = opened_for("+447400123456", policy::Draft::default(), "123456");
    verification.record_provider(1, "texts");
    for (channel, seconds, avoided) in [
        (Channel::Voice, 60, &[][..]),
        (Channel::Voice, 120, &["calls"]),
        (Channel::Sms, 200, &["texts"]),
    ] {
        let later = START + Duration::from_secs(seconds);
        verification.resend(channel, &code("654321"), &peppers(), later).unwrap();
        let found: Vec<_> = verification.earlier_providers().collect();
        assert_eq!(found, avoided, "{channel:?}");
        if channel == Channel::Voice {
            verification.record_provider(verification.send_count(), "calls");
        }
    }
}

#[test]
fn s6_an_approval_proves_the_channel_of_the_code_that_was_right() {
    let later = START + Duration::from_secs(60);
    let switched = || {
        let mut verification = opened_for("+447400123456", policy::Draft::default(), "123456");
        verification.resend(Channel::Whatsapp, &code("654321"), &peppers(), later).unwrap();
        verification
    };
    assert_eq!(switched().proven_channel(), Channel::Whatsapp, "as long as none is right");
    for (typed, channel) in [("123456", Channel::Sms), ("654321", Channel::Whatsapp)] {
        let mut verification = switched();
        assert_eq!(check(&mut verification, typed, later), Outcome::Approved);
        assert_eq!(verification.proven_channel(), channel, "{typed}");
        let stored = serde_json::to_value(&verification).unwrap();
        let read: Verification = serde_json::from_value(stored).unwrap();
        assert_eq!(read, verification);
    }
    // As an earlier version stored it.
    let mut verification = switched();
    check(&mut verification, "123456", later);
    let mut stored = serde_json::to_value(&verification).unwrap();
    stored["finished"].as_object_mut().unwrap().remove("channel").unwrap();
    let read: Verification = serde_json::from_value(stored).unwrap();
    assert_eq!(read.proven_channel(), Channel::Whatsapp);
}
