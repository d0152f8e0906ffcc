//! Codes of problems, each with a sentence for developers.
//!
//! Codes are stable and programs decide by them; the sentences may change. People get pages in their
//! own language instead. No sentence quotes the request (S8).

use app::error::{ApiError, Field, Limit, RecipientProblem};
use axum::http::StatusCode;

/// The code of a field that cannot be accepted.
pub(in crate::http) const INVALID_FIELD: &str = "invalid_field";

/// Code and sentence of an [`ApiError`].
pub(in crate::http) fn of_error(error: ApiError) -> (&'static str, &'static str) {
    match error {
        ApiError::InvalidRecipient { problem } => ("invalid_recipient", recipient(problem)),
        ApiError::ChannelUnavailable => (
            "channel_unavailable",
            "This recipient cannot be reached by this channel: the site does not use it, no \
             provider is configured for it, or the recipient is of another kind.",
        ),
        ApiError::RateLimited { limit, .. } => ("rate_limited", self::limit(limit)),
        ApiError::ResendTooEarly { .. } => (
            "resend_too_early",
            "Another code cannot be sent yet. Wait for as many seconds as `Retry-After` says, or \
             until `resend_at`.",
        ),
        ApiError::NoSendsLeft => (
            "no_sends_left",
            "This verification has sent as many messages as it may. Begin another one.",
        ),
        ApiError::AlreadyFinished => {
            ("already_finished", "This verification is over; its state says how.")
        }
        ApiError::NotFound => (
            "not_found",
            "There is no such verification, it has expired, or it is another site's: these look \
             alike on purpose.",
        ),
        ApiError::Unauthorized => (
            "unauthorized",
            "This needs one `Authorization: Bearer` header with a secret key of a site.",
        ),
        ApiError::InvalidField { field } => (INVALID_FIELD, self::field(field)),
        ApiError::InvalidReturnUrl => (
            "invalid_return_url",
            "`return_url` is none of those that the site has listed in its configuration. It has \
             to be one of them exactly.",
        ),
        ApiError::IdempotencyKeyReused => (
            "idempotency_key_reused",
            "This `Idempotency-Key` was used for another request within the last 24 hours. Make a \
             fresh key for every new request, and repeat a key only with the same body.",
        ),
        ApiError::InvalidToken => (
            "invalid_token",
            "This is no result token of this server for this site, or it was altered.",
        ),
        ApiError::TokenExpired => (
            "token_expired",
            "This result token is past its time. Redeem tokens as soon as they arrive.",
        ),
        ApiError::TokenAlreadyRedeemed => (
            "token_already_redeemed",
            "This result token was redeemed before; each is good once. To repeat a redemption \
             whose answer was lost, send it with the same `Idempotency-Key`.",
        ),
        ApiError::NotEmbeddable => (
            "not_embeddable",
            "No site has this public key, or the site has not listed the origin of this page.",
        ),
        ApiError::CrossSite => {
            ("cross_site", "This request comes from a page of another site and changes nothing.")
        }
        ApiError::BadRequest => (
            "bad_request",
            "This request could not be read. A body has to be one JSON object in UTF-8.",
        ),
        ApiError::Unavailable { .. } => (
            "unavailable",
            "The service is away for the moment and nothing was changed. Repeat the request with \
             the same `Idempotency-Key` after as many seconds as `Retry-After` says.",
        ),
        ApiError::Internal => (
            "internal",
            "Something went wrong on our side. Repeat the request with the same \
             `Idempotency-Key`; if it goes on, look into the server's log.",
        ),
    }
}

/// Code and sentence of a status without further reason.
pub(in crate::http) fn of_status(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => ("not_found", "There is nothing at this address."),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method_not_allowed",
            "This address does not answer to this method; `Allow` lists those that it does.",
        ),
        StatusCode::REQUEST_TIMEOUT => {
            ("request_timeout", "The body of this request took too long to arrive.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("payload_too_large", "The body of a request may have 16 KiB.")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("unsupported_media_type", "A body has to come with `Content-Type: application/json`.")
        }
        status if status.is_server_error() => of_error(ApiError::Internal),
        _ => of_error(ApiError::BadRequest),
    }
}

fn recipient(problem: RecipientProblem) -> &'static str {
    match problem {
        RecipientProblem::Empty => "`to` is empty.",
        RecipientProblem::Email => "`to` is no e-mail address that a code can be sent to.",
        RecipientProblem::Phone => "`to` is no phone number that a code can be sent to.",
        RecipientProblem::CountryMissing => {
            "`to` is a national phone number: write it as +44..., or name its `country`."
        }
        RecipientProblem::PhoneTooShort => "`to` has too few digits for a phone number.",
        RecipientProblem::PhoneTooLong => "`to` has too many digits for a phone number.",
    }
}

fn limit(limit: Limit) -> &'static str {
    match limit {
        Limit::RecipientSends => {
            "This recipient was sent as many messages lately as one recipient may be. Wait for as \
             many seconds as `Retry-After` says."
        }
        Limit::RecipientChecks => {
            "This recipient's codes were guessed wrong as often as they may be, over all its \
             verifications. Wait for as many seconds as `Retry-After` says."
        }
        Limit::CallerSends => {
            "This address has asked for as many messages lately as one address may. Wait for as \
             many seconds as `Retry-After` says."
        }
        Limit::CallerChecks => {
            "This address has checked as many codes lately as one address may. Wait for as many \
             seconds as `Retry-After` says."
        }
    }
}

fn field(field: Field) -> &'static str {
    match field {
        Field::State => "`state` takes up to 256 characters.",
    }
}
