//! `latchkey send-test`: sends one message, to see it arrive.

use std::{io::Write, sync::Arc, time::Duration};

use futures_util::future::join_all;
use otp::{Code, Recipient, Timestamp};
use rand::rngs::SysRng;

use super::CommandError;
use crate::{
    clock::Clock,
    config::Config,
    delivery::{Failure, HandOver, Inbox, OutgoingMessage, Receipt, Route, Tried, Undelivered},
    i18n::Catalogue,
    startup,
};

/// Hands one message to the provider of a name, or to the first one that takes it. Its code belongs to no verification.
pub(super) async fn send_test(
    config: &Config,
    to: &str,
    provider: Option<&str>,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    let recipient = Recipient::parse(to, Some(&config.page.default_country), None);
    let recipient = recipient.map_err(|problem| {
        let what = "--to must be an e-mail address or a phone number as +44...";
        CommandError::Other(format!("{what}: {problem}").into())
    })?;
    let catalogue = Arc::new(Catalogue::load()?);
    let inbox = Arc::new(Inbox::new(catalogue.clone()));
    let dispatcher = startup::dispatcher(config, &catalogue, &inbox)?;

    let code = Code::generate(config.policy.code_length, &mut SysRng)?;
    let now = Clock::system(Timestamp::default(), false)?.now();
    let message = OutgoingMessage {
        id: format!("test-{}", now.as_millis()),
        channel: recipient.channel(),
        to: recipient,
        code,
        locale: catalogue.negotiate(None),
        expires_at: now + Duration::max(config.policy.lifetime, Duration::from_secs(60)),
        brand: config.page.brand.clone(),
        sender: None,
        origin_host: config.server.origin(config.server.bind).host().to_owned(),
        embedder_host: None,
        not_me: None,
        hand_over: HandOver::default(),
    };
    let to = message.to.masked();
    let mut result = Err(Undelivered::permanent("no provider is for it"));
    match provider {
        Some(name) => {
            let named = dispatcher.all().into_iter().find(|route| route.name() == name);
            let route = named.ok_or_else(|| {
                let names: Vec<_> = dispatcher.all().iter().map(|route| route.name()).collect();
                let names = names.join(", ");
                CommandError::Other(
                    format!("no provider is called \"{name}\"; there is {names}").into(),
                )
            })?;
            result = deliver(route, &message, now).await;
        }
        None => {
            let mut tried = Tried::default();
            while let Some(route) = dispatcher.next(&message, &[], &tried, now) {
                result = deliver(route, &message, now).await;
                if result.is_ok() {
                    break;
                }
                // Each is asked once.
                tried.add(route.name(), Failure::Permanent);
            }
        }
    }
    join_all(dispatcher.all().into_iter().map(|route| route.provider().close())).await;
    match result {
        Ok((provider, receipt)) if inbox.messages().is_empty() => {
            let reference = receipt.reference.map(|reference| format!(", as {reference}"));
            let reference = reference.unwrap_or_default();
            writeln!(out, "{provider} took the message to {to}{reference}")?;
            Ok(())
        }
        Ok(_) => {
            for message in inbox.messages() {
                writeln!(out, "Nothing is sent in development; this is what would be:\n")?;
                writeln!(out, "{}\n{}", message.subject, message.text)?;
            }
            Ok(())
        }
        Err(undelivered) => {
            writeln!(out, "The message to {to} was not taken: {}", undelivered.reason)?;
            Err(CommandError::Reported)
        }
    }
}

/// Asks one provider; gives its name as well.
async fn deliver(
    route: &Route,
    message: &OutgoingMessage,
    now: Timestamp,
) -> Result<(String, Receipt), Undelivered> {
    let result = route.deliver(message, now).await;
    result.map(|receipt| (route.name().to_owned(), receipt)).map_err(|failed| failed.undelivered)
}
