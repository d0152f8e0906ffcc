//! Final state of a verification, with the next step.

#[cfg(feature = "ssr")]
use leptos::either::Either;
use leptos::prelude::*;

use crate::{
    card::{Card, Ending, context, live::Live},
    texts::CardTexts,
};

/// A tick and an exclamation mark; the style sheet shows the tick for success and the other otherwise.
pub(crate) fn mark() -> impl IntoView {
    view! {
        <svg viewBox="0 0 48 48" aria-hidden="true">
            <circle cx="24" cy="24" r="22" />
            <path d="M13 25l8 8 15-17" />
            <path d="M24 13v14M24 34v.5" />
        </svg>
    }
}

/// The ending of a verification that was over when the page was requested, with the form that returns
/// to the relying party, or else a link to the start page unless it was approved; `may_restart` shows the
/// link even then.
#[cfg(feature = "ssr")]
pub(crate) fn ending<V: IntoView>(
    card: &Card,
    texts: &CardTexts,
    return_form: Option<V>,
    may_restart: bool,
) -> impl IntoView + use<V> {
    let Content { kind, heading, before, recipient, after } = Content::of(card, texts);
    let next_step = match return_form {
        Some(return_form) => Either::Left(return_form),
        None => {
            Either::Right(((kind == "bad" || may_restart) && context::has_start()).then(|| {
                view! {
                    <a class="button" href=context::start() data-restart="">
                        {texts.start_again.clone()}
                    </a>
                }
            }))
        }
    };
    view! {
        <div class="ending" data-kind=kind>
            {mark()}
            <h1>{heading}</h1>
            <p>{before} <bdi dir="ltr">{recipient}</bdi> {after}</p>
            {next_step}
        </div>
    }
}

/// The ending of a hydrated card; empty until the verification is over.
pub(super) fn live_ending(live: Live) -> impl IntoView {
    let part = move |pick: fn(Content) -> String| {
        Signal::derive(move || {
            live.card.with(|card| live.texts.with_value(|texts| pick(Content::of(card, texts))))
        })
    };
    view! {
        <div class="ending" data-kind=part(|content| content.kind.to_owned())>
            {mark()}
            <h1 id="ending" tabindex="-1">
                {part(|content| content.heading)}
            </h1>
            <p>
                {part(|content| content.before)} <bdi dir="ltr">{part(|content| content.recipient)}</bdi>
                {part(|content| content.after)}
            </p>
            <a class="button" href=context::start() hidden=!context::has_start()>
                {live.text(|texts| &texts.start_again)}
            </a>
        </div>
    }
}

/// Texts of an ending.
#[derive(Default)]
struct Content {
    kind: &'static str,
    heading: String,
    before: String,
    recipient: String,
    after: String,
}

impl Content {
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
