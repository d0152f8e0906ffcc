//! Form for typing the code.

use std::time::Duration;

use leptos::prelude::*;

use crate::{
    card::{Card, context, live::Live},
    texts::CardTexts,
    wire::{Channel, DeliveryState, VerificationView},
};

/// The field with its two buttons, the recipient and the times.
///
/// The buttons name their forms by `form`, so that SUBMIT and RESEND are siblings although they post
/// to different addresses.
pub(super) fn code_entry(live: Live) -> impl IntoView {
    if cfg!(not(feature = "ssr")) {
        // Hydration of the card is still running.
        set_timeout(move || live.start(), Duration::ZERO);
    }
    live.card.with_untracked(|card| card.view.clone()).map(|view| {
        view! {
            <h1 id="title">{live.text(|t| &t.title)}</h1>
            {recipient(live, view.recipient.clone())}
            {field(live, &view)}
            {buttons(live, &view)}
            {footer(live)}
            <p class="unseen" role="status">
                {live.announcement}
            </p>
        }
    })
}

/// The masked recipient with the delivery state, and the button to change the recipient.
fn recipient(live: Live, recipient: String) -> impl IntoView {
    let state = Signal::derive(move || live.card.with(delivery_word));
    view! {
        <div class="to">
            <p
                role="status"
                data-state=state
                data-number=text(live, |card, _, _| card.messages_sent().to_string())
            >
                {text(live, |card, texts, _| card.delivery(texts).before.clone())}
                <bdi dir="ltr">{recipient}</bdi>
                {text(live, |card, texts, _| card.delivery(texts).after.clone())}
            </p>
            <button
                class="link"
                form="cancel"
                type="submit"
                aria-label=live.text(|t| &t.change_label)
                hidden=context::hides_change()
            >
                {live.text(|t| &t.change)}
            </button>
        </div>
    }
}

/// The field: one input, over boxes drawn by the style sheet.
fn field(live: Live, view: &VerificationView) -> impl IntoView + use<> {
    let length = view.code_length;
    let boxes = "<i></i>".repeat(length.into());
    let error = Signal::derive(move || {
        let now = live.now.get();
        live.card.with(|card| {
            live.texts.with_value(|texts| {
                live.malformed.with_value(|malformed| card.error(texts, malformed, now))
            })
        })
    });
    view! {
        <form
            id="check"
            method="post"
            action=context::path(&view.id, "check")
            novalidate
            on:submit=move |event| live.on_submit(&event)
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
                    autofocus=context::may_autofocus()
                    required
                    aria-describedby="hint error"
                    aria-invalid=flag(live, |card, now, _| card.is_field_invalid(now))
                    readonly=live.busy
                    on:input=move |event| live.on_input(&event)
                />
                <span aria-hidden="true" inner_html=boxes></span>
            </div>
            <div class="under" data-wrong=flag(live, |card, now, _| card.shown_flash(now).is_some())>
                <p id="hint" data-awake=Signal::derive(move || word(live.hydrated.get()))>
                    {live.text(|t| &t.hint)}
                </p>
                <p id="error" role="alert">
                    {error}
                </p>
            </div>
        </form>
    }
}

fn buttons(live: Live, view: &VerificationView) -> impl IntoView + use<> {
    let submit = Signal::derive(move || {
        live.text(|texts| match (live.busy.get(), live.is_slow.get()) {
            (false, _) => &texts.submit,
            (true, false) => &texts.checking,
            (true, true) => &texts.still_checking,
        })
    });
    // Without script the button is never disabled: the wait may be over by the time it is pressed.
    let disabled = Signal::derive(move || {
        let may = live.card.with(|card| card.may_resend(live.now.get()));
        word(live.busy.get() || (live.hydrated.get() && !may))
    });
    view! {
        <form
            id="resend"
            method="post"
            action=context::path(&view.id, "resend")
            on:submit=move |event| live.on_resend(&event)
        ></form>
        <form id="cancel" method="post" action=context::path(&view.id, "cancel")></form>
        <div class="buttons" data-expired=flag(live, |card, now, _| card.is_code_expired(now))>
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
                aria-disabled=disabled
            >
                {live.text(|t| &t.resend)}
            </button>
        </div>
    }
}

/// Time until the code expires, wait before a resend, and the button for another channel.
fn footer(live: Live) -> impl IntoView {
    let other = move || live.card.with(Card::other_channel);
    let label = Signal::derive(move || {
        live.text(|texts| texts.resend_by(other().unwrap_or(Channel::Email)))
    });
    view! {
        <div class="foot">
            <p id="life">{text(live, Card::time_left)}</p>
            <p id="wait">{text(live, Card::resend_wait)}</p>
            <button
                class="link"
                type="submit"
                form="resend"
                name="channel"
                value=Signal::derive(move || other().map_or("", Channel::as_str))
                hidden=Signal::derive(move || other().is_none())
            >
                {label}
            </button>
        </div>
    }
}

// All attributes and texts that change are signals of two types, so that the code which updates the
// page is instantiated only twice.

fn text(live: Live, pick: fn(&Card, &CardTexts, u64) -> String) -> Signal<String> {
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
    let state = card.view.as_ref().map(|view| view.delivery.state);
    state.unwrap_or(DeliveryState::Accepted).as_str()
}
