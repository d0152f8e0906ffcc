//! Alerts for the operator of a server.
//!
//! A step adds them to its records, and they are told once it is committed. They hold nothing personal.

use serde::Serialize;

/// Something that the operator should look at. Its fields are serialised without their name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Alert {
    /// No more texts are sent to a country or prefix for a while: too few of their codes are typed.
    DestinationClosed {
        /// Name of the site.
        site: String,
        /// A country, such as `GB`, or a prefix, such as `+44770`.
        destination: String,
        /// Verifications that were not approved.
        unverified: u64,
        /// How many of these are tolerated.
        tolerated: u64,
        /// It is recorded only, and texts are still sent.
        recorded_only: bool,
    },
    /// Texts are sent to a country or prefix again.
    DestinationOpened {
        /// Name of the site.
        site: String,
        /// As in [`Alert::DestinationClosed`].
        destination: String,
    },
    /// As many texts were sent as a ceiling allows.
    CeilingReached {
        /// Name of the site; `None` for all sites together.
        site: Option<String>,
        /// A country or prefix; `None` for all together.
        destination: Option<String>,
        /// Texts that may be sent.
        texts: u32,
        /// Hours in which they may: 1 or 24.
        hours: u64,
    },
    /// Most of the money for texts of a day is spent.
    SpendingNear {
        /// Name of the site; `None` for all sites together.
        site: Option<String>,
        /// Money spent, in ten-thousandths of the price list's unit.
        spent: u64,
        /// Money that may be spent, likewise.
        cap: u64,
    },
    /// All money for texts of a day is spent, and none are sent.
    SpendingReached {
        /// As in [`Alert::SpendingNear`].
        site: Option<String>,
        /// As in [`Alert::SpendingNear`].
        spent: u64,
        /// As in [`Alert::SpendingNear`].
        cap: u64,
    },
    /// A site has many more wrong checks than usual, and its new codes are longer.
    GuessesUnusual {
        /// Name of the site.
        site: String,
        /// Wrong checks within a day.
        wrong: u64,
        /// Its usual number.
        usual: u64,
        /// Digits of its new codes.
        length: u8,
    },
    /// A provider of messages refuses the operator's account, so its messages go by other providers, or wait.
    ProviderRefused {
        /// Name of the provider.
        provider: String,
        /// The answer in protocol codes.
        reason: String,
    },
}

impl Alert {
    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DestinationClosed { .. } => "destination_closed",
            Self::DestinationOpened { .. } => "destination_opened",
            Self::CeilingReached { .. } => "ceiling_reached",
            Self::SpendingNear { .. } => "spending_near",
            Self::SpendingReached { .. } => "spending_reached",
            Self::GuessesUnusual { .. } => "guesses_unusual",
            Self::ProviderRefused { .. } => "provider_refused",
        }
    }
}
