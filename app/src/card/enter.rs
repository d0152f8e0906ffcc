//! The step at which the code is typed.

use leptos::prelude::*;

use crate::{
    card::{Card, Fixed},
    texts::CardTexts,
    wire::{Channel, DeliveryState},
};

/// The field, its two buttons, and quietly around them where the code went and how long it lives.
pub(super) fn enter(card: RwSignal<Card>, fixed: Fixed, label: String) -> impl IntoView {
    let (id, recipient, length, now) = card.with_untracked(|card| {
        card.view.as_ref().map_or_else(Default::default, |view| {
            (view.id.clone(), view.recipient.clone(), view.code_length, view.now)
        })
    });
    let now = RwSignal::new(now);
    let busy = RwSignal::new(false);
    let path = move |verb: &str| ["/v/", &id, "/", verb].concat();

    // Everything that changes is a string signal, so that the code which updates the page is
    // compiled once and not once for every place.
    let say = move |pick: fn(&Card, &CardTexts, u64) -> String| {
        Signal::derive(move || {
            let now = now.get();
            card.with(|card| fixed.texts.with_value(|texts| pick(card, texts, now)))
        })
    };
    let complaint = Signal::derive(move || {
        card.with(|card| {
            fixed.texts.with_value(|texts| {
                fixed.malformed.with_value(|malformed| card.complaint(texts, malformed))
            })
        })
    });
    let flag = |test: bool| if test { "true" } else { "false" };

    view! {
        <h1 id="title">{fixed.text(|t| &t.title)}</h1>
        <div class="to">
            <p role="status" data-state=move || card.with(delivery_word)>
                {say(|card, texts, _| card.delivery(texts).map_or_else(String::new, |t| t.before.clone()))}
                <bdi dir="ltr">{recipient}</bdi>
                {say(|card, texts, _| card.delivery(texts).map_or_else(String::new, |t| t.after.clone()))}
            </p>
            <button
                class="link"
                form="cancel"
                type="submit"
                aria-label=fixed.text(|t| &t.change_label)
            >
                {fixed.text(|t| &t.change)}
            </button>
        </div>

        <form id="check" method="post" action=path("check") novalidate>
            <label for="code">{label}</label>
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
                    autofocus
                    required
                    aria-describedby="hint error"
                    aria-invalid=move || flag(card.with(Card::is_field_invalid))
                    readonly=move || busy.get()
                />
                <span aria-hidden="true">{(0..length).map(|_| view! { <i></i> }).collect_view()}</span>
            </div>
            <p id="hint">{fixed.text(|t| &t.hint)}</p>
            <p id="error" role="alert">{complaint}</p>
        </form>

        <form id="resend" method="post" action=path("resend")></form>
        <form id="cancel" method="post" action=path("cancel")></form>

        <div class="buttons">
            <button class="button" type="submit" form="check" aria-disabled=move || flag(busy.get())>
                {fixed.text(|t| &t.submit)}
            </button>
            <button
                class="button quiet"
                type="submit"
                form="resend"
                aria-describedby="wait"
                aria-disabled=move || flag(!card.with(|card| card.may_resend(now.get())))
            >
                {fixed.text(|t| &t.resend)}
            </button>
        </div>

        <div class="foot">
            <p id="life">{say(Card::time_left)}</p>
            <p id="wait">{say(Card::resend_wait)}</p>
            {move || card.with(Card::other_channel).map(|channel| {
                let (value, words) = match channel {
                    Channel::Email => ("email", fixed.text(|t| &t.resend_by_email)),
                    Channel::Sms => ("sms", fixed.text(|t| &t.resend_by_sms)),
                };
                view! {
                    <button class="link" type="submit" form="resend" name="channel" value=value>
                        {words}
                    </button>
                }
            })}
        </div>
    }
}

fn delivery_word(card: &Card) -> &'static str {
    match card.view.as_ref().map(|view| view.delivery.state) {
        Some(DeliveryState::Sent) => "sent",
        Some(DeliveryState::Delivered) => "delivered",
        Some(DeliveryState::Undelivered) => "undelivered",
        Some(DeliveryState::Accepted) | None => "accepted",
    }
}
