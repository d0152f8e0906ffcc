//! `POST /v1/verifications`: begins a verification.

use std::sync::Arc;

use app::error::ApiError;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use otp::{Channel, Details};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    auth::{Acting, Json},
    request_types::{Country, EndUser, Link, Locale, Metadata, Text},
    response_types::Verification,
    responses::{Always, Limited, ProblemDocument, Reading, Repeatable, answer},
};
use crate::{
    http::{Context, problem::Problem},
    service::Start,
};

/// Purpose of a verification whose site names none.
const PURPOSE: &str = "verification";

/// A new verification.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Create)]
pub(super) struct Body {
    /// An e-mail address, or a phone number: as +44..., or in national form with its `country`.
    #[schema(inline, example = "jane@example.com")]
    to: Text<1, 254>,
    /// The channel. Without it the first of the site's channels that reaches the recipient.
    channel: Option<Channel>,
    /// The country in which a phone number without calling code is read, as in ISO 3166-1.
    #[schema(inline, example = "GB")]
    country: Option<Country>,
    /// Language of the message and the page. Only English exists so far, beside the languages in which the site has
    /// messages of its own.
    #[schema(inline, example = "en")]
    locale: Option<Locale>,
    /// Purpose of the verification. It comes back with the result, so that a proof given for one
    /// purpose is not taken for another.
    #[schema(inline, example = "sign-up")]
    purpose: Option<Text<1, 64>>,
    /// Return URL of the hosted page: exactly one of the URLs that the site has listed.
    #[schema(inline)]
    return_url: Option<Link>,
    /// Opaque value that comes back with the result. Bind it to the person's session, and compare.
    #[schema(inline, example = "b7f3a1c9")]
    state: Option<Text<0, 256>>,
    /// The person for whom you ask, so that limits hold for each of yours.
    client: Option<EndUser>,
    /// Your own words on it, up to 10 pairs. Never shown to the person.
    #[schema(inline)]
    metadata: Option<Metadata>,
}

/// Begin a verification
///
/// Makes a code, sends it, and answers with the verification. The message is on its way when this is
/// answered, and is not lost if the server stops. Send the person to `url`, or ask for the code
/// yourself and check it.
#[utoipa::path(
    post,
    path = "/v1/verifications",
    operation_id = "createVerification",
    tag = "Verifications",
    params(Repeatable),
    request_body(content = Body, example = json!({
        "to": "jane@example.com",
        "purpose": "sign-up",
        "metadata": {"order": "1042"},
    })),
    responses(
        (
            status = 201,
            description = "It has begun, and its first message is on its way.",
            body = Verification,
            headers(
                ("Location" = String, description = "Its address."),
                ("Idempotency-Replayed" = bool, description = "It was begun by an earlier request."),
            ),
            links(
                ("get" = (operation_id = "getVerification", parameters(("id" = "$response.body#/id")))),
                ("cancel" = (operation_id = "cancelVerification", parameters(("id" = "$response.body#/id")))),
                ("check" = (operation_id = "checkCode", parameters(("id" = "$response.body#/id")))),
                ("sendAgain" = (operation_id = "sendAgain", parameters(("id" = "$response.body#/id")))),
            ),
        ),
        (status = 400, description = "`bad_request`: not one JSON object; or `invalid_return_url`: none \
            that the site has listed.", body = ProblemDocument,
            content_type = "application/problem+json"),
        Always,
        Reading,
        Limited,
    ),
    security(("secretKey" = [])),
)]
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    Acting { backend, body: Json(body) }: Acting<Json<Body>>,
) -> Result<Response, Problem> {
    let (service, site) = (&context.web.service, backend.site.clone());
    let client = backend.telling(service, body.client);
    let return_url = body.return_url.map(Link::into_string);
    let listed = |url: String| site.return_url(&url).map(ToString::to_string);
    let return_url =
        return_url.map(|url| listed(url).ok_or(ApiError::InvalidReturnUrl)).transpose()?;
    let country = body.country.map(Country::into_string);
    let to = body.to.into_string();
    let (recipient, channel) = service.recipient(&site, &to, country.as_deref(), body.channel)?;
    let locale = body.locale.map(Locale::into_string);
    let start = Start {
        recipient,
        channel,
        locale: context.web.catalogue.negotiate_with(&site.overlay, locale.as_deref()),
        site,
        purpose: body.purpose.map_or_else(|| PURPOSE.to_owned(), Text::into_string),
        details: Details {
            return_url,
            page_state: body.state.map(Text::into_string),
            metadata: body.metadata.unwrap_or_default().into_map(),
            ..Details::default()
        },
    };
    let created = service.start(&client, start).await?;
    let location = format!("/v1/verifications/{}", created.verification.id());
    let answer = answer(Verification::of(&created, &context), created.repeated);
    let mut response = (StatusCode::CREATED, answer).into_response();
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}
