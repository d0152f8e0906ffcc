//! The page behind the link "this wasn't me" of a mail: one button, which ends the verification.

use leptos::{either::Either, prelude::*};

use crate::{
    card::mark,
    look::Look,
    pages::shell::{Frame, Head, Logo, Support, document},
    wire::{NotMeView, State},
};

/// Input of the page.
#[derive(Clone, Debug)]
pub struct NotMePage<'a> {
    /// Texts, assets and nonce.
    pub frame: Frame<'a>,
    /// The verification; `None` if there is nothing left to end. Unknown and altered links look alike.
    pub view: Option<NotMeView>,
}

/// Renders the question, or the result of the button.
pub fn not_me(page: NotMePage<'_>) -> String {
    let NotMePage { frame, view } = page;
    let texts = &frame.texts.not_me;
    let Some(view) = view else {
        let head = Head { title: texts.not_me_over.clone(), ..Head::default() };
        return document(frame, &head, || {
            view! {
                <div class="ending">
                    <h1>{texts.not_me_over.clone()}</h1>
                    <p>{texts.not_me_over_body.clone()}</p>
                </div>
            }
        });
    };
    let NotMeView { recipient, brand, state, is_done, cool_down_hours } = view;
    let is_used = state == State::Approved;
    let heading = match (is_done, is_used) {
        (false, _) => &texts.not_me_question,
        (true, false) => &texts.not_me_done,
        (true, true) => &texts.not_me_used,
    };
    let head = Head {
        title: heading.clone(),
        logo: Some(Logo::or_name(&brand)),
        support: Support::of(&brand, &frame.texts.return_form),
        look: Look::of(&brand),
        ..Head::default()
    };
    let used = is_used.then(|| {
        let text = &texts.not_me_used_body;
        view! { <p>{text.before.clone()}<bdi>{brand.name.clone()}</bdi>{text.after.clone()}</p> }
    });
    let cool_down = if is_done { &texts.not_me_cooling } else { &texts.not_me_cool_down };
    let cool_down = (cool_down_hours > 0 && !is_used)
        .then(|| view! { <p>{cool_down.of(cool_down_hours).to_owned()}</p> });
    document(frame, &head, || {
        if is_done {
            let ended = (!is_used).then(|| about(&texts.not_me_ended, &recipient));
            return Either::Left(view! {
                <div class="ending" data-kind=if is_used { "bad" } else { "good" }>
                    {mark()}
                    <h1>{heading.clone()}</h1>
                    {ended}
                    {used}
                    {cool_down}
                </div>
            });
        }
        let ends = (state == State::Pending).then(|| view! { <p>{texts.not_me_ends.clone()}</p> });
        Either::Right(view! {
            <div class="ending">
                <h1>{heading.clone()}</h1>
                {about(&texts.not_me_asked, &recipient)}
                {ends}
                {used}
                {cool_down}
                <form method="post">
                    <button class="button" type="submit">
                        {texts.not_me_submit.clone()}
                    </button>
                </form>
                <p>{texts.not_me_otherwise.clone()}</p>
            </div>
        })
    })
}

/// A sentence about the recipient.
fn about(text: &crate::texts::Slotted, recipient: &str) -> impl IntoView + use<> {
    view! {
        <p>
            {text.before.clone()} <bdi dir="ltr">{recipient.to_owned()}</bdi> {text.after.clone()}
        </p>
    }
}
