//! The start page: choice of channel and recipient.
//!
//! A plain form, since submitting it leads to another page anyway. The loader prefetches the island
//! for that page.

use leptos::{either::Either, prelude::*};
use serde::Deserialize;

use crate::{
    countdown::clock_face,
    error::{ApiError, Limit, RecipientProblem},
    look::Look,
    pages::{
        setting::{Setting, Told},
        shell::{Frame, Head, Logo, Script, Support, document},
    },
    texts::Texts,
    wire::{Brand, Channel, Country, StartOptions, StartRequest},
};

/// The form of the start page, as posted to `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartForm {
    /// The selected channel.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// Value of the address field.
    #[serde(default)]
    pub email: String,
    /// Value of the number field.
    #[serde(default)]
    pub phone: String,
    /// The selected country.
    #[serde(default)]
    pub country: String,
    /// Answer to a demand of work.
    #[serde(default)]
    pub work: String,
}

impl StartForm {
    /// Typed values, by the names of their fields.
    pub fn typed(self) -> Vec<(&'static str, String)> {
        let Self { channel, email, phone, country, work: _ } = self;
        let channel = channel.map(|channel| ("channel", channel.as_str().to_owned()));
        let fields = [("email", email), ("phone", phone), ("country", country)];
        channel.into_iter().chain(fields.into_iter().filter(|(_, text)| !text.is_empty())).collect()
    }
}

impl From<StartForm> for StartRequest {
    fn from(form: StartForm) -> Self {
        let StartForm { channel, email, phone, country, work: _ } = form;
        let to = match channel {
            Some(channel) if channel.is_of_phones() => phone,
            None if email.trim().is_empty() => phone,
            _ => email,
        };
        Self { channel, to, country: Some(country).filter(|country| !country.is_empty()) }
    }
}

/// Input of the start page.
#[derive(Clone, Debug)]
pub struct StartPage<'a> {
    /// Texts, assets and nonce.
    pub frame: Frame<'a>,
    /// The channels and countries on offer.
    pub options: &'a StartOptions,
    /// The form as posted, when it is shown again.
    pub typed: StartForm,
    /// The reason to show it again.
    pub error: Option<ApiError>,
    /// The site's brand.
    pub brand: &'a Brand,
    /// The frame around the page, if any.
    pub setting: Option<&'a Setting>,
}

/// Renders the choice of channel and recipient.
pub fn start(page: StartPage<'_>) -> String {
    let StartPage { frame, options, typed, error, brand, setting } = page;
    let texts = frame.texts;
    let channel = typed
        .channel
        .and_then(|typed| {
            let mut offered = options.channels.iter().copied();
            offered.find(|channel| channel.is_of_phones() == typed.is_of_phones())
        })
        .or_else(|| options.channels.first().copied())
        .unwrap_or(Channel::Email);
    let message = error.map(|error| error_text(texts, options, channel, error));
    let about_field =
        matches!(error, Some(ApiError::InvalidRecipient { .. } | ApiError::DestinationNotServed));

    let head = Head {
        title: texts.card.title.clone(),
        is_error: error.is_some(),
        indexed: error.is_none() && setting.is_none(),
        script: Script::Prefetch,
        logo: Logo::of(brand),
        support: Support::of(brand, &texts.return_form).filter(|_| setting.is_none()),
        look: setting.map_or_else(|| Look::of(brand), |setting| setting.look.clone()),
        told: setting.map(|setting| match error {
            Some(error) => Told::refusal(setting, error),
            None => Told::presence(setting),
        }),
        ..Head::default()
    };
    let action = setting.map_or("/".to_owned(), Setting::start);
    document(frame, &head, || {
        let fields = match &options.fixed_recipient {
            Some(recipient) => {
                let (before, after) =
                    (texts.start.start_fixed.before.clone(), texts.start.start_fixed.after.clone());
                Either::Left(view! {
                    <p class="to">{before} <bdi dir="ltr">{recipient.clone()}</bdi> {after}</p>
                })
            }
            None => Either::Right(view! {
                <p class="to">{texts.start.start_intro.clone()}</p>
                {fields_of_channels(texts, options, &typed, channel, about_field, setting.is_none())}
            }),
        };
        view! {
            <h1 id="title">{texts.card.title.clone()}</h1>
            <form method="post" action=action novalidate>
                {fields}
                <p id="error" role="alert">
                    {message}
                </p>
                <button class="button" type="submit">
                    {texts.start.send.clone()}
                </button>
            </form>
        }
    })
}

/// The choice of channel with the fields of each; the style sheet shows those of the selected one.
fn fields_of_channels(
    texts: &Texts,
    options: &StartOptions,
    typed: &StartForm,
    chosen: Channel,
    invalid: bool,
    may_focus: bool,
) -> impl IntoView + use<> {
    let has_phone = options.channels.iter().any(|channel| channel.is_of_phones());
    let start = &texts.start;
    let choice = if options.channels.len() > 1 {
        let radios = options
            .channels
            .iter()
            .map(|channel| {
                let id = if channel.is_of_phones() { "by-phone" } else { "by-email" };
                let (value, label) = (channel.as_str(), start.channel(*channel).to_owned());
                view! {
                    <label>
                        <input type="radio" id=id name="channel" value=value checked=*channel == chosen />
                        <span>{label}</span>
                    </label>
                }
            })
            .collect_view();
        Either::Left(view! {
            <fieldset class="choice">
                <legend>{start.channel_label.clone()}</legend>
                {radios}
            </fieldset>
        })
    } else {
        Either::Right(view! { <input type="hidden" name="channel" value=chosen.as_str() /> })
    };
    let email = options.channels.contains(&Channel::Email).then(|| {
        let wrong = invalid && !chosen.is_of_phones();
        view! {
            <div class="fields" data-kind="email">
                <label for="email">{start.email_label.clone()}</label>
                <input
                    id="email"
                    name="email"
                    type="email"
                    autocomplete="email"
                    autocapitalize="off"
                    spellcheck="false"
                    dir="ltr"
                    value=typed.email.clone()
                    autofocus=wrong && may_focus
                    aria-invalid=wrong.then_some("true")
                    aria-describedby="error"
                />
            </div>
        }
    });
    let phone = has_phone.then(|| {
        let wrong = invalid && chosen.is_of_phones();
        let selected =
            if typed.country.is_empty() { &options.default_country } else { &typed.country };
        let countries =
            options.countries.iter().map(|country| option(country, selected)).collect_view();
        view! {
            <div class="fields" data-kind="phone">
                <label for="country">{start.country_label.clone()}</label>
                <select id="country" name="country" autocomplete="country">
                    {countries}
                </select>
                <label for="phone">{start.phone_label.clone()}</label>
                <input
                    id="phone"
                    name="phone"
                    type="tel"
                    autocomplete="tel"
                    dir="ltr"
                    value=typed.phone.clone()
                    autofocus=wrong && may_focus
                    aria-invalid=wrong.then_some("true")
                    aria-describedby="phone-hint error"
                />
                <p id="phone-hint" class="hint">
                    {start.phone_hint.clone()}
                </p>
            </div>
        }
    });
    view! {
        {choice}
        {email}
        {phone}
    }
}

fn option(country: &Country, selected: &str) -> impl IntoView + use<> {
    let label = format!("{} (+{})", country.name, country.calling_code);
    view! {
        <option value=country.region.clone() selected=country.region == selected>
            {label}
        </option>
    }
}

/// Text of an error.
fn error_text(texts: &Texts, options: &StartOptions, channel: Channel, error: ApiError) -> String {
    let (start, card) = (&texts.start, &texts.card);
    let or_by_email = |problem: &str| {
        if options.channels.contains(&Channel::Email) {
            format!("{problem} {}", start.by_email_instead)
        } else {
            problem.to_owned()
        }
    };
    match error {
        ApiError::InvalidRecipient { problem: RecipientProblem::NotMobile } => {
            or_by_email(&start.not_mobile)
        }
        ApiError::DestinationNotServed => or_by_email(&start.destination_not_served),
        ApiError::InvalidRecipient { problem } => match (problem, channel) {
            (RecipientProblem::Empty, Channel::Email) => &start.email_missing,
            (RecipientProblem::Empty, _) => &start.phone_missing,
            (RecipientProblem::Email, _) => &start.email_invalid,
            (RecipientProblem::Phone, _) => &start.phone_invalid,
            (RecipientProblem::CountryMissing, _) => &start.country_missing,
            (RecipientProblem::PhoneTooShort, _) => &start.phone_too_short,
            (RecipientProblem::PhoneTooLong, _) => &start.phone_too_long,
            (RecipientProblem::NotMobile, _) => &start.not_mobile,
        }
        .clone(),
        ApiError::ChannelUnavailable => start.channel_unavailable.clone(),
        ApiError::DestinationBlocked { retry_after }
        | ApiError::RateLimited { limit: Limit::Texts, retry_after } => {
            or_by_email(&start.texts_paused.with(&clock_face(retry_after)))
        }
        ApiError::RateLimited { retry_after, .. } | ApiError::ResendTooEarly { retry_after } => {
            card.limit_sends.with(&clock_face(retry_after))
        }
        ApiError::Unavailable { .. } => card.unavailable.clone(),
        ApiError::Internal => card.internal.clone(),
        _ => card.not_understood.clone(),
    }
}
