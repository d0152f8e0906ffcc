//! `latchkey send-test`: sends one message, to see it arrive.

use std::{io::Write, sync::Arc, time::Duration};

use futures_util::future::join_all;
use otp::{Code, Recipient, Timestamp};
use rand::rngs::SysRng;

use super::CommandError;
use crate::{
    clock::Clock,
    config::Config,
    delivery::{HandOver, Inbox, OutgoingMessage, Provider},
    i18n::Catalogue,
    startup,
};

/// Hands one message to the first provider that takes it. Its code belongs to no verification.
pub(super) async fn send_test(
    config: &Config,
    to: &str,
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
    let result = dispatcher.deliver(&message, 0, now).await;
    join_all(dispatcher.providers().map(Provider::close)).await;
    match result {
        Ok(receipt) if inbox.messages().is_empty() => {
            let reference = receipt.reference.map(|reference| format!(", as {reference}"));
            let (provider, reference) = (receipt.provider, reference.unwrap_or_default());
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
