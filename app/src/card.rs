//! The verification card: the one island.
//!
//! On the server it renders as plain forms that work on their own. Once the WebAssembly has
//! arrived the same markup is hydrated: checks and resends go by server functions, the countdown
//! ticks and delivery is followed live.

#![expect(unreachable_pub, reason = "the island macro exports what it generates")]

mod enter;
mod live;
mod state;
mod web_otp;

use leptos::{either::Either, prelude::*};

pub(crate) use state::{Card, Ending};

use crate::{card::live::Live, texts::CardTexts};

/// What does not change while the card is shown.
#[derive(Clone, Copy)]
struct Fixed {
    texts: StoredValue<CardTexts>,
    /// The complaint about a guess that is no code.
    malformed: StoredValue<String>,
}

impl Fixed {
    fn text(self, pick: impl FnOnce(&CardTexts) -> &String) -> String {
        self.texts.with_value(|texts| pick(texts).clone())
    }
}

/// The card of one verification, from typing the code to how it ended.
#[island]
pub(crate) fn VerificationCard(
    /// The verification as the server knows it.
    card: Card,
    /// Everything that the card may have to say.
    texts: CardTexts,
    /// The field's label, which names the number of digits.
    label: String,
    /// The complaint about a guess that is no code.
    malformed: String,
) -> impl IntoView {
    let fixed = Fixed { texts: StoredValue::new(texts), malformed: StoredValue::new(malformed) };
    let live = Live::new(card, fixed);
    let ending = Memo::new(move |_| live.card.with(Card::ending));
    move || match ending.get() {
        None => Either::Left(enter::enter(live, label.clone())),
        Some(ending) => Either::Right(ended(live.card, fixed, ending)),
    }
}

/// How it ended, and the way on.
fn ended(card: RwSignal<Card>, fixed: Fixed, ending: Ending) -> impl IntoView {
    let (heading, body) = fixed.texts.with_value(|texts| {
        let (heading, body) = ending.words(texts);
        (heading.to_owned(), body)
    });
    let recipient = card.with_untracked(|card| {
        card.view.as_ref().filter(|_| ending.is_good()).map(|view| view.recipient.clone())
    });
    let (kind, mark) =
        if ending.is_good() { ("good", "M13 25l8 8 15-17") } else { ("bad", "M24 13v14M24 34v.5") };
    view! {
        <div class="ending" data-kind=kind>
            <svg viewBox="0 0 48 48" aria-hidden="true">
                <circle cx="24" cy="24" r="22" />
                <path d=mark />
            </svg>
            <h1 id="title" tabindex="-1">{heading}</h1>
            <p>
                {body.before} {recipient.map(|recipient| view! { <bdi dir="ltr">{recipient}</bdi> })}
                {body.after}
            </p>
            {(!ending.is_good())
                .then(|| view! { <a class="button" href="/">{fixed.text(|t| &t.start_again)}</a> })}
        </div>
    }
}
