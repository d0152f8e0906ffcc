//! `POST /v1/verifications`: begins a verification.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    auth::{Acting, Json},
    request_types::{ChannelWord, Country, Link, Locale, Metadata, Text},
    response_types::{Channel, Verification},
    responses::{Always, Limited, ProblemDocument, Reading, Repeatable, answer},
};
use crate::{
    api::Create,
    http::{Context, problem::Problem},
};

/// What a verification is begun with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Create)]
pub(super) struct Body {
    /// An e-mail address, or a phone number: as +44..., or in national form with its `country`.
    #[schema(inline, example = "jane@example.com")]
    to: Text<1, 254>,
    /// How the code travels. Without it that follows from what `to` looks like.
    #[schema(value_type = Option<Channel>, inline)]
    channel: Option<ChannelWord>,
    /// The country in which a phone number without calling code is read, as in ISO 3166-1.
    #[schema(inline, example = "GB")]
    country: Option<Country>,
    /// Language of the message and the page. Only English exists so far, and every tag gets it.
    #[schema(inline, example = "en")]
    locale: Option<Locale>,
    /// What is verified for. Comes back with the result, so that a proof given for one thing is
    /// not taken for another.
    #[schema(inline, example = "sign-up")]
    purpose: Option<Text<1, 64>>,
    /// Where the person is sent back to from the hosted page: exactly one of the URLs that the
    /// site has listed.
    #[schema(inline)]
    return_url: Option<Link>,
    /// Comes back with the result. Bind it to the person's session, and compare.
    #[schema(inline, example = "b7f3a1c9")]
    state: Option<Text<0, 256>>,
    /// Your own words on it, up to 10 pairs. Never shown to the person.
    #[schema(inline)]
    metadata: Option<Metadata>,
}

/// Begin a verification
///
/// Makes a code, sends it, and answers with what is known. The message is on its way when this is
/// answered, and is not lost if the server is. Send the person to `url`, or ask for the code
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
    let locale = body.locale.map(Locale::into_string);
    let request = Create {
        to: body.to.into_string(),
        channel: body.channel.map(|ChannelWord(channel)| channel),
        country: body.country.map(Country::into_string),
        locale: locale.map(|tag| context.web.catalogue.negotiate(Some(&tag))),
        purpose: body.purpose.map(Text::into_string),
        return_url: body.return_url.map(Link::into_string),
        state: body.state.map(Text::into_string),
        metadata: body.metadata.unwrap_or_default().into_map(),
    };
    let created = context.web.api.create(&backend, request).await?;
    let location = HeaderValue::try_from(format!("/v1/verifications/{}", created.value.view.id));
    let mut response = (StatusCode::CREATED, answer::<_, Verification>(created)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}
