//! Sentences of problems, for developers.
//!
//! Codes are stable and programs decide by them; the sentences may change. People get pages in their
//! own language instead. No sentence quotes the request (S8).

use app::error::{ApiError, Limit, RecipientProblem};
use axum::http::StatusCode;
use otp_types::ProblemCode as Code;

/// Code and sentence of an [`ApiError`].
pub(in crate::http) fn of_error(error: ApiError) -> (Code, &'static str) {
    match error {
        ApiError::InvalidRecipient { problem } => (Code::InvalidRecipient, recipient(problem)),
        ApiError::ChannelUnavailable => (
            Code::ChannelUnavailable,
            "This recipient cannot be reached by this channel: the site does not use it, no \
             provider carries it to the country of the number, or the recipient is of another kind.",
        ),
        ApiError::DestinationNotServed => (
            Code::DestinationNotServed,
            "The site sends no messages to the country or range of this number; `[sms]` in its \
             configuration lists those that it serves. Ask the person for another number or an e-mail \
             address.",
        ),
        ApiError::RateLimited { limit, .. } => (Code::RateLimited, self::limit(limit)),
        ApiError::DestinationBlocked { .. } => (
            Code::DestinationBlocked,
            "Too many verifications of numbers like this one stayed without approval lately, so none \
             begins for a while. Offer e-mail, or wait for as many seconds as `Retry-After` says.",
        ),
        ApiError::ResendTooEarly { .. } => (
            Code::ResendTooEarly,
            "Another code cannot be sent yet. Wait for as many seconds as `Retry-After` says, or \
             until `resend_at`.",
        ),
        ApiError::WorkNeeded(_) => (
            Code::WorkNeeded,
            "So many messages were asked for lately that the next one takes a proof of work. Answer the \
             `challenge`, or wait for as many seconds as `Retry-After` says, and send the request again with \
             the answer as `work`.",
        ),
        ApiError::NoSendsLeft => (
            Code::NoSendsLeft,
            "This verification has sent as many messages as it may. Begin another one.",
        ),
        ApiError::AlreadyFinished => {
            (Code::AlreadyFinished, "This verification is over; its state says how.")
        }
        ApiError::NotFound => (
            Code::NotFound,
            "There is no such verification, it has expired, or it belongs to another \
             site: these look alike on purpose.",
        ),
        ApiError::Unauthorized => (
            Code::Unauthorized,
            "This needs one `Authorization: Bearer` header with a secret key of a site.",
        ),
        ApiError::InvalidReturnUrl => (
            Code::InvalidReturnUrl,
            "`return_url` must be exactly one of the URLs that the site lists in its configuration.",
        ),
        ApiError::IdempotencyKeyReused => (
            Code::IdempotencyKeyReused,
            "This `Idempotency-Key` was used for another request within the last 24 hours. Make a \
             fresh key for every new request, and repeat a key only with the same body.",
        ),
        ApiError::InvalidToken => (
            Code::InvalidToken,
            "This is not a result token of this server for this site, or it was altered.",
        ),
        ApiError::TokenExpired => (
            Code::TokenExpired,
            "This result token has expired. Redeem tokens as soon as they arrive.",
        ),
        ApiError::TokenAlreadyRedeemed => (
            Code::TokenAlreadyRedeemed,
            "This result token was redeemed before; each is good once. To repeat a redemption \
             whose answer was lost, send it with the same `Idempotency-Key`.",
        ),
        ApiError::NotEmbeddable => (
            Code::NotEmbeddable,
            "No site has this public key, or the site has not listed the origin of this page.",
        ),
        ApiError::CrossSite => {
            (Code::CrossSite, "This request comes from a page of another site and changes nothing.")
        }
        ApiError::DevelopmentOnly => (
            Code::DevelopmentOnly,
            "This server runs in development mode, which answers requests of its own machine, in \
             HTTP/1.1, that no proxy has forwarded. Behind a proxy set `server.mode` to production, \
             `server.public_origin` and `server.trusted_proxies`; to try it from another device, list \
             the host in `server.development_hosts`.",
        ),
        ApiError::BadRequest => (
            Code::BadRequest,
            "This request could not be read. It needs one `Host`, and a body must be one JSON object in \
             UTF-8.",
        ),
        ApiError::Unavailable { .. } => (
            Code::Unavailable,
            "The service is away for the moment and nothing was changed. Repeat the request with \
             the same `Idempotency-Key` after as many seconds as `Retry-After` says.",
        ),
        ApiError::Internal => (
            Code::Internal,
            "Something went wrong on our side. Repeat the request with the same \
             `Idempotency-Key`; if that does not help, look into the log of the server.",
        ),
    }
}

/// Code and sentence of a status without further reason.
pub(in crate::http) fn of_status(status: StatusCode) -> (Code, &'static str) {
    match status {
        StatusCode::NOT_FOUND => (Code::NotFound, "There is nothing at this address."),
        StatusCode::METHOD_NOT_ALLOWED => (
            Code::MethodNotAllowed,
            "This address does not answer to this method; `Allow` lists those that it does.",
        ),
        StatusCode::REQUEST_TIMEOUT => {
            (Code::RequestTimeout, "The body of this request took too long to arrive.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            (Code::PayloadTooLarge, "The body of a request may have 16 KiB.")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            Code::UnsupportedMediaType,
            "A body needs `Content-Type: application/json` and may not be compressed.",
        ),
        status if status.is_server_error() => of_error(ApiError::Internal),
        _ => of_error(ApiError::BadRequest),
    }
}

fn recipient(problem: RecipientProblem) -> &'static str {
    match problem {
        RecipientProblem::Empty => "`to` is empty.",
        RecipientProblem::Email => "`to` is not an e-mail address that a code can be sent to.",
        RecipientProblem::Phone => "`to` is not a phone number that a code can be sent to.",
        RecipientProblem::CountryMissing => {
            "`to` is a national phone number: write it as +44..., or name its `country`."
        }
        RecipientProblem::PhoneTooShort => "`to` has too few digits for a phone number.",
        RecipientProblem::PhoneTooLong => "`to` has too many digits for a phone number.",
        RecipientProblem::NotMobile => {
            "`to` is the number of a line that this site sends no text messages to: `sms.line_types` in \
             its configuration allows mobile phones only, unless it lists others."
        }
    }
}

fn limit(limit: Limit) -> &'static str {
    match limit {
        Limit::RecipientSends => {
            "This recipient was sent as many messages lately as one recipient may be. Wait for as \
             many seconds as `Retry-After` says."
        }
        Limit::RecipientChecks => {
            "This test recipient's code was guessed wrong as often as it may be, over all its \
             verifications. Wait for as many seconds as `Retry-After` says."
        }
        Limit::RecipientCooledDown => {
            "This recipient has said that a code was not asked for, and is not known to be reached from this \
             `client`. Wait for as many seconds as `Retry-After` says, or leave `client` out to vouch \
             for the person."
        }
        Limit::CallerSends => {
            "This address, its network or this account has asked for as many messages lately as it may. Wait for as \
             many seconds as `Retry-After` says."
        }
        Limit::Texts => {
            "As many texts were sent lately as the site or the server allows, in all or to this \
             country or range of numbers. Offer e-mail, or wait for as many seconds as \
             `Retry-After` says."
        }
        Limit::CallerChecks => {
            "This address, its network or this account has checked as many codes lately as it may. Wait for as many \
             seconds as `Retry-After` says."
        }
    }
}
