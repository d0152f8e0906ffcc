//! The whole flow over HTTP: a verification is started, a wrong code is checked, then the right one,
//! and the message goes through the outbox to the development inbox. At 16 keep-alive connections,
//! in CPU time of the server process, beside a bare axum server that answers three requests.

pub(crate) mod bare;

use std::{collections::HashMap, time::Duration};

use crate::{
    client::{Client, FORM, JSON},
    process::Process,
};

const CONNECTIONS: usize = 16;
/// As many as the inbox keeps for us to read the codes from.
const FLOWS_A_ROUND: usize = 160;
const ROUNDS: usize = 60;
/// Rounds that only warm up.
const WARM_UP: usize = 5;

pub(crate) fn measure() {
    let total = u32::try_from((ROUNDS - WARM_UP) * FLOWS_A_ROUND).expect("some thousand flows");
    println!("The flow over HTTP, {CONNECTIONS} connections, {total} flows");
    let bare = of_bare();
    println!("  bare axum, three requests: {:.1} us of CPU", micros(bare, total));
    let latchkey = of_latchkey();
    println!("  Latchkey, whole flow: {:.1} us of CPU", micros(latchkey, total));
    println!("  ratio: {:.2}", latchkey.as_secs_f64() / bare.as_secs_f64());
}

fn micros(cpu: Duration, flows: u32) -> f64 {
    cpu.as_secs_f64() * 1e6 / f64::from(flows)
}

fn of_bare() -> Duration {
    let server = Process::bare();
    let mut clients = connect(&server);
    let mut cpu = Duration::ZERO;
    for round in 0..ROUNDS {
        let begun = server.cpu();
        for _ in 0..3 {
            each(&mut clients, |client, _| {
                client.post("/check", JSON, r#"{"id":"x","guess":"123456"}"#);
            });
        }
        if round >= WARM_UP {
            cpu += server.cpu().saturating_sub(begun);
        }
    }
    cpu
}

fn of_latchkey() -> Duration {
    let server = Process::latchkey(&[]);
    let mut clients = connect(&server);
    let mut reader = Client::connect(server.address());
    let mut cpu = Duration::ZERO;
    for round in 0..ROUNDS {
        let begun = server.cpu();
        let ids = each(&mut clients, |client, flow| {
            let form = format!("channel=email&email=r{round}f{flow}%40example.com");
            let answer = client.post("/", FORM, &form);
            (format!("r{round}f{flow}@example.com"), answer.verification())
        });
        let sent = server.cpu().saturating_sub(begun);
        // Reading the codes is not part of the flow, nor of what is measured.
        let codes = codes(&mut reader, round);
        let begun = server.cpu();
        for right in [false, true] {
            each(&mut clients, |client, flow| {
                let (to, id) = &ids[flow];
                let code = &codes[to];
                // Codes grow when a site has many wrong checks.
                let zeros = "0".repeat(code.len());
                let wrong = if *code == zeros { code.replacen('0', "1", 1) } else { zeros };
                let guess = if right { code } else { &wrong };
                let (path, body) = (format!("/v/{id}/check"), format!("code={guess}"));
                let answer = client.post(&path, FORM, &body);
                let expected = if right { "" } else { "?e=incorrect" };
                assert_eq!(answer.location, format!("/v/{id}{expected}"));
            });
        }
        if round >= WARM_UP {
            cpu += sent + server.cpu().saturating_sub(begun);
        }
    }
    cpu
}

/// The codes of a round by recipient, once all of them have arrived.
fn codes(reader: &mut Client, round: usize) -> HashMap<String, String> {
    let of_this_round = format!("r{round}f");
    for _ in 0..1000 {
        let answer = reader.get("/dev/inbox.json");
        let messages: Vec<app::wire::InboxMessage> =
            serde_json::from_str(&answer.body).expect("the inbox as JSON");
        let arrived = messages.into_iter().filter(|message| message.to.starts_with(&of_this_round));
        let codes: HashMap<_, _> = arrived.map(|message| (message.to, message.code)).collect();
        if codes.len() == FLOWS_A_ROUND {
            return codes;
        }
    }
    panic!("the messages did not arrive");
}

fn connect(server: &Process) -> Vec<Client> {
    (0..CONNECTIONS).map(|_| Client::connect(server.address())).collect()
}

/// Has the connections share a round's flows between them; gives the results in the flows' order.
fn each<T: Send>(clients: &mut [Client], act: impl Fn(&mut Client, usize) -> T + Sync) -> Vec<T> {
    let share = FLOWS_A_ROUND / CONNECTIONS;
    let act = &act;
    std::thread::scope(|scope| {
        let running: Vec<_> = clients
            .iter_mut()
            .enumerate()
            .map(|(number, client)| {
                scope.spawn(move || {
                    let flows = number * share..(number + 1) * share;
                    flows.map(|flow| act(client, flow)).collect::<Vec<T>>()
                })
            })
            .collect();
        running.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    })
}
