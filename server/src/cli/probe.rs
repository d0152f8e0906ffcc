//! Probes of the providers, with advice where one fails.

use futures_util::future::join_all;

use crate::delivery::{Dispatcher, Kind, ProbeError, Probed, Route};

/// The result of probing one provider.
pub(super) struct Finding {
    /// Name of the provider.
    pub(super) name: String,
    /// The provider and its address.
    pub(super) provider: String,
    /// What was found in words, or the trouble.
    pub(super) result: Result<&'static str, Trouble>,
}

/// The reason why a provider would not take messages.
pub(super) struct Trouble {
    /// It refuses our credentials, so waiting does not help.
    pub(super) is_final: bool,
    /// The reason and the remedy.
    pub(super) message: String,
}

/// Asks every provider that would send something, all at the same time.
pub(super) async fn probe(dispatcher: &Dispatcher) -> Vec<Finding> {
    let real = dispatcher.all().into_iter().filter(|route| kind(route) != Kind::Inbox);
    join_all(real.map(async |route| {
        let place = place(route);
        let probed = route.provider().probe().await;
        route.provider().close().await;
        let result = probed.map(describe).map_err(|error| trouble(route, &place, &error));
        Finding { name: route.name().to_owned(), provider: place, result }
    }))
    .await
}

fn describe(probed: Probed) -> &'static str {
    match probed {
        Probed::Ready => "would take messages",
        Probed::Answers => "answers; its credentials cannot be tested without sending",
    }
}

fn kind(route: &Route) -> Kind {
    route.provider().kind()
}

/// The place of a provider, with its name unless that is its kind's.
fn place(route: &Route) -> String {
    let (name, place) = (route.name(), route.provider().place());
    if name == kind(route).word() { place } else { format!("{place} ({name})") }
}

fn trouble(route: &Route, place: &str, error: &ProbeError) -> Trouble {
    let advice = advice(kind(route), error);
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

fn advice(kind: Kind, error: &ProbeError) -> &'static str {
    match (kind, error) {
        (Kind::Smtp, ProbeError::Rejected { .. }) => {
            "Check smtp.username and smtp.password, or SMTP_URL. Large mail providers want an app \
             password here instead of the account's own."
        }
        (Kind::Smtp, ProbeError::Refused { .. }) => {
            "Check smtp.hello, which has to be a name that the server takes by EHLO, and smtp.from, which the \
             account has to be allowed to send from."
        }
        (Kind::Smtp, ProbeError::Unreachable { .. }) => {
            "Check smtp.host, smtp.port and smtp.security, and that no firewall keeps this machine \
             from that port."
        }
        (Kind::Twilio, ProbeError::Rejected { .. }) => {
            "Copy the Account SID and auth token from Twilio's console to TWILIO_SID and \
             TWILIO_AUTH_TOKEN."
        }
        (Kind::Twilio, ProbeError::Refused { .. } | ProbeError::Unreachable { .. }) => {
            "Check that this machine may open connections to that address."
        }
        (Kind::Http, ProbeError::Rejected { .. }) => {
            "Check username, password and token of [providers.http], and http.auth."
        }
        (Kind::Webhook | Kind::Http, _) => {
            "Check the URL, and that webhook.allowed_networks lists its address if that is not public."
        }
        (Kind::Inbox, _) => "",
    }
}
