//! An installed program: a folder with its data, which outlives its processes.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
};

use tempfile::TempDir;

use crate::{browser::Browser, postbox::Postbox};

pub(crate) struct Installation {
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
    browser: Browser,
}

impl Installation {
    /// One that sends its mail to `port` of this machine, and whose limits leave a test alone.
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
            ("LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE", "1000000"),
        ];
        let installation = Self {
            folder: tempfile::tempdir().unwrap(),
            settings: settings.map(|(name, value)| (name, value.to_owned())).to_vec(),
            browser: Browser::new(),
        };
        installation.with("LATCHKEY_SMTP__PORT", &port.to_string())
    }

    pub(crate) fn mailing(postbox: &Postbox) -> Self {
        Self::mailing_to(postbox.port())
    }

    /// With one more setting, named as in the environment.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    /// With a configuration file.
    pub(crate) fn configured(self, text: &str) -> Self {
        std::fs::write(self.folder.path().join("latchkey.toml"), text).unwrap();
        self
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/latchkey.db")
    }

    /// Starts the program and waits until it listens.
    pub(crate) fn start(&self) -> Program {
        let mut program = self.spawn();
        let output = BufReader::new(program.child.stdout.take().unwrap());
        let mut lines = output.lines().map_while(Result::ok);
        let origin =
            lines.find_map(|line| Some(format!("http://{}", line.split_once("http://")?.1)));
        let origin = origin.unwrap_or_else(|| panic!("it did not start: {}", self.log()));
        program.browser = self.browser.at(origin.trim_end_matches('/'));
        program
    }

    /// Starts the program and waits for nothing.
    pub(crate) fn spawn(&self) -> Program {
        let log = File::options().append(true).create(true).open(self.folder.path().join("log"));
        // A disk that is full is played by a limit on the size of files, and a program that meets
        // that is killed by a signal, which a full disk does not send.
        let ignore_signal = r#"trap "" XFSZ; exec "$0" serve"#;
        let child = Command::new("sh")
            .args(["-c", ignore_signal, env!("CARGO_BIN_EXE_latchkey")])
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.unwrap())
            .spawn()
            .unwrap();
        Program { child, browser: self.browser.clone() }
    }

    /// What all processes so far have logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// A running process. Killed with its test, however that ends.
pub(crate) struct Program {
    child: Child,
    browser: Browser,
}

impl Program {
    pub(crate) fn browser(&self) -> Browser {
        self.browser.clone()
    }

    /// Where it listens, as `host:port`.
    pub(crate) fn address(&self) -> &str {
        self.browser.origin().strip_prefix("http://").unwrap()
    }

    /// `kill -9`: no warning, no way out.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn exit(mut self) -> ExitStatus {
        tokio::task::block_in_place(|| self.child.wait().unwrap())
    }

    /// Has every write to a file fail that goes beyond so many bytes, or lets them pass again.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let soft = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &self.child.id().to_string()]).arg(format!("--fsize={soft}:"));
        assert!(prlimit.status().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone already, and there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
