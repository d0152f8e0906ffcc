//! What a relying party hangs onto a verification and gets back with its result.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// What is known of a verification beside its rules. None of it decides anything.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// The origin of the page in which the person types the code, where that is embedded in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Where the person is sent back to, exactly as the relying party has listed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// What the relying party's page said to tell one of its sessions from another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_state: Option<String>,
    /// The relying party's own words on it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Nobody is sent anything: it proves nothing and serves somebody's tests.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rehearsal: bool,
}

impl Details {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Shows nothing that may be personal.
impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details")
            .field("origin", &self.origin)
            .field("return_url", &self.return_url)
            .field("metadata", &self.metadata.len())
            .field("rehearsal", &self.rehearsal)
            .finish_non_exhaustive()
    }
}
