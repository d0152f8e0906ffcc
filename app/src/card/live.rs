//! Signals and event handlers of the hydrated card.
//!
//! The server only creates the signals. The content is computed in `card_state`; this module connects the
//! field, the server functions and the clock.

use std::{pin::Pin, time::Duration};

use futures_util::future::abortable;
use leptos::{
    ev::{Event, SubmitEvent, online},
    leptos_dom::helpers::{document, set_interval, set_timeout},
    prelude::*,
    task::spawn_local,
};
use otp_types::typed_code;
use wasm_bindgen::JsCast;

use crate::{
    card::{
        Card, Seed,
        elements::{self, browser_now, field, focus, input},
        web_otp::WebOtp,
    },
    countdown::{Phase, ServerClock},
    flash::Flash,
    server_fns::{check_code, resend_code, view_verification},
    texts::CardTexts,
    wire::{Channel, State, VerificationView},
};

/// Time after which a check that is not answered is said to be slow.
const SLOW: Duration = Duration::from_secs(3);
/// Time after which a request that is not answered is given up.
const GIVEN_UP: Duration = Duration::from_secs(10);
/// Longest wait, in seconds, before a check that was not answered is repeated.
const LONGEST_WAIT: u64 = 30;

/// A call of a server function. Boxed, so that the code around it is instantiated once.
type Call = Pin<Box<dyn Future<Output = Result<Card, Flash>>>>;

/// State of the card. It is owned by the island, so that responses which arrive after the field was
/// removed still find it.
#[derive(Clone, Copy)]
pub(super) struct Live {
    pub(super) texts: StoredValue<CardTexts>,
    pub(super) label: StoredValue<String>,
    pub(super) malformed: StoredValue<String>,
    pub(super) card: RwSignal<Card>,
    /// The server's time, in milliseconds.
    pub(super) now: RwSignal<u64>,
    /// A check or a resend is in flight.
    pub(super) busy: RwSignal<bool>,
    /// It takes long.
    pub(super) is_slow: RwSignal<bool>,
    /// The island runs.
    pub(super) hydrated: RwSignal<bool>,
    /// Text of the polite live region.
    pub(super) announcement: RwSignal<String>,
    internal: StoredValue<Internal>,
}

/// State that is not shown.
struct Internal {
    clock: ServerClock,
    /// Guesses that were refused since the newest code was sent.
    refused: Vec<String>,
    /// A guess without an answer, which is repeated by itself, and the number of its requests.
    unanswered: Option<(String, u32)>,
    /// Number of requests so far.
    requests: u32,
    /// The field held a complete code after the last edit.
    was_complete: bool,
    phase: Phase,
    /// Number of resends. A series of polls ends when a later resend has begun another one.
    resends: u32,
    /// The final state was requested from the server after the verification expired.
    refreshed_at_end: bool,
    /// Number of checks and resends that were answered.
    answered: u32,
    web_otp: WebOtp,
}

impl Live {
    /// The card as the server renders it.
    pub(super) fn new(seed: Seed) -> Self {
        let Seed { card, texts, label, malformed } = seed;
        let now = card.view.as_ref().map_or(0, |view| view.now);
        let internal = Internal {
            clock: ServerClock::set(now, now),
            refused: Vec::new(),
            unanswered: None,
            requests: 0,
            was_complete: false,
            phase: Phase::of(card.seconds_valid(now)),
            resends: 0,
            refreshed_at_end: false,
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
            is_slow: RwSignal::new(false),
            hydrated: RwSignal::new(false),
            announcement: RwSignal::new(String::new()),
            internal: StoredValue::new(internal),
        }
    }

    /// Starts the clock and the polls after hydration.
    pub(super) fn start(self) {
        let island = document().query_selector("leptos-island").ok().flatten();
        let attribute = |name: &str| island.as_ref().and_then(|island| island.get_attribute(name));
        // Time at which the page arrived, written by the loader: hydration may come much later.
        let seen = attribute("data-seen").and_then(|seen| seen.parse().ok());
        let rendered = self.now.get_untracked();
        let clock = ServerClock::set(rendered, seen.unwrap_or_else(browser_now));
        self.internal.update_value(|internal| internal.clock = clock);
        self.hydrated.set(true);
        self.tick();
        set_interval(move || self.tick(), Duration::from_secs(1));
        self.poll(0, 0);
        self.listen_for_sms();
        drop(window_event_listener(online, move |_| self.repeat_check()));

        // Submits a code typed before hydration, but not one that the browser restored on reload.
        if attribute("data-typed").is_some() {
            self.field_changed(true);
        }
    }

    /// Handles an edit of the field.
    pub(super) fn on_input(self, event: &Event) {
        // Replacing one digit of a complete code may be followed by further edits, so it does not
        // submit. The last digit, a paste and autofill do.
        let one_key = event
            .dyn_ref::<web_sys::InputEvent>()
            .and_then(web_sys::InputEvent::data)
            .is_some_and(|typed| typed.len() == 1);
        let was_complete = self.internal.with_value(|internal| internal.was_complete);
        self.field_changed(!(one_key && was_complete));
    }

    fn field_changed(self, may_submit: bool) {
        let Some(field) = field() else { return };
        let now = self.now.get_untracked();
        if self.card.with_untracked(|card| card.is_field_invalid(now)) {
            self.set_flash(None);
        }
        let length = self.with_view(|view| view.code_length).unwrap_or_default();
        let value = field.value();
        let Ok(code) = typed_code::read(&value, length) else {
            return self.internal.update_value(|internal| internal.was_complete = false);
        };
        if code != value {
            field.set_value(&code);
        }
        self.internal.update_value(|internal| internal.was_complete = true);
        if may_submit {
            self.check(code);
        }
    }

    /// Handles SUBMIT.
    pub(super) fn on_submit(self, event: &SubmitEvent) {
        event.prevent_default();
        let (Some(field), Some(length)) = (field(), self.with_view(|view| view.code_length)) else {
            return;
        };
        match typed_code::read(&field.value(), length) {
            Ok(guess) => self.check(guess),
            // Not a code: reported without a request.
            Err(problem) if !self.busy.get_untracked() => self.report(Some(problem.into())),
            Err(_) => {}
        }
    }

    /// Checks a guess, unless the server has refused it already: that would tell nothing new.
    fn check(self, guess: String) {
        if self.internal.with_value(|internal| internal.refused.contains(&guess)) {
            return self.report(Some(Flash::AlreadyTried));
        }
        self.request_check(guess, 0);
    }

    /// Asks the server about a guess, after `repeats` requests that were not answered. A check may be repeated at
    /// will: with the claim of the page an approval stays one, and a guess that was refused costs nothing again.
    fn request_check(self, guess: String, repeats: u32) {
        let Some(id) = self.with_view(|view| view.id.clone()) else { return };
        if self.busy.get_untracked() {
            return;
        }
        self.announcement.set(self.text(|texts| &texts.checking));
        self.internal.update_value(|internal| {
            internal.unanswered = None;
            internal.web_otp.abort();
        });
        let claim = input("claim").map(|field| field.value()).unwrap_or_default();
        let request = self.request(id.clone(), Box::pin(check_code(id, guess.clone(), claim)));
        spawn_local(async move {
            let answer = request.await;
            self.request_done();
            self.announcement.set(String::new());
            match answer {
                Ok(answer) => {
                    let flash = match answer.flash {
                        // An earlier request did arrive.
                        Some(Flash::AlreadyTried) if repeats > 0 => Some(Flash::Incorrect),
                        flash => flash,
                    };
                    if matches!(flash, Some(Flash::Incorrect | Flash::AlreadyTried)) {
                        self.internal.update_value(|internal| internal.refused.push(guess));
                    }
                    self.show(answer.view, flash);
                    self.report(flash);
                }
                Err(flash) => {
                    self.report(Some(flash));
                    if flash == Flash::Unavailable {
                        self.internal.update_value(|internal| {
                            internal.unanswered = Some((guess, repeats + 1));
                        });
                        let wait = LONGEST_WAIT.min(2 << repeats.min(4));
                        set_timeout(move || self.repeat_check(), Duration::from_secs(wait));
                    }
                }
            }
        });
    }

    /// Repeats a check that was not answered, while its guess is still in the field.
    fn repeat_check(self) {
        let unanswered = self.internal.with_value(|internal| internal.unanswered.clone());
        let Some((guess, repeats)) = unanswered else { return };
        let is_there = field().is_some_and(|field| field.value() == guess);
        if is_there && self.with_view(|view| view.state) == Some(State::Pending) {
            self.request_check(guess, repeats);
        }
    }

    /// Handles RESEND OTP and the button for another channel.
    pub(super) fn on_resend(self, event: &SubmitEvent) {
        event.prevent_default();
        let now = self.now.get_untracked();
        if !self.card.with_untracked(|card| card.may_resend(now)) {
            let wait = self
                .texts
                .with_value(|texts| self.card.with_untracked(|card| card.resend_wait(texts, now)));
            return self.announcement.set(wait);
        }
        let Some(id) = self.with_view(|view| view.id.clone()) else { return };
        if self.busy.get_untracked() {
            return;
        }
        let channel = event
            .submitter()
            .and_then(|button| button.get_attribute("value"))
            .and_then(|value| Channel::parse(&value));
        let request = self.request(id.clone(), Box::pin(resend_code(id, channel)));
        spawn_local(async move {
            let answer = request.await;
            self.request_done();
            match answer {
                Ok(answer) => {
                    self.show(answer.view, None);
                    let resends = self.internal.try_update_value(|internal| {
                        internal.resends += 1;
                        internal.refreshed_at_end = false;
                        internal.was_complete = false;
                        internal.refused.clear();
                        internal.unanswered = None;
                        internal.resends
                    });
                    self.poll(resends.unwrap_or_default(), 0);
                    self.listen_for_sms();
                    if let Some(field) = field() {
                        field.set_value("");
                        let _ = field.focus();
                    }
                }
                // The page of the work does it.
                Err(Flash::WorkNeeded(_)) => {
                    self.busy.set(true);
                    if let Some(channel) = channel {
                        elements::add_field("resend", "channel", channel.as_str());
                    }
                    elements::submit("resend");
                }
                Err(flash) => self.set_flash(Some(flash)),
            }
        });
    }

    /// Begins a check or a resend. It is said to be slow after a while and given up after another; then what came of
    /// it is looked up, before any failure is shown.
    fn request(self, id: String, call: Call) -> impl Future<Output = Result<Card, Flash>> {
        self.busy.set(true);
        let number = self.internal.try_update_value(|internal| {
            internal.requests += 1;
            internal.requests
        });
        let is_slow = move || {
            let latest = self.internal.with_value(|internal| internal.requests);
            if self.busy.get_untracked() && Some(latest) == number {
                self.is_slow.set(true);
                self.announcement.set(self.text(|texts| &texts.still_checking));
            }
        };
        set_timeout(is_slow, SLOW);
        async move {
            match within(GIVEN_UP, call).await {
                Err(Flash::Unavailable) => {
                    let known = self.with_view(|view| view.delivery.number);
                    let has_changed = |card: &Card| {
                        card.view.as_ref().is_none_or(|view| {
                            view.state != State::Pending || Some(view.delivery.number) != known
                        })
                    };
                    let found = within(SLOW, Box::pin(view_verification(id))).await;
                    found.ok().filter(has_changed).ok_or(Flash::Unavailable)
                }
                answer => answer,
            }
        }
    }

    /// Ends a check or a resend.
    fn request_done(self) {
        self.busy.set(false);
        self.is_slow.set(false);
        self.internal.update_value(|internal| internal.answered += 1);
    }

    /// Shows the state from a response.
    fn show(self, view: Option<VerificationView>, flash: Option<Flash>) {
        // The page that the server renders next leads on to the relying party. The card stays as it is
        // until that page is there.
        let state = view.as_ref().map_or(State::Expired, |view| view.state);
        if state != State::Pending && self.with_view(|view| view.leads_on) == Some(true) {
            self.busy.set(true);
            match field().and_then(|field| field.form()) {
                // The proof is in the answer to the form with the claim of the check that was approved.
                // If that was another client's, the server answers with the page that says so.
                Some(form) if state == State::Approved => drop(form.submit()),
                _ => drop(window().location().reload()),
            }
            return;
        }
        if view
            .as_ref()
            .is_some_and(|view| self.with_view(|known| known.code_length) != Some(view.code_length))
        {
            // The field, its label and its messages are for codes of one length.
            self.busy.set(true);
            let _ = window().location().reload();
            return;
        }
        if let Some(view) = &view {
            let clock = ServerClock::set(view.now, browser_now());
            self.internal.update_value(|internal| internal.clock = clock);
            self.now.set(view.now);
        }
        self.card.update(|card| card.view = view);
        let now = self.now.get_untracked();
        let phase = Phase::of(self.card.with_untracked(|card| card.seconds_valid(now)));
        self.internal.update_value(|internal| internal.phase = phase);
        self.set_flash(flash);
        if self.card.with_untracked(Card::ending).is_some() {
            // The heading is rendered after this update.
            set_timeout(|| focus("ending"), Duration::ZERO);
        }
    }

    /// Shows an error and selects the text of the field for overtyping.
    fn report(self, flash: Option<Flash>) {
        self.set_flash(flash);
        if let (Some(_), Some(field)) = (flash, field()) {
            let _ = field.focus();
            field.select();
        }
    }

    /// Shows an error, or none, in the card and in the title.
    fn set_flash(self, flash: Option<Flash>) {
        self.card.update(|card| card.flash = flash);
        let now = self.now.get_untracked();
        let is_error = self.card.with_untracked(|card| card.is_error(now));
        self.texts.with_value(|texts| {
            document().set_title(&texts.titled(&texts.title, is_error));
        });
    }

    fn tick(self) {
        let now = self.internal.with_value(|internal| internal.clock.at(browser_now()));
        self.now.set(now);
        let Some((seconds, expires_at)) = self.card.with_untracked(|card| {
            card.view
                .as_ref()
                .filter(|view| view.state == State::Pending)
                .map(|view| (card.seconds_valid(now), view.expires_at))
        }) else {
            return;
        };
        let phase = Phase::of(seconds);
        if self.internal.with_value(|internal| internal.phase) < phase {
            self.internal.update_value(|internal| internal.phase = phase);
            self.announcement.set(match phase {
                Phase::Plenty | Phase::FiveMinutes => self.text(|texts| &texts.five_minutes_left),
                Phase::OneMinute => self.text(|texts| &texts.one_minute_left),
                Phase::HalfAMinute => self.text(|texts| &texts.half_a_minute_left),
                // The error says it.
                Phase::Over => String::new(),
            });
            if phase == Phase::Over && !self.busy.get_untracked() {
                self.set_flash(self.card.with_untracked(|card| card.flash));
                if let Some(field) = field() {
                    field.set_value("");
                }
            }
        }
        // Only the server decides about the final state.
        if now >= expires_at && !self.internal.with_value(|internal| internal.refreshed_at_end) {
            self.internal.update_value(|internal| internal.refreshed_at_end = true);
            self.refresh();
        }
    }

    /// Polls the delivery state ever more slowly; a hidden page sends no requests.
    fn poll(self, resends: u32, polls: u32) {
        let Some(wait) = self.card.with_untracked(|card| card.next_poll(polls)) else { return };
        let again = move || {
            if self.internal.with_value(|internal| internal.resends) != resends {
                return;
            }
            if document().hidden() {
                return self.poll(resends, polls);
            }
            self.refresh();
            self.poll(resends, polls + 1);
        };
        set_timeout(again, Duration::from_millis(wait.into()));
    }

    /// Requests the verification from the server.
    fn refresh(self) {
        let Some(id) = self.with_view(|view| view.id.clone()) else { return };
        let answered = self.internal.with_value(|internal| internal.answered);
        spawn_local(async move {
            // A failed request is ignored; the next one may succeed.
            let Ok(answer) = view_verification(id).await else { return };
            // So is a response that overlaps with a check or a resend: the server may have read the
            // verification before they were committed, even if its `now` is later.
            let is_stale = self.busy.get_untracked()
                || self.internal.with_value(|internal| internal.answered) != answered;
            let is_older = answer
                .view
                .as_ref()
                .is_some_and(|view| self.with_view(|known| known.now > view.now) == Some(true));
            if !is_stale && !is_older {
                self.show(answer.view, self.card.with_untracked(|card| card.flash));
            }
        });
    }

    /// Asks the browser for the code of a text message.
    fn listen_for_sms(self) {
        if self.with_view(|view| view.delivery.channel) != Some(Channel::Sms) {
            return;
        }
        self.internal.update_value(|internal| {
            internal.web_otp.listen(move |code| {
                if let Some(field) = field() {
                    field.set_value(&code);
                    self.field_changed(true);
                }
            });
        });
    }

    pub(super) fn text(self, pick: impl FnOnce(&CardTexts) -> &String) -> String {
        self.texts.with_value(|texts| pick(texts).clone())
    }

    fn with_view<T>(self, read: impl FnOnce(&VerificationView) -> T) -> Option<T> {
        self.card.with_untracked(|card| card.view.as_ref().map(read))
    }
}

/// The answer to a call. It is aborted when it takes longer.
async fn within(longest: Duration, call: Call) -> Result<Card, Flash> {
    let (call, abort) = abortable(call);
    set_timeout(move || abort.abort(), longest);
    call.await.unwrap_or(Err(Flash::Unavailable))
}
