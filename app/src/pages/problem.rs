//! The page for errors.

use leptos::prelude::*;

use crate::{
    card::mark,
    countdown::clock_face,
    error::{ApiError, Limit, RecipientProblem},
    pages::{
        setting::{Setting, Told},
        shell::{Frame, Head, Logo, document},
    },
};

/// Input of the error page.
#[derive(Clone, Copy, Debug)]
pub struct ProblemPage<'a> {
    /// Texts, assets and nonce.
    pub frame: Frame<'a>,
    /// The error.
    pub error: ApiError,
    /// The frame around the page, if any.
    pub setting: Option<&'a Setting>,
}

/// Renders an error, with a link to the start page.
pub fn problem(page: ProblemPage<'_>) -> String {
    let ProblemPage { frame, error, setting } = page;
    let (texts, card) = (&frame.texts.problem, &frame.texts.card);
    let (heading, body) = match error {
        ApiError::NotFound | ApiError::AlreadyFinished | ApiError::NoSendsLeft => {
            (&texts.not_found, texts.not_found_body.clone())
        }
        ApiError::DestinationBlocked { retry_after }
        | ApiError::RateLimited { limit: Limit::Texts, retry_after } => {
            (&card.failed, frame.texts.start.texts_paused.with(&clock_face(retry_after)))
        }
        ApiError::RateLimited { retry_after, .. } | ApiError::ResendTooEarly { retry_after } => {
            (&texts.slow_down, card.limit_sends.with(&clock_face(retry_after)))
        }
        ApiError::Unavailable { .. } => (&texts.away, card.unavailable.clone()),
        ApiError::NotEmbeddable => (&texts.not_embeddable, texts.not_embeddable_body.clone()),
        ApiError::DevelopmentOnly => (&texts.development_only, texts.development_only_body.clone()),
        ApiError::Internal => (&texts.fault, card.internal.clone()),
        ApiError::DestinationNotServed => {
            (&card.failed, frame.texts.start.destination_not_served.clone())
        }
        ApiError::InvalidRecipient { problem: RecipientProblem::NotMobile } => {
            (&card.failed, frame.texts.start.not_mobile.clone())
        }
        ApiError::InvalidRecipient { .. } | ApiError::ChannelUnavailable => {
            (&card.failed, card.failed_body.clone())
        }
        _ => (&texts.refused, card.not_understood.clone()),
    };
    let head = Head {
        title: heading.clone(),
        is_error: true,
        logo: setting.and_then(|setting| Logo::of(&setting.brand)),
        look: setting.map(|setting| setting.look.clone()).unwrap_or_default(),
        told: setting.map(|setting| Told::refusal(setting, error)),
        ..Head::default()
    };
    let start = setting.map(Setting::start).or(frame.has_start.then(|| "/".to_owned()));
    document(frame, &head, || {
        view! {
            <div class="ending" data-kind="bad">
                {mark()}
                <h1>{heading.clone()}</h1>
                <p>{body}</p>
                {start.map(|start| {
                    view! {
                        <a class="button" href=start data-restart=setting.map(|_| "")>
                            {card.start_again.clone()}
                        </a>
                    }
                })}
            </div>
        }
    })
}
