//! A server for one kind of flow, and the connections to it.

use std::{
    collections::HashMap,
    fmt::Write as _,
    time::{Duration, Instant},
};

use app::wire::InboxMessage;
use server::site::SecretDigest;

use super::{
    Answers, CONNECTIONS,
    kinds::{Codes, Kind, TEST_CODE, TEST_KEY, TEST_RECIPIENTS, email},
};
use crate::{client::Client, load, process::Process, settings};

/// Flows after which the codes are read, fewer than the inbox keeps.
const ROUND: usize = 160;
/// Longest time for a message, which may be tried several times.
const LONGEST_DELIVERY: Duration = Duration::from_secs(30);

pub(crate) struct Running<'a> {
    kind: &'a Kind,
    pub(crate) server: Process,
    /// The stand-in, which ends with this.
    stand_in: Option<Process>,
    clients: Vec<Client>,
    /// Connection to what has the codes, the server itself or the stand-in.
    reader: Client,
    /// Flows so far.
    flows: usize,
}

impl<'a> Running<'a> {
    pub(crate) async fn start(kind: &'a Kind) -> Self {
        let mut stand_in = None;
        let server = match kind.codes {
            Codes::Twilio => {
                let provider = stand_in.insert(Process::stand_in());
                let url = format!("http://{}", provider.address());
                Process::latchkey(&settings::texts_by_twilio(&url))
            }
            Codes::Recipients(_) => Process::configured(&[], &with_test_recipients()),
            Codes::Site(_) | Codes::Inbox => Process::latchkey(&[]),
        };
        let clients = Client::connect_all(server.address(), CONNECTIONS, kind.key).await;
        let reader = Client::connect(stand_in.as_ref().unwrap_or(&server).address()).await;
        Self { kind, server, stand_in, clients, reader, flows: 0 }
    }

    /// Connects anew: the server was started again, or has closed connections that were idle.
    pub(crate) async fn reconnect(&mut self) {
        let Self { kind, server, stand_in, .. } = self;
        self.clients = Client::connect_all(server.address(), CONNECTIONS, kind.key).await;
        self.reader = Client::connect(stand_in.as_ref().unwrap_or(server).address()).await;
    }

    /// The codes that were sent to these recipients, once all have arrived.
    async fn read_codes(&mut self, to: &[String]) -> Vec<String> {
        let mut codes = HashMap::new();
        let deadline = Instant::now() + LONGEST_DELIVERY;
        while !to.iter().all(|to| codes.contains_key(to)) {
            assert!(Instant::now() < deadline, "a message did not arrive");
            codes.extend(self.read_new_codes().await);
        }
        to.iter().map(|to| codes[to].clone()).collect()
    }

    async fn read_new_codes(&mut self) -> HashMap<String, String> {
        if let Codes::Inbox = self.kind.codes {
            let body = self.reader.get("/dev/inbox.json").await.body;
            let messages: Vec<InboxMessage> = serde_json::from_str(&body).expect("JSON");
            messages.into_iter().map(|message| (message.to, message.code)).collect()
        } else {
            serde_json::from_str(&self.reader.get("/codes").await.body).expect("JSON")
        }
    }
}

impl Answers for Running<'_> {
    /// Reading the codes is not part of a flow, nor of the time.
    async fn run(&mut self, flows: usize) -> Duration {
        let door = self.kind.door;
        let mut begun = self.server.settled().await;
        let mut cpu = Duration::ZERO;
        for round in 0..flows.div_ceil(ROUND) {
            let number = ROUND.min(flows - round * ROUND);
            let to = (self.flows..self.flows + number).map(self.kind.recipient).collect::<Vec<_>>();
            self.flows += number;
            let ids = load::each(&mut self.clients, number, async |client, flow| {
                door.create(client, &to[flow]).await
            });
            let ids = ids.await;
            let codes = match self.kind.codes {
                Codes::Site(code) | Codes::Recipients(code) => vec![code.to_owned(); number],
                Codes::Inbox | Codes::Twilio => {
                    // The messages are part of a flow.
                    cpu += self.server.settled().await.saturating_sub(begun);
                    let codes = self.read_codes(&to).await;
                    begun = self.server.settled().await;
                    codes
                }
            };
            load::each(&mut self.clients, number, async |client, flow| {
                door.check_both(client, &ids[flow], &codes[flow]).await;
            })
            .await;
        }
        cpu + self.server.settled().await.saturating_sub(begun)
    }
}

/// The site `demo` with test recipients, in the configuration file.
fn with_test_recipients() -> String {
    let digest = SecretDigest::of(TEST_KEY);
    let mut file = format!(
        "[[sites]]\nname = \"demo\"\nsecret_keys = [\"{digest}\"]\n[sites.test_recipients]\n"
    );
    for flow in 0..TEST_RECIPIENTS {
        let _ = writeln!(file, "\"{}\" = \"{TEST_CODE}\"", email(flow));
    }
    file
}
