//! An installed program: a folder with its data, which outlives its processes.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
};

use tempfile::TempDir;

use crate::{SOON, browser::Browser, chosen_store, mail_sink::MailSink, postgres::TestServer};

pub(crate) struct Installation {
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
    browser: Browser,
    /// The database, unless that is a file.
    url: Option<String>,
}

/// Variable with the URL of the database.
const DATABASE: &str = "DATABASE_URL";

/// Keeps others from writing to the database, until it is dropped.
pub(crate) enum Lock {
    File(rusqlite::Connection),
    Server(tokio_postgres::Client),
}

impl Lock {
    /// Lets the others write again.
    pub(crate) async fn release(self) {
        match self {
            Self::File(connection) => connection.execute_batch("ROLLBACK").unwrap(),
            Self::Server(client) => client.batch_execute("ROLLBACK").await.unwrap(),
        }
    }
}

impl Installation {
    /// Sends mail to a local port, with limits that tests do not reach.
    pub(crate) fn mailing_to(port: u16) -> Self {
        let settings = [
            ("LATCHKEY_SERVER__BIND", "127.0.0.1:0"),
            ("LATCHKEY_LOG__LEVEL", "warn"),
            ("LATCHKEY_STARTUP__CHECK_PROVIDERS", "false"),
            ("LATCHKEY_SMTP__HOST", "127.0.0.1"),
            ("LATCHKEY_SMTP__SECURITY", "plain"),
            ("LATCHKEY_SMTP__FROM", "otp@example.com"),
            ("LATCHKEY_DELIVERY__RETRY_FIRST", "1"),
            ("LATCHKEY_DELIVERY__RETRY_LONGEST", "1"),
            ("LATCHKEY_LIMITS__CALLER_SENDS_PER_5_MINUTES", "1000000"),
            ("LATCHKEY_WORK__ENABLED", "false"),
            ("LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE", "1000000"),
        ];
        let installation = Self {
            folder: tempfile::tempdir().unwrap(),
            settings: settings.map(|(name, value)| (name, value.to_owned())).to_vec(),
            browser: Browser::new(),
            url: None,
        };
        let installation = match chosen_store::database() {
            Some(url) => installation.over(url),
            None => installation,
        };
        installation.with("LATCHKEY_SMTP__PORT", &port.to_string())
    }

    pub(crate) fn mailing(mail: &MailSink) -> Self {
        Self::mailing_to(mail.port())
    }

    /// Adds an environment variable.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    /// Writes the configuration file.
    pub(crate) fn configured(self, text: &str) -> Self {
        std::fs::write(self.folder.path().join("latchkey.toml"), text).unwrap();
        self
    }

    /// The same over a PostgreSQL database, for what only many programs can do.
    pub(crate) fn on_a_server(self) -> Self {
        if self.url.is_some() { self } else { self.over(TestServer::get().database()) }
    }

    fn over(mut self, url: String) -> Self {
        self.settings.push((DATABASE, url.clone()));
        // A start revokes no leases there, so what a killed process has leased is waited for.
        self.settings.push(("LATCHKEY_DELIVERY__LEASE", "10".to_owned()));
        Self { url: Some(url), ..self }
    }

    /// The same with its data in a file, for what only files can suffer.
    pub(crate) fn on_a_file(mut self) -> Self {
        self.url = None;
        self.settings.retain(|(name, _)| *name != DATABASE);
        self
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/latchkey.db")
    }

    /// Runs statements in the database, and gives the one row that they give, its columns separated by `|`.
    pub(crate) fn sql(&self, statements: &str) -> String {
        if let Some(url) = &self.url {
            let statements = format!("SET search_path = latchkey; {statements}");
            return TestServer::get().sql(url, &statements);
        }
        let database = rusqlite::Connection::open(self.database()).unwrap();
        let mut statement = database.prepare(statements).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        let Some(row) = rows.next().unwrap() else { return String::new() };
        let column = |number| row.get::<_, i64>(number).unwrap().to_string();
        (0..columns).map(column).collect::<Vec<_>>().join("|")
    }

    /// Locks the database against writers; `BEGIN EXCLUSIVE` and the like for a file.
    pub(crate) async fn lock(&self, begin: &str) -> Lock {
        let Some(url) = &self.url else {
            let connection = rusqlite::Connection::open(self.database()).unwrap();
            connection.execute_batch(begin).unwrap();
            return Lock::File(connection);
        };
        let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
        let (client, connection) = connected.unwrap();
        tokio::spawn(connection);
        let lock = "BEGIN; LOCK TABLE latchkey.verification, latchkey.clock, latchkey.counters IN EXCLUSIVE MODE";
        client.batch_execute(lock).await.unwrap();
        Lock::Server(client)
    }

    /// Starts the program and waits until it listens.
    pub(crate) fn start(&self) -> Program {
        self.start_with(&[])
    }

    /// Starts the program with these arguments of `serve` and waits until it listens.
    pub(crate) fn start_with(&self, arguments: &[&str]) -> Program {
        let mut program = self.spawn_with(arguments);
        let address = loop {
            let line = program.output.recv_timeout(SOON);
            let line = line.unwrap_or_else(|_| panic!("the program did not start: {}", self.log()));
            if let Some((_, address)) = line.split_once("http://") {
                break address.trim_end_matches('/').to_owned();
            }
        };
        program.browser = self.browser.at(&format!("http://{address}"));
        program
    }

    /// Starts the program without waiting.
    pub(crate) fn spawn(&self) -> Program {
        self.spawn_with(&[])
    }

    /// Starts the program with these arguments of `serve`, without waiting.
    pub(crate) fn spawn_with(&self, arguments: &[&str]) -> Program {
        let log = File::options().append(true).create(true).open(self.folder.path().join("log"));
        // A full disk is simulated by a limit on the size of files. Its signal, which a full disk does not
        // send, is ignored.
        let ignore_signal = r#"trap "" XFSZ; exec "$0" serve "$@""#;
        let mut child = Command::new("sh")
            .args(["-c", ignore_signal, env!("CARGO_BIN_EXE_latchkey")])
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Program { child, browser: self.browser.clone(), output }
    }

    /// The log of all processes so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// A running process, killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    browser: Browser,
    /// Lines of the standard output; disconnected when it is closed.
    output: Receiver<String>,
}

impl Program {
    pub(crate) fn browser(&self) -> Browser {
        self.browser.clone()
    }

    /// The address it listens on, as `host:port`.
    pub(crate) fn address(&self) -> &str {
        self.browser.origin().strip_prefix("http://").unwrap()
    }

    /// Bytes of memory that the process has.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for the end of the process, which has to come soon.
    pub(crate) fn exit(mut self) -> ExitStatus {
        tokio::task::block_in_place(|| {
            while let output = self.output.recv_timeout(SOON)
                && output != Err(RecvTimeoutError::Disconnected)
            {
                assert!(output.is_ok(), "the program did not end");
            }
            self.child.wait().unwrap()
        })
    }

    /// Makes writes to files fail beyond this many bytes, or lifts the limit.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let soft = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &self.child.id().to_string()]).arg(format!("--fsize={soft}:"));
        assert!(prlimit.status().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
