//! The OpenAPI description, committed and served.

use reqwest::Method;
use serde_json::Value;

use super::Reply;
use crate::app::TestApp;

const COMMITTED: &str = include_str!("../../../../docs/openapi.json");
const DOCUMENT: &str = include_str!("../../../../docs/API.md");

#[test]
fn the_committed_description_is_the_one_that_the_code_gives() {
    assert!(
        COMMITTED == server::http::api::description(),
        "docs/openapi.json is not what the code says; renew it with\n\n    \
         cargo run -p server -- openapi > docs/openapi.json\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_served_without_a_key() {
    let app = TestApp::start().await;
    let answer = Reply::to(app.bare_request(Method::GET, "/v1/openapi.json")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let own = COMMITTED
        .replace("\"https://otp.example.com\"", &format!("\"{}\"", app.origin))
        .replace("https://otp.example.com/docs/api", &format!("{}/docs/api", app.origin));
    assert!(answer.text == own, "{}", answer.text);
    assert_eq!(answer.json["servers"][0]["url"], app.origin);
    assert_eq!(answer.json["openapi"], "3.1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_browse_it_as_a_page_of_our_own() {
    let app = TestApp::start().await;
    let page = Reply::to(app.bare_request(Method::GET, "/docs/api")).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    let description: Value = serde_json::from_str(COMMITTED).unwrap();
    for (path, methods) in description["paths"].as_object().unwrap() {
        assert!(page.text.contains(&format!("<code>{path}</code>")), "{path}");
        for operation in methods.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.text.contains(&format!("<article id=\"{id}\">")), "{id}");
        }
    }
    for field in
        ["to", "client.address", "metadata", "delivery.state", "page_state", "code", "token"]
    {
        assert!(page.text.contains(&format!("<code>{field}</code>")), "{field}");
    }
    assert!(page.text.contains(&format!("{}/v1/verifications", app.origin)));
    // No file of anybody else's, and no script.
    assert!(!page.text.contains("src=") && !page.text.contains("<script"));
}

#[test]
fn each_word_has_one_type_that_is_named() {
    let description: Value = serde_json::from_str(COMMITTED).unwrap();
    for (name, schema) in description["components"]["schemas"].as_object().unwrap() {
        assert!(!schema["properties"].to_string().contains("\"enum\""), "{name} has words inline");
    }
    let codes = &description["components"]["schemas"]["ProblemCode"]["enum"];
    let codes: Vec<_> =
        codes.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    let operations = description["paths"].to_string();
    for word in operations.split('`').skip(1).step_by(2).filter(|word| word.contains('_')) {
        let is_field = COMMITTED.contains(&format!("\"{word}\": {{"));
        assert!(is_field || codes.contains(&word), "there is no code {word}");
    }
}

#[test]
fn every_code_that_it_names_is_in_the_document_for_people() {
    let description: Value = serde_json::from_str(COMMITTED).unwrap();
    let operations = description["paths"].as_object().unwrap().values();
    let responses = operations
        .flat_map(|methods| methods.as_object().unwrap().values())
        .flat_map(|operation| operation["responses"].as_object().unwrap().iter())
        .filter(|(status, _)| status.as_str() >= "400");
    for (_, response) in responses {
        let words = response["description"].as_str().unwrap();
        let code = words.split('`').nth(1).unwrap();
        assert!(DOCUMENT.contains(&format!("`{code}`")), "docs/API.md says nothing of {code}");
    }
    for (path, _) in description["paths"].as_object().unwrap() {
        assert!(DOCUMENT.contains(path), "docs/API.md says nothing of {path}");
    }
}
