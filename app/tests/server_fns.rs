//! The server functions over HTTP: what reaches the port, and how refusals go out.
#![cfg(feature = "ssr")]

use std::{net::IpAddr, sync::Arc};

use app::{
    error::{ApiError, Limit},
    port::{Caller, Door, Port},
    wire::{
        Channel, CheckAnswer, EmbedOffer, NotMeView, Outcome, PageView, StartRequest,
        VerificationView,
    },
};
use axum::{
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode, header},
    response::IntoResponse,
};
use leptos::prelude::provide_context;
use otp_types::CodeProblem;

/// A service that knows of nothing, and of too much traffic.
struct Empty;

#[async_trait::async_trait]
impl Port for Empty {
    fn embed_offer(&self, _: &str, _: &str) -> Option<EmbedOffer> {
        None
    }

    fn knows_origin(&self, _: &str) -> bool {
        false
    }

    async fn start(&self, _: &Caller, _: StartRequest) -> Result<VerificationView, ApiError> {
        Err(ApiError::Internal)
    }

    async fn page(&self, _: &Caller, _: &str) -> Result<Option<PageView>, ApiError> {
        Ok(None)
    }

    async fn view(&self, _: &str) -> Result<Option<VerificationView>, ApiError> {
        Ok(None)
    }

    async fn check(
        &self,
        caller: &Caller,
        _: &str,
        guess: &str,
        claim: &str,
    ) -> Result<CheckAnswer, ApiError> {
        assert_eq!((caller.locale.as_str(), claim), ("en", "c"));
        match guess {
            "limit" => Err(ApiError::RateLimited { limit: Limit::CallerChecks, retry_after: 60 }),
            _ => Ok(CheckAnswer {
                outcome: Outcome::Malformed { expected: 6, problem: CodeProblem::TooShort },
                verification: None,
                page: None,
            }),
        }
    }

    async fn resend(
        &self,
        _: &Caller,
        id: &str,
        _: Option<Channel>,
    ) -> Result<VerificationView, ApiError> {
        match id {
            "early" => Err(ApiError::ResendTooEarly { retry_after: 25 }),
            _ => Err(ApiError::NotFound),
        }
    }

    async fn cancel(&self, _: &Caller, _: &str) -> Result<(), ApiError> {
        Ok(())
    }

    async fn not_me(&self, _: &str) -> Result<Option<NotMeView>, ApiError> {
        Ok(None)
    }

    async fn disown(&self, _: &str) -> Result<bool, ApiError> {
        Ok(false)
    }
}

async fn call(path: &str, body: &'static str) -> (StatusCode, String, Response<()>) {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .unwrap();
    let provide = || {
        provide_context::<Arc<dyn Port>>(Arc::new(Empty));
        let (address, locale) = (IpAddr::from([192, 0, 2, 1]), "en".into());
        let (user_agent, work) = (String::new(), String::new());
        provide_context(Caller { address, user_agent, locale, door: Door::Island, work });
    };
    let response = leptos_axum::handle_server_fns_with_context(provide, request).await;
    let (parts, body) = response.into_response().into_parts();
    let body = to_bytes(body, 4096).await.unwrap();
    (parts.status, String::from_utf8(body.to_vec()).unwrap(), Response::from_parts(parts, ()))
}

#[test]
fn there_is_one_function_for_each_thing_that_the_card_does() {
    let mut paths: Vec<_> = paths().collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/ui/check", "/ui/resend", "/ui/view"]);
}

fn paths() -> impl Iterator<Item = &'static str> {
    leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path)
}

#[tokio::test]
async fn an_unknown_verification_is_an_empty_card() {
    let (status, body, _) = call("/ui/view", r#"["id"]"#).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"["0","0"]"#));
    let (status, body, _) = call("/ui/resend", r#"["id","1","email"]"#).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"["0","0"]"#));
}

#[tokio::test]
async fn an_outcome_comes_with_the_words_for_it() {
    let (status, body, _) = call("/ui/check", r#"["id","12","c"]"#).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"["0","1","too-short"]"#));
}

#[tokio::test]
async fn a_refusal_has_its_status_and_says_when_to_come_back() {
    let (status, body, response) = call("/ui/check", r#"["id","limit","c"]"#).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(body, r#"["limit-checks.60"]"#);
    assert_eq!(response.headers()[header::RETRY_AFTER], "60");

    let (status, body, response) = call("/ui/resend", r#"["early","0"]"#).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(body, r#"["too-early.25"]"#);
    assert_eq!(response.headers()[header::RETRY_AFTER], "25");
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_refused() {
    // S19: neither too few nor too many, nor of another kind.
    for body in [
        "",
        "[]",
        r#"["id"]"#,
        r#"["id","1"]"#,
        r#"["id","1","2","3"]"#,
        r#"["id",5,"c"]"#,
        r#"{"id":"x"}"#,
    ] {
        let (status, ..) = call("/ui/check", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    }
}
