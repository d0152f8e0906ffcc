//! Everybody's mail, as it arrives at a mail server that outlives the program.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{sync::Notify, task::JoinHandle};

use crate::{SOON, mail_server::MailServer};

/// Cheap to clone; the mail server lives as long as the first one.
#[derive(Clone)]
pub(crate) struct Postbox {
    port: u16,
    arrived: Arc<Arrived>,
    _reading: Arc<Reading>,
}

#[derive(Default)]
struct Arrived {
    letters: Mutex<HashMap<String, Vec<OutgoingMessage>>>,
    more: Notify,
}

#[derive(Clone)]
struct OutgoingMessage {
    message_id: String,
    code: String,
}

struct Reading(JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Postbox {
    pub(crate) async fn open() -> Self {
        Self::at(0).await
    }

    /// At a port of one's choice, 0 for any.
    pub(crate) async fn at(port: u16) -> Self {
        let port = port.to_string();
        let mut server = MailServer::start(&["--security", "plain", "--port", &port]).await;
        let port = server.settings().port;
        let arrived = Arc::<Arrived>::default();
        let reader = arrived.clone();
        let reading = tokio::spawn(async move {
            loop {
                reader.take_in(&server.next("message").await);
            }
        });
        Self { port, arrived, _reading: Arc::new(Reading(reading)) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The codes of all messages to an address, once there are `count` different ones; the first to
    /// arrive first.
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
        arrived.unwrap_or_else(|_| panic!("of {count} messages to {address} not all arrived"))
    }

    /// How many messages have arrived again that had arrived before.
    pub(crate) fn duplicates(&self) -> usize {
        let letters = self.arrived.letters.lock().unwrap();
        letters.values().map(|letters| letters.len() - different(letters).count()).sum()
    }
}

impl Arrived {
    fn take_in(&self, message: &Value) {
        let raw = message["raw"].as_str().unwrap();
        let mut lines = raw.lines().map(str::trim);
        let message_id = lines.clone().find(|line| line.starts_with("Message-ID:")).unwrap();
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
        let code = lines.find(is_code).expect("the code stands alone on its line");
        let letter = OutgoingMessage { message_id: message_id.to_owned(), code: code.to_owned() };
        let address = message["to"][0].as_str().unwrap().to_owned();
        self.letters.lock().unwrap().entry(address).or_default().push(letter);
        self.more.notify_waiters();
    }

    fn codes(&self, address: &str) -> Vec<String> {
        let letters = self.letters.lock().unwrap();
        let letters = letters.get(address).map(Vec::as_slice).unwrap_or_default();
        different(letters).map(|letter| letter.code.clone()).collect()
    }
}

/// Those whose like did not come before.
fn different(letters: &[OutgoingMessage]) -> impl Iterator<Item = &OutgoingMessage> {
    let known = |index: usize, letter: &OutgoingMessage| {
        letters[..index].iter().any(|earlier| earlier.message_id == letter.message_id)
    };
    letters.iter().enumerate().filter(move |(index, letter)| !known(*index, letter)).map(|(_, l)| l)
}
