//! A real mail server in its own process.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError},
};

use secrecy::SecretString;
use serde_json::Value;
use server::delivery::{Provider, Smtp, SmtpSecurity, SmtpSettings};
use tokio::sync::mpsc;

use crate::{SOON, TIMEOUT, catalogue};

pub(crate) const USER: &str = "postmaster@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The process ends with its standard input, and so with the test in any case.
pub(crate) struct MailServer {
    process: Child,
    commands: Option<ChildStdin>,
    events: mpsc::UnboundedReceiver<Value>,
    /// Disconnected when the process has closed its standard output.
    output: Receiver<()>,
    certificates: tempfile::TempDir,
    port: u16,
}

impl MailServer {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let servers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end/servers");
        let certificates = tempfile::tempdir().unwrap();
        let made = Command::new("sh")
            .arg(servers.join("certificate.sh"))
            .arg(certificates.path())
            .status()
            .expect("there is a shell");
        assert!(made.success(), "openssl makes a certificate");
        let mut process = Command::new("node")
            .arg(servers.join("smtp.mjs"))
            .arg("--tls")
            .arg(certificates.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a Node");
        let (sender, events) = mpsc::unbounded_channel();
        let (open, output) = std::sync::mpsc::channel();
        let lines = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(move || {
            let _open = open;
            for line in lines.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("every line is JSON");
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        let commands = process.stdin.take();
        let mut server = Self { process, commands, events, output, certificates, port: 0 };
        let port = server.next("listening").await["port"].as_u64().unwrap();
        server.port = u16::try_from(port).unwrap();
        server
    }

    /// Starts a server with STARTTLS and AUTH.
    pub(crate) async fn usual() -> Self {
        Self::start(&["--user", USER, "--password", PASSWORD]).await
    }

    /// Settings of a client of [`MailServer::usual`].
    pub(crate) fn settings(&self) -> SmtpSettings {
        SmtpSettings {
            host: "localhost".to_owned(),
            port: self.port,
            security: SmtpSecurity::StartTls,
            credentials: Some((USER.to_owned(), SecretString::from(PASSWORD))),
            from: "otp@example.com".to_owned(),
            hello: "otp.example.com".to_owned(),
            ca_file: Some(self.certificate()),
            timeout: TIMEOUT,
        }
    }

    pub(crate) fn provider(&self) -> Provider {
        provider(self.settings())
    }

    fn certificate(&self) -> PathBuf {
        self.certificates().join("cert.pem")
    }

    /// Folder with `key.pem` and `cert.pem`.
    pub(crate) fn certificates(&self) -> &Path {
        self.certificates.path()
    }

    /// The next event of this name, skipping others. The clock of the runtime must not be paused.
    pub(crate) async fn next(&mut self, name: &str) -> Value {
        let event = tokio::time::timeout(SOON, self.receive(name)).await;
        let event = event.unwrap_or_else(|_| panic!("no event {name} from the mail server"));
        event.unwrap_or_else(|| panic!("the mail server ended before {name}"))
    }

    /// As [`MailServer::next`], without a time-out; `None` when the server has ended.
    pub(crate) async fn receive(&mut self, name: &str) -> Option<Value> {
        loop {
            let event = self.events.recv().await?;
            if event["event"] == name {
                return Some(event);
            }
        }
    }

    /// Closes all connections and continues to listen.
    pub(crate) async fn disconnect(&mut self) {
        self.commands.as_mut().unwrap().write_all(b"disconnect\n").unwrap();
        self.next("disconnected").await;
    }

    /// Ends the server; returns the names of all events that were not read before.
    pub(crate) async fn end(mut self) -> Vec<String> {
        drop(self.commands.take());
        let ended = self.output.recv_timeout(SOON);
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "the mail server ends");
        let mut names = Vec::new();
        while let Some(event) = self.events.recv().await {
            names.push(event["event"].as_str().unwrap().to_owned());
        }
        names
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // The process may have ended already. Waiting for it leaves no zombie.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn provider(settings: SmtpSettings) -> Provider {
    Provider::Smtp(Smtp::new(settings, catalogue()).unwrap())
}
