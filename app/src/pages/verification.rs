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
    wire::{PageView, Place, Proof},
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
    let page = page.unwrap_or_default();
    let told = setting.map(|setting| Told::verification(setting, &page));
    let way_back = page.way_back().cloned();
    let PageView { view, brand, place, proof, claim } = page;
    let length = view.as_ref().map_or(0, |view| u32::from(view.code_length));
    let attempts_left = view.as_ref().map_or(0, |view| view.attempts_left);
    let is_visited = matches!(place, Place::Visited(_));
    let leads_on = place != Place::Alone;
    let is_elsewhere = leads_on && matches!(proof, Some(Proof::Elsewhere(_)));
    // A person from a relying party who enters the right code twice is simply verified.
    let flash = flash.filter(|flash| !leads_on || *flash != Flash::AlreadyUsed);
    // An approved verification in a frame without its token is of no use to the embedding page: it
    // shows as expired, so that the person can start again.
    let is_expired = told.as_ref().is_some_and(|told| told.ending.as_deref() == Some("expired"));
    let card = Card { view: view.filter(|_| !is_expired), flash };

    let mut texts = frame.texts.card.clone();
    if is_visited {
        texts = reworded(texts, &brand.name, &frame.texts.return_form);
    }
    if is_elsewhere {
        texts.approved.clone_from(&frame.texts.return_form.elsewhere);
        texts.approved_body.clone_from(&frame.texts.return_form.elsewhere_body);
    }
    texts.incorrect = texts.incorrect.up_to(attempts_left);
    let label = frame.texts.code.code_label.of(length).to_owned();
    let malformed = frame.texts.code.malformed.of(length).to_owned();

    let is_over = card.ending().is_some();
    let head = Head {
        title: texts.title.clone(),
        is_error: card.is_error(card.view.as_ref().map_or(0, |view| view.now)),
        // A final state never changes.
        script: if is_over { Script::None } else { Script::Hydrate },
        logo: if is_visited {
            Some(Logo::or_name(&brand))
        } else {
            Logo::of(setting.map_or(&brand, |setting| &setting.brand))
        },
        account: (leads_on && !is_over)
            .then(|| (frame.texts.return_form.for_account.clone(), brand.name.clone())),
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
            provide_context(CardContext::without_start(is_visited));
        }
    };
    if is_over {
        return document(frame, &head, || {
            provide_card_context();
            let token = proof.as_ref().and_then(Proof::token).map(|token| token.signed.as_str());
            let form = way_back.map(|way| {
                return_form(&way, token, &brand.name, &frame.texts.return_form, frame.nonce)
            });
            // A frame can begin again by itself, unlike a page that a relying party has led to.
            ending(&card, &texts, form, is_elsewhere && setting.is_some())
        });
    }
    let seed = Seed { card, texts, label, malformed };
    let head = Head { seed: json::write(&seed.packed()), ..head };
    document(frame, &head, || {
        provide_card_context();
        provide_context(seed);
        // Outside of the island, which never changes it.
        let claim = claim.map(|claim| {
            view! { <input id="claim" type="hidden" form="check" name="claim" value=claim /> }
        });
        view! {
            <VerificationCard />
            {claim}
        }
    })
}

impl CardContext {
    /// A page of its own on a server without a start page. Only a person who came from a relying party has a
    /// place to go to from there.
    fn without_start(is_visited: bool) -> Self {
        Self {
            base: "/v/",
            query: String::new(),
            start: None,
            is_framed: false,
            hides_change: !is_visited,
        }
    }

    fn of(setting: &Setting) -> Self {
        Self {
            base: "/embed/v/",
            query: ["?", &setting.query].concat(),
            start: Some(setting.start()),
            is_framed: true,
            hides_change: setting.is_given,
        }
    }
}
