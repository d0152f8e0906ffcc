//! An SMTP session, in steps with a time-out each.

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

use super::{SmtpSecurity, SmtpSettings, line_stream::LineStream};
use crate::delivery::Undelivered;

/// A step of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Testing a kept connection.
    Revive,
    /// Connecting, greeting and TLS.
    Connect,
    /// User name and password.
    Authenticate,
    /// Sender, recipient and the start of the data.
    Envelope,
    /// The message itself, and the server's confirmation.
    Body,
}

/// A failed step.
pub(super) struct Fault {
    pub(super) step: Step,
    pub(super) undelivered: Undelivered,
}

/// An authenticated connection with no message in progress.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    timeout: Duration,
}

impl Session {
    /// Connects and authenticates. No credentials and no message are sent before the connection has the
    /// configured encryption (S23).
    pub(super) async fn open(
        settings: &SmtpSettings,
        tls: Option<&TlsParameters>,
    ) -> Result<Self, Fault> {
        let timeout = settings.timeout;
        let mut connection = Step::Connect.within(timeout, connect(settings, tls)).await?;
        if let Some((user, password)) = &settings.credentials {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            let authentication = connection.auth(DEFAULT_MECHANISMS, &credentials);
            Step::Authenticate.within(timeout, authentication).await?;
        }
        Ok(Self { connection, timeout })
    }

    /// Whether the server still answers.
    pub(super) async fn is_alive(&mut self) -> bool {
        Step::Revive.within(self.timeout, self.connection.command(Noop)).await.is_ok()
    }

    /// Sends a message. After a failure the state of the connection is unknown, and it must be dropped.
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
        Step::Envelope.within(self.timeout, envelope).await?;
        Step::Body.within(self.timeout, self.connection.message(message)).await?;
        Ok(())
    }
}

async fn connect(
    settings: &SmtpSettings,
    tls: Option<&TlsParameters>,
) -> Result<AsyncSmtpConnection, Broken> {
    let hello = ClientId::default();
    let server = (settings.host.as_str(), settings.port);
    let Some(tls) = tls.filter(|_| settings.security == SmtpSecurity::StartTls) else {
        let tls = tls.cloned();
        return Ok(AsyncSmtpConnection::connect_tokio1(server, None, &hello, tls, None).await?);
    };
    let stream = Box::new(LineStream::connect(server).await?);
    let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &hello).await?;
    if !connection.can_starttls() {
        return Err(Broken::NoStartTls);
    }
    connection.starttls(tls.clone(), &hello).await?;
    Ok(connection)
}

/// Cause of a failed step.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("connecting")]
    Connection(#[from] io::Error),
    #[error("talking to the server")]
    Dialogue(#[from] Error),
    #[error("the server does not offer STARTTLS; nothing was sent without it")]
    NoStartTls,
}

impl Step {
    /// Number of steps.
    pub(super) const COUNT: u32 = 5;

    async fn within<T, E: Into<Broken>>(
        self,
        timeout: Duration,
        step: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Fault> {
        let undelivered = match tokio::time::timeout(timeout, step).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => match error.into() {
                Broken::Connection(error) => self.interrupted(&error.to_string()),
                Broken::Dialogue(error) => self.undelivered(&error),
                missing @ Broken::NoStartTls => Undelivered::permanent(missing.to_string()),
            },
            Err(_) => self.interrupted("timed out"),
        };
        Err(Fault { step: self, undelivered })
    }

    fn undelivered(self, error: &Error) -> Undelivered {
        let action = self.action();
        if let Some(code) = error.status() {
            let detail = enhanced_status(error).map(|status| format!(" {status}"));
            let reason =
                format!("{action}: the server replied {code}{}", detail.unwrap_or_default());
            return if error.is_permanent() {
                Undelivered::permanent(reason)
            } else {
                Undelivered::transient(reason)
            };
        }
        if error.is_client() {
            return Undelivered::permanent(format!("{action}: no common mechanism"));
        }
        match io_error(error) {
            // Before the first command, the text cannot repeat anything personal, and it distinguishes a
            // wrong host from a wrong certificate.
            Some(error) if self == Self::Connect => self.interrupted(&error.to_string()),
            Some(error) => self.interrupted(&error.kind().to_string()),
            None => self.interrupted("the connection was lost"),
        }
    }

    /// A failure without a reply. If it came after the message, the message may have been sent.
    fn interrupted(self, cause: &str) -> Undelivered {
        let reason = format!("{}: {cause}", self.action());
        if self == Self::Body {
            Undelivered::ambiguous(reason)
        } else {
            Undelivered::transient(reason)
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Revive => "reusing a connection to the mail server",
            Self::Connect => "connecting to the mail server",
            Self::Authenticate => "authenticating with the mail server",
            Self::Envelope => "sending sender and recipient to the mail server",
            Self::Body => "sending the message to the mail server",
        }
    }
}

impl From<Fault> for Undelivered {
    fn from(fault: Fault) -> Self {
        fault.undelivered
    }
}

/// The enhanced status code (RFC 3463) at the beginning of a reply, such as `5.1.1`. The text after it is
/// not used, since servers repeat the recipient in it.
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
