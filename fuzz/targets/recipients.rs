//! Typed recipients: one canonical form, one mailbox, and never a second recipient or a header.
#![cfg_attr(fuzzing, no_main)]

use otp::{Channel, Recipient};

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| holds(data));

pub(crate) fn holds(data: &[u8]) {
    let Ok(typed) = std::str::from_utf8(data) else { return };
    for channel in [None, Some(Channel::Email), Some(Channel::Sms)] {
        for region in [None, Some("GB"), Some("US")] {
            if let Ok(recipient) = Recipient::parse(typed, region, channel) {
                is_one(&recipient);
                assert!(channel.is_none_or(|channel| recipient.channels().contains(&channel)));
            }
        }
    }
}

fn is_one(recipient: &Recipient) {
    let address = recipient.address();
    assert!(address.is_ascii() && address.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(!address.contains([',', ';', '<', '>', '"', '(', ')', ':', '\\']));
    assert_eq!(address.matches('@').count(), usize::from(recipient.phone().is_none()));

    let canonical = recipient.canonical();
    let again = Recipient::parse(&canonical, None, None).expect("a canonical form is a recipient");
    assert_eq!(again.canonical(), canonical);
    assert_eq!(again.channels(), recipient.channels());
    assert_eq!(again.counted_as(), recipient.counted_as());
    // The mailbox need not be an address; one that is folds to itself.
    if let Ok(mailbox) = Recipient::parse(&recipient.counted_as(), None, None) {
        assert_eq!(mailbox.counted_as(), recipient.counted_as());
    }

    assert!(!recipient.masked().contains(address));
    let stored = serde_json::to_string(recipient).expect("JSON");
    assert_eq!(serde_json::from_str::<Recipient>(&stored).ok().as_ref(), Some(recipient));
    if let Some(phone) = recipient.phone() {
        assert!(phone.prefix().starts_with(&format!("+{}", phone.calling_code())));
        assert!(phone.e164().starts_with(phone.prefix()));
        assert!(!phone.country().to_string().is_empty());
    }
}
