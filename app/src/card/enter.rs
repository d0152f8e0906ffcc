//! The step at which the code is typed.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    card::{Card, live::Live, surroundings},
    texts::CardTexts,
    wire::{Channel, DeliveryState, VerificationView},
};

/// The field, its two buttons, and quietly around them where the code went and how long it lives.
///
/// The forms are empty or small and the buttons name theirs by `form`, so that SUBMIT and RESEND
/// stand side by side although they post to different addresses.
pub(super) fn enter(live: Live) -> impl IntoView {
    if cfg!(not(feature = "ssr")) {
        // After hydration, which is under way.
        set_timeout(move || live.wake(), Duration::ZERO);
    }
    live.card.with_untracked(|card| card.view.clone()).map(|view| {
        view! {
            <h1 id="title">{live.text(|t| &t.title)}</h1>
            {destination(live, view.recipient.clone())}
            {guess(live, &view)}
            {buttons(live, &view)}
            {foot(live)}
            <p class="unseen" role="status">
                {live.said}
            </p>
        }
    })
}

/// Who gets the code, how far it has come, and the way to somebody else.
fn destination(live: Live, recipient: String) -> impl IntoView {
    let state = Signal::derive(move || live.card.with(delivery_word));
    view! {
        <div class="to">
            <p
                role="status"
                data-state=state
                data-number=say(live, |card, _, _| card.messages().to_string())
            >
                {say(live, |card, texts, _| card.delivery(texts).before.clone())}
                <bdi dir="ltr">{recipient}</bdi>
                {say(live, |card, texts, _| card.delivery(texts).after.clone())}
            </p>
            <button
                class="link"
                form="cancel"
                type="submit"
                aria-label=live.text(|t| &t.change_label)
                hidden=surroundings::is_given()
            >
                {live.text(|t| &t.change)}
            </button>
        </div>
    }
}

/// The field: one input that style divides into boxes.
fn guess(live: Live, view: &VerificationView) -> impl IntoView + use<> {
    let length = view.code_length;
    let boxes = "<i></i>".repeat(length.into());
    let complaint = Signal::derive(move || {
        live.card.with(|card| {
            live.texts.with_value(|texts| {
                live.malformed.with_value(|malformed| card.complaint(texts, malformed))
            })
        })
    });
    view! {
        <form
            id="check"
            method="post"
            action=surroundings::path(&view.id, "check")
            novalidate
            on:submit=move |event| live.submitted(&event)
        >
            <label for="code">{live.label.get_value()}</label>
            <div class="code" data-length=length.to_string()>
                <input
                    id="code"
                    name="code"
                    type="text"
                    inputmode="numeric"
                    autocomplete="one-time-code"
                    autocapitalize="off"
                    spellcheck="false"
                    enterkeyhint="done"
                    dir="ltr"
                    translate="no"
                    autofocus=surroundings::may_autofocus()
                    required
                    aria-describedby="hint error"
                    aria-invalid=flag(live, |card, _, _| card.is_field_invalid())
                    readonly=live.busy
                    on:input=move |event| live.edited(&event)
                />
                <span aria-hidden="true" inner_html=boxes></span>
            </div>
            <div class="under" data-wrong=flag(live, |card, _, _| card.flash.is_some())>
                <p id="hint" data-awake=Signal::derive(move || word(live.awake.get()))>
                    {live.text(|t| &t.hint)}
                </p>
                <p id="error" role="alert">
                    {complaint}
                </p>
            </div>
        </form>
    }
}

fn buttons(live: Live, view: &VerificationView) -> impl IntoView + use<> {
    let submit = Signal::derive(move || {
        live.text(|texts| if live.busy.get() { &texts.checking } else { &texts.submit })
    });
    // Without script the button always works: by the time it is pressed the wait may be over.
    let refuses = Signal::derive(move || {
        let may = live.card.with(|card| card.may_resend(live.now.get()));
        word(live.busy.get() || (live.awake.get() && !may))
    });
    view! {
        <form
            id="resend"
            method="post"
            action=surroundings::path(&view.id, "resend")
            on:submit=move |event| live.resend(&event)
        ></form>
        <form id="cancel" method="post" action=surroundings::path(&view.id, "cancel")></form>
        <div class="buttons">
            <button
                class="button"
                type="submit"
                form="check"
                aria-disabled=flag(live, |_, _, busy| busy)
            >
                {submit}
            </button>
            <button
                class="button quiet"
                type="submit"
                form="resend"
                aria-describedby="wait"
                data-waiting=flag(live, |card, now, _| !card.may_resend(now))
                aria-disabled=refuses
            >
                {live.text(|t| &t.resend)}
            </button>
        </div>
    }
}

/// How long the code lives, when another one is possible, and by which other way.
fn foot(live: Live) -> impl IntoView {
    let other = move || live.card.with(Card::other_channel);
    let words = Signal::derive(move || {
        live.text(|texts| match other() {
            Some(Channel::Sms) => &texts.resend_by_sms,
            Some(Channel::Email) | None => &texts.resend_by_email,
        })
    });
    view! {
        <div class="foot">
            <p id="life">{say(live, Card::time_left)}</p>
            <p id="wait">{say(live, Card::resend_wait)}</p>
            <button
                class="link"
                type="submit"
                form="resend"
                name="channel"
                value=Signal::derive(move || other().map_or("", Channel::as_str))
                hidden=Signal::derive(move || other().is_none())
            >
                {words}
            </button>
        </div>
    }
}

// Everything that changes is one of two kinds of signal, so that the code which updates the page
// is compiled once and not once for every place.

fn say(live: Live, pick: fn(&Card, &CardTexts, u64) -> String) -> Signal<String> {
    Signal::derive(move || {
        let now = live.now.get();
        live.card.with(|card| live.texts.with_value(|texts| pick(card, texts, now)))
    })
}

fn flag(live: Live, test: fn(&Card, u64, bool) -> bool) -> Signal<&'static str> {
    Signal::derive(move || {
        let (now, busy) = (live.now.get(), live.busy.get());
        word(live.card.with(|card| test(card, now, busy)))
    })
}

fn word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

fn delivery_word(card: &Card) -> &'static str {
    match card.view.as_ref().map(|view| view.delivery.state) {
        Some(DeliveryState::Sent) => "sent",
        Some(DeliveryState::Delivered) => "delivered",
        Some(DeliveryState::Undelivered) => "undelivered",
        Some(DeliveryState::Accepted) | None => "accepted",
    }
}
