//! Words shared by the domain, the JSON API, the pages and the island.
//!
//! Each is defined here and nowhere else, with one spelling ([`Channel::as_str`]) for the wire, for
//! stored records and for configuration. Compiled for the browser this crate depends on nothing.

mod string_enum;
pub mod typed_code;

use std::fmt;

use self::string_enum::string_enum;

string_enum! {
    /// A way for a code to reach its recipient.
    Channel {
        /// An e-mail message.
        Email = "email",
        /// A text message to a phone.
        Sms = "sms",
        /// A WhatsApp message to the account of a phone number.
        Whatsapp = "whatsapp",
        /// A call to a phone, which says the code.
        Voice = "voice",
    }
}

impl Channel {
    /// The channels that reach phone numbers.
    pub const OF_PHONES: &'static [Self] = &[Self::Sms, Self::Whatsapp, Self::Voice];

    /// Whether it reaches phone numbers; otherwise it reaches e-mail addresses.
    pub fn is_of_phones(self) -> bool {
        Self::OF_PHONES.contains(&self)
    }

    /// The first for each kind of recipient, of channels in the order to offer them.
    pub fn first_of_each_kind(offered: &[Self]) -> Vec<Self> {
        let mut first: Vec<Self> = Vec::new();
        for channel in offered {
            if !first.iter().any(|other| other.is_of_phones() == channel.is_of_phones()) {
                first.push(*channel);
            }
        }
        first
    }
}

string_enum! {
    /// State of a verification. It never goes back.
    State {
        /// Waiting for the right code.
        Pending = "pending",
        /// The right code was typed in time.
        Approved = "approved",
        /// Canceled by the person or by the relying party.
        Canceled = "canceled",
        /// Nobody typed the right code in time. An unknown id looks the same.
        Expired = "expired",
        /// The budget of checks is spent.
        MaxAttemptsReached = "max_attempts_reached",
        /// No message could be delivered.
        Failed = "failed",
    }
}

string_enum! {
    /// Progress of one message. Ordered: it only ever moves to a greater value.
    DeliveryState {
        /// Committed to the outbox, not yet handed to a provider.
        Accepted = "accepted",
        /// A provider has taken it.
        Sent = "sent",
        /// Every provider was tried, or the code expired first.
        Undelivered = "undelivered",
        /// The provider reports its arrival, which even corrects an earlier `undelivered`.
        Delivered = "delivered",
    }
}

string_enum! {
    /// Result of one check.
    CheckResult {
        /// The right code, in time, for the first time.
        Approved = "approved",
        /// The verification was approved before.
        AlreadyUsed = "already_used",
        /// A well-formed guess that is no live code.
        Incorrect = "incorrect",
        /// Not as many digits as were sent, or not digits. It costs no attempt.
        Malformed = "malformed",
        /// The code or the verification is past its time, or never was.
        Expired = "expired",
        /// The budget of checks is spent.
        TooManyAttempts = "too_many_attempts",
        /// The verification was canceled.
        Canceled = "canceled",
    }
}

string_enum! {
    /// Code of a problem.
    ProblemCode {
        /// The verification is over.
        AlreadyFinished = "already_finished",
        /// The request could not be read.
        BadRequest = "bad_request",
        /// The channel does not reach the recipient.
        ChannelUnavailable = "channel_unavailable",
        /// The request comes from a page of another site.
        CrossSite = "cross_site",
        /// No verification by text begins at the destination for a while.
        DestinationBlocked = "destination_blocked",
        /// The site sends no text messages to the country or range of the number.
        DestinationNotServed = "destination_not_served",
        /// Development mode answers its own machine alone.
        DevelopmentOnly = "development_only",
        /// The idempotency key belongs to another request.
        IdempotencyKeyReused = "idempotency_key_reused",
        /// A fault of the server.
        Internal = "internal",
        /// A field of the request cannot be accepted.
        InvalidField = "invalid_field",
        /// The recipient is not an address or number that a code can be sent to.
        InvalidRecipient = "invalid_recipient",
        /// The site does not list the return URL.
        InvalidReturnUrl = "invalid_return_url",
        /// The token is none of this server for this site.
        InvalidToken = "invalid_token",
        /// The address does not answer to the method.
        MethodNotAllowed = "method_not_allowed",
        /// The verification has sent as many messages as it may.
        NoSendsLeft = "no_sends_left",
        /// The site does not list the origin of the page.
        NotEmbeddable = "not_embeddable",
        /// There is nothing at the address, or no such verification.
        NotFound = "not_found",
        /// The body is too long.
        PayloadTooLarge = "payload_too_large",
        /// A limit is reached.
        RateLimited = "rate_limited",
        /// The body took too long to arrive.
        RequestTimeout = "request_timeout",
        /// Another code cannot be sent yet.
        ResendTooEarly = "resend_too_early",
        /// The token was redeemed before.
        TokenAlreadyRedeemed = "token_already_redeemed",
        /// The token has expired.
        TokenExpired = "token_expired",
        /// The secret key is missing or unknown.
        Unauthorized = "unauthorized",
        /// The service is away for the moment.
        Unavailable = "unavailable",
        /// The content type is not one that the address reads.
        UnsupportedMediaType = "unsupported_media_type",
        /// A proof of work is needed before a message is sent for a stranger.
        WorkNeeded = "work_needed",
    }
}

string_enum! {
    /// Problem with a guess that cannot be read as a code.
    CodeProblem {
        /// Nothing was typed.
        Empty = "empty",
        /// Digits, but fewer than were sent.
        TooShort = "too_short",
        /// Digits, but more than were sent.
        TooLong = "too_long",
        /// Something other than digits.
        NotDigits = "not_digits",
    }
}

string_enum! {
    /// Problem with a text that is not a recipient.
    RecipientProblem {
        /// Nothing was typed.
        Empty = "empty",
        /// Not an e-mail address.
        Email = "email",
        /// Not a phone number that a code can be sent to.
        Phone = "phone",
        /// A national phone number without a country.
        CountryMissing = "country_missing",
        /// Too few digits for a phone number.
        PhoneTooShort = "phone_too_short",
        /// Too many digits for a phone number.
        PhoneTooLong = "phone_too_long",
        /// The number of a line that text messages are not sent to.
        NotMobile = "not_mobile",
    }
}

string_enum! {
    /// Limit across verifications.
    Limit {
        /// Messages to one recipient.
        RecipientSends = "recipient_sends",
        /// Wrong checks for one test recipient, over all its verifications.
        RecipientChecks = "recipient_checks",
        /// Time after the recipient has disowned a verification, for requests without a secret key.
        RecipientCooledDown = "recipient_cooled_down",
        /// Messages asked for from one address.
        CallerSends = "caller_sends",
        /// Checks from one address.
        CallerChecks = "caller_checks",
        /// Texts to a destination, of a site or of the server, or money for them.
        Texts = "texts",
    }
}

string_enum! {
    /// Strength of the proof that a code gives, by the channel that it went by.
    Assurance {
        /// Confirms an address or account; never a second factor (NIST SP 800-63B-4, 3.1.3.1).
        AddressConfirmation = "address_confirmation",
        /// Possession of the phone with this number, a restricted authenticator (3.1.3.3).
        Possession = "possession",
    }
}

/// Outcome of one check: a [`CheckResult`] and the number that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// See [`CheckResult::Approved`].
    Approved,
    /// See [`CheckResult::AlreadyUsed`].
    AlreadyUsed,
    /// See [`CheckResult::Incorrect`].
    Incorrect {
        /// Checks that are left after this one.
        attempts_left: u32,
    },
    /// A [`CheckResult::Incorrect`] guess that was refused before, while the same codes were live. It costs no attempt.
    AlreadyTried {
        /// Checks that are left.
        attempts_left: u32,
    },
    /// See [`CheckResult::Malformed`].
    Malformed {
        /// Number of digits of the code.
        expected: u8,
        /// Problem with the guess.
        // Absent in answers that an earlier version has kept for repeated requests.
        #[cfg_attr(feature = "serde", serde(default = "not_digits"))]
        problem: CodeProblem,
    },
    /// See [`CheckResult::Expired`].
    Expired,
    /// See [`CheckResult::TooManyAttempts`].
    TooManyAttempts,
    /// See [`CheckResult::Canceled`].
    Canceled,
}

#[cfg(feature = "serde")]
fn not_digits() -> CodeProblem {
    CodeProblem::NotDigits
}

impl Outcome {
    /// The outcome without its number.
    pub fn result(self) -> CheckResult {
        match self {
            Self::Approved => CheckResult::Approved,
            Self::AlreadyUsed => CheckResult::AlreadyUsed,
            Self::Incorrect { .. } | Self::AlreadyTried { .. } => CheckResult::Incorrect,
            Self::Malformed { .. } => CheckResult::Malformed,
            Self::Expired => CheckResult::Expired,
            Self::TooManyAttempts => CheckResult::TooManyAttempts,
            Self::Canceled => CheckResult::Canceled,
        }
    }
}

impl Assurance {
    /// Assurance of a code that went by `channel`.
    pub fn of(channel: Channel) -> Self {
        match channel {
            // A WhatsApp account is used on several devices, and keeps its number when the SIM is gone.
            Channel::Email | Channel::Whatsapp => Self::AddressConfirmation,
            Channel::Sms | Channel::Voice => Self::Possession,
        }
    }
}

/// Writes a sentence for operators; people read the catalogue's.
impl fmt::Display for RecipientProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "nothing was typed",
            Self::Email => "not an e-mail address",
            Self::Phone => "not a phone number that a code can be sent to",
            Self::CountryMissing => "a national phone number without a country",
            Self::PhoneTooShort => "too few digits for a phone number",
            Self::PhoneTooLong => "too many digits for a phone number",
            Self::NotMobile => "not the number of a mobile phone",
        })
    }
}

impl std::error::Error for RecipientProblem {}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn a_word_survives_json_and_another_word_is_refused_without_being_quoted() {
        for state in State::ALL {
            let json = serde_json::to_string(state).unwrap();
            assert_eq!(json, format!("\"{}\"", state.as_str()));
            assert_eq!(serde_json::from_str::<State>(&json).unwrap(), *state);
        }
        let refused = serde_json::from_str::<Channel>("\"pigeon\"").unwrap_err().to_string();
        assert!(refused.starts_with("must be one of: email, sms, whatsapp, voice"), "{refused}");
        assert!(!refused.contains("pigeon"), "{refused}");
    }

    #[test]
    fn the_first_channel_of_each_kind_begins() {
        use Channel::{Email, Sms, Voice, Whatsapp};
        for (offered, first) in [
            (&[][..], &[][..]),
            (&[Email], &[Email]),
            (&[Voice, Email, Sms], &[Voice, Email]),
            (&[Email, Sms, Whatsapp, Voice], &[Email, Sms]),
        ] {
            assert_eq!(Channel::first_of_each_kind(offered), first, "{offered:?}");
        }
        assert!(Channel::ALL.iter().all(|channel| channel.is_of_phones() == (*channel != Email)));
    }

    #[test]
    fn an_outcome_kept_by_an_earlier_version_is_read() {
        let kept = r#"{"malformed":{"expected":6}}"#;
        let outcome = Outcome::Malformed { expected: 6, problem: CodeProblem::NotDigits };
        assert_eq!(serde_json::from_str::<Outcome>(kept).unwrap(), outcome);
        let kept = r#"{"incorrect":{"attempts_left":4}}"#;
        let outcome = Outcome::Incorrect { attempts_left: 4 };
        assert_eq!(serde_json::from_str::<Outcome>(kept).unwrap(), outcome);
    }
}
