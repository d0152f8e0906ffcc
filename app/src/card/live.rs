//! The card in the browser: everything that happens after hydration.
//!
//! Nothing in here runs on the server. What is to be shown is decided in `state`; this part
//! carries messages between the field, the server functions and the clock.

use std::time::Duration;

use leptos::{
    ev::{Event, SubmitEvent},
    leptos_dom::helpers::{document, set_interval, set_timeout},
    prelude::*,
    task::spawn_local,
};
use otp_types::typed_code;
use wasm_bindgen::JsCast;

use crate::{
    card::{Card, Seed, web_otp::WebOtp},
    countdown::{Phase, ServerClock},
    flash::Flash,
    server_fns::{check_code, resend_code, view_verification},
    texts::CardTexts,
    wire::{Channel, State, VerificationView},
};

/// The card's state and what keeps it moving. Owned by the island, so that answers which arrive
/// after the field has gone still find it.
#[derive(Clone, Copy)]
pub(super) struct Live {
    pub(super) texts: StoredValue<CardTexts>,
    pub(super) label: StoredValue<String>,
    pub(super) malformed: StoredValue<String>,
    pub(super) card: RwSignal<Card>,
    /// The server's time, in milliseconds.
    pub(super) now: RwSignal<u64>,
    /// A check is under way.
    pub(super) busy: RwSignal<bool>,
    /// The script runs: what it promises may be shown.
    pub(super) awake: RwSignal<bool>,
    /// What a screen reader is told when it has time.
    pub(super) said: RwSignal<String>,
    keep: StoredValue<Keep>,
}

/// What is remembered without being shown.
struct Keep {
    clock: ServerClock,
    /// Guesses that were sent: none is sent twice unasked.
    tried: Vec<String>,
    /// Did the field hold a whole code at the last look?
    full: bool,
    phase: Phase,
    /// Counts resends; an older series of polls ends when it no longer matches.
    series: u32,
    /// The server was asked what became of the verification once its time was over.
    asked_at_end: bool,
    /// Counts the checks and resends that were answered.
    answered: u32,
    web_otp: WebOtp,
}

impl Live {
    /// The card at rest, as the server renders it.
    pub(super) fn new(seed: Seed) -> Self {
        let Seed { card, texts, label, malformed } = seed;
        let now = card.view.as_ref().map_or(0, |view| view.now);
        let keep = Keep {
            clock: ServerClock::set(now, now),
            tried: Vec::new(),
            full: false,
            phase: Phase::of(card.seconds_of_life(now)),
            series: 0,
            asked_at_end: false,
            answered: 0,
            web_otp: WebOtp::default(),
        };
        Self {
            texts: StoredValue::new(texts),
            label: StoredValue::new(label),
            malformed: StoredValue::new(malformed),
            card: RwSignal::new(card),
            now: RwSignal::new(now),
            busy: RwSignal::new(false),
            awake: RwSignal::new(false),
            said: RwSignal::new(String::new()),
            keep: StoredValue::new(keep),
        }
    }

    /// Brings the hydrated card to life.
    pub(super) fn wake(self) {
        let island = document().query_selector("leptos-island").ok().flatten();
        let noted = |name: &str| island.as_ref().and_then(|island| island.get_attribute(name));
        // The loader notes when the page arrived: hydration may have come much later.
        let seen = noted("data-seen").and_then(|seen| seen.parse().ok());
        let written = self.now.get_untracked();
        let clock = ServerClock::set(written, seen.unwrap_or_else(browser_now));
        self.keep.update_value(|keep| keep.clock = clock);
        self.awake.set(true);
        self.tick();
        set_interval(move || self.tick(), Duration::from_secs(1));
        self.poll(0, 0);
        self.listen();

        // What was typed while the page slept counts, but what a reload put back does not.
        if noted("data-typed").is_some() {
            self.typed(true);
        }
    }

    /// The field has changed.
    pub(super) fn edited(self, event: &Event) {
        // Replacing one digit of a whole code is an edit that may go on; everything else that
        // completes the field (the last digit, a paste, what a phone fills in) is meant.
        let one_key = event
            .dyn_ref::<web_sys::InputEvent>()
            .and_then(web_sys::InputEvent::data)
            .is_some_and(|typed| typed.len() == 1);
        let was_full = self.keep.with_value(|keep| keep.full);
        self.typed(!(one_key && was_full));
    }

    fn typed(self, may_submit: bool) {
        let Some(field) = field() else { return };
        if self.card.with_untracked(Card::is_field_invalid) {
            self.tell(None);
        }
        let length = self.with_view(|view| view.code_length).unwrap_or_default();
        let value = field.value();
        let Ok(code) = typed_code::read(&value, length) else {
            return self.keep.update_value(|keep| keep.full = false);
        };
        if code != value {
            field.set_value(&code);
        }
        let is_new = self.keep.with_value(|keep| !keep.tried.contains(&code));
        self.keep.update_value(|keep| keep.full = true);
        if may_submit && is_new {
            self.check(code);
        }
    }

    /// SUBMIT was pressed.
    pub(super) fn submitted(self, event: &SubmitEvent) {
        event.prevent_default();
        let (Some(field), Some(length)) = (field(), self.with_view(|view| view.code_length)) else {
            return;
        };
        match typed_code::read(&field.value(), length) {
            Ok(guess) => self.check(guess),
            // Not a code: told at once, without asking the server.
            Err(problem) if !self.busy.get_untracked() => self.complain(Some(problem.into())),
            Err(_) => {}
        }
    }

    fn check(self, guess: String) {
        let Some(id) = self.with_view(|view| view.id.clone()) else { return };
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.said.set(self.text(|texts| &texts.checking));
        self.keep.update_value(|keep| {
            keep.tried.push(guess.clone());
            keep.web_otp.abort();
        });
        spawn_local(async move {
            let answer = check_code(id, guess).await;
            self.rest();
            self.said.set(String::new());
            match answer {
                Ok(answer) => {
                    self.show(answer.view, answer.flash);
                    self.complain(answer.flash);
                }
                Err(flash) => {
                    // It was not evaluated, so it may be tried again.
                    self.keep.update_value(|keep| {
                        keep.tried.pop();
                    });
                    self.complain(Some(flash));
                }
            }
        });
    }

    /// RESEND OTP, or its sister for another channel, was pressed.
    pub(super) fn resend(self, event: &SubmitEvent) {
        event.prevent_default();
        let now = self.now.get_untracked();
        if !self.card.with_untracked(|card| card.may_resend(now)) {
            let wait = self
                .texts
                .with_value(|texts| self.card.with_untracked(|card| card.resend_wait(texts, now)));
            return self.said.set(wait);
        }
        let Some(id) = self.with_view(|view| view.id.clone()) else { return };
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        let channel = event
            .submitter()
            .and_then(|button| button.get_attribute("value"))
            .and_then(|value| Channel::parse(&value));
        spawn_local(async move {
            let answer = resend_code(id, channel).await;
            self.rest();
            match answer {
                Ok(answer) => {
                    self.show(answer.view, None);
                    let series = self.keep.try_update_value(|keep| {
                        keep.series += 1;
                        keep.asked_at_end = false;
                        keep.full = false;
                        keep.series
                    });
                    self.poll(series.unwrap_or_default(), 0);
                    self.listen();
                    if let Some(field) = field() {
                        field.set_value("");
                        let _ = field.focus();
                    }
                }
                Err(flash) => self.tell(Some(flash)),
            }
        });
    }

    /// A check or a resend is over.
    fn rest(self) {
        self.busy.set(false);
        self.keep.update_value(|keep| keep.answered += 1);
    }

    /// Takes over what the server says.
    fn show(self, view: Option<VerificationView>, flash: Option<Flash>) {
        // Something follows, and the page that the server lays out for it has it: a token, a way
        // back. Until it is there, nothing here moves.
        let is_over = view.as_ref().is_none_or(|view| view.state != State::Pending);
        if is_over && self.with_view(|view| view.leads_on) == Some(true) {
            self.busy.set(true);
            let _ = window().location().reload();
            return;
        }
        if let Some(view) = &view {
            let clock = ServerClock::set(view.now, browser_now());
            self.keep.update_value(|keep| keep.clock = clock);
            self.now.set(view.now);
        }
        self.card.update(|card| card.view = view);
        let now = self.now.get_untracked();
        let phase = Phase::of(self.card.with_untracked(|card| card.seconds_of_life(now)));
        self.keep.update_value(|keep| keep.phase = phase);
        self.tell(flash);
        if self.card.with_untracked(Card::ending).is_some() {
            // The heading of what comes next is there after the update.
            set_timeout(|| focus("ending"), Duration::ZERO);
        }
    }

    /// Tells what is wrong and offers the text for overtyping.
    fn complain(self, flash: Option<Flash>) {
        self.tell(flash);
        if let (Some(_), Some(field)) = (flash, field()) {
            let _ = field.focus();
            field.select();
        }
    }

    /// Tells what is wrong, in the card and in the title.
    fn tell(self, flash: Option<Flash>) {
        self.card.update(|card| card.flash = flash);
        let is_error = self.card.with_untracked(Card::is_error);
        self.texts.with_value(|texts| {
            document().set_title(&texts.titled(&texts.title, is_error));
        });
    }

    fn tick(self) {
        let now = self.keep.with_value(|keep| keep.clock.at(browser_now()));
        self.now.set(now);
        let Some((seconds, expires_at)) = self.card.with_untracked(|card| {
            card.view
                .as_ref()
                .filter(|view| view.state == State::Pending)
                .map(|view| (card.seconds_of_life(now), view.expires_at))
        }) else {
            return;
        };
        let phase = Phase::of(seconds);
        if self.keep.with_value(|keep| keep.phase) < phase {
            self.keep.update_value(|keep| keep.phase = phase);
            self.said.set(self.text(|texts| match phase {
                Phase::Plenty | Phase::FiveMinutes => &texts.five_minutes_left,
                Phase::OneMinute => &texts.one_minute_left,
                Phase::HalfAMinute => &texts.half_a_minute_left,
                Phase::Over => &texts.expired,
            }));
        }
        // How it ended is for the server to say.
        if now >= expires_at && !self.keep.with_value(|keep| keep.asked_at_end) {
            self.keep.update_value(|keep| keep.asked_at_end = true);
            self.look();
        }
    }

    /// Follows delivery, ever more slowly; a hidden page asks nothing.
    fn poll(self, series: u32, asked: u32) {
        let Some(wait) = self.card.with_untracked(|card| card.next_poll(asked)) else { return };
        let again = move || {
            if self.keep.with_value(|keep| keep.series) != series {
                return;
            }
            if document().hidden() {
                return self.poll(series, asked);
            }
            self.look();
            self.poll(series, asked + 1);
        };
        set_timeout(again, Duration::from_millis(wait.into()));
    }

    fn look(self) {
        let Some(id) = self.with_view(|view| view.id.clone()) else { return };
        let answered = self.keep.with_value(|keep| keep.answered);
        spawn_local(async move {
            // A look that fails is no news; the next one may succeed.
            let Ok(answer) = view_verification(id).await else { return };
            // Nor is one that a check or a resend has crossed: the server may have read what it
            // shows before they were committed, whatever time it bears.
            let is_crossed =
                self.busy.get_untracked() || self.keep.with_value(|keep| keep.answered) != answered;
            let is_older = answer
                .view
                .as_ref()
                .is_some_and(|view| self.with_view(|known| known.now > view.now) == Some(true));
            if !is_crossed && !is_older {
                self.show(answer.view, self.card.with_untracked(|card| card.flash));
            }
        });
    }

    /// Lets a phone hand over the code from a text message.
    fn listen(self) {
        if self.with_view(|view| view.delivery.channel) != Some(Channel::Sms) {
            return;
        }
        self.keep.update_value(|keep| {
            keep.web_otp.listen(move |code| {
                if let Some(field) = field() {
                    field.set_value(&code);
                    self.typed(true);
                }
            });
        });
    }

    pub(super) fn text(self, pick: impl FnOnce(&CardTexts) -> &String) -> String {
        self.texts.with_value(|texts| pick(texts).clone())
    }

    fn with_view<T>(self, ask: impl FnOnce(&VerificationView) -> T) -> Option<T> {
        self.card.with_untracked(|card| card.view.as_ref().map(ask))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds since 1970 are positive and far below 2^53"
)]
fn browser_now() -> u64 {
    js_sys::Date::now() as u64
}

fn field() -> Option<web_sys::HtmlInputElement> {
    document().get_element_by_id("code").map(JsCast::unchecked_into)
}

fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        let _ = element.unchecked_ref::<web_sys::HtmlElement>().focus();
    }
}
