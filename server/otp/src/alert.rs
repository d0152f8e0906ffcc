//! Alerts for the operator: what is counted across people has passed a line.

use serde::{Deserialize, Serialize};

/// An alert. Nothing in it is personal: destinations are countries or prefixes.
///
/// Amounts of money are in units of [`crate::price::Price`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Alert {
    /// Too many verifications of a destination stayed without approval, so that no more begin there for a
    /// while.
    DestinationClosed {
        /// Name of the site.
        site: String,
        /// Country ("GB") or prefix ("+44770").
        destination: String,
        /// Verifications without approval.
        unverified: u64,
        /// Number of them that is tolerated.
        tolerated: u64,
        /// They begin all the same: the guard only records.
        recorded_only: bool,
    },
    /// Verifications of a destination begin again.
    DestinationOpened {
        /// Name of the site.
        site: String,
        /// Country or prefix.
        destination: String,
    },
    /// As many texts were sent as a ceiling allows.
    CeilingReached {
        /// Name of the site; none for all sites together.
        site: Option<String>,
        /// Country or prefix; none for all together.
        destination: Option<String>,
        /// Texts of the ceiling.
        texts: u32,
        /// Its hours: 1 or 24.
        hours: u64,
    },
    /// Four fifths of a daily cap are spent.
    SpendingNear {
        /// Name of the site; none for all sites together.
        site: Option<String>,
        /// Money spent in 24 hours.
        spent: u64,
        /// The cap.
        cap: u64,
    },
    /// A daily cap is spent: no text is sent any more.
    SpendingReached {
        /// Name of the site; none for all sites together.
        site: Option<String>,
        /// Money spent in 24 hours.
        spent: u64,
        /// The cap.
        cap: u64,
    },
    /// A site has so many more wrong checks than usual that its codes grow.
    GuessesUnusual {
        /// Name of the site.
        site: String,
        /// Wrong checks in 24 hours.
        wrong: u64,
        /// Usual number of them.
        usual: u64,
        /// Fewest digits of a code from now on.
        length: u8,
    },
}
