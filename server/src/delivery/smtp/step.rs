//! The steps of an SMTP session, and the meaning of a failure in each.

use std::{error::Error as _, io, path::Path, time::Duration};

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
    /// The server has replied, so it waits for the next command.
    pub(super) replied: bool,
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
        let (undelivered, replied) = match result {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => match error.into() {
                Broken::Connection(error) => (self.interrupted(&error.to_string()), false),
                Broken::Dialogue(error) => (self.undelivered(&error), error.status().is_some()),
                missing @ Broken::NoStartTls => (Undelivered::account(missing.to_string()), false),
            },
            Err(_) => (self.interrupted("timed out"), false),
        };
        Err(Fault { step: self, undelivered, replied })
    }

    fn undelivered(self, error: &Error) -> Undelivered {
        let action = self.action();
        if let Some(code) = error.status() {
            let code = u16::from(code);
            let detail = enhanced_status(error).map(|status| format!(" {status}"));
            let reason =
                format!("{action}: the server replied {code}{}", detail.unwrap_or_default());
            return match code {
                // Authentication is required, too weak, wrong, or needs encryption (RFC 4954, 4 and 6).
                530 | 534 | 535 | 538 => Undelivered::account(reason),
                // The recipient has not been named yet, so it is about us.
                500.. if self < Self::Recipient => Undelivered::account(reason),
                500.. => Undelivered::permanent(reason),
                _ => Undelivered::transient(reason),
            };
        }
        if error.is_client() {
            return Undelivered::account(format!("{action}: no common mechanism"));
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
        let reason = &self.undelivered.reason;
        // Addressing status of the recipient, and mailbox status (RFC 3463, 3.2 and 3.3).
        let is_mailbox =
            [" 5.1.1", " 5.1.2", " 5.1.3", " 5.1.10", " 5.2."].iter().any(|s| reason.contains(s));
        self.step == Step::Recipient
            && self.replied
            && (self.undelivered.kind == Failure::Transient || is_mailbox)
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
