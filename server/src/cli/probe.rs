//! Probes of the providers, with advice where one fails.

use futures_util::future::join_all;

use crate::{
    config::Config,
    delivery::{Dispatcher, ProbeError, Provider},
};

/// The result of probing one provider.
pub(super) struct Finding {
    /// The provider and its address.
    pub(super) provider: String,
    /// `None` if it would take messages.
    pub(super) trouble: Option<Trouble>,
}

/// The reason why a provider would not take messages.
pub(super) struct Trouble {
    /// It refuses our credentials, so waiting does not help.
    pub(super) is_final: bool,
    /// The reason and the remedy.
    pub(super) message: String,
}

/// Asks every provider that would send something, all at the same time.
pub(super) async fn probe(dispatcher: &Dispatcher, config: &Config) -> Vec<Finding> {
    let real = dispatcher.providers().filter(|provider| !matches!(provider, Provider::Inbox(_)));
    join_all(real.map(async |provider| {
        let place = place(provider, config);
        let trouble = provider.probe().await.err().map(|error| trouble(provider, &place, &error));
        provider.close().await;
        Finding { provider: place, trouble }
    }))
    .await
}

fn place(provider: &Provider, config: &Config) -> String {
    match (provider, &config.smtp, &config.twilio) {
        (Provider::Smtp(_), Some(smtp), _) => {
            format!("mail server {}:{}", smtp.host, smtp.port)
        }
        (Provider::Twilio(_), _, Some(twilio)) => {
            format!("Twilio account {} at {}", twilio.account_sid, twilio.base_url)
        }
        _ => provider.name().to_owned(),
    }
}

fn trouble(provider: &Provider, place: &str, error: &ProbeError) -> Trouble {
    let advice = advice(provider, error);
    let (is_final, message) = match error {
        ProbeError::Rejected { reason } => {
            (true, format!("{place} refuses the credentials ({reason}). {advice}"))
        }
        ProbeError::Refused { reason } => {
            (false, format!("{place} would refuse messages ({reason}). {advice}"))
        }
        ProbeError::Unreachable { reason } => {
            (false, format!("{place} cannot be reached ({reason}). {advice}"))
        }
    };
    Trouble { is_final, message }
}

fn advice(provider: &Provider, error: &ProbeError) -> &'static str {
    match (provider, error) {
        (Provider::Smtp(_), ProbeError::Rejected { .. }) => {
            "Check smtp.username and smtp.password, or SMTP_URL. Large mail providers want an app \
             password here instead of the account's own."
        }
        (Provider::Smtp(_), ProbeError::Refused { .. }) => {
            "Check smtp.hello, which has to be a name that the server takes by EHLO, and smtp.from, which the \
             account has to be allowed to send from."
        }
        (Provider::Smtp(_), ProbeError::Unreachable { .. }) => {
            "Check smtp.host, smtp.port and smtp.security, and that no firewall keeps this machine \
             from that port."
        }
        (Provider::Twilio(_), ProbeError::Rejected { .. }) => {
            "Copy the Account SID and auth token from Twilio's console to TWILIO_SID and \
             TWILIO_AUTH_TOKEN."
        }
        (Provider::Twilio(_), ProbeError::Refused { .. } | ProbeError::Unreachable { .. }) => {
            "Check that this machine may open connections to that address."
        }
        (Provider::Inbox(_), _) => "",
    }
}
