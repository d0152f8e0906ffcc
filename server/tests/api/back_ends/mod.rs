//! The JSON API, as back ends with a secret key use it.

mod at_rest;
mod description;
mod endpoints;
mod reach;
mod refusals;
mod repeats;
mod results;
mod return_urls;

use reqwest::{Method, RequestBuilder, Response, header::HeaderMap};
use serde_json::{Value, json};

use crate::app::TestApp;

/// The secret key of the site that development has.
pub(crate) const DEMO: &str = "lk_sec_demo";
/// The secret key of another site, for which the code is all zeros and nothing is sent.
pub(crate) const APPROVE: &str = "lk_sec_test_approve";

/// A back end with a secret key.
pub(crate) struct BackEnd<'a> {
    app: &'a TestApp,
    secret: &'static str,
}

/// An answer with its JSON.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl TestApp {
    pub(crate) fn back_end(&self, secret: &'static str) -> BackEnd<'_> {
        BackEnd { app: self, secret }
    }
}

impl BackEnd<'_> {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.bare_request(method, path).bearer_auth(self.secret)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::to(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        Reply::to(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::to(self.request(Method::POST, path).json(body)).await
    }

    /// Posts under an idempotency key.
    pub(crate) async fn repeatable(&self, key: &str, path: &str, body: &Value) -> Reply {
        let request = self.request(Method::POST, path).header("idempotency-key", key);
        Reply::to(request.json(body)).await
    }

    /// Begins a verification; gives its path.
    pub(crate) async fn create(&self, to: &str) -> String {
        let created = self.post("/v1/verifications", &json!({ "to": to })).await;
        assert_eq!(created.status, 201, "{}", created.text);
        created.header("location").to_owned()
    }

    pub(crate) async fn check(&self, path: &str, code: &str) -> Reply {
        self.post(&format!("{path}/checks"), &json!({ "code": code })).await
    }
}

impl Reply {
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        let response: Response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Self { status, headers, text, json }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and code of a problem, which has to look like one.
    pub(crate) fn problem(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.json["status"], self.status, "{}", self.text);
        assert_eq!(self.json["type"], "about:blank");
        for member in ["title", "detail"] {
            assert!(self.json[member].as_str().is_some_and(|words| !words.is_empty()), "{self:?}");
        }
        (self.status, self.json["code"].as_str().unwrap())
    }
}
