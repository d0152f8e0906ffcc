//! The flows that are measured.

use crate::door::Door;

/// Test recipients of `demo`.
pub(super) const TEST_RECIPIENTS: usize = 2000;
pub(super) const TEST_CODE: &str = "0123456789";
/// A secret key of `demo` with test recipients.
pub(super) const TEST_KEY: &str = "lk_sec_benchmark-of-test-recipients";

/// A flow: create, wrong check, right check.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Most CPU time that is wanted, in units of the bare server's.
    pub(crate) limit: Option<f64>,
    pub(crate) door: Door,
    pub(crate) key: &'static str,
    /// The recipient of the flow of this number.
    pub(crate) recipient: fn(usize) -> String,
    pub(crate) codes: Codes,
}

/// The source of the right codes.
#[derive(Clone, Copy)]
pub(crate) enum Codes {
    /// One code of a site for test suites.
    Site(&'static str),
    /// One code of test recipients.
    Recipients(&'static str),
    Inbox,
    Twilio,
}

pub(crate) const RECIPIENT: Kind = Kind {
    name: "recipient",
    title: "/v1, test recipient of `demo`",
    limit: Some(4.5),
    door: Door::Api,
    key: TEST_KEY,
    recipient: |flow| email(flow % TEST_RECIPIENTS),
    codes: Codes::Recipients(TEST_CODE),
};

pub(crate) const INBOX: Kind = Kind {
    name: "inbox",
    title: "/v1, message to the inbox",
    limit: Some(5.0),
    door: Door::Api,
    key: "lk_sec_demo",
    recipient: email,
    codes: Codes::Inbox,
};

pub(super) const KINDS: [Kind; 5] = [
    Kind {
        name: "dummy",
        title: "/v1, test key of a dummy site",
        limit: Some(3.5),
        door: Door::Api,
        key: "lk_sec_test_approve",
        recipient: email,
        codes: Codes::Site("000000"),
    },
    RECIPIENT,
    INBOX,
    Kind {
        name: "twilio",
        title: "/v1, text by a stand-in for Twilio",
        limit: Some(9.0),
        recipient: |flow| format!("+447400{:06}", flow % 1_000_000),
        codes: Codes::Twilio,
        ..INBOX
    },
    Kind {
        name: "form",
        title: "forms of the pages, message to the inbox",
        limit: None,
        door: Door::Form,
        ..INBOX
    },
];

pub(super) fn email(flow: usize) -> String {
    format!("flow{flow}@example.com")
}
