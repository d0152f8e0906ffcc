//! A PostgreSQL server of this test process, on a Unix socket in a temporary folder.
//!
//! It never runs as root, and ends with the process, however that ends: its parent is a shell that waits for the end
//! of its input.

use std::{
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::TempDir;

/// A server with databases for tests.
pub(crate) struct TestServer {
    folder: TempDir,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    databases: AtomicUsize,
    port: u16,
    shell: Child,
}

impl TestServer {
    /// The server of this process, started by the first call.
    pub(crate) fn get() -> &'static Self {
        static SERVER: OnceLock<TestServer> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    /// A server of one test alone, which ends when it is dropped.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| Vec::new())
    }

    /// The same with the settings that `prepare` gives, which may put files into the server's folder. With any, it
    /// listens on `localhost` too.
    pub(crate) fn start_with(prepare: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let programs = programs();
        // PostgreSQL refuses to run as root.
        let user = is_root().then(|| (id_of("-u"), id_of("-g")));
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let own = |path: &Path| {
            if let Some((user, group)) = user {
                std::os::unix::fs::chown(path, Some(user), Some(group)).unwrap();
            }
        };
        own(folder.path());
        own(&data);
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.args(["--no-sync", "--auth=trust", "--username=latchkey", "--encoding=UTF8"]);
        let made = as_user(initdb.arg("--locale=C").arg(&data), user).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let settings = prepare(&data);
        for file in std::fs::read_dir(&data).unwrap() {
            own(&file.unwrap().path());
        }
        // A port that was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let has_tcp = !settings.is_empty();
        let script = r#""$0" "$@" & read -r _; kill -INT $!; wait $!; rm -rf "${3%/data}""#;
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).arg(programs.join("postgres")).arg("-F").arg("-D").arg(&data);
        // Tests stop processes and connections, never the machine, so nothing needs to reach the disk.
        shell.arg("-k").arg(&data).args(["-p", &port.to_string(), "-c", "max_connections=400"]);
        shell.arg("-c");
        shell.arg(if has_tcp { "listen_addresses=localhost" } else { "listen_addresses=" });
        shell.args(settings.iter().flat_map(|setting| ["-c", setting]));
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        let shell = as_user(&mut shell, user).spawn().unwrap();
        let databases = AtomicUsize::new(0);
        let server = Self { folder, programs, user, databases, port, shell };
        let ready = (0..6000).any(|_| server.run("pg_isready", &["-q"]));
        assert!(ready, "{}", std::fs::read_to_string(server.folder.path().join("log")).unwrap());
        server
    }

    /// The URL of a new database.
    pub(crate) fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        assert!(self.run("createdb", &[&name]), "creating {name}");
        self.url(&name)
    }

    /// The URL of a database with this name.
    pub(crate) fn url(&self, database: &str) -> String {
        let socket = self.data().to_str().unwrap().replace('/', "%2F");
        format!("postgres://latchkey@{socket}:{}/{database}", self.port)
    }

    /// Runs statements in a database of a URL, and gives what `psql` prints.
    pub(crate) fn sql(&self, url: &str, statements: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements]).arg(url);
        let output = psql.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The server's folder, with its socket.
    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = Command::new(self.programs.join(program));
        command.arg("-h").arg(self.data()).args(["-U", "latchkey"]).args(arguments);
        command
            .env("PGDATABASE", "postgres")
            .env("PGPORT", self.port.to_string())
            .stderr(Stdio::null());
        as_user(&mut command, self.user).status().unwrap().success()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // The end of its input.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

fn as_user(command: &mut Command, user: Option<(u32, u32)>) -> &mut Command {
    command.current_dir("/");
    match user {
        Some((user, group)) => command.uid(user).gid(group),
        None => command,
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| {
        use std::os::unix::fs::MetadataExt;
        process.uid() == 0
    })
}

/// The number of the user that the package makes, or of its group.
fn id_of(option: &str) -> u32 {
    let id = Command::new("id").args([option, "postgres"]).output().unwrap();
    String::from_utf8_lossy(&id.stdout).trim().parse().expect("a user `postgres`")
}

/// The folder of the newest PostgreSQL that is installed; Debian keeps it off the PATH.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = folders.into_iter().rev().chain(std::env::split_paths(&path));
    let has_server = |place: &PathBuf| Path::new(place).join("initdb").exists();
    places.find(has_server).expect("PostgreSQL; scripts/setup.sh --with-tests installs it")
}
