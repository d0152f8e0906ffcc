//! The page of one verification: the island, rendered in the state that the server knows.

use leptos::prelude::*;

use crate::{
    card::{Card, Seed, VerificationCard, ending},
    notice::Notice,
    pack::Pack,
    pages::shell::{Frame, Head, Script, document},
    server_fns::json,
    wire::VerificationView,
};

/// What the page of a verification is made from.
#[derive(Clone, Debug)]
pub struct VerificationPage<'a> {
    /// Texts, assets, nonce.
    pub frame: Frame<'a>,
    /// The verification; `None` where it has expired or never was, which look alike.
    pub view: Option<VerificationView>,
    /// What went wrong with the last form, as the redirect told it.
    pub notice: Option<Notice>,
}

/// Renders a verification, from typing the code to how it ended.
pub fn verification(page: VerificationPage<'_>) -> String {
    let VerificationPage { frame, view, notice } = page;
    let length = view.as_ref().map_or(0, |view| u32::from(view.code_length));
    let tries = view.as_ref().map_or(0, |view| view.attempts_left);
    let card = Card { view, notice };

    let mut texts = frame.texts.card.clone();
    texts.incorrect = texts.incorrect.up_to(tries);
    let label = frame.texts.code.code_label.of(length).to_owned();
    let malformed = frame.texts.code.malformed.of(length).to_owned();

    let is_over = card.ending().is_some();
    let head = Head {
        title: texts.title.clone(),
        is_error: card.is_error(),
        indexed: false,
        // What is over stays as it is.
        script: if is_over { Script::None } else { Script::Hydrate },
        seed: None,
    };
    if is_over {
        return document(frame, &head, || ending(&card, &texts));
    }
    let seed = Seed { card, texts, label, malformed };
    let head = Head { seed: json::write(&seed.packed()), ..head };
    document(frame, &head, || {
        provide_context(seed);
        view! { <VerificationCard /> }
    })
}
