//! A server in a process of its own, and the CPU time it has used.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::Router;

/// The argument that turns this program into the bare server.
pub(crate) const BARE: &str = "--bare-server";
/// The argument that turns this program into the stand-in for Twilio.
pub(crate) const STAND_IN: &str = "--stand-in";

/// The account at the stand-in.
pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000000";
/// The number that its texts come from.
pub(crate) const SENDER: &str = "+15005550006";

/// Time without work after which a server has nothing left to do, longer than a tick of the scheduler.
const QUIET: Duration = Duration::from_millis(12);

pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Process {
    pub(crate) fn bare() -> Self {
        Self::this(BARE)
    }

    pub(crate) fn stand_in() -> Self {
        Self::this(STAND_IN)
    }

    /// This program once more, as one of its servers.
    fn this(argument: &str) -> Self {
        let this = std::env::current_exe().expect("this program");
        let mut command = Command::new(this);
        command.arg(argument);
        Self::start(command)
    }

    /// Latchkey, without limits on callers, with further settings as in the environment.
    pub(crate) fn latchkey(settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command
            .arg("serve")
            .env("LATCHKEY_SERVER__BIND", "127.0.0.1:0")
            .env("LATCHKEY_LOG__LEVEL", "warn")
            .env("LATCHKEY_LIMITS__CALLER_SENDS_PER_5_MINUTES", "1000000")
            .env("LATCHKEY_WORK__ENABLED", "false")
            // The longest, which the many wrong checks do not end.
            .env("LATCHKEY_POLICY__CODE_LENGTH", "10")
            .env("LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE", "1000000")
            .envs(settings.iter().copied());
        Self::start(command)
    }

    /// Starts a server that prints its URL somewhere in its first lines.
    fn start(mut command: Command) -> Self {
        let folder = tempfile::tempdir_in(".").expect("a folder on the disk of this checkout");
        command.current_dir(folder.path()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let address = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("http://")?;
                rest.split(|c: char| c != ':' && c != '.' && !c.is_ascii_digit())
                    .next()?
                    .parse()
                    .ok()
            })
            .expect("the server prints its address");
        Self { child, address, folder }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time of all threads so far, as the scheduler counts it, in nanoseconds.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("the process");
        let nanos = tasks.filter_map(|task| {
            let stat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            stat.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }

    /// CPU time once nothing is left to do.
    pub(crate) async fn settled(&self) -> Duration {
        let mut cpu = self.cpu();
        loop {
            tokio::time::sleep(QUIET).await;
            let before = std::mem::replace(&mut cpu, self.cpu());
            if cpu == before {
                return cpu;
            }
        }
    }

    /// Memory that is in use, in kB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.expect("the memory of the process")
    }

    /// Size of the files of the database, in kB.
    pub(crate) fn database(&self) -> u64 {
        let files = fs::read_dir(self.folder.path().join("data")).expect("its folder");
        files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len() / 1024).sum()
    }
}

/// Settings of a server whose texts go to a stand-in, with all limits on texts so high that none refuses.
pub(crate) fn with_twilio(url: &str) -> [(&str, &str); 15] {
    const MOST: &str = "100000000";
    [
        ("TWILIO_SID", ACCOUNT),
        ("TWILIO_AUTH_TOKEN", "token"),
        ("SENDER_NUMBER", SENDER),
        ("LATCHKEY_TWILIO__BASE_URL", url),
        ("LATCHKEY_SMS__TEXTS_PER_HOUR", MOST),
        ("LATCHKEY_SMS__TEXTS_PER_DAY", MOST),
        ("LATCHKEY_SMS__COUNTRY_TEXTS_PER_HOUR", MOST),
        ("LATCHKEY_SMS__COUNTRY_TEXTS_PER_DAY", MOST),
        ("LATCHKEY_SMS__PREFIX_TEXTS_PER_HOUR", MOST),
        ("LATCHKEY_SMS__PREFIX_TEXTS_PER_DAY", MOST),
        ("LATCHKEY_LIMITS__TEXTS_PER_HOUR", MOST),
        ("LATCHKEY_LIMITS__TEXTS_PER_DAY", MOST),
        // The first texts look like fraud, since none of them has been approved yet.
        ("LATCHKEY_SMS__GUARD", "record_only"),
        ("LATCHKEY_LOG__LEVEL", "error"),
        ("LATCHKEY_SMS__COUNTRIES", "GB"),
    ]
}

/// Serves a router of this program's, and prints its URL for the process that started it.
pub(crate) fn serve(router: Router) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("http://{}", listener.local_addr().expect("an address"));
        axum::serve(listener, router).await.expect("served");
    });
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
