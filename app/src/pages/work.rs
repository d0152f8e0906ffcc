//! The page on which the browser does the work that a message takes, or the person waits.
//!
//! It repeats the refused form in hidden fields. The script fills in its answer and submits it; without script
//! the button does after the wait.

use leptos::prelude::*;

use crate::{
    countdown::clock_face,
    look::Look,
    pages::{
        setting::{Setting, Told},
        shell::{Frame, Head, Logo, document},
    },
    wire::Brand,
    work::Work,
};

/// Input of the page of a work.
#[derive(Clone, Debug)]
pub struct WorkPage<'a> {
    /// Texts, assets and nonce.
    pub frame: Frame<'a>,
    /// The work.
    pub work: Work,
    /// Address of the refused form.
    pub action: String,
    /// Its fields, by name.
    pub fields: Vec<(&'static str, String)>,
    /// Address of the page that the form was on, which going back leads to.
    pub back: String,
    /// The site's brand.
    pub brand: &'a Brand,
    /// The frame around the page, if any.
    pub setting: Option<&'a Setting>,
}

/// Renders the form with its work.
pub fn work(page: WorkPage<'_>) -> String {
    let WorkPage { frame, work, action, fields, back, brand, setting } = page;
    let texts = &frame.texts.problem;
    let head = Head {
        title: texts.one_moment.clone(),
        logo: Logo::of(brand),
        look: setting.map_or_else(|| Look::of(brand), |setting| setting.look.clone()),
        told: setting.map(Told::presence),
        works: true,
        ..Head::default()
    };
    let fields = fields.into_iter().chain([("work", work.challenge.to_string())]);
    document(frame, &head, || {
        let fields = fields
            .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
            .collect_view();
        view! {
            <h1 id="title">{texts.one_moment.clone()}</h1>
            <form
                method="post"
                action=action
                data-bits=work.bits.to_string()
                data-rounds=work.rounds.to_string()
                data-wait=work.retry_after.to_string()
                data-back=back
            >
                {fields}
                <p class="to" role="status">
                    {texts.one_moment_body.with(&clock_face(work.retry_after))}
                </p>
                <button class="button" type="submit">
                    {texts.go_on.clone()}
                </button>
            </form>
        }
    })
}
