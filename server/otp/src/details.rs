//! Data that a relying party attaches to a verification and gets back with its result.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// Attached data of a verification.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// Origin of the embedding page, if the code is typed in a frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Return URL, exactly as listed in the site's configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// Opaque value of the embedding page that binds the result to one of its sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_state: Option<String>,
    /// Key-value pairs of the relying party.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Country of the phone number, under which its texts are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Test mode: no message is sent, and the result proves nothing.
    #[serde(rename = "rehearsal", skip_serializing_if = "std::ops::Not::not")]
    pub test_mode: bool,
}

impl Details {
    /// Whether no data is attached.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Leaves out the fields that may hold personal data.
impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details")
            .field("origin", &self.origin)
            .field("return_url", &self.return_url)
            .field("metadata", &self.metadata.len())
            .field("test_mode", &self.test_mode)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_stays_readable() {
        let details = Details { test_mode: true, ..Details::default() };
        let stored = serde_json::json!({ "rehearsal": true });
        assert_eq!(serde_json::to_value(&details).unwrap(), stored);
        assert_eq!(serde_json::from_value::<Details>(stored).unwrap(), details);
    }
}
