//! Faults and refusals, for people and for programs.

use super::*;

#[tokio::test]
async fn s19_a_panic_is_a_500_that_tells_nothing_and_the_next_request_is_answered() {
    let site = site();

    let page = site.post("/v/panics/check", "code=1").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.body.contains("<h1>"), "{}", page.body);
    assert!(!page.body.contains("123456"), "{}", page.body);

    assert_eq!(site.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn s26_an_answer_that_does_not_come_is_given_up() {
    let answer = site().get("/v/hangs").await;

    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn programs_get_problems_as_rfc_9457_has_them() {
    let site = site();

    let away = site.get("/v/away").await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(away.header("retry-after"), "7");
    assert_eq!(away.header("content-type"), "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&away.body).unwrap();
    assert_eq!(
        problem,
        serde_json::json!({
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "code": "unavailable",
            "detail": crate::http::problem::codes::of_error(ApiError::Unavailable { retry_after: 7 }).1,
            "retry_after": 7,
        })
    );
}

#[tokio::test]
async fn people_get_problems_as_pages() {
    let site = site();
    let get =
        |path| request(Method::GET, path).header(header::ACCEPT, "text/html").body(Body::empty());

    let missing = site.send(get("/no/such/page").unwrap()).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.header("content-type").starts_with("text/html"));
    assert!(missing.body.contains("<h1>"));

    let method = site.post("/health/live", "").await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(method.header("allow").contains("GET"), "{}", method.header("allow"));
}
