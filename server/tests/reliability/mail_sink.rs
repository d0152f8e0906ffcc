//! The messages that arrive at a mail server which outlives the program.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{sync::Notify, task::JoinHandle};

use crate::{SOON, mail_server::MailServer};

/// Cheap to clone; the mail server runs until the last clone is dropped.
#[derive(Clone)]
pub(crate) struct MailSink {
    port: u16,
    arrived: Arc<Arrived>,
    _reading: Arc<Reading>,
}

#[derive(Default)]
struct Arrived {
    messages: Mutex<HashMap<String, Vec<ReceivedMessage>>>,
    more: Notify,
}

#[derive(Clone)]
struct ReceivedMessage {
    message_id: String,
    code: String,
}

struct Reading(JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl MailSink {
    pub(crate) async fn open() -> Self {
        Self::at(0).await
    }

    /// At this port, or at any if it is 0.
    pub(crate) async fn at(port: u16) -> Self {
        let port = port.to_string();
        let mut server = MailServer::start(&["--security", "plain", "--port", &port]).await;
        let port = server.settings().port;
        let arrived = Arc::<Arrived>::default();
        let reader = arrived.clone();
        let reading = tokio::spawn(async move {
            while let Some(message) = server.receive("message").await {
                reader.record(&message);
            }
        });
        Self { port, arrived, _reading: Arc::new(Reading(reading)) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Waits for `count` different messages to an address; returns their codes in order of arrival.
    pub(crate) async fn codes(&self, address: &str, count: u32) -> Vec<String> {
        let arriving = async {
            loop {
                let more = self.arrived.more.notified();
                let codes = self.arrived.codes(address);
                if codes.len() >= count as usize {
                    return codes;
                }
                more.await;
            }
        };
        let arrived = tokio::time::timeout(SOON, arriving).await;
        arrived.unwrap_or_else(|_| panic!("fewer than {count} messages to {address}"))
    }

    /// Number of duplicates among all messages.
    pub(crate) fn duplicates(&self) -> usize {
        let messages = self.arrived.messages.lock().unwrap();
        messages.values().map(|messages| messages.len() - different(messages).count()).sum()
    }
}

impl Arrived {
    fn record(&self, message: &Value) {
        let raw = message["raw"].as_str().unwrap();
        let mut lines = raw.lines().map(str::trim);
        let message_id = lines.clone().find(|line| line.starts_with("Message-ID:")).unwrap();
        let is_code = |line: &&str| {
            [6, 8, 10].contains(&line.len()) && line.bytes().all(|b| b.is_ascii_digit())
        };
        let code = lines.find(is_code).expect("the code stands alone on its line");
        let received = ReceivedMessage { message_id: message_id.to_owned(), code: code.to_owned() };
        let address = message["to"][0].as_str().unwrap().to_owned();
        self.messages.lock().unwrap().entry(address).or_default().push(received);
        self.more.notify_waiters();
    }

    fn codes(&self, address: &str) -> Vec<String> {
        let messages = self.messages.lock().unwrap();
        let messages = messages.get(address).map(Vec::as_slice).unwrap_or_default();
        different(messages).map(|message| message.code.clone()).collect()
    }
}

/// The messages without duplicates.
fn different(messages: &[ReceivedMessage]) -> impl Iterator<Item = &ReceivedMessage> {
    let known = |index: usize, message: &ReceivedMessage| {
        messages[..index].iter().any(|earlier| earlier.message_id == message.message_id)
    };
    messages
        .iter()
        .enumerate()
        .filter(move |(index, message)| !known(*index, message))
        .map(|(_, l)| l)
}
