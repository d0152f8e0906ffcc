//! The page of one verification: the island, rendered in the state that the server knows.

use leptos::prelude::*;

use crate::{
    card::{Card, VerificationCard},
    notice::Notice,
    pages::shell::{Frame, Head, Script, document},
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

    let head = Head {
        title: texts.title.clone(),
        is_error: card.is_error(),
        indexed: false,
        // What has ended stays as it is.
        script: if card.ending().is_none() { Script::Hydrate } else { Script::None },
    };
    document(frame, &head, || view! { <VerificationCard card texts label malformed /> })
}
