//! A real Postfix with a configuration and queue of its own, in the foreground. It demands TLS, a password and a
//! qualified name by EHLO, asks a policy service before it confirms a message, and relays what it accepts to a
//! [`MailServer`], which records it.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::SecretString;
use server::delivery::SmtpSettings;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    SOON,
    mail_server::{MailServer, PASSWORD, USER},
};

pub(crate) struct Postfix {
    master: Child,
    port: u16,
    folder: tempfile::TempDir,
    password: Arc<Mutex<String>>,
    policy: Arc<watch::Sender<Policy>>,
    /// The server that receives what Postfix accepts.
    pub(crate) receiver: MailServer,
}

/// The state of the policy service.
#[derive(Clone, Copy, Default)]
struct Policy {
    /// Requests are not answered.
    is_slow: bool,
    /// Requests so far.
    asked: usize,
}

impl Postfix {
    pub(crate) async fn start() -> Self {
        let receiver = MailServer::start(&["--security", "plain"]).await;
        let folder = tempfile::tempdir().unwrap();
        // Its processes run as another user.
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
        for file in ["key.pem", "cert.pem"] {
            std::fs::copy(receiver.certificates().join(file), folder.path().join(file)).unwrap();
        }
        for name in ["queue", "data"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let password = Arc::new(Mutex::new(PASSWORD.to_owned()));
        let auth = authenticating(password.clone()).await;
        let policy = Arc::new(watch::Sender::default());
        let asked = deciding(policy.clone()).await;
        let port = free_port().await;
        let settings = settings(folder.path(), receiver.settings().port, auth, asked);
        std::fs::write(folder.path().join("main.cf"), settings).unwrap();
        std::fs::write(folder.path().join("master.cf"), services(port)).unwrap();
        let done =
            as_root("chown").args(["-R", "root", "--"]).arg(folder.path()).status().and_then(
                |_| as_root("chown").arg("postfix").arg(folder.path().join("data")).status(),
            );
        assert!(
            done.is_ok_and(|done| done.success()),
            "scripts/setup.sh --with-tests installs Postfix"
        );
        let master = as_root("postfix")
            .arg("-c")
            .arg(folder.path())
            .arg("start-fg")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("scripts/setup.sh --with-tests installs Postfix");
        let postfix = Self { master, port, folder, password, policy, receiver };
        postfix.becomes_ready().await;
        postfix
    }

    /// Settings of a client that it takes messages from.
    pub(crate) fn settings(&self) -> SmtpSettings {
        let credentials = Some((USER.to_owned(), SecretString::from(PASSWORD)));
        SmtpSettings { port: self.port, credentials, ..self.receiver.settings() }
    }

    /// Changes the password of the account.
    pub(crate) fn change_password(&self, password: &str) {
        password.clone_into(&mut self.password.lock().unwrap());
    }

    /// Whether it keeps its confirmations back from now on, as a server that scans messages.
    pub(crate) fn scans_slowly(&self, is_slow: bool) {
        self.policy.send_modify(|policy| policy.is_slow = is_slow);
    }

    /// Waits until it has received this many messages in all, and is about to confirm or confirms them.
    pub(crate) async fn has_received(&self, count: usize) {
        let mut policy = self.policy.subscribe();
        let received = policy.wait_for(|policy| policy.asked >= count);
        let received = tokio::time::timeout(SOON, received).await;
        assert!(received.is_ok_and(|state| state.is_ok()), "{}", self.log());
    }

    /// Messages received so far, confirmed or not.
    pub(crate) fn received(&self) -> usize {
        self.policy.borrow().asked
    }

    /// Its log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    async fn becomes_ready(&self) {
        let greeted = async {
            loop {
                if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)).await {
                    let mut answers = String::new();
                    let _ = stream.write_all(b"QUIT\r\n").await;
                    let _ = stream.read_to_string(&mut answers).await;
                    if answers.starts_with("220 ") {
                        return;
                    }
                }
                tokio::task::yield_now().await;
            }
        };
        let ready = tokio::time::timeout(SOON, greeted).await;
        assert!(ready.is_ok(), "Postfix does not start: {}", self.log());
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // Ends the master of this configuration by its id, and its processes with it.
        let mut stop = as_root("postfix");
        stop.arg("-c").arg(self.folder.path()).arg("stop").stderr(Stdio::null());
        let _ = stop.stdout(Stdio::null()).status();
        let _ = self.master.wait();
        let _ = as_root("rm").arg("-rf").arg("--").arg(self.folder.path()).status();
    }
}

/// Postfix starts as root, and runs its processes as other users.
fn as_root(program: &str) -> Command {
    let id = Command::new("id").arg("-u").output().expect("there is an id");
    if id.stdout.trim_ascii() == b"0" {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["-n", program]);
    sudo
}

fn settings(folder: &Path, receiver: u16, auth: u16, policy: u16) -> String {
    let folder = folder.display();
    format!(
        "compatibility_level = 3.6\n\
         queue_directory = {folder}/queue\n\
         data_directory = {folder}/data\n\
         maillog_file = {folder}/log\n\
         maillog_file_prefixes = {folder}\n\
         myhostname = mx.example.com\n\
         mydestination =\n\
         mynetworks =\n\
         alias_maps =\n\
         inet_interfaces = 127.0.0.1\n\
         inet_protocols = ipv4\n\
         relayhost = [127.0.0.1]:{receiver}\n\
         smtp_tls_security_level = none\n\
         smtpd_peername_lookup = no\n\
         smtpd_tls_security_level = encrypt\n\
         smtpd_tls_cert_file = {folder}/cert.pem\n\
         smtpd_tls_key_file = {folder}/key.pem\n\
         smtpd_sasl_auth_enable = yes\n\
         smtpd_sasl_type = dovecot\n\
         smtpd_sasl_path = inet:127.0.0.1:{auth}\n\
         smtpd_helo_required = yes\n\
         smtpd_helo_restrictions = reject_non_fqdn_helo_hostname\n\
         smtpd_relay_restrictions = permit_sasl_authenticated, reject\n\
         smtpd_end_of_data_restrictions = check_policy_service inet:127.0.0.1:{policy}\n\
         smtputf8_enable = no\n"
    )
}

fn services(port: u16) -> String {
    let inner = [
        ("pickup", "unix", "n", "60", "1", "pickup"),
        ("cleanup", "unix", "n", "-", "0", "cleanup"),
        ("qmgr", "unix", "n", "300", "1", "qmgr"),
        ("tlsmgr", "unix", "-", "1000?", "1", "tlsmgr"),
        ("rewrite", "unix", "-", "-", "-", "trivial-rewrite"),
        ("bounce", "unix", "-", "-", "0", "bounce"),
        ("defer", "unix", "-", "-", "0", "bounce"),
        ("trace", "unix", "-", "-", "0", "bounce"),
        ("proxymap", "unix", "-", "-", "-", "proxymap"),
        ("smtp", "unix", "-", "-", "-", "smtp"),
        ("relay", "unix", "-", "-", "-", "smtp"),
        ("error", "unix", "-", "-", "-", "error"),
        ("retry", "unix", "-", "-", "-", "error"),
        ("anvil", "unix", "-", "-", "1", "anvil"),
        ("postlog", "unix-dgram", "n", "-", "1", "postlogd"),
    ];
    let inner = inner.map(|(name, kind, private, wakeup, most, command)| {
        format!("{name} {kind} {private} - n {wakeup} {most} {command}\n")
    });
    format!("127.0.0.1:{port} inet n - n - - smtpd\n{}", inner.concat())
}

/// A port that is free now.
async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// Checks passwords by the protocol of Dovecot's authentication service; returns its port.
async fn authenticating(password: Arc<Mutex<String>>) -> u16 {
    serve(move |stream| {
        let password = password.clone();
        async move {
            let hello = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n\
                         COOKIE\t0123456789abcdef0123456789abcdef\nDONE\n";
            let mut stream = BufReader::new(stream);
            stream.write_all(hello.as_bytes()).await?;
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
                let mut fields = line.trim_end().split('\t');
                let (Some("AUTH"), Some(id)) = (fields.next(), fields.next()) else { continue };
                let given =
                    fields.find_map(|field| field.strip_prefix("resp=")).unwrap_or_default();
                let expected = format!("\0{USER}\0{}", password.lock().unwrap());
                let result = match BASE64_STANDARD.decode(given) {
                    Ok(given) if given == expected.as_bytes() => "OK",
                    _ => "FAIL",
                };
                stream.write_all(format!("{result}\t{id}\tuser={USER}\n").as_bytes()).await?;
            }
        }
    })
    .await
}

/// Lets every message pass by Postfix's policy protocol, at once or when it is not slow any more; returns its
/// port.
async fn deciding(policy: Arc<watch::Sender<Policy>>) -> u16 {
    serve(move |stream| {
        let policy = policy.clone();
        async move {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while stream.read_line(&mut line).await? > 0 {
                if line.trim_end().is_empty() {
                    policy.send_modify(|policy| policy.asked += 1);
                    let mut state = policy.subscribe();
                    let _ = state.wait_for(|policy| !policy.is_slow).await;
                    stream.write_all(b"action=DUNNO\n\n").await?;
                }
                line.clear();
            }
            Ok(())
        }
    })
    .await
}

/// Serves each connection to a free port; returns the port.
async fn serve<F>(mut talk: impl FnMut(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream));
        }
    });
    port
}
