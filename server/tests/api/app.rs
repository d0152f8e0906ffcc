//! A running server, and the requests that a browser would make.

use std::{path::Path, time::Duration};

use ::app::wire::{DeliveryState, InboxMessage, Outcome, VerificationView};
use otp::Timestamp;
use reqwest::{Method, RequestBuilder, Response, redirect};
use serde_json::{Value, json};
use server::{
    clock::Clock,
    config::{Config, Sources},
    http::Ended,
    startup::Application,
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::card::Card;

pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A server with its own port and database, and with a clock that stands still.
pub(crate) struct TestApp {
    pub(crate) origin: String,
    pub(crate) clock: Clock,
    client: reqwest::Client,
    folder: TempDir,
    settings: Vec<(String, String)>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Ended>,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with settings beside the defaults, named as in the environment.
    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let settings = settings.iter().map(own).collect();
        Self::run(tempfile::tempdir().unwrap(), settings, Clock::manual(START)).await
    }

    async fn run(folder: TempDir, settings: Vec<(String, String)>, clock: Clock) -> Self {
        let bind = ("LATCHKEY_SERVER__BIND".to_owned(), "127.0.0.1:0".to_owned());
        let sources = Sources {
            file: None,
            directory: folder.path().to_owned(),
            environment: settings.iter().cloned().chain([bind]).collect(),
        };
        let config = Config::load(&sources).unwrap();
        let application = Application::build_on(&config, |latest| {
            assert!(latest <= clock.now());
            Ok(clock.clone())
        });
        let application = application.await.unwrap();
        let origin = format!("http://{}", application.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(application.run_until_stopped(async {
            let _ = stopped.await;
        }));
        let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { origin, clock, client, folder, settings, stop: Some(stop), running }
    }

    /// Stops the server as a signal would and starts it again over the same data.
    pub(crate) async fn restart(mut self) -> Self {
        self.stop.take().unwrap().send(()).unwrap();
        // Connections that the client keeps would otherwise be waited for.
        self.client = reqwest::Client::new();
        assert_eq!(self.running.await.unwrap(), Ended::Cleanly);
        Self::run(self.folder, self.settings, self.clock).await
    }

    /// Like [`TestApp::restart`], with one more setting.
    pub(crate) async fn restart_with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self.restart().await
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A request as our own page sends it.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.origin))
            .header("sec-fetch-site", "same-origin")
    }

    /// A request without anything a browser would add.
    pub(crate) fn bare_request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.origin))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub(crate) async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.request(Method::POST, path).form(form).send().await.unwrap()
    }

    pub(crate) async fn call(&self, function: &str, arguments: Value) -> Response {
        let path = format!("/ui/{function}");
        self.request(Method::POST, &path).json(&arguments).send().await.unwrap()
    }

    /// Starts a verification by the form; returns its id.
    pub(crate) async fn start_email(&self, address: &str) -> String {
        verification(&self.post_form("/", &[("channel", "email"), ("email", address)]).await)
    }

    /// Starts a verification by the form; returns its id.
    pub(crate) async fn start_sms(&self, number: &str) -> String {
        let form = [("channel", "sms"), ("phone", number), ("country", "GB")];
        verification(&self.post_form("/", &form).await)
    }

    /// Checks a guess as the card does, and reads the outcome off the card.
    pub(crate) async fn outcome(&self, id: &str, guess: &str) -> Outcome {
        let response = self.call("check", json!([id, guess, ""])).await;
        assert_eq!(response.status(), 200);
        card(response).await.outcome()
    }

    pub(crate) async fn view(&self, id: &str) -> Option<VerificationView> {
        card(self.call("view", json!([id])).await).await.view
    }

    pub(crate) async fn resend(&self, id: &str) -> Response {
        self.call("resend", json!([id, "0"])).await
    }

    /// Everything that was sent, newest first, once there are `count` messages.
    pub(crate) async fn inbox(&self, count: usize) -> Vec<InboxMessage> {
        let waited_for = format!("{count} messages in the inbox");
        eventually(&waited_for, async || {
            let messages = self.get("/dev/inbox.json").await.json().await.unwrap();
            Some(messages).filter(|messages: &Vec<_>| messages.len() >= count)
        })
        .await
    }

    /// The verification, once its newest message was handed over.
    pub(crate) async fn delivered(&self, id: &str) -> VerificationView {
        eventually("the message to be handed over", async || {
            let view = self.view(id).await.unwrap();
            Some(view).filter(|view| view.delivery.state != DeliveryState::Accepted)
        })
        .await
    }

    /// The code of the newest of `count` messages.
    pub(crate) async fn code(&self, count: usize) -> String {
        self.inbox(count).await[0].code.clone()
    }
}

/// Longest time that anything is polled for. An idle machine needs milliseconds.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Polls until there is a value.
///
/// # Panics
/// If there is none in time, with the name of what was waited for.
pub(crate) async fn eventually<T>(waited_for: &str, mut poll: impl AsyncFnMut() -> Option<T>) -> T {
    let polled = async {
        loop {
            if let Some(value) = poll().await {
                return value;
            }
        }
    };
    let polled = tokio::time::timeout(TIMEOUT, polled).await;
    polled.unwrap_or_else(|_| panic!("waited for {waited_for} in vain"))
}

async fn card(response: Response) -> Card {
    response.json::<Vec<String>>().await.unwrap().into()
}

/// The verification that a started journey was redirected to.
pub(crate) fn verification(response: &Response) -> String {
    assert_eq!(response.status(), 303);
    let location = response.headers()["location"].to_str().unwrap();
    location.strip_prefix("/v/").unwrap().to_owned()
}

/// A guess that is not the code.
pub(crate) fn wrong(code: &str) -> String {
    wrong_by(1, code)
}

/// The guess that is this number of steps, at least one, above the code.
pub(crate) fn wrong_by(steps: u64, code: &str) -> String {
    let all = 10_u64.pow(u32::try_from(code.len()).unwrap());
    let guess = (code.parse::<u64>().unwrap() + steps) % all;
    format!("{guess:0width$}", width = code.len())
}
