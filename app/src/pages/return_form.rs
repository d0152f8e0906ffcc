//! Form that returns a person to the relying party that redirected them here.
//!
//! It is posted to the return URL, so that the token is in no URL. Where the page has nothing left to
//! say, a script of one line submits it at once; otherwise the person presses its button.

use leptos::prelude::*;

use crate::{
    texts::{CardTexts, ReturnTexts},
    wire::{State, WayBack},
};

/// Submits the form while the page is loading, so that browsers replace its entry in the history. Does
/// nothing when the person navigates back to the page.
const AUTO_SUBMIT: &str = "{const[how]=performance.getEntriesByType('navigation');\
                  if(!how||how.type!='back_forward')document.getElementById('way-back').submit()}";

/// The form of a verification that is over, with the token that this client may have.
pub(super) fn return_form(
    way: &WayBack,
    token: Option<&str>,
    brand: &str,
    texts: &ReturnTexts,
    nonce: &str,
) -> impl IntoView + use<> {
    let field = |name: &'static str, value: Option<String>| {
        value.map(|value| view! { <input type="hidden" name=name value=value /> })
    };
    let script = submits_itself(way.result, token).then(|| {
        view! { <script nonce=nonce.to_owned() inner_html=AUTO_SUBMIT></script> }
    });
    view! {
        <form id="way-back" method="post" action=way.url.clone()>
            {field("result", Some(way.result.as_str().to_owned()))}
            {field("state", way.page_state.clone())}
            {field("token", token.map(str::to_owned))}
            <button class="button" type="submit">
                <span>
                    {texts.return_to.before.clone()}<bdi>{brand.to_owned()}</bdi>
                    {texts.return_to.after.clone()}
                </span>
            </button>
        </form>
        {script}
    }
}

/// Texts of the card for a person from a relying party, who starts again there and not here.
pub(super) fn reworded(card: CardTexts, brand: &str, texts: &ReturnTexts) -> CardTexts {
    let brand = isolated(brand);
    let leave = texts.cancel_and_return.with(&brand);
    CardTexts {
        change: leave.clone(),
        change_label: leave,
        undelivered: texts.undelivered_there.clone(),
        expired_body: texts.expired_there.with(&brand),
        too_many_attempts_body: texts.too_many_attempts_there.with(&brand),
        canceled_body: texts.canceled_there.with(&brand),
        failed_body: texts.failed_there.with(&brand),
        ..card
    }
}

/// Whether the page has nothing left to say. An approved verification without a token has already been
/// returned from.
fn submits_itself(result: State, token: Option<&str>) -> bool {
    match result {
        State::Approved => token.is_some(),
        State::Canceled => true,
        State::Pending | State::Expired | State::MaxAttemptsReached | State::Failed => false,
    }
}

/// Isolates the direction of a name from the text around it (Unicode Bidirectional Algorithm).
fn isolated(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}
