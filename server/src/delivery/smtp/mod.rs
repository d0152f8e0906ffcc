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
mod sender;
mod session;
mod step;

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

pub use self::sender::parse_sender;
use self::{
    session::Session,
    step::{Fault, Step},
};
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
    /// Name that we give by EHLO: a host name with its domain.
    pub hello: String,
    /// PEM file with a certificate authority to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// Time-out of each step of the session but the last: the confirmation is waited for as long as the code
    /// lives.
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
        let from = parse_sender(&settings.from).map_err(SetUpError::Sender)?;
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
        let email = template::email_with_logo(&self.catalogue, message, now);
        let (message_id, content) = message::compose(&self.from, &to, message, email, now)
            .map_err(|_| Undelivered::permanent("the message cannot be composed"))?;
        let mut session = self.session().await?;
        let (from, left) = (self.from.email.clone(), message.expires_at.since(now));
        match session.send(from, to, &content, &message.hand_over, left).await {
            Ok(()) => self.keep(session).await,
            Err(fault) => {
                session.quit_after(&fault).await;
                return Err(fault.into());
            }
        }
        Ok(Receipt { provider: Self::NAME, reference: Some(message_id) })
    }

    /// Connects, and names sender and recipient, since many servers refuse the name by EHLO, the sender or
    /// relaying only there. The recipient is the sender itself; nothing is sent.
    pub(super) async fn probe(&self) -> Result<(), ProbeError> {
        let mut session = self.connect().await.map_err(Self::probe_error)?;
        let own = &self.from.email;
        match session.rehearse(own.clone(), own.clone()).await {
            Ok(()) => self.keep(session).await,
            Err(fault) => {
                session.quit_after(&fault).await;
                if !fault.is_about_recipient() {
                    return Err(Self::probe_error(fault));
                }
            }
        }
        Ok(())
    }

    fn probe_error(fault: Fault) -> ProbeError {
        let reason = fault.undelivered.reason;
        match fault.undelivered.kind {
            Failure::Account if fault.step == Step::Authenticate => ProbeError::Rejected { reason },
            Failure::Account | Failure::Permanent if fault.reply.is_some() => {
                ProbeError::Refused { reason }
            }
            _ => ProbeError::Unreachable { reason },
        }
    }

    /// Ends the kept sessions.
    pub(super) async fn close(&self) {
        let kept = std::mem::take(&mut *self.idle());
        futures_util::future::join_all(kept.into_iter().map(Session::quit)).await;
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

    async fn keep(&self, session: Session) {
        let surplus = {
            let mut idle = self.idle();
            idle.push(session);
            (idle.len() > MOST_IDLE).then(|| idle.remove(0))
        };
        if let Some(session) = surplus {
            session.quit().await;
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
        // The library takes a file without any for an empty list.
        if reqwest::Certificate::from_pem_bundle(&pem).is_ok_and(|found| found.is_empty()) {
            return Err(SetUpError::NoAuthority { file: file.clone() });
        }
        let authority = |source| SetUpError::Authority { file: file.clone(), source };
        tls = tls.add_root_certificate(Certificate::from_pem(&pem).map_err(authority)?);
        return tls.build_rustls().map_err(authority);
    }
    tls.build_rustls().map_err(SetUpError::Tls)
}

/// Whether a host is a loopback address or `localhost`.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
