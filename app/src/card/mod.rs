//! The verification card: the one island.
//!
//! On the server it renders as plain forms that work on their own. Once the WebAssembly has
//! arrived the same markup is hydrated: checks and resends go by server functions, the countdown
//! ticks and delivery is followed live.
//!
//! Every kilobyte of it travels to a phone, and three things keep it small. It is only ever
//! hydrated, never built anew: what may show up later is there from the start, hidden. It has no
//! properties, for those would bring a reader of typed JSON along; it finds a [`Seed`] instead.
//! And everything that changes in it is a signal of one of few types.

#![expect(unreachable_pub, reason = "the island macro exports what it generates")]

mod ending;
mod enter;
mod live;
mod state;
mod surroundings;
mod web_otp;

use leptos::prelude::*;

#[cfg(feature = "ssr")]
pub(crate) use ending::{ending, mark};
pub(crate) use state::{Card, Ending};
#[cfg(feature = "ssr")]
pub(crate) use surroundings::Surroundings;

use crate::{card::live::Live, texts::CardTexts, wire_codec::pack_fields};

/// What the island grows from: on the server out of the context, in the browser out of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    /// The verification as the server knows it.
    pub(crate) card: Card,
    /// Everything that the card may have to say.
    pub(crate) texts: CardTexts,
    /// The field's label, which names the number of digits.
    pub(crate) label: String,
    /// The complaint about a guess that is no code.
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

/// The card of one verification, from typing the code to how it ended.
#[island]
pub(crate) fn VerificationCard() -> impl IntoView {
    // Without its seed the island stays what the server made of it, and the plain forms work.
    Seed::find().map(|seed| {
        let live = Live::new(seed);
        let is_over = Signal::derive(move || live.card.with(|card| card.ending().is_some()));
        let is_on = Signal::derive(move || !is_over.get());
        view! {
            <div hidden=is_over>{enter::enter(live)}</div>
            <div hidden=is_on>{ending::live_ending(live)}</div>
        }
    })
}
