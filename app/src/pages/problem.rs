//! The page for everything that is refused or has failed.

use leptos::prelude::*;

use crate::{
    card::mark,
    countdown::clock_face,
    error::ApiError,
    pages::shell::{Frame, Head, Script, document},
};

/// What the page for a fault is made from.
#[derive(Clone, Copy, Debug)]
pub struct ProblemPage<'a> {
    /// Texts, assets, nonce.
    pub frame: Frame<'a>,
    /// Why there is nothing better to show.
    pub error: ApiError,
}

/// Renders a fault: what happened and the way on.
pub fn problem(page: ProblemPage<'_>) -> String {
    let ProblemPage { frame, error } = page;
    let (texts, card) = (&frame.texts.problem, &frame.texts.card);
    let (heading, body) = match error {
        ApiError::NotFound | ApiError::AlreadyFinished | ApiError::NoSendsLeft => {
            (&texts.not_found, texts.not_found_body.clone())
        }
        ApiError::RateLimited { retry_after, .. } | ApiError::ResendTooEarly { retry_after } => {
            (&texts.slow_down, card.limit_sends.with(&clock_face(retry_after)))
        }
        ApiError::Unavailable { .. } => (&texts.away, card.unavailable.clone()),
        ApiError::Internal => (&texts.fault, card.internal.clone()),
        _ => (&texts.refused, card.not_understood.clone()),
    };
    let head = Head {
        title: heading.clone(),
        is_error: true,
        indexed: false,
        script: Script::None,
        seed: None,
    };
    document(frame, &head, || {
        view! {
            <div class="ending" data-kind="bad">
                {mark()}
                <h1>{heading.clone()}</h1>
                <p>{body}</p>
                <a class="button" href="/">
                    {card.start_again.clone()}
                </a>
            </div>
        }
    })
}
