//! Reader of receipts: requests in which providers report whether a message has arrived.
//!
//! Each names its message by a reference that nobody else can make ([`ReceiptKeys`]), in its URL or, for a bounce, in
//! the `Message-ID` of the mail that came back. Beyond that it has to prove that it is the provider's, as far as the
//! kind of provider can: by Twilio's signature, that of Standard Webhooks, or a secret. Everything unproven is answered
//! alike (S22).

use otp::{Channel, Recipient, Timestamp, VerificationId};

use super::{
    Dispatcher, Provider, Route,
    receipts::{Forged, ReceiptRequest, Told, bounce, is_authorized, receipt_path, standard},
};
use crate::{
    derived_keys::ReceiptKeys,
    origin::Origin,
    outbox::public_id,
    store::{MessageKey, Queue},
};

/// A provider's report about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Name of the provider.
    pub provider: String,
    /// The verification of the message.
    pub verification: VerificationId,
    /// Number of the message, from 1.
    pub number: u32,
    /// Its fate.
    pub told: Told,
}

/// Reader of receipts.
#[derive(Clone, Debug)]
pub struct Receipts {
    dispatcher: Dispatcher,
    origin: Origin,
}

impl Receipts {
    /// Reads receipts of these providers, which are sent to this public origin.
    pub fn new(dispatcher: Dispatcher, origin: Origin) -> Self {
        Self { dispatcher, origin }
    }

    /// Reads a request; `None` if it is genuine and says nothing about the fate of a message.
    ///
    /// # Errors
    /// If it is not proven to come from the provider.
    pub fn read(
        &self,
        request: &ReceiptRequest<'_>,
        keys: &ReceiptKeys,
        now: Timestamp,
    ) -> Result<Option<Report>, Forged> {
        let named = self.dispatcher.named(request.provider);
        let route = named.filter(|route| route.gives_receipts()).ok_or(Forged)?;
        let message = |reference| keys.read(route.name(), reference);
        let (found, told) = match request.reference {
            Some(reference) => {
                let (verification, number) = message(reference).ok_or(Forged)?;
                let key = MessageKey { queue: Queue::Codes, verification, number };
                let told = self.told(route, request, reference, &public_id(&key), now)?;
                (Some((verification, number)), told)
            }
            None => match bounce_of(route, request)? {
                Some((reference, told)) => (message(&reference), Some(told)),
                None => (None, None),
            },
        };
        let report = found.zip(told).map(|((verification, number), told)| {
            let provider = route.name().to_owned();
            Report { provider, verification, number, told }
        });
        Ok(report)
    }

    /// Whether a message to this recipient can go by a provider besides these.
    pub fn can_go_without(&self, channel: Channel, to: &Recipient, names: &[String]) -> bool {
        self.dispatcher.reaches_without(channel, to, names)
    }

    /// The fate of the message with this reference and id.
    fn told(
        &self,
        route: &Route,
        request: &ReceiptRequest<'_>,
        reference: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Told>, Forged> {
        match (route.provider(), route.signer()) {
            (Provider::Twilio(twilio), _) => {
                let path = receipt_path(route.name(), reference);
                twilio.account().read(request, &self.origin, &path)
            }
            (Provider::Webhook(_), Some(signer)) => standard::read(request, signer, id, now),
            (Provider::Http(gateway), _) => {
                Ok(gateway.receipts().and_then(|fields| fields.read(request)))
            }
            _ => Err(Forged),
        }
    }
}

/// The reference and the fate of a mail that came back.
fn bounce_of(
    route: &Route,
    request: &ReceiptRequest<'_>,
) -> Result<Option<(String, Told)>, Forged> {
    let (Provider::Smtp(_), Some(signer)) = (route.provider(), route.signer()) else {
        return Err(Forged);
    };
    if !is_authorized(request.headers, signer) {
        return Err(Forged);
    }
    Ok(bounce::read(request.body))
}
