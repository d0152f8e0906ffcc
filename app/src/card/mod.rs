//! The verification card: the one island.
//!
//! The server renders it as plain forms that work without script. Once the WebAssembly has loaded,
//! the same markup is hydrated: checks and resends call server functions, the countdown ticks and the
//! delivery state is polled.
//!
//! Three rules keep the WebAssembly small. The card is only hydrated, never rebuilt: elements that are
//! shown later exist from the start, hidden. It has no properties, which would need a typed JSON
//! reader; it finds a [`Seed`] instead. All that changes in it are signals of a few types.

#![expect(unreachable_pub, reason = "the island macro exports what it generates")]

mod code_entry;
mod context;
mod elements;
mod ending;
mod live;
mod web_otp;

use leptos::prelude::*;

#[cfg(feature = "ssr")]
pub(crate) use {
    context::CardContext,
    ending::{ending, mark},
};

pub(crate) use crate::card_state::{Card, Ending};
use crate::{card::live::Live, texts::CardTexts, wire_codec::pack_fields};

/// Initial data of the island: from the Leptos context on the server, from the attribute `data-seed`
/// in the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    /// The verification as the server knows it.
    pub(crate) card: Card,
    /// All texts of the card.
    pub(crate) texts: CardTexts,
    /// Label of the field, with the number of digits.
    pub(crate) label: String,
    /// Error for a guess that is not a code.
    pub(crate) malformed: String,
}

pack_fields!(Seed { card, texts, label, malformed });

impl Seed {
    #[cfg(feature = "ssr")]
    fn find() -> Option<Self> {
        use_context()
    }

    #[cfg(not(feature = "ssr"))]
    fn find() -> Option<Self> {
        use crate::{server_fns::json, wire_codec::Pack};

        let main = document().query_selector("[data-seed]").ok()??;
        json::read(&main.get_attribute("data-seed")?).and_then(Self::unpacked)
    }
}

/// The card of one verification.
#[island]
pub(crate) fn VerificationCard() -> impl IntoView {
    // Without a seed the island stays as the server rendered it, and the plain forms work.
    Seed::find().map(|seed| {
        let live = Live::new(seed);
        let is_over = Signal::derive(move || live.card.with(|card| card.ending().is_some()));
        let is_pending = Signal::derive(move || !is_over.get());
        view! {
            <div hidden=is_over>{code_entry::code_entry(live)}</div>
            <div hidden=is_pending>{ending::live_ending(live)}</div>
        }
    })
}
