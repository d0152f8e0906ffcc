//! Records of what is counted across verifications.

use serde::{Deserialize, Serialize};

use crate::{known::KnownClients, quota::SlidingWindow, risk::Reservations, time::Timestamp};

/// Windows of one caller. Absent ones in a stored record read as empty, and a list of windows, as
/// earlier versions stored it, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallerCounters {
    /// Messages asked for.
    pub sends: SlidingWindow,
    /// Checks, whatever came of them.
    pub checks: SlidingWindow,
    /// Time of the latest demand of work that was met; it and all earlier ones are spent (see
    /// [`Demand::counts`](crate::work::Demand::counts)).
    pub work_met: Timestamp,
}

/// Windows of one recipient of one site, stored like [`CallerCounters`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecipientCounters {
    /// Messages in the shorter window.
    pub sends_short: SlidingWindow,
    /// Messages in the longer window.
    pub sends_long: SlidingWindow,
    /// Wrong checks of test codes since the last right one.
    pub wrong_checks: SlidingWindow,
    /// Risks of the codes that were sent.
    pub reserved: Reservations,
    /// Clients from which it was approved.
    #[serde(skip_serializing_if = "KnownClients::is_empty")]
    pub known: KnownClients,
    /// Time at which the recipient last disowned a verification, which begins a cool-down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disowned_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_windows_as_earlier_versions_stored_it_is_read() {
        let window = r#"{"slots":[[7,2]]}"#;
        let read: RecipientCounters = serde_json::from_str(&format!("[{window}]")).unwrap();
        let stored: SlidingWindow = serde_json::from_str(window).unwrap();
        assert_eq!(read.sends_short, stored);
        assert_eq!((read.sends_long, read.wrong_checks), Default::default());
        let all = format!("[{window},{window},{window}]");
        let read: RecipientCounters = serde_json::from_str(&all).unwrap();
        assert_eq!(read.wrong_checks, stored);
        let again = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<RecipientCounters>(&again).unwrap(), read);
    }
}
