//! A connection that is kept: made again with back-off whenever it is lost.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_postgres::Client;

use super::{
    PostgresProblem,
    connector::{Connected, Connector},
    open_error::Failure,
    statements::Statements,
};
use crate::{error_chain::chain, store::StoreError};

/// Time for a connection to be made while callers wait for it.
const CONNECT: Duration = Duration::from_millis(700);
/// Time for which a request waits for a connection that was lost just now.
const PATIENCE: Duration = Duration::from_millis(300);
/// Pause before the second try to connect again, doubled with each try.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A session with its prepared statements. Requests are pipelined, so many may share one.
pub(super) struct Session {
    connected: Connected,
    pub(super) statements: Statements,
    /// Number of the parts of tallies that this session counts: its rank among the sessions of its kind. Two with
    /// one number wait for each other; nothing else depends on it.
    pub(super) part: i16,
}

impl Session {
    pub(super) fn client(&self) -> &Client {
        &self.connected.client
    }

    /// Closes the connection: it has not answered in time, or is in an unknown state.
    pub(super) fn give_up(&self) {
        self.connected.close();
    }
}

/// A session, or the reason why there is none.
type State = Result<Arc<Session>, Arc<str>>;

/// Handle to a connection that is kept. Dropping the last one closes it.
#[derive(Clone)]
pub(super) struct Link {
    state: watch::Receiver<State>,
    _keeper: Arc<Keeper>,
}

struct Keeper(JoinHandle<()>);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Link {
    /// Connects for the first time.
    pub(super) async fn open(
        connector: Arc<Connector>,
        purpose: &'static str,
    ) -> Result<Self, PostgresProblem> {
        let session = connect(&connector, purpose).await?;
        let (sender, state) = watch::channel(Ok(session.clone()));
        let keeper = tokio::spawn(keep(connector, purpose, session, sender));
        Ok(Self { state, _keeper: Arc::new(Keeper(keeper)) })
    }

    /// The session, waited for a moment if it was lost.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with the reason for which there is none.
    pub(super) async fn session(&self) -> Result<Arc<Session>, StoreError> {
        let is_well =
            |state: &State| state.as_ref().is_ok_and(|session| !session.connected.is_closed());
        let mut state = self.state.clone();
        if let Ok(Ok(state)) = timeout(PATIENCE, state.wait_for(is_well)).await
            && let Ok(session) = &*state
        {
            return Ok(session.clone());
        }
        let reason = match &*self.state.borrow() {
            Ok(_) => "the connection to the database was lost".into(),
            Err(reason) => reason.clone(),
        };
        Err(StoreError::Unavailable(reason.to_string().into()))
    }

    /// Whether there is a session now.
    pub(super) fn is_connected(&self) -> bool {
        self.state.borrow().as_ref().is_ok_and(|session| !session.connected.is_closed())
    }
}

/// Connects again whenever the connection is lost.
async fn keep(
    connector: Arc<Connector>,
    purpose: &'static str,
    mut session: Arc<Session>,
    state: watch::Sender<State>,
) {
    loop {
        session.connected.ended().await;
        drop(state.send_replace(Err("the connection to the database was lost".into())));
        tracing::warn!(purpose, "the connection to the database was lost");
        let mut pause = FIRST_PAUSE;
        session = loop {
            match connect(&connector, purpose).await {
                Ok(session) => break session,
                Err(problem) => {
                    let reason = chain(&problem);
                    if pause == FIRST_PAUSE {
                        tracing::warn!(
                            purpose,
                            reason,
                            "connecting to the database failed; retrying"
                        );
                    }
                    drop(state.send_replace(Err(reason.into())));
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        tracing::info!(purpose, "connected to the database again");
        drop(state.send_replace(Ok(session.clone())));
    }
}

async fn connect(connector: &Connector, purpose: &str) -> Result<Arc<Session>, PostgresProblem> {
    let connected = connector.connect(purpose, CONNECT).await?;
    let set_up = async {
        let client = &connected.client;
        let rank = "SELECT (count(*) % 64)::int2 FROM pg_stat_activity
                    WHERE datname = current_database() AND usename = current_user
                    AND application_name = current_setting('application_name') AND pid < pg_backend_pid()";
        let part = client.query_one(rank, &[]).await?.get(0);
        Ok((Box::pin(Statements::prepare(client)).await?, part))
    };
    let set_up = timeout(CONNECT, set_up).await.map_err(|_| PostgresProblem::Slow)?;
    let (statements, part) = set_up
        .map_err(|error: tokio_postgres::Error| PostgresProblem::Statement(Failure::new(&error)))?;
    Ok(Arc::new(Session { connected, statements, part }))
}
