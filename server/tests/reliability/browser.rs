//! Requests of browsers, to a server that may be killed before it answers.

use app::wire::{DeliveryState, Outcome, VerificationView};
use reqwest::{Method, RequestBuilder, StatusCode, redirect};
use serde_json::{Value, json};

use crate::{SOON, card::Card};

#[derive(Clone)]
pub(crate) struct Browser {
    client: reqwest::Client,
    origin: String,
}

/// The connection was lost before the response: the request may have taken effect or not.
pub(crate) type Lost = reqwest::Error;

impl Browser {
    /// Making a client is slow, since it reads the certificates of the system, so it is kept.
    pub(crate) fn new() -> Self {
        let client = reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(SOON);
        Self { client: client.build().unwrap(), origin: String::new() }
    }

    pub(crate) fn at(&self, origin: &str) -> Self {
        Self { client: self.client.clone(), origin: origin.to_owned() }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.origin))
            .header("sec-fetch-site", "same-origin")
    }

    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.request(Method::POST, path).form(fields)
    }

    /// A server function call of the card.
    pub(crate) fn call(&self, function: &str, arguments: &Value) -> RequestBuilder {
        self.request(Method::POST, &format!("/ui/{function}")).json(arguments)
    }

    /// Starts a verification by the form; returns its id.
    pub(crate) async fn start(&self, address: &str) -> Result<String, Lost> {
        let response = self.form("/", &[("channel", "email"), ("email", address)]).send().await?;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let location = response.headers()["location"].to_str().unwrap();
        Ok(location.strip_prefix("/v/").unwrap().to_owned())
    }

    pub(crate) async fn check(&self, id: &str, guess: &str) -> Result<Outcome, Lost> {
        Ok(self.card("check", json!([id, guess, ""])).await?.outcome())
    }

    pub(crate) async fn view(&self, id: &str) -> Result<Option<VerificationView>, Lost> {
        Ok(self.card("view", json!([id])).await?.view)
    }

    /// Waits until the newest message of a verification is sent.
    pub(crate) async fn delivered(&self, id: &str) -> VerificationView {
        let polling = async {
            loop {
                let view = self.view(id).await.unwrap().unwrap();
                if view.delivery.state == DeliveryState::Sent {
                    return view;
                }
            }
        };
        tokio::time::timeout(SOON, polling).await.expect("the message is sent")
    }

    /// Requests another code; returns the status.
    pub(crate) async fn resend(&self, id: &str) -> Result<StatusCode, Lost> {
        let response = self.call("resend", &json!([id, "0"])).send().await?;
        let status = response.status();
        response.bytes().await?;
        Ok(status)
    }

    /// Whether the server reports that it is ready.
    pub(crate) async fn is_ready(&self) -> Result<bool, Lost> {
        let response = self.request(Method::GET, "/health/ready").send().await?;
        Ok(response.status() == StatusCode::OK)
    }

    /// Waits until the server is ready.
    pub(crate) async fn becomes_ready(&self) {
        let polling = async { while !self.is_ready().await.unwrap() {} };
        tokio::time::timeout(SOON, polling).await.expect("it becomes ready");
    }

    /// Waits until the server is not ready.
    pub(crate) async fn becomes_unready(&self) {
        let polling = async { while self.is_ready().await.unwrap() {} };
        tokio::time::timeout(SOON, polling).await.expect("it becomes unready");
    }

    async fn card(&self, function: &str, arguments: Value) -> Result<Card, Lost> {
        let response = self.call(function, &arguments).send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        assert_eq!(status, StatusCode::OK, "{function}: {}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice::<Vec<String>>(&body).unwrap().into())
    }
}
