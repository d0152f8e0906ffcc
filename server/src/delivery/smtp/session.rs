//! One conversation with a mail server, in steps of bounded length.

use std::{error::Error as _, io, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Noop, Rcpt},
        extension::ClientId,
    },
};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::{SmtpSecurity, SmtpSettings};
use crate::delivery::Undelivered;

/// A part of the conversation; each may take as long as the settings say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Asking whether a kept connection still lives.
    Revive,
    /// Reaching the server, greeting and TLS.
    Connect,
    /// User name and password.
    Authenticate,
    /// Sender, recipient, and the server's readiness to read.
    Envelope,
    /// The message itself, up to the server's word that it has it.
    Body,
}

/// What stopped the conversation, and where.
pub(super) struct Fault {
    pub(super) step: Step,
    pub(super) undelivered: Undelivered,
}

/// A connection that is protected, authenticated and between messages.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    patience: Duration,
}

impl Session {
    /// Connects. Nothing is said about us, and no message offered, before the connection is as
    /// protected as the settings demand (S23).
    pub(super) async fn open(
        settings: &SmtpSettings,
        tls: Option<&TlsParameters>,
    ) -> Result<Self, Fault> {
        let patience = settings.timeout;
        let mut connection = Step::Connect
            .within(patience, connect(settings, tls))
            .await
            .and_then(|connection| match connection {
                Some(connection) => Ok(connection),
                None => Err(Step::Connect
                    .permanent("the server does not offer STARTTLS; nothing was sent without it")),
            })?;
        if let Some((user, password)) = &settings.credentials {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            let authentication = connection.auth(DEFAULT_MECHANISMS, &credentials);
            Step::Authenticate.within(patience, authentication).await?;
        }
        Ok(Self { connection, patience })
    }

    /// Whether the server still answers.
    pub(super) async fn is_alive(&mut self) -> bool {
        Step::Revive.within(self.patience, self.connection.command(Noop)).await.is_ok()
    }

    /// Hands one message over. After a failure the connection is in an unknown state and must be
    /// dropped.
    pub(super) async fn send(
        &mut self,
        from: Address,
        to: Address,
        message: &[u8],
    ) -> Result<(), Fault> {
        let connection = &mut self.connection;
        let envelope = async {
            connection.command(Mail::new(Some(from), Vec::new())).await?;
            connection.command(Rcpt::new(to, Vec::new())).await?;
            connection.command(Data).await
        };
        Step::Envelope.within(self.patience, envelope).await?;
        Step::Body.within(self.patience, self.connection.message(message)).await?;
        Ok(())
    }
}

/// `None` where TLS is to follow on the greeting and the server does not offer it.
async fn connect(
    settings: &SmtpSettings,
    tls: Option<&TlsParameters>,
) -> Result<Option<AsyncSmtpConnection>, Error> {
    let hello = ClientId::default();
    let implicit = tls.filter(|_| settings.security == SmtpSecurity::Tls).cloned();
    let server = (settings.host.as_str(), settings.port);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(server, None, &hello, implicit, None).await?;
    match tls {
        Some(tls) if settings.security == SmtpSecurity::StartTls => {
            if !connection.can_starttls() {
                return Ok(None);
            }
            connection.starttls(tls.clone(), &hello).await?;
        }
        _ => {}
    }
    Ok(Some(connection))
}

impl Step {
    /// How many there are, each with its own time-out.
    pub(super) const COUNT: u32 = 5;

    async fn within<T>(
        self,
        patience: Duration,
        step: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Fault> {
        let undelivered = match timeout(patience, step).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => self.undelivered(&error),
            Err(_) => self.interrupted("timed out"),
        };
        Err(Fault { step: self, undelivered })
    }

    fn permanent(self, reason: &str) -> Fault {
        Fault { step: self, undelivered: Undelivered::permanent(reason) }
    }

    fn undelivered(self, error: &Error) -> Undelivered {
        let doing = self.doing();
        if let Some(code) = error.status() {
            let detail = enhanced_status(error).map(|status| format!(" {status}"));
            let reason = format!("{doing}: the server said {code}{}", detail.unwrap_or_default());
            return if error.is_permanent() {
                Undelivered::permanent(reason)
            } else {
                Undelivered::transient(reason)
            };
        }
        if error.is_client() {
            // The server and we have no way of authenticating in common.
            return Undelivered::permanent(format!("{doing}: the server offers no way we know"));
        }
        match io_error(error) {
            // Before the first command there is nothing personal that the text could repeat, and
            // it tells a wrong host from a wrong certificate.
            Some(error) if self == Self::Connect => self.interrupted(&error.to_string()),
            Some(error) => self.interrupted(&error.kind().to_string()),
            None => self.interrupted("the server broke off"),
        }
    }

    /// Without an answer, a message that was handed over may or may not be on its way.
    fn interrupted(self, what: &str) -> Undelivered {
        let reason = format!("{}: {what}", self.doing());
        if self == Self::Body {
            Undelivered::ambiguous(reason)
        } else {
            Undelivered::transient(reason)
        }
    }

    fn doing(self) -> &'static str {
        match self {
            Self::Revive => "reusing a connection to the mail server",
            Self::Connect => "connecting to the mail server",
            Self::Authenticate => "authenticating with the mail server",
            Self::Envelope => "naming sender and recipient to the mail server",
            Self::Body => "handing the message to the mail server",
        }
    }
}

impl From<Fault> for Undelivered {
    fn from(fault: Fault) -> Self {
        fault.undelivered
    }
}

/// The status code of RFC 3463 at the head of a reply, such as `5.1.1`. The words behind it are
/// not used: servers like to repeat the recipient in them.
fn enhanced_status(error: &Error) -> Option<String> {
    let reply = error.source()?.to_string();
    let status = reply.split_whitespace().next()?;
    let mut parts = status.split('.');
    let is_number = |part: &str| part.len() <= 3 && part.parse::<u16>().is_ok();
    let is_status = matches!(parts.next(), Some("2" | "4" | "5"))
        && parts.next().is_some_and(is_number)
        && parts.next().is_some_and(is_number)
        && parts.next().is_none();
    is_status.then(|| status.to_owned())
}

fn io_error(error: &Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        source = error.source();
    }
    None
}
