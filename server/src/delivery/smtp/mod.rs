//! E-mail by a mail server.
//!
//! lettre implements the protocol. Its asynchronous transport is not used, for two reasons: it has a
//! time-out for connecting only, so a server that hangs later would hang the worker; and it does not tell
//! whether a failure came before or after the message was handed over, which decides whether a retry may
//! send a duplicate.
//!
//! lettre's `tracing` feature must stay off: it logs every line it writes, password and code included
//! (S8).

mod line_stream;
mod message;
mod session;

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lettre::{
    Address,
    message::Mailbox,
    transport::smtp::client::{Certificate, TlsParameters},
};
use otp::Timestamp;
use secrecy::SecretString;

use self::session::{Fault, Session, Step};
use super::{Failure, OutgoingMessage, ProbeError, Receipt, SetUpError, Undelivered, template};
use crate::i18n::Catalogue;

/// Encryption of the connection to a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// The connection must be upgraded by STARTTLS before anything is sent.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// No encryption; to loopback addresses only.
    Plain,
}

/// Settings of a mail server.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// Host name or IP address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption of the connection.
    pub security: SmtpSecurity,
    /// User name and password, if the server requires them.
    pub credentials: Option<(String, SecretString)>,
    /// Sender, `address` or `Name <address>`.
    pub from: String,
    /// PEM file with a certificate authority to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// Time-out of each step of the session.
    pub timeout: Duration,
}

/// The provider `smtp`.
pub struct Smtp {
    settings: SmtpSettings,
    from: Mailbox,
    tls: Option<TlsParameters>,
    catalogue: Arc<Catalogue>,
    /// Connections kept for further messages, newest last.
    idle: Mutex<Vec<Session>>,
}

/// Most idle connections kept.
const MOST_IDLE: usize = 4;

impl Smtp {
    /// The provider's name.
    pub const NAME: &str = "smtp";

    /// Sets up sender and TLS, without connecting.
    ///
    /// # Errors
    /// If the sender is not a mailbox, TLS cannot be set up, or is off for a host that is not a loopback
    /// address.
    pub fn new(settings: SmtpSettings, catalogue: Arc<Catalogue>) -> Result<Self, SetUpError> {
        let from = settings.from.parse().map_err(SetUpError::Sender)?;
        if settings.security == SmtpSecurity::Plain && !is_loopback(&settings.host) {
            return Err(SetUpError::PlainOutsideLoopback { host: settings.host });
        }
        let tls = match settings.security {
            SmtpSecurity::Plain => None,
            SmtpSecurity::StartTls | SmtpSecurity::Tls => Some(tls(&settings)?),
        };
        Ok(Self { settings, from, tls, catalogue, idle: Mutex::default() })
    }

    /// The server's address, for the operator.
    pub(super) fn place(&self) -> String {
        format!("mail server {}:{}", self.settings.host, self.settings.port)
    }

    pub(super) fn timeout(&self) -> Duration {
        self.settings.timeout * Step::COUNT
    }

    pub(super) async fn deliver(
        &self,
        message: &OutgoingMessage,
        now: Timestamp,
    ) -> Result<Receipt, Undelivered> {
        let to: Address = message
            .to
            .address()
            .parse()
            .map_err(|_| Undelivered::permanent("the recipient is not a mail address"))?;
        let email = template::email(&self.catalogue, message, now);
        let (message_id, message) = message::compose(&self.from, &to, message, email, now)
            .map_err(|_| Undelivered::permanent("the message cannot be composed"))?;
        let mut session = self.session().await?;
        session.send(self.from.email.clone(), to, &message).await?;
        self.keep(session);
        Ok(Receipt { provider: Self::NAME, reference: Some(message_id) })
    }

    pub(super) async fn probe(&self) -> Result<(), ProbeError> {
        match self.connect().await {
            Ok(session) => {
                self.keep(session);
                Ok(())
            }
            Err(fault) => {
                let refused = fault.undelivered.kind == Failure::Permanent;
                let reason = fault.undelivered.reason;
                Err(if fault.step == Step::Authenticate && refused {
                    ProbeError::Rejected { reason }
                } else {
                    ProbeError::Unreachable { reason }
                })
            }
        }
    }

    /// An open session, kept or new.
    async fn session(&self) -> Result<Session, Undelivered> {
        let kept = self.idle().pop();
        if let Some(mut session) = kept {
            if session.is_alive().await {
                return Ok(session);
            }
            // The older ones have been idle for longer, so they are dead as well.
            self.idle().clear();
        }
        Ok(self.connect().await?)
    }

    async fn connect(&self) -> Result<Session, Fault> {
        Session::open(&self.settings, self.tls.as_ref()).await
    }

    fn keep(&self, session: Session) {
        let mut idle = self.idle();
        if idle.len() < MOST_IDLE {
            idle.push(session);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// TLS with the system's certificate authorities and the configured one.
fn tls(settings: &SmtpSettings) -> Result<TlsParameters, SetUpError> {
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.ca_file {
        let pem = std::fs::read(file)
            .map_err(|source| SetUpError::AuthorityFile { file: file.clone(), source })?;
        tls = tls.add_root_certificate(Certificate::from_pem(&pem).map_err(SetUpError::Tls)?);
    }
    tls.build_rustls().map_err(SetUpError::Tls)
}

/// Whether a host is a loopback address or `localhost`.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
