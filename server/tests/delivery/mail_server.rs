//! A real mail server in a process of its own.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use secrecy::SecretString;
use serde_json::Value;
use server::delivery::{Provider, Smtp, SmtpSecurity, SmtpSettings};
use tokio::sync::mpsc;

use crate::{PATIENCE, catalogue};

pub(crate) const USER: &str = "postmaster@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Ends with its standard input, so it outlives no test, however that ends.
pub(crate) struct MailServer {
    process: Child,
    commands: Option<ChildStdin>,
    events: mpsc::UnboundedReceiver<Value>,
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
        let output = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("every line is JSON");
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        let commands = process.stdin.take();
        let mut server = Self { process, commands, events, certificates, port: 0 };
        let port = server.next("listening").await["port"].as_u64().unwrap();
        server.port = u16::try_from(port).unwrap();
        server
    }

    /// With STARTTLS and AUTH, as mail providers have it.
    pub(crate) async fn usual() -> Self {
        Self::start(&["--user", USER, "--password", PASSWORD]).await
    }

    /// What a client of the usual server is configured with.
    pub(crate) fn settings(&self) -> SmtpSettings {
        SmtpSettings {
            host: "localhost".to_owned(),
            port: self.port,
            security: SmtpSecurity::StartTls,
            credentials: Some((USER.to_owned(), SecretString::from(PASSWORD))),
            from: "otp@example.com".to_owned(),
            ca_file: Some(self.certificate()),
            timeout: PATIENCE,
        }
    }

    pub(crate) fn provider(&self) -> Provider {
        provider(self.settings())
    }

    fn certificate(&self) -> PathBuf {
        self.certificates.path().join("cert.pem")
    }

    /// The next event of this name; others before it are passed over.
    pub(crate) async fn next(&mut self, name: &str) -> Value {
        loop {
            let event = self.events.recv().await;
            let event = event.unwrap_or_else(|| panic!("the mail server ended before {name}"));
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Cuts every connection and goes on listening.
    pub(crate) async fn disconnect(&mut self) {
        self.commands.as_mut().unwrap().write_all(b"disconnect\n").unwrap();
        self.next("disconnected").await;
    }

    /// Ends the server; the names of all events that were not read before.
    pub(crate) async fn end(mut self) -> Vec<String> {
        drop(self.commands.take());
        self.process.wait().unwrap();
        let mut names = Vec::new();
        while let Some(event) = self.events.recv().await {
            names.push(event["event"].as_str().unwrap().to_owned());
        }
        names
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.commands.take());
        // Waiting leaves no zombie; there is nobody to tell if it fails.
        let _ = self.process.wait();
    }
}

pub(crate) fn provider(settings: SmtpSettings) -> Provider {
    Provider::Smtp(Smtp::new(settings, catalogue()).unwrap())
}
