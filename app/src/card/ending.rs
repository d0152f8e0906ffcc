//! How it ended, and the way on.

#[cfg(feature = "ssr")]
use leptos::either::Either;
use leptos::prelude::*;

use crate::{
    card::{Card, Ending, live::Live, surroundings},
    texts::CardTexts,
};

/// The tick of a good ending and the exclamation mark of a bad one; style shows the one that fits.
pub(crate) fn mark() -> impl IntoView {
    view! {
        <svg viewBox="0 0 48 48" aria-hidden="true">
            <circle cx="24" cy="24" r="22" />
            <path d="M13 25l8 8 15-17" />
            <path d="M24 13v14M24 34v.5" />
        </svg>
    }
}

/// The ending of a verification that was over when the page was asked for, with the way back to who
/// asked for it, or else to a fresh start.
#[cfg(feature = "ssr")]
pub(crate) fn ending<V: IntoView>(
    card: &Card,
    texts: &CardTexts,
    way_back: Option<V>,
) -> impl IntoView + use<V> {
    let Words { kind, heading, before, recipient, after } = Words::of(card, texts);
    let way_on = match way_back {
        Some(way_back) => Either::Left(way_back),
        None => Either::Right((kind == "bad").then(|| {
            view! {
                <a class="button" href=surroundings::start() data-restart="">
                    {texts.start_again.clone()}
                </a>
            }
        })),
    };
    view! {
        <div class="ending" data-kind=kind>
            {mark()}
            <h1>{heading}</h1>
            <p>{before} <bdi dir="ltr">{recipient}</bdi> {after}</p>
            {way_on}
        </div>
    }
}

/// The ending that a card in the browser will come to; empty until then.
pub(super) fn live_ending(live: Live) -> impl IntoView {
    let say = move |pick: fn(Words) -> String| {
        Signal::derive(move || {
            live.card.with(|card| live.texts.with_value(|texts| pick(Words::of(card, texts))))
        })
    };
    view! {
        <div class="ending" data-kind=say(|words| words.kind.to_owned())>
            {mark()}
            <h1 id="ending" tabindex="-1">
                {say(|words| words.heading)}
            </h1>
            <p>
                {say(|words| words.before)} <bdi dir="ltr">{say(|words| words.recipient)}</bdi>
                {say(|words| words.after)}
            </p>
            <a class="button" href=surroundings::start()>
                {live.text(|texts| &texts.start_again)}
            </a>
        </div>
    }
}

/// What an ending says.
#[derive(Default)]
struct Words {
    kind: &'static str,
    heading: String,
    before: String,
    recipient: String,
    after: String,
}

impl Words {
    fn of(card: &Card, texts: &CardTexts) -> Self {
        let (heading, body) = match card.ending() {
            None => return Self::default(),
            Some(Ending::Approved) => {
                let recipient = card.view.as_ref().map(|view| view.recipient.clone());
                return Self {
                    kind: "good",
                    heading: texts.approved.clone(),
                    before: texts.approved_body.before.clone(),
                    recipient: recipient.unwrap_or_default(),
                    after: texts.approved_body.after.clone(),
                };
            }
            Some(Ending::AlreadyUsed) => (&texts.already_used, &texts.already_used_body),
            Some(Ending::Expired) => (&texts.expired, &texts.expired_body),
            Some(Ending::TooManyAttempts) => {
                (&texts.too_many_attempts, &texts.too_many_attempts_body)
            }
            Some(Ending::Canceled) => (&texts.canceled, &texts.canceled_body),
            Some(Ending::Failed) => (&texts.failed, &texts.failed_body),
        };
        Self { kind: "bad", heading: heading.clone(), before: body.clone(), ..Self::default() }
    }
}
