//! The steps of an SMTP session, and the meaning of a failure in each.

use std::{error::Error as _, fmt, io, path::Path, time::Duration};

use lettre::transport::smtp::Error;
use tokio::time::error::Elapsed;

use crate::delivery::{Failure, Undelivered};

/// A step of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Testing a kept connection.
    Revive,
    /// Connecting, greeting and TLS.
    Connect,
    /// User name and password.
    Authenticate,
    /// The sender.
    Sender,
    /// The recipient.
    Recipient,
    /// Taking sender and recipient back.
    Reset,
    /// The server's readiness for the message.
    Data,
    /// The message itself, up to the final dot.
    Body,
    /// The server's confirmation.
    Confirmation,
}

/// A failed step.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) step: Step,
    pub(super) undelivered: Undelivered,
    /// The reply of the server, if it has given one. It waits for the next command then.
    pub(super) reply: Option<Reply>,
}

/// The codes of a reply. Its text is not used, since servers repeat the recipient in it.
#[derive(Debug)]
pub(super) struct Reply {
    code: u16,
    /// Enhanced status code (RFC 3463), such as `5.1.1`.
    status: Option<String>,
}

/// Cause of a failed step.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("connecting")]
    Connection(#[from] io::Error),
    #[error("talking to the server")]
    Dialogue(#[from] Error),
    #[error("the server does not offer STARTTLS; nothing was sent without it")]
    NoStartTls,
}

impl Step {
    pub(super) async fn within<T, E: Into<Broken>>(
        self,
        timeout: Duration,
        step: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Fault> {
        self.result(tokio::time::timeout(timeout, step).await)
    }

    pub(super) fn result<T, E: Into<Broken>>(
        self,
        result: Result<Result<T, E>, Elapsed>,
    ) -> Result<T, Fault> {
        let (undelivered, reply) = match result {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => match error.into() {
                Broken::Connection(error) => (self.interrupted(&error.to_string()), None),
                Broken::Dialogue(error) => match Reply::of(&error) {
                    Some(reply) => (self.refused(&reply), Some(reply)),
                    None => (self.broken(&error), None),
                },
                missing @ Broken::NoStartTls => (Undelivered::account(missing.to_string()), None),
            },
            Err(_) => (self.interrupted("timed out"), None),
        };
        Err(Fault { step: self, undelivered, reply })
    }

    fn refused(self, reply: &Reply) -> Undelivered {
        let reason = format!("{}: the server replied {reply}", self.action());
        match reply.code {
            // Authentication is required, too weak, wrong, or needs encryption (RFC 4954, 4 and 6).
            530 | 534 | 535 | 538 => Undelivered::account(reason),
            // The recipient has not been named yet, so it is about us.
            500.. if self < Self::Recipient => Undelivered::account(reason),
            500.. if reply.is_about_mailbox() => Undelivered::permanent(reason),
            // Without a detail these are about the mailbox (RFC 5321, 4.2.3).
            550..=553 if self == Self::Recipient && reply.status.is_none() => {
                Undelivered::permanent(reason)
            }
            // Relaying is denied, or the content is: it may be about us.
            500.. => Undelivered::account(reason).perhaps_of_recipient(),
            // The server closes the connection to all.
            421 => Undelivered::transient(reason),
            // Greylisting, or a mailbox that is busy.
            _ if self == Self::Recipient => Undelivered::transient(reason).perhaps_of_recipient(),
            _ => Undelivered::transient(reason),
        }
    }

    fn broken(self, error: &Error) -> Undelivered {
        if error.is_client() {
            return Undelivered::account(format!("{}: no common mechanism", self.action()));
        }
        match io_error(error) {
            // Before the first command, the text cannot repeat anything personal, and it distinguishes a
            // wrong host from a wrong certificate.
            Some(error) if self == Self::Connect => self.interrupted(&error.to_string()),
            // The system took nothing more, so the final dot was not sent.
            Some(error)
                if self == Self::Confirmation && error.kind() == io::ErrorKind::BrokenPipe =>
            {
                Self::Body.interrupted("the server closed the connection before the end")
            }
            Some(error) => self.interrupted(&error.kind().to_string()),
            None => self.interrupted("the connection was lost"),
        }
    }

    /// A failure without a reply. If it came after the message, the message may have been sent.
    fn interrupted(self, cause: &str) -> Undelivered {
        let reason = format!("{}: {cause}", self.action());
        if self == Self::Confirmation {
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
            Self::Sender => "sending the sender to the mail server",
            Self::Recipient => "sending the recipient to the mail server",
            Self::Reset => "taking back sender and recipient",
            Self::Data | Self::Body => "sending the message to the mail server",
            Self::Confirmation => "waiting for the mail server's confirmation",
        }
    }
}

impl Fault {
    /// Whether the server only refused a recipient, or anything for the moment, such as by greylisting.
    pub(super) fn is_about_recipient(&self) -> bool {
        let is_transient = self.undelivered.kind == Failure::Transient;
        let reply = self.reply.as_ref().filter(|_| self.step == Step::Recipient);
        reply.is_some_and(|reply| is_transient || reply.is_about_mailbox())
    }

    /// Adds to a failure of the certificate which authorities are trusted.
    pub(super) fn naming(mut self, ca_file: Option<&Path>) -> Self {
        let reason = &mut self.undelivered.reason;
        if reason.contains("certificate") {
            let trusted = match ca_file {
                Some(file) => {
                    format!("beside the system's authorities {} is trusted", file.display())
                }
                None => {
                    "only the system's authorities are trusted, since no ca_file is set".to_owned()
                }
            };
            *reason = format!("{reason}; {trusted}");
        }
        self
    }
}

impl From<Fault> for Undelivered {
    fn from(fault: Fault) -> Self {
        fault.undelivered
    }
}

impl Reply {
    fn of(error: &Error) -> Option<Self> {
        Some(Self { code: error.status()?.into(), status: enhanced_status(error) })
    }

    /// Whether its detail is about the recipient: a status of its address (RFC 3463, 3.2; RFC 7505 has 5.1.10), or of its
    /// mailbox (3.3).
    fn is_about_mailbox(&self) -> bool {
        let status = self.status.as_deref().unwrap_or_default();
        let is_about_address =
            matches!(status, "5.1.1" | "5.1.2" | "5.1.3" | "5.1.4" | "5.1.6" | "5.1.10");
        is_about_address || status.starts_with("5.2.")
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        self.status.as_ref().map_or(Ok(()), |status| write!(f, " {status}"))
    }
}

/// The enhanced status code (RFC 3463) at the beginning of a reply.
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
