//! Results of setting a provider up and of probing it.

/// The result of a probe that found nothing wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probed {
    /// The provider takes the credentials, and would take messages.
    Ready,
    /// It answers. Its credentials cannot be tested without sending.
    Answers,
}

/// A provider would not be able to send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It refuses the credentials.
    #[error("the provider refuses the credentials: {reason}")]
    Rejected {
        /// The answer in protocol codes.
        reason: String,
    },
    /// It takes the credentials and would refuse messages: our name, our sender, or relaying.
    #[error("the provider would refuse messages: {reason}")]
    Refused {
        /// The answer in protocol codes.
        reason: String,
    },
    /// It does not answer, or not as expected; this may pass.
    #[error("the provider cannot be reached: {reason}")]
    Unreachable {
        /// The failed action and the failure.
        reason: String,
    },
}

/// A sender cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderProblem {
    /// It is not a mailbox.
    #[error("must be a sender such as \"otp@example.com\" or \"Example <otp@example.com>\"")]
    Shape(#[source] lettre::address::AddressError),
    /// The part before the `@` needs SMTPUTF8 (RFC 6531), which few servers of recipients offer.
    #[error("has letters outside of ASCII before the @, which most mail servers refuse")]
    LocalPart,
    /// The domain has no ASCII form.
    #[error("has a domain that cannot be written as xn--...")]
    Domain,
}

/// A provider cannot be set up from its settings.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The sender is not a mailbox, or not one that servers take.
    #[error("reading the sender's address")]
    Sender(#[source] SenderProblem),
    /// Without TLS, a code and a password would cross the network in the clear (S23).
    #[error("mail without TLS is allowed to a loopback address only, and {host} is not one")]
    PlainOutsideLoopback {
        /// The configured host.
        host: String,
    },
    /// The file with the additional certificate authority cannot be read.
    #[error("reading the certificate authority for mail from {}", .file.display())]
    AuthorityFile {
        /// The file.
        file: std::path::PathBuf,
        /// The error of the file system.
        #[source]
        source: std::io::Error,
    },
    /// The file has no certificate.
    #[error("{} has no certificate: it must be a PEM file with -----BEGIN CERTIFICATE-----", .file.display())]
    NoAuthority {
        /// The file.
        file: std::path::PathBuf,
    },
    /// The additional certificate authority is invalid.
    #[error("reading the certificate authority for mail from {}", .file.display())]
    Authority {
        /// The file.
        file: std::path::PathBuf,
        /// The reason.
        #[source]
        source: lettre::transport::smtp::Error,
    },
    /// TLS cannot be set up.
    #[error("setting up TLS for mail")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// The base URL of the API is not a URL.
    #[error("reading Twilio's base URL")]
    BaseUrl,
    /// The HTTP client cannot be set up.
    #[error("setting up the HTTP client of a provider")]
    HttpClient(#[source] reqwest::Error),
    /// The secret of a webhook cannot be derived.
    #[error("deriving the secret of a provider")]
    Secret(#[from] aws_lc_rs::error::Unspecified),
}
