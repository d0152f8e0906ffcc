//! The page of one verification: the island while it is pending, then its final state.

use leptos::prelude::*;

use crate::{
    card::{Card, CardContext, Seed, VerificationCard, ending},
    flash::Flash,
    look::Look,
    pages::{
        return_form::{return_form, reworded},
        setting::{Setting, Told},
        shell::{Frame, Head, Logo, Script, Support, document},
    },
    server_fns::json,
    wire::{PageView, Place},
    wire_codec::Pack,
};

/// Input of the page of a verification.
#[derive(Clone, Debug)]
pub struct VerificationPage<'a> {
    /// Texts, assets and nonce.
    pub frame: Frame<'a>,
    /// The verification and its place; `None` if it has expired or does not exist, which look the same.
    pub page: Option<PageView>,
    /// The error of the last form, from the query of the redirect.
    pub flash: Option<Flash>,
    /// The frame around the page, if any.
    pub setting: Option<&'a Setting>,
}

/// Renders a verification.
pub fn verification(page: VerificationPage<'_>) -> String {
    let VerificationPage { frame, page, flash, setting } = page;
    let (view, brand, place) = match page {
        Some(PageView { view, brand, place }) => (view, brand, place),
        None => Default::default(),
    };
    let length = view.as_ref().map_or(0, |view| u32::from(view.code_length));
    let attempts_left = view.as_ref().map_or(0, |view| view.attempts_left);
    let way_back = match &place {
        Place::Visited(way_back) => Some(way_back),
        Place::Alone | Place::Embedded { .. } => None,
    };
    let told = setting.map(|setting| Told::verification(setting, &place, view.as_ref()));
    // A person from a relying party who enters the right code twice is simply verified.
    let flash = flash.filter(|flash| way_back.is_none() || *flash != Flash::AlreadyUsed);
    // An approved verification in a frame without its token is of no use to the embedding page: it
    // shows as expired, so that the person can start again.
    let is_expired = told.as_ref().is_some_and(|told| told.ending.as_deref() == Some("expired"));
    let card = Card { view: view.filter(|_| !is_expired), flash };

    let mut texts = frame.texts.card.clone();
    if way_back.is_some() {
        texts = reworded(texts, &brand.name, &frame.texts.return_form);
    }
    texts.incorrect = texts.incorrect.up_to(attempts_left);
    let label = frame.texts.code.code_label.of(length).to_owned();
    let malformed = frame.texts.code.malformed.of(length).to_owned();

    let is_over = card.ending().is_some();
    let head = Head {
        title: texts.title.clone(),
        is_error: card.is_error(),
        // A final state never changes.
        script: if is_over { Script::None } else { Script::Hydrate },
        logo: match way_back {
            Some(_) => Some(Logo::or_name(&brand)),
            None => Logo::of(setting.map_or(&brand, |setting| &setting.brand)),
        },
        // An embedding page has its own.
        support: Support::of(&brand, &frame.texts.return_form).filter(|_| setting.is_none()),
        look: setting.map_or_else(|| Look::of(&brand), |setting| setting.look.clone()),
        told,
        ..Head::default()
    };
    let provide_card_context = || {
        if let Some(setting) = setting {
            provide_context(CardContext::of(setting));
        } else if !frame.has_start {
            provide_context(CardContext::without_start(way_back.is_some()));
        }
    };
    if is_over {
        return document(frame, &head, || {
            provide_card_context();
            let form = way_back
                .map(|way| return_form(way, &brand.name, &frame.texts.return_form, frame.nonce));
            ending(&card, &texts, form)
        });
    }
    let seed = Seed { card, texts, label, malformed };
    let head = Head { seed: json::write(&seed.packed()), ..head };
    document(frame, &head, || {
        provide_card_context();
        provide_context(seed);
        view! { <VerificationCard /> }
    })
}

impl CardContext {
    /// A page of its own on a server without a start page. Only a person who came from a relying party has a
    /// place to go to from there.
    fn without_start(leads_back: bool) -> Self {
        Self {
            base: "/v/",
            query: String::new(),
            start: None,
            is_framed: false,
            is_given: !leads_back,
        }
    }

    fn of(setting: &Setting) -> Self {
        Self {
            base: "/embed/v/",
            query: ["?", &setting.query].concat(),
            start: Some(setting.start()),
            is_framed: true,
            is_given: setting.is_given,
        }
    }
}
