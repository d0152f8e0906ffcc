//! The development inbox.

use std::{sync::Arc, time::Duration};

use app::wire::Channel;
use server::delivery::{Inbox, Provider};

use crate::{CODE, NOW, by, catalogue, message};

#[tokio::test]
async fn the_inbox_shows_messages_newest_first() {
    let inbox = Arc::new(Inbox::new(catalogue()));
    let provider = Provider::Inbox(Arc::clone(&inbox));
    provider.probe().await.unwrap();
    provider.deliver(&message("jane@example.com"), NOW).await.unwrap();
    let later = NOW + Duration::from_secs(60);
    provider.deliver(&message("+447700900142"), later).await.unwrap();

    let [text, mail] = inbox.messages().try_into().unwrap();
    assert_eq!((mail.number, mail.channel), (1, Channel::Email));
    assert_eq!(mail.to, "jane@example.com");
    assert_eq!((mail.subject.as_str(), mail.code.as_str()), ("Your Example code", CODE));
    assert!(mail.text.lines().any(|line| line == CODE));
    assert_eq!((text.number, text.channel), (2, Channel::Sms));
    assert_eq!((text.to.as_str(), text.received_at), ("+447700900142", later.as_millis()));
    assert_eq!(text.subject, "");
    assert!(text.text.ends_with("@login.example.com #042917"));
}

#[tokio::test]
async fn the_inbox_shows_what_a_call_says_and_whatsapp_messages_as_such() {
    let inbox = Arc::new(Inbox::new(catalogue()));
    let provider = Provider::Inbox(Arc::clone(&inbox));
    for channel in [Channel::Voice, Channel::Whatsapp] {
        provider.deliver(&by(channel, message("+447700900142")), NOW).await.unwrap();
    }
    let [whatsapp, call] = inbox.messages().try_into().unwrap();
    assert_eq!((call.channel, &*call.subject), (Channel::Voice, ""));
    assert_eq!(
        call.text,
        "Hello. Here is your Example code. 0, 4, 2, 9, 1, 7. Once more, your code is: \
         0, 4, 2, 9, 1, 7. Tell nobody. Type it only where you asked for it. Goodbye."
    );
    assert_eq!((whatsapp.channel, &*whatsapp.code), (Channel::Whatsapp, CODE));
    assert_eq!(
        whatsapp.text,
        "042917 is your Example code. It is valid for 5 minutes. Tell nobody. Type it only where \
         you asked for it."
    );
}

#[tokio::test]
async fn the_inbox_is_bounded_and_numbers_all_messages() {
    let inbox = Arc::new(Inbox::new(catalogue()));
    let provider = Provider::Inbox(Arc::clone(&inbox));
    for _ in 0..201 {
        provider.deliver(&message("jane@example.com"), NOW).await.unwrap();
    }
    let numbers: Vec<_> = inbox.messages().iter().map(|message| message.number).collect();
    assert_eq!(numbers, (2..=201).rev().collect::<Vec<_>>());
}
