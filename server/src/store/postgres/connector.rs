//! Connections as they are made: TLS, time-outs, and the settings of a session.

use std::{path::Path, sync::Arc, time::Duration};

use rustls::{
    ClientConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use tokio::{task::JoinHandle, time::timeout};
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::sync::CancellationToken;

use super::{PostgresProblem, PostgresSettings, open_error::Failure};

/// The oldest version that is used, as `server_version_num`.
const OLDEST: i32 = 130_000;

/// Settings of every session, whatever those of the server, the database or the user are.
///
/// - Each statement ends before its callers give up (S26), waits for locks included.
/// - Locks of a server that has stopped answering in the middle of a transaction are free after a second.
/// - A step reads the latest committed row under its lock, which needs READ COMMITTED.
/// - Every answered change is durable. A stricter setting for synchronous replicas is left as it is.
/// - Every statement finds its rows by an index, from a plan that is made once; a plan that was made for empty
///   tables would otherwise read all rows for a while.
const SESSION: &str = "
    SET search_path = latchkey;
    SET statement_timeout = 800;
    SET idle_in_transaction_session_timeout = 1000;
    SET default_transaction_isolation = 'read committed';
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET jit = off;
    SET client_min_messages = error;
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off'
";

/// Makes connections to one database.
#[derive(Clone)]
pub(super) struct Connector {
    settings: PostgresSettings,
    tls: Option<MakeRustlsConnect>,
}

/// A connection; dropping it closes it at once, whatever is under way.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) client: Client,
    task: JoinHandle<()>,
    ended: CancellationToken,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.close();
    }
}

impl Connected {
    /// Runs a connection. Its error is that of the requests that wait for it.
    fn run(
        client: Client,
        connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
    ) -> Self {
        let ended = CancellationToken::new();
        let guard = ended.clone().drop_guard();
        let task = tokio::spawn(async move {
            let _guard = guard;
            let _ = connection.await;
        });
        Self { client, task, ended }
    }

    /// Closes the connection, and lets every request on it fail.
    pub(super) fn close(&self) {
        self.task.abort();
        self.ended.cancel();
    }

    /// Waits until it is closed by either side.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.ended.is_cancelled()
    }
}

impl Connector {
    pub(super) fn new(settings: &PostgresSettings) -> Result<Self, PostgresProblem> {
        let tls = settings.has_tls().then(|| tls(settings.ca_file.as_deref())).transpose()?;
        Ok(Self { settings: settings.clone(), tls: tls.map(MakeRustlsConnect::new) })
    }

    /// Connects within `patience`. `purpose` is added to the name of the application that the server shows.
    pub(super) async fn connect(
        &self,
        purpose: &str,
        patience: Duration,
    ) -> Result<Connected, PostgresProblem> {
        let connected = timeout(patience, self.connect_now(purpose)).await;
        connected.map_err(|_| PostgresProblem::Slow)?
    }

    async fn connect_now(&self, purpose: &str) -> Result<Connected, PostgresProblem> {
        let mut config = self.settings.config.clone();
        let name = config.get_application_name().unwrap_or_default().to_owned();
        config.application_name(format!("{name} {purpose}"));
        let problem = |error| PostgresProblem::of(&error, self.settings.database());
        let connected = if let Some(tls) = self.tls.clone() {
            let (client, connection) = config.connect(tls).await.map_err(problem)?;
            Connected::run(client, connection)
        } else {
            let (client, connection) = config.connect(NoTls).await.map_err(problem)?;
            Connected::run(client, connection)
        };
        let version = "SELECT current_setting('server_version_num')::int4";
        let row = connected.client.query_one(version, &[]).await.map_err(problem)?;
        let version: i32 = row.get(0);
        if version < OLDEST {
            return Err(PostgresProblem::TooOld(version / 10_000));
        }
        connected.client.batch_execute(SESSION).await.map_err(problem)?;
        Ok(connected)
    }
}

/// TLS with the certificate and the host name verified, by the authorities of the system and of a file.
fn tls(ca_file: Option<&Path>) -> Result<ClientConfig, PostgresProblem> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let authorities: Vec<_> = match ca_file {
        Some(file) => {
            let pem = std::fs::read(file).map_err(PostgresProblem::CaFile)?;
            let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
            found.ok().filter(|found| !found.is_empty()).ok_or_else(|| {
                PostgresProblem::CaFile(std::io::Error::other("it holds no certificate in PEM"))
            })?
        }
        None => Vec::new(),
    };
    let failed = |error: rustls::Error| PostgresProblem::Tls(Failure::told(&error));
    let verifier = Verifier::new_with_extra_roots(authorities, provider.clone()).map_err(failed)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}
