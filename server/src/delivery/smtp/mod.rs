//! E-mail by a mail server.
//!
//! lettre speaks the protocol; the conversation is led step by step here instead of through its
//! transport, for two reasons. Its asynchronous transport bounds only the connecting, so a server
//! that hangs later would hang the worker. And whether a time-out came before or after the message
//! was handed over decides whether another try risks a duplicate.
//!
//! lettre's `tracing` feature must stay off: it logs every line it writes, password and code
//! included (S8).

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

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// Begins in the clear and must switch to TLS before anything is said.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all; for this machine alone.
    Plain,
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// User name and password; `None` where the server asks for none.
    pub credentials: Option<(String, SecretString)>,
    /// Sender, `address` or `Name <address>`.
    pub from: String,
    /// PEM file with a certificate authority to trust beside the system's own.
    pub ca_file: Option<PathBuf>,
    /// For one step of the conversation.
    pub timeout: Duration,
}

/// The provider `smtp`.
pub struct Smtp {
    settings: SmtpSettings,
    from: Mailbox,
    tls: Option<TlsParameters>,
    catalogue: Arc<Catalogue>,
    /// Connections that have just carried a message and can carry another, newest last.
    idle: Mutex<Vec<Session>>,
}

/// More connections than this are closed after use instead of kept.
const MOST_IDLE: usize = 4;

impl Smtp {
    /// The provider's name.
    pub const NAME: &str = "smtp";

    /// Sets sender and TLS up; connects to nothing yet.
    pub fn new(settings: SmtpSettings, catalogue: Arc<Catalogue>) -> Result<Self, SetUpError> {
        let from = settings.from.parse().map_err(SetUpError::Sender)?;
        if settings.security == SmtpSecurity::Plain && !is_this_machine(&settings.host) {
            return Err(SetUpError::PlainOutsideLoopback { host: settings.host });
        }
        let tls = match settings.security {
            SmtpSecurity::Plain => None,
            SmtpSecurity::StartTls | SmtpSecurity::Tls => Some(tls(&settings)?),
        };
        Ok(Self { settings, from, tls, catalogue, idle: Mutex::default() })
    }

    pub(super) fn patience(&self) -> Duration {
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
            .map_err(|_| Undelivered::permanent("the recipient is no address for mail"))?;
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

    /// A connection that is ready for a message.
    async fn session(&self) -> Result<Session, Undelivered> {
        let kept = self.idle().pop();
        if let Some(mut session) = kept {
            if session.is_alive().await {
                return Ok(session);
            }
            // Servers close what idles too long, and those below it have idled longer.
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

/// The system's certificate authorities, and the configured one beside them.
fn tls(settings: &SmtpSettings) -> Result<TlsParameters, SetUpError> {
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.ca_file {
        let pem = std::fs::read(file)
            .map_err(|source| SetUpError::AuthorityFile { file: file.clone(), source })?;
        tls = tls.add_root_certificate(Certificate::from_pem(&pem).map_err(SetUpError::Tls)?);
    }
    tls.build_rustls().map_err(SetUpError::Tls)
}

/// Whether what is sent to a host never leaves this machine.
fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
