//! The ways a code can travel.

use serde::{Deserialize, Serialize};

/// A way for a code to reach its recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// An e-mail message.
    Email,
    /// A text message to a phone.
    Sms,
}

impl Channel {
    /// The channel's name on the wire and in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }
}
