//! The way back to a relying party that has sent a person here and waits for them.
//!
//! It is a form that is posted to the one address that the relying party has listed, since a token has
//! no place in any URL. Where nothing is left to be said, a script of one line posts it at once; the
//! button is there for everybody else.

use leptos::prelude::*;

use crate::{
    texts::{CardTexts, WayBackTexts},
    wire::{State, WayBack},
};

/// Posts the form while the page is still being read, by which browsers put what follows in its place
/// in the history. Whoever goes back to it is left to choose.
const GO: &str = "{const[how]=performance.getEntriesByType('navigation');\
                  if(!how||how.type!='back_forward')document.getElementById('way-back').submit()}";

/// The form, once the verification is over.
pub(super) fn way_back(
    way: &WayBack,
    brand: &str,
    texts: &WayBackTexts,
    nonce: &str,
) -> impl IntoView + use<> {
    let field = |name: &'static str, value: Option<String>| {
        value.map(|value| view! { <input type="hidden" name=name value=value /> })
    };
    let script = goes_by_itself(way).then(|| {
        view! { <script nonce=nonce.to_owned() inner_html=GO></script> }
    });
    view! {
        <form id="way-back" method="post" action=way.url.clone()>
            {field("result", Some(result(way.result).to_owned()))}
            {field("state", way.page_state.clone())}
            {field("token", way.token.clone())}
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

/// The words of a card whose person came from a relying party: they begin anew there and not here.
pub(super) fn reworded(card: CardTexts, brand: &str, texts: &WayBackTexts) -> CardTexts {
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

/// Is there nothing left for the person to read or do? An approved verification whose token is gone
/// has been returned from before.
fn goes_by_itself(way: &WayBack) -> bool {
    match way.result {
        State::Approved => way.token.is_some(),
        State::Canceled => true,
        State::Pending | State::Expired | State::MaxAttemptsReached | State::Failed => false,
    }
}

/// How a verification ended, in the word that the JSON API has for it.
fn result(state: State) -> &'static str {
    match state {
        State::Pending => "pending",
        State::Approved => "approved",
        State::Canceled => "canceled",
        State::Expired => "expired",
        State::MaxAttemptsReached => "max_attempts_reached",
        State::Failed => "failed",
    }
}

/// A name keeps its own direction within whatever text it stands (Unicode Bidirectional Algorithm).
fn isolated(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}
