//! Strangers with a browser, back ends with a secret key, and the inbox of people.

use std::{collections::HashMap, net::IpAddr, sync::atomic::Ordering, time::Duration};

use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Fault, World};

/// Secret key of the site that development has.
const BACK_END: &str = "lk_sec_demo";
/// Longest time that a message is waited for.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Somebody who uses the pages from an address.
#[derive(Clone, Copy)]
pub(crate) struct Visitor<'a> {
    pub(crate) world: &'a World,
    pub(crate) address: IpAddr,
}

/// The server's words for not doing something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) String);

/// An answer to a guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    Approved,
    /// Compared with a code of this length.
    Incorrect(u8),
    /// The code has another number of digits: this one.
    Length(u8),
    /// The code has expired, and another one may be asked for.
    Expired,
    /// Anything else.
    Refused(Refused),
}

impl Visitor<'_> {
    /// Begins a verification by the form of the start page; gives its id.
    pub(crate) async fn begin(self, to: &str) -> Result<Result<String, Refused>, Fault> {
        let form = if to.contains('@') {
            vec![("channel", "email"), ("email", to)]
        } else {
            vec![("channel", "sms"), ("phone", to), ("country", "GB")]
        };
        let answer = self.send(self.post("/").form(&form)).await?;
        let id = location(&answer).and_then(|path| path.strip_prefix("/v/")).map(str::to_owned);
        match id {
            Some(id) => Ok(Ok(id)),
            None => Ok(Err(alert(answer).await?)),
        }
    }

    /// Asks for another code by the form of the page.
    pub(crate) async fn resend(self, id: &str) -> Result<Result<(), Refused>, Fault> {
        let none: [(&str, &str); 0] = [];
        let answer = self.send(self.post(&format!("/v/{id}/resend")).form(&none)).await?;
        match location(&answer) {
            Some(path) => match path.split_once("?e=") {
                None => Ok(Ok(())),
                // Some words end in a number of seconds.
                Some((_, word)) => {
                    let word = word.trim_end_matches(|c: char| !c.is_ascii_lowercase());
                    Ok(Err(Refused(word.to_owned())))
                }
            },
            None => Ok(Err(alert(answer).await?)),
        }
    }

    /// Checks a guess, as the page with script does.
    pub(crate) async fn check(self, id: &str, guess: &str) -> Result<Checked, Fault> {
        let answer = self.send(self.post("/ui/check").json(&json!([id, guess, ""]))).await?;
        if answer.status() != StatusCode::OK {
            let refused = format!("status {}", answer.status().as_u16());
            return Ok(Checked::Refused(Refused(refused)));
        }
        // The card: whether there is a verification, its id, state, recipient and number of digits, further
        // parts, and last whether there is a notice, with its word.
        let card: Vec<String> = answer.json().await?;
        let part = |index: usize| card.get(index).map_or("", String::as_str);
        let notice = card.last().filter(|word| *word != "0").map_or("", String::as_str);
        let length = part(4).parse().unwrap_or(0);
        Ok(match (notice, part(2)) {
            ("incorrect", _) => Checked::Incorrect(length),
            ("too-short" | "too-long", _) => Checked::Length(length),
            ("expired", _) => Checked::Expired,
            ("", "approved") => Checked::Approved,
            ("", state) => Checked::Refused(Refused(state.to_owned())),
            (notice, _) => Checked::Refused(Refused(notice.to_owned())),
        })
    }

    fn post(self, path: &str) -> RequestBuilder {
        self.world.request(Method::POST, path, Some(self.address))
    }

    async fn send(self, request: RequestBuilder) -> Result<Response, Fault> {
        self.world.send(request).await
    }
}

fn location(answer: &Response) -> Option<&str> {
    answer.headers().get(header::LOCATION)?.to_str().ok()
}

/// First sentence of the alert on a page, or else its heading.
async fn alert(answer: Response) -> Result<Refused, Fault> {
    let status = answer.status();
    let page = answer.text().await?;
    let after = |mark: &str| {
        let (_, rest) = page.split_once(mark)?;
        let words = rest.trim_start_matches(|c| c != '>').strip_prefix('>')?;
        let words = words.split(['<', '.']).next().unwrap_or_default().trim();
        let words = words.replace(|c: char| c.is_ascii_digit(), "").replace("  ", " ");
        Some(words).filter(|words| !words.is_empty())
    };
    let words = after("role=\"alert\"").or_else(|| after("<h1"));
    Ok(Refused(words.unwrap_or_else(|| format!("status {}", status.as_u16()))))
}

/// The back end of the site.
#[derive(Clone, Copy)]
pub(crate) struct BackEnd<'a>(pub(crate) &'a World);

impl BackEnd<'_> {
    /// Begins a verification; gives its path.
    pub(crate) async fn begin(self, to: &str) -> Result<Result<String, Refused>, Fault> {
        let answer = self.post("/v1/verifications", &json!({ "to": to })).await?;
        if let Some(path) = location(&answer) {
            return Ok(Ok(path.to_owned()));
        }
        let problem: Value = answer.json().await?;
        Ok(Err(Refused(problem["code"].as_str().unwrap_or("no problem").to_owned())))
    }

    /// Whether a code is accepted.
    pub(crate) async fn check(self, path: &str, code: &str) -> Result<bool, Fault> {
        let answer = self.post(&format!("{path}/checks"), &json!({ "code": code })).await?;
        let checked: Value = answer.json().await?;
        Ok(checked["result"] == "approved")
    }

    async fn post(self, path: &str, body: &Value) -> Result<Response, Fault> {
        let request = self.0.request(Method::POST, path, None);
        self.0.send(request.bearer_auth(BACK_END).json(body)).await
    }
}

/// A message in the inbox.
#[derive(Deserialize)]
struct Message {
    number: u64,
    to: String,
    code: String,
}

impl World {
    /// The newest codes of recipients, once a message came to each since codes were read before. The inbox keeps
    /// 200 messages.
    pub(crate) async fn codes(&self, of: &[&str]) -> Result<HashMap<String, String>, Fault> {
        let arrived = async {
            loop {
                let mut messages = self.messages().await?;
                messages.retain(|message| of.contains(&message.to.as_str()));
                let newest = messages.last().map_or(0, |message| message.number);
                let codes: HashMap<_, _> =
                    messages.into_iter().map(|message| (message.to, message.code)).collect();
                if of.iter().all(|to| codes.contains_key(*to)) {
                    self.read.fetch_max(newest, Ordering::Relaxed);
                    return Ok(codes);
                }
            }
        };
        let waited = tokio::time::timeout(TIMEOUT, arrived).await;
        waited.unwrap_or_else(|_| Err("messages did not arrive in the inbox".into()))
    }

    /// The newest code of a recipient, as [`World::codes`].
    pub(crate) async fn code(&self, of: &str) -> Result<String, Fault> {
        Ok(self.codes(&[of]).await?.remove(of).unwrap_or_default())
    }

    /// Waits until `number` more messages have arrived, and counts them as read. A message whose code has expired
    /// before is never sent, so the clock must not run ahead of those that are on their way.
    pub(crate) async fn skip_arriving(&self, number: u64) -> Result<(), Fault> {
        let expected = self.read.load(Ordering::Relaxed) + number;
        let arrived = async {
            while self.read.load(Ordering::Relaxed) < expected {
                self.skip_messages().await?;
            }
            Ok(())
        };
        let waited = tokio::time::timeout(TIMEOUT, arrived).await;
        waited.unwrap_or_else(|_| Err("messages did not arrive in the inbox".into()))
    }

    /// Counts the messages that there are as read.
    pub(crate) async fn skip_messages(&self) -> Result<(), Fault> {
        let newest = self.messages().await?.last().map_or(0, |message| message.number);
        self.read.fetch_max(newest, Ordering::Relaxed);
        Ok(())
    }

    /// Messages since codes were read before, in the order of their arrival.
    async fn messages(&self) -> Result<Vec<Message>, Fault> {
        let read = self.read.load(Ordering::Relaxed);
        let inbox = self.request(Method::GET, "/dev/inbox.json", None);
        let mut messages: Vec<Message> = self.send(inbox).await?.json().await?;
        messages.retain(|message| message.number > read);
        messages.sort_by_key(|message| message.number);
        Ok(messages)
    }
}
