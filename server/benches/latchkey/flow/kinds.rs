//! The flows that are measured, and a server for one of them.

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::Write as _,
    time::{Duration, Instant},
};

use app::wire::InboxMessage;
use server::site::SecretDigest;

use super::CONNECTIONS;
use crate::{
    client::Client,
    door::Door,
    load,
    process::{self, Process},
};

/// Flows after which the codes are read, as many as the inbox keeps.
const ROUND: usize = 160;
/// Test recipients of `demo`.
const TEST_RECIPIENTS: usize = 2000;
/// Longest time for a message, which may be tried several times.
const LONGEST_DELIVERY: Duration = Duration::from_secs(30);
const TEST_CODE: &str = "0123456789";
const TEST_KEY: &str = "lk_sec_benchmark-of-test-recipients";

/// A flow: create, wrong check, right check.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// Most CPU time that is wanted, in units of the bare server's.
    pub(super) limit: Option<f64>,
    door: Door,
    key: &'static str,
    recipient: fn(usize) -> String,
    codes: Codes,
}

/// The source of the right codes.
enum Codes {
    Known(&'static str),
    Inbox,
    Twilio,
}

pub(super) const KINDS: [Kind; 5] = [
    Kind {
        name: "dummy",
        title: "/v1, test key of a dummy site",
        limit: Some(3.5),
        door: Door::Api,
        key: "lk_sec_test_approve",
        recipient: email,
        codes: Codes::Known("000000"),
    },
    Kind {
        name: "recipient",
        title: "/v1, test recipient of `demo`",
        limit: Some(4.5),
        door: Door::Api,
        key: TEST_KEY,
        recipient: |flow| email(flow % TEST_RECIPIENTS),
        codes: Codes::Known(TEST_CODE),
    },
    Kind {
        name: "inbox",
        title: "/v1, message to the inbox",
        limit: Some(5.0),
        door: Door::Api,
        key: "lk_sec_demo",
        recipient: email,
        codes: Codes::Inbox,
    },
    Kind {
        name: "twilio",
        title: "/v1, text by a stand-in for Twilio",
        limit: Some(9.0),
        door: Door::Api,
        key: "lk_sec_demo",
        recipient: |flow| format!("+447400{:06}", flow % 1_000_000),
        codes: Codes::Twilio,
    },
    Kind {
        name: "form",
        title: "forms of the pages, message to the inbox",
        limit: None,
        door: Door::Form,
        key: "lk_sec_demo",
        recipient: email,
        codes: Codes::Inbox,
    },
];

fn email(flow: usize) -> String {
    format!("flow{flow}@example.com")
}

/// A server that answers one kind of flow.
pub(super) struct Running<'a> {
    kind: &'a Kind,
    server: Process,
    clients: Vec<Client>,
    /// Connection to what has the codes, the server itself or the stand-in.
    reader: Client,
    /// The stand-in, which ends with this.
    _stand_in: Option<Process>,
    /// Flows so far.
    flows: usize,
}

impl<'a> Running<'a> {
    pub(super) async fn start(kind: &'a Kind) -> Self {
        let mut stand_in = None;
        let server = match kind.codes {
            Codes::Twilio => {
                let provider = Process::stand_in();
                let url = format!("http://{}", provider.address());
                stand_in = Some(provider);
                Process::latchkey(&process::with_twilio(&url))
            }
            Codes::Known(TEST_CODE) => {
                let mut file = tempfile::NamedTempFile::new().expect("a file");
                file.write_all(configuration().as_bytes()).expect("written");
                let path = file.path().to_str().expect("a path of UTF-8");
                Process::latchkey(&[("LATCHKEY_CONFIG", path)])
            }
            _ => Process::latchkey(&[]),
        };
        let clients = Client::connect_all(server.address(), CONNECTIONS, kind.key).await;
        let reader = Client::connect(stand_in.as_ref().unwrap_or(&server).address()).await;
        Self { kind, server, clients, reader, _stand_in: stand_in, flows: 0 }
    }

    /// CPU time of so many flows. Reading the codes is not part of a flow, nor of the time.
    pub(super) async fn run(&mut self, flows: usize) -> Duration {
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
                Codes::Known(code) => vec![code.to_owned(); number],
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

/// The site `demo` with test recipients, which have a limit on wrong checks a day.
fn configuration() -> String {
    let digest = SecretDigest::of(TEST_KEY);
    let mut file = format!(
        "[[sites]]\nname = \"demo\"\nsecret_keys = [\"{digest}\"]\n[sites.test_recipients]\n"
    );
    for flow in 0..TEST_RECIPIENTS {
        let _ = writeln!(file, "\"{}\" = \"{TEST_CODE}\"", email(flow));
    }
    file
}
