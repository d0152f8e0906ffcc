//! The page of one verification: the island, rendered in the state that the server knows.

use leptos::prelude::*;

use crate::{
    card::{Card, Seed, Surroundings, VerificationCard, ending},
    flash::Flash,
    look::Look,
    pages::{
        setting::{Setting, Told},
        shell::{Frame, Head, Logo, Script, Support, document},
        way_back::{reworded, way_back},
    },
    server_fns::json,
    wire::{Embedded, PageView, Place},
    wire_codec::Pack,
};

/// What the page of a verification is made from.
#[derive(Clone, Debug)]
pub struct VerificationPage<'a> {
    /// Texts, assets, nonce.
    pub frame: Frame<'a>,
    /// The verification and what surrounds it; `None` where it has expired or never was, which look
    /// alike.
    pub page: Option<PageView>,
    /// What went wrong with the last form, as the redirect told it.
    pub flash: Option<Flash>,
    /// The frame that it stands in, if it does.
    pub setting: Option<&'a Setting>,
}

/// Renders a verification, from typing the code to how it ended.
pub fn verification(page: VerificationPage<'_>) -> String {
    let VerificationPage { frame, page, flash, setting } = page;
    let (view, brand, place) = match page {
        Some(PageView { view, brand, place }) => (view, brand, place),
        None => Default::default(),
    };
    let length = view.as_ref().map_or(0, |view| u32::from(view.code_length));
    let tries = view.as_ref().map_or(0, |view| view.attempts_left);
    let told = setting.map(|setting| {
        let embedded = match &place {
            Place::Embedded(embedded) => Some(embedded),
            Place::Alone | Place::Visited(_) => None,
        };
        Told::verification(setting, embedded, view.as_ref())
    });
    let surroundings = setting.map(Surroundings::of);
    let way = match &place {
        Place::Visited(way) => Some(way),
        Place::Alone | Place::Embedded(_) => None,
    };
    // Whoever typed the right code twice is as verified as after the first time, and expected.
    let flash = flash.filter(|flash| way.is_none() || *flash != Flash::AlreadyUsed);
    let card = Card { view: view.filter(|_| !is_spent(&place, told.as_ref())), flash };

    let mut texts = frame.texts.card.clone();
    if way.is_some() {
        texts = reworded(texts, &brand.name, &frame.texts.way_back);
    }
    texts.incorrect = texts.incorrect.up_to(tries);
    let label = frame.texts.code.code_label.of(length).to_owned();
    let malformed = frame.texts.code.malformed.of(length).to_owned();

    let is_over = card.ending().is_some();
    let head = Head {
        title: texts.title.clone(),
        is_error: card.is_error(),
        // What is over stays as it is.
        script: if is_over { Script::None } else { Script::Hydrate },
        logo: match way {
            Some(_) => Some(Logo::or_name(&brand)),
            None => Logo::of(setting.map_or(&brand, |setting| &setting.brand)),
        },
        // The page around a frame has its own.
        support: Support::of(&brand, &frame.texts.way_back).filter(|_| setting.is_none()),
        look: setting.map_or_else(|| Look::of(&brand), |setting| setting.look.clone()),
        told,
        ..Head::default()
    };
    let surround = || {
        if let Some(surroundings) = surroundings {
            provide_context(surroundings);
        }
    };
    if is_over {
        return document(frame, &head, || {
            surround();
            let back =
                way.map(|way| way_back(way, &brand.name, &frame.texts.way_back, frame.nonce));
            ending(&card, &texts, back)
        });
    }
    let seed = Seed { card, texts, label, malformed };
    let head = Head { seed: json::write(&seed.packed()), ..head };
    document(frame, &head, || {
        surround();
        provide_context(seed);
        view! { <VerificationCard /> }
    })
}

impl Surroundings {
    fn of(setting: &Setting) -> Self {
        Self {
            base: "/embed/v/",
            query: ["?", &setting.query].concat(),
            start: setting.start(),
            is_framed: true,
            is_given: setting.is_given,
        }
    }
}

/// An approved verification in a frame without its token is of no use any more: it shows as expired,
/// so that the person can begin anew.
fn is_spent(place: &Place, told: Option<&Told>) -> bool {
    let has_token = matches!(place, Place::Embedded(Embedded { token: Some(_), .. }));
    told.is_some_and(|told| told.ending.as_deref() == Some("expired")) && !has_token
}
