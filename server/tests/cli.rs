//! The binary as operators use it: exit codes, messages, signals.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
};

/// The binary in an empty working directory, with no environment but `variables`.
struct Latchkey {
    directory: tempfile::TempDir,
}

impl Latchkey {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command
            .current_dir(&self.directory)
            .env_clear()
            .env("LATCHKEY_SERVER__BIND", "127.0.0.1:0")
            .envs(variables.iter().copied())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } =
            self.command(arguments, variables).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }

    /// Starts serving and waits until it says that it is ready.
    fn serve(&self, variables: &[(&str, &str)]) -> Serving {
        let mut child = self.command(&["serve"], variables).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.map(Result::unwrap).find(|line| line.contains("Messages"));
        assert!(ready.is_some(), "{}", stderr(&mut child));
        Serving { child }
    }
}

struct Serving {
    child: Child,
}

impl Serving {
    /// Stops it and returns its exit code and log.
    fn stop(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let log = stderr(&mut self.child);
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // A test that failed half-way must not leave a server behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn stderr(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// A Twilio account at a server that answers everything with `answer`.
fn twilio(answer: &'static str) -> Vec<(&'static str, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    account(base_url)
}

fn account(base_url: String) -> Vec<(&'static str, String)> {
    vec![
        ("LATCHKEY_TWILIO__BASE_URL", base_url),
        ("TWILIO_SID", "AC00000000000000000000000000000001".to_owned()),
        ("TWILIO_AUTH_TOKEN", "not-the-token".to_owned()),
        ("SENDER_NUMBER", "+442079460001".to_owned()),
    ]
}

fn borrow<'a>(variables: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

const REFUSED: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\
                       Content-Length: 14\r\nConnection: close\r\n\r\n{\"code\":20003}";

#[test]
fn s27_sigterm_ends_the_server_well() {
    let latchkey = Latchkey::new();

    let (code, log) = latchkey.serve(&[]).stop();

    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stopped"), "{log}");
}

#[test]
fn a_configuration_that_cannot_be_used_is_told_at_once_with_its_own_exit_code() {
    let variables = [("LATCHKEY_SERVER__MODE", "production"), ("LATCHKEY_POLICY__CHECKS", "0")];

    for command in ["serve", "check"] {
        let (code, _, log) = Latchkey::new().run(&[command], &variables);
        assert_eq!(code, Some(78), "{log}");
        for key in ["server.public_origin", "keys.secrets", "policy.checks", "delivery"] {
            assert!(log.contains(key), "{key}: {log}");
        }
    }
}

#[test]
fn refused_credentials_keep_the_server_from_starting() {
    let variables = twilio(REFUSED);

    let (code, _, log) = Latchkey::new().run(&["serve"], &borrow(&variables));

    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("AC00000000000000000000000000000001"), "{log}");
    assert!(log.contains("refuses the credentials") && log.contains("TWILIO_AUTH_TOKEN"), "{log}");
    assert!(!log.contains("not-the-token"), "{log}");
}

#[test]
fn the_check_of_credentials_can_be_switched_off() {
    let mut variables = twilio(REFUSED);
    variables.push(("LATCHKEY_STARTUP__CHECK_PROVIDERS", "false".to_owned()));

    let (code, log) = Latchkey::new().serve(&borrow(&variables)).stop();

    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn a_provider_out_of_reach_is_a_warning() {
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let variables = account(format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);

    let (code, log) = Latchkey::new().serve(&borrow(&variables)).stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("WARN") && log.contains("cannot be reached"), "{log}");

    // `check` also reports it by its exit code.
    let (code, out, _) = Latchkey::new().run(&["check"], &borrow(&variables));
    assert_eq!(code, Some(1));
    assert!(out.contains("problem  Twilio account"), "{out}");
}

#[test]
fn check_says_what_is_fine() {
    let active = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\
                  Connection: close\r\n\r\n{\"status\":\"active\"}";
    let variables = twilio(active);

    let (code, out, log) = Latchkey::new().run(&["check"], &borrow(&variables));

    assert_eq!(code, Some(0), "{out} {log}");
    assert!(out.contains("ok       the configuration is complete, for development"), "{out}");
    assert!(out.contains("would take messages"), "{out}");
}

/// A gateway of kind `http` for mail, at the URL of [`twilio`]'s variables.
fn gateway(name: &str, variables: &[(&str, String)]) -> String {
    let url = &variables[0].1;
    format!(
        "[[providers]]\nname = \"{name}\"\nkind = \"http\"\nchannels = [\"email\"]\n\
         http.url = \"{url}/send\"\n\
         http.probe_url = \"{url}/me\"\n\
         http.json = '{{\"to\": \"{{to}}\", \"t\": \"{{text}}\"}}'\n"
    )
}

#[test]
fn check_does_not_say_that_a_gateway_would_take_messages_if_that_was_not_tested() {
    let latchkey = Latchkey::new();
    let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let file = gateway("untested", &twilio(answer));
    let file: String =
        file.lines().filter(|line| !line.contains("probe_url")).collect::<Vec<_>>().join("\n");
    std::fs::write(latchkey.directory.path().join("latchkey.toml"), file).unwrap();
    let (code, out, log) = latchkey.run(&["check"], &[LOCAL]);
    assert_eq!(code, Some(0), "{out} {log}");
    assert!(out.contains("(untested) answers; its credentials cannot be tested"), "{out}");
}

const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Gateways on this machine are allowed.
const LOCAL: (&str, &str) = ("LATCHKEY_WEBHOOK__ALLOWED_NETWORKS", "127.0.0.0/8");

#[test]
fn check_and_send_test_name_each_provider() {
    let latchkey = Latchkey::new();
    let file = gateway("first", &twilio(ACCEPTED)) + &gateway("second", &twilio(REFUSED));
    std::fs::write(latchkey.directory.path().join("latchkey.toml"), file).unwrap();

    let (code, out, _) = latchkey.run(&["check"], &[LOCAL]);
    assert_eq!(code, Some(1), "{out}");
    let line = |start: &str, name: &str| {
        out.lines().any(|line| line.starts_with(start) && line.contains(&format!("({name})")))
    };
    assert!(line("ok ", "first") && line("problem ", "second"), "{out}");

    let send = |name| {
        let arguments = ["send-test", "--to", "jane@example.com", "--provider", name];
        latchkey.run(&arguments, &[LOCAL])
    };
    let (code, out, _) = send("first");
    assert_eq!((code, out.contains("first took the message")), (Some(0), true), "{out}");
    let (code, out, _) = send("second");
    assert_eq!((code, out.contains("was not taken: HTTP 401")), (Some(1), true), "{out}");
    let (code, _, log) = send("third");
    assert_eq!(code, Some(1));
    assert!(log.contains("no provider is called \"third\"; there is first, second"), "{log}");
}

#[test]
fn s25_one_refused_provider_of_several_does_not_keep_the_server_from_starting() {
    let latchkey = Latchkey::new();
    let path = latchkey.directory.path().join("latchkey.toml");
    let refused = gateway("refused", &twilio(REFUSED));
    std::fs::write(&path, refused.clone() + &gateway("other", &twilio(ACCEPTED))).unwrap();
    let (code, log) = latchkey.serve(&[LOCAL]).stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("ERROR") && log.contains("(refused) refuses the credentials"), "{log}");

    std::fs::write(&path, refused).unwrap();
    let (code, _, log) = latchkey.run(&["serve"], &[LOCAL]);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("not started"), "{log}");
}

#[test]
fn the_secret_of_a_gateway_is_printed() {
    let latchkey = Latchkey::new();
    let file =
        "[[providers]]\nname = \"own\"\nkind = \"webhook\"\nwebhook.url = \"https://g.example/\"\n";
    std::fs::write(latchkey.directory.path().join("latchkey.toml"), file).unwrap();
    let (code, out, _) = latchkey.run(&["keys", "provider", "own"], &[]);
    assert_eq!((code, out.starts_with("whsec_")), (Some(0), true), "{out}");
    let (code, _, log) = latchkey.run(&["keys", "provider", "smtp"], &[]);
    assert_eq!((code, log.contains("no provider of kind webhook")), (Some(1), true), "{log}");
}

#[test]
fn a_test_message_is_shown_where_nothing_is_sent() {
    let latchkey = Latchkey::new();

    let (code, out, _) = latchkey.run(&["send-test", "--to", "jane@example.com"], &[]);
    assert_eq!(code, Some(0));
    assert!(out.contains("Nothing is sent in development"), "{out}");

    let call = ["send-test", "--to", "+447400123456", "--channel", "voice", "--provider", "inbox"];
    let (code, out, _) = latchkey.run(&call, &[]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("Hello. Here is your Latchkey code. "), "{out}");

    for (to, channel, words) in [
        ("jane@example.com", "voice", "--to must be a phone number as +44... for this channel"),
        ("+447400123456", "email", "--to must be an e-mail address for this channel"),
    ] {
        let (code, _, log) = latchkey.run(&["send-test", "--to", to, "--channel", channel], &[]);
        assert_eq!(code, Some(1));
        assert!(log.contains(words), "{log}");
    }
    let (code, _, log) = latchkey.run(&["send-test", "--to", "jane", "--channel", "fax"], &[]);
    assert_eq!(code, Some(2));
    assert!(log.contains("must be one of: email, sms, whatsapp, voice"), "{log}");

    let (code, _, log) = latchkey.run(&["send-test", "--to", "jane"], &[]);
    assert_eq!(code, Some(1));
    assert!(log.contains("--to must be an e-mail address"), "{log}");
}

/// The standard output of `latchkey keys site` can be appended to the configuration file; standard
/// error has the secret key that belongs to the digest in it (S21).
#[test]
fn s21_a_printed_site_is_ready_to_be_configured_and_its_secret_stays_out_of_the_file() {
    let latchkey = Latchkey::new();
    let file = latchkey.directory.path().join("latchkey.toml");

    let (code, block, aside) = latchkey.run(&["keys", "site", "shop"], &[]);
    assert_eq!(code, Some(0), "{aside}");
    let secret = aside.lines().last().unwrap();
    assert!(secret.starts_with("lk_sec_") && !block.contains("lk_sec_"), "{block}");
    let (code, digest, aside) = latchkey.run(&["keys", "secret"], &[]);
    assert!(code == Some(0) && digest.starts_with("sha256:") && aside.contains("lk_sec_"));

    // As the help for rotation says: the new digest beside the old one.
    let rotated =
        block.replace("secret_keys = [", &format!("secret_keys = [\"{}\", ", digest.trim()));
    std::fs::write(&file, rotated).unwrap();
    let (code, out, log) = latchkey.run(&["check"], &[]);
    assert_eq!(code, Some(0), "{out} {log}");
    assert!(out.contains("ok       site shop: sends by email, sms; 2 secret keys"), "{out}");
    assert!(out.contains("ok       site demo: "), "{out}");
    assert!(out.contains("warning  site shop has a public_key and no origins"), "{out}");

    let key = format!("[[sites]]\nname = \"shop\"\nsecret_keys = [\"{secret}\"]\n");
    std::fs::write(&file, key).unwrap();
    let (code, out, log) = latchkey.run(&["check"], &[]);
    assert_eq!(code, Some(78), "{out} {log}");
    assert!(log.contains("sites.shop.secret_keys: item 1 is a secret key itself"), "{log}");
    assert!(!log.contains(secret), "{log}");
}

#[test]
fn a_name_that_no_site_can_have_gets_no_keys() {
    let (code, out, log) = Latchkey::new().run(&["keys", "site", "My Shop"], &[]);

    assert_eq!((code, out.as_str()), (Some(1), ""), "{log}");
    assert!(log.contains("must be 1 to 32 characters of a-z"), "{log}");
}

#[test]
fn the_master_secret_is_printed_as_before() {
    let (code, out, _) = Latchkey::new().run(&["keys"], &[]);

    assert_eq!((code, out.lines().count()), (Some(0), 1));
}

#[test]
fn the_secret_of_a_webhook_is_the_same_each_time_and_another_for_each_site() {
    let latchkey = Latchkey::new();
    let secret = |site: &str, secrets: &str| {
        let keys = [("LATCHKEY_KEYS__SECRETS", secrets)];
        latchkey.run(&["keys", "webhook", site], &keys)
    };
    let (old, new) = ("A".repeat(43), "B".repeat(43));
    let (code, demo, aside) = secret("demo", &old);
    assert_eq!((code, demo.lines().count()), (Some(0), 1), "{aside}");
    assert!(demo.starts_with("whsec_") && !aside.contains("whsec_"), "{demo}");
    assert_eq!(secret("demo", &old).1, demo);
    assert_ne!(secret("test-approve", &old).1, demo);
    assert_ne!(secret("demo", &format!("{new},{old}")).1, demo, "the newest is printed");
    let (code, printed, complaint) = secret("nobody", &old);
    assert_eq!((code, &*printed), (Some(1), ""));
    assert!(complaint.contains("no site is called"), "{complaint}");
}

#[test]
fn the_secret_of_alerts_is_the_same_each_time_and_that_of_no_site() {
    let latchkey = Latchkey::new();
    let old = "A".repeat(43);
    let secret = |keys: &[&str], variable: (&str, &str)| {
        let variables = [("LATCHKEY_KEYS__SECRETS", &*old), variable];
        latchkey.run(&[&["keys"], keys].concat(), &variables)
    };
    let unset = ("LATCHKEY_ALERTS__WEBHOOK", "");
    let (code, printed, aside) = secret(&["alerts"], unset);
    assert_eq!((code, printed.lines().count()), (Some(0), 1), "{aside}");
    assert!(printed.starts_with("whsec_") && !aside.contains("whsec_"), "{printed}");
    assert!(aside.contains("set `alerts.webhook`"), "{aside}");
    let (_, again, aside) =
        secret(&["alerts"], ("LATCHKEY_ALERTS__WEBHOOK", "http://localhost:9/"));
    assert_eq!(again, printed);
    assert!(!aside.contains("alerts.webhook"), "{aside}");
    assert_ne!(secret(&["webhook", "demo"], unset).1, printed);
}

#[test]
fn the_description_of_the_api_is_printed_alone() {
    let (code, out, log) = Latchkey::new().run(&["openapi"], &[]);

    assert_eq!((code, log.as_str()), (Some(0), ""));
    assert_eq!(out, include_str!("../../docs/openapi.json"));
}

#[test]
fn s39_check_finds_what_serve_refuses_about_the_database() {
    let latchkey = Latchkey::new();
    let (code, out, _) = latchkey.run(&["check"], &[]);
    assert_eq!(
        (code, out.contains("the database can be used, and agrees with the machine's clock")),
        (Some(0), true),
        "{out}"
    );
    let serving = latchkey.serve(&[]);
    let (code, out, err) = latchkey.run(&["check"], &[]);
    assert_eq!(code, Some(0), "beside a running server: {out}{err}");
    serving.stop();

    let database = latchkey.directory.path().join("data/latchkey.db");
    let execute = |statements: &str| {
        rusqlite::Connection::open(&database).unwrap().execute_batch(statements).unwrap();
    };
    for (statements, reason) in [
        ("PRAGMA user_version = 1000", "schema version 1000"),
        ("PRAGMA application_id = 1", "a database of another program"),
    ] {
        execute(statements);
        for command in ["check", "serve"] {
            let (code, out, err) = latchkey.run(&[command], &[]);
            assert_eq!(code, Some(1), "{command}: {out}{err}");
            assert!((out + &err).contains(reason), "{command}");
        }
    }
    std::fs::write(&database, "no database".repeat(1000)).unwrap();
    let (code, out, _) = latchkey.run(&["check"], &[]);
    assert_eq!((code, out.contains("problem")), (Some(1), true), "{out}");
}

#[test]
fn s37_check_finds_what_serve_refuses_about_the_clock() {
    let latchkey = Latchkey::new();
    let secret = "A".repeat(43);
    latchkey.serve(&[("LATCHKEY_KEYS__SECRETS", &secret)]).stop();
    let database = latchkey.directory.path().join("data/latchkey.db");
    let database = rusqlite::Connection::open(database).unwrap();
    let key = || -> String {
        database.query_row("SELECT wrapped FROM store_key", [], |row| row.get(0)).unwrap()
    };
    let (before, rotated) = (key(), format!("{},{secret}", "B".repeat(43)));
    for days in [-100, 200] {
        let moved = "UPDATE clock SET latest = latest + ?1 * 86400000";
        database.execute(moved, [days]).unwrap();
        for command in ["check", "serve"] {
            let (code, out, err) =
                latchkey.run(&[command], &[("LATCHKEY_KEYS__SECRETS", &rotated)]);
            assert_eq!(code, Some(1), "{command}: {out}{err}");
            assert!((out + &err).contains("start once with --accept-clock"), "{command}");
        }
    }
    // A start that is refused has changed nothing.
    assert_eq!(key(), before);
}

#[test]
fn s37_without_its_master_secret_a_database_is_refused_and_the_secret_named() {
    let latchkey = Latchkey::new();
    let (lost, other) = ("A".repeat(43), "B".repeat(43));
    let serving = latchkey.serve(&[("LATCHKEY_KEYS__SECRETS", &lost)]);
    assert_eq!(serving.stop().0, Some(0));
    let check = |secrets: &str| latchkey.run(&["check"], &[("LATCHKEY_KEYS__SECRETS", secrets)]);
    let (code, out, _) = check(&lost);
    let name = out.lines().find_map(|line| line.strip_prefix("ok       master secrets "));
    let name = name.unwrap_or_else(|| panic!("{out}"));
    assert_eq!(code, Some(0), "{out}");

    let (code, _, log) = latchkey.run(&["serve"], &[("LATCHKEY_KEYS__SECRETS", &other)]);
    assert!(code == Some(1) && log.contains(name) && log.contains("keys.secrets"), "{log}");
    // No other secret was made instead.
    let (code, _, log) = latchkey.run(&["serve"], &[]);
    assert_eq!(code, Some(1), "{log}");
    assert!(!latchkey.directory.path().join("data/latchkey.keys").exists(), "{log}");
    let (code, out, _) = check(&other);
    assert!(code == Some(1) && out.contains("problem  ") && out.contains(name), "{out}");

    let both = format!("{other},{lost}");
    assert_eq!(latchkey.serve(&[("LATCHKEY_KEYS__SECRETS", &both)]).stop().0, Some(0));
    assert_eq!(check(&other).0, Some(0));
}
