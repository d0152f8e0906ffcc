//! `latchkey send-test`: sends one message, to see it arrive.

use std::{io::Write, sync::Arc, time::Duration};

use futures_util::future::join_all;
use otp::{Channel, Code, Recipient, Timestamp};
use rand::rngs::SysRng;

use super::CommandError;
use crate::{
    clock::Clock,
    config::Config,
    delivery::{Dispatcher, Failure, Inbox, OutgoingMessage, Receipt, Route, Tried, Undelivered},
    i18n::Catalogue,
    startup,
};

/// Hands one message to the provider of a name, or to the first one that takes it, by a channel, or by the usual one of
/// the recipient. Its code belongs to no verification.
pub(super) async fn send_test(
    config: &Config,
    to: &str,
    provider: Option<&str>,
    channel: Option<Channel>,
    out: &mut impl Write,
) -> Result<(), CommandError> {
    let recipient = Recipient::parse(to, Some(&config.page.default_country), channel);
    let recipient = recipient.map_err(|problem| {
        let what = match channel.map(Channel::is_of_phones) {
            None => "--to must be an e-mail address or a phone number as +44...",
            Some(false) => "--to must be an e-mail address for this channel",
            Some(true) => "--to must be a phone number as +44... for this channel",
        };
        CommandError::Other(format!("{what}: {problem}").into())
    })?;
    let catalogue = Arc::new(Catalogue::load()?);
    let inbox = Arc::new(Inbox::new(catalogue.clone()));
    let dispatcher = startup::dispatcher(config, &catalogue, &inbox)?;

    let code = Code::generate(config.policy.code_length, &mut SysRng)?;
    let now = Clock::system(Timestamp::default(), false)?.now();
    let expires_at = now + Duration::max(config.policy.lifetime, Duration::from_secs(60));
    let origin = config.server.origin(config.server.bind);
    let site = config.sites.first().clone();
    let message = OutgoingMessage::detached(site, recipient, code, origin.host(), expires_at);
    let message = OutgoingMessage { channel: channel.unwrap_or(message.channel), ..message };
    let to = message.to.masked();
    let result = match provider {
        Some(name) => deliver(named(&dispatcher, name)?, &message, now).await,
        None => deliver_by_any(&dispatcher, &message, now).await,
    };
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

/// The provider of a name.
fn named<'a>(dispatcher: &'a Dispatcher, name: &str) -> Result<&'a Route, CommandError> {
    let all = dispatcher.all();
    let named = all.iter().find(|route| route.name() == name);
    named.map(|route| &***route).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|route| route.name()).collect();
        let message = format!("no provider is called \"{name}\"; there is {}", names.join(", "));
        CommandError::Other(message.into())
    })
}

/// Asks one provider after the other, each once.
async fn deliver_by_any(
    dispatcher: &Dispatcher,
    message: &OutgoingMessage,
    now: Timestamp,
) -> Result<(String, Receipt), Undelivered> {
    let mut result = Err(Undelivered::permanent("no provider is for it"));
    let mut tried = Tried::default();
    while let (Err(_), Some(route)) = (&result, dispatcher.next(message, &[], &tried, now)) {
        result = deliver(route, message, now).await;
        // It is not asked again, whatever it answered.
        tried.add(route.name(), Failure::Permanent, None);
    }
    result
}
