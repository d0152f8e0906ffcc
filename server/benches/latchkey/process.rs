//! A server in a process of its own, and the CPU time and memory it uses.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::Router;

/// The argument that turns this program into the bare server.
pub(crate) const BARE: &str = "--bare-server";
/// The argument that turns this program into the stand-in for Twilio.
pub(crate) const STAND_IN: &str = "--stand-in";

/// Time without work after which a server has nothing left to do, longer than a tick of the scheduler.
const QUIET: Duration = Duration::from_millis(12);

pub(crate) struct Process {
    command: Command,
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
        Self::start(command, "")
    }

    /// Latchkey, without limits on callers, with further settings as in the environment.
    pub(crate) fn latchkey(settings: &[(&str, &str)]) -> Self {
        Self::configured(settings, "")
    }

    /// Latchkey with a configuration file too.
    pub(crate) fn configured(settings: &[(&str, &str)], file: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command
            .arg("serve")
            .env("LATCHKEY_SERVER__BIND", "127.0.0.1:0")
            .env("LATCHKEY_LOG__LEVEL", "error")
            .env("LATCHKEY_LIMITS__CALLER_SENDS_PER_5_MINUTES", "1000000")
            .env("LATCHKEY_WORK__ENABLED", "false")
            // The longest, which the many wrong checks do not end.
            .env("LATCHKEY_POLICY__CODE_LENGTH", "10")
            .env("LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE", "1000000")
            .envs(settings.iter().copied());
        Self::start(command, file)
    }

    fn start(mut command: Command, file: &str) -> Self {
        let folder = tempfile::tempdir_in(".").expect("a folder on the disk of this checkout");
        fs::write(folder.path().join("latchkey.toml"), file).expect("a configuration file");
        command.current_dir(folder.path()).stdout(Stdio::piped());
        let (child, address) = spawn(&mut command);
        Self { command, child, address, folder }
    }

    /// Ends the server, and leaves its folder as it is.
    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts a server that was stopped, at another address.
    pub(crate) fn start_again(&mut self) {
        (self.child, self.address) = spawn(&mut self.command);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time of all threads so far.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.child.id())
    }

    /// CPU time once nothing is left to do.
    pub(crate) async fn settled(&self) -> Duration {
        let mut cpu = self.cpu();
        loop {
            tokio::time::sleep(QUIET).await;
            let before = std::mem::replace(&mut cpu, self.cpu());
            if cpu == before && is_asleep(self.child.id()) {
                return cpu;
            }
        }
    }

    /// Memory that is in use, in MiB.
    pub(crate) fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number: Option<u32> =
            line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        f64::from(number.expect("the memory of the process")) / 1024.0
    }

    /// The folder of the database.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Size of the files of the database, in MiB.
    pub(crate) fn database(&self) -> f64 {
        let files = fs::read_dir(self.data()).expect("its folder");
        let bytes = files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len());
        #[expect(clippy::cast_precision_loss, reason = "some MB")]
        let bytes = bytes.sum::<u64>() as f64;
        bytes / 1024.0 / 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts a server that prints its URL somewhere in its first lines.
fn spawn(command: &mut Command) -> (Child, SocketAddr) {
    let mut child = command.spawn().expect("the server starts");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let address = output.lines().map_while(Result::ok).find_map(|line| {
        let (_, rest) = line.split_once("http://")?;
        rest.split(|c: char| c != ':' && c != '.' && !c.is_ascii_digit()).next()?.parse().ok()
    });
    (child, address.expect("the server prints its address"))
}

/// CPU time of all threads of a process so far, as the scheduler counts it, in nanoseconds.
pub(crate) fn cpu_of(process: u32) -> Duration {
    let nanos = of_threads(process, "schedstat")
        .filter_map(|stat| stat.split_whitespace().next()?.parse::<u64>().ok());
    Duration::from_nanos(nanos.sum())
}

/// Whether no thread of a process runs, waits for a core or waits for the disk.
fn is_asleep(process: u32) -> bool {
    of_threads(process, "stat").all(|stat| {
        // The state follows the name, which is in parentheses.
        stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('S'))
    })
}

/// A file of each thread of a process.
fn of_threads(process: u32, name: &str) -> impl Iterator<Item = String> {
    let tasks = fs::read_dir(Path::new("/proc").join(process.to_string()).join("task"));
    tasks.expect("the process").filter_map(move |task| {
        // A thread may have ended meanwhile.
        fs::read_to_string(task.ok()?.path().join(name)).ok()
    })
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
