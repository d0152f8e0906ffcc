//! Sites, the relying parties: keys, allowed origins, return URLs, brand and policy.
//!
//! Plain values, made and validated by the configuration.

pub mod builtin;
mod registry;
mod secret;
mod test_mode;

use std::{collections::HashMap, fmt, sync::Arc};

use app::wire::Brand;
use otp::{
    Channel, Code, Destinations, Policy, Recipient, destinations::NotServed, texts::SiteTexts,
};
use url::Url;

pub use self::{
    registry::Sites,
    secret::{NotADigest, SecretDigest},
    test_mode::{TestCode, TestMode},
};
use crate::{i18n::Overlay, origin::Origin};

/// One relying party.
#[derive(Clone)]
pub struct Site {
    /// Name of the site. It is part of tokens, records and limits, so it must not change.
    pub name: String,
    /// Public key, which identifies the site in browsers; a site without one cannot be embedded.
    pub public_key: Option<String>,
    /// Digests of the secret keys of its back ends; two during a rotation.
    pub secrets: Vec<SecretDigest>,
    /// Origins of the pages that may embed it.
    pub origins: Vec<Origin>,
    /// Allowed return URLs.
    pub return_urls: Vec<Url>,
    /// Channels that it uses, in the order to offer them; those without a provider are ignored.
    pub channels: Vec<Channel>,
    /// Numbers that messages and calls go to.
    pub destinations: Destinations,
    /// Policy of its verifications.
    pub policy: Policy,
    /// Limits on its texts.
    pub texts: SiteTexts,
    /// Name and look on pages and in messages.
    pub brand: Brand,
    /// Display name of the sender of its mail, if it differs from the mail server's and the brand's.
    pub sender: Option<String>,
    /// Texts of its messages that replace those of the catalogue.
    pub overlay: Arc<Overlay>,
    /// Hash of its Android app, by which the SMS Retriever API finds the text messages for it.
    pub android_app_hash: Option<String>,
    /// Test recipients in canonical form and their codes, for testers and app reviewers. Nothing is sent to
    /// them.
    pub test_recipients: HashMap<String, Code>,
    /// Behaviour of a site for test suites, which sends nothing.
    pub test_mode: Option<TestMode>,
    /// URL of its webhook receiver.
    pub webhook: Option<Url>,
}

impl Site {
    /// A site with this name, policy and brand, and without keys, origins and URLs. It texts the whole
    /// world without limits.
    pub fn named(name: &str, policy: Policy, brand: Brand) -> Self {
        Self {
            name: name.to_owned(),
            public_key: None,
            secrets: Vec::new(),
            origins: Vec::new(),
            return_urls: Vec::new(),
            channels: vec![Channel::Email, Channel::Sms],
            destinations: Destinations::everywhere(),
            policy,
            texts: SiteTexts::UNLIMITED,
            brand,
            sender: None,
            overlay: Arc::default(),
            android_app_hash: None,
            test_recipients: HashMap::new(),
            test_mode: None,
            webhook: None,
        }
    }

    /// The listed origin that equals `origin`, if its pages may embed the site.
    pub fn origin(&self, origin: &str) -> Option<&Origin> {
        self.origins.iter().find(|known| known.as_str() == origin)
    }

    /// The listed return URL that equals `asked` (S15).
    ///
    /// URLs are compared after parsing (WHATWG). A URL that parsing changes, by dropping a line break or
    /// replacing a backslash, is refused. The missing slash after a bare host is the one exception.
    pub fn return_url(&self, asked: &str) -> Option<&Url> {
        let read = Url::parse(asked).ok()?;
        let as_written = read.as_str() == asked || read.as_str().strip_suffix('/') == Some(asked);
        self.return_urls.iter().find(|known| as_written && **known == read)
    }

    /// Decides whether messages by a channel go to a recipient of its kind (S33).
    ///
    /// # Errors
    /// The reason why they do not.
    pub fn serves(&self, recipient: &Recipient, channel: Channel) -> Result<(), NotServed> {
        match recipient {
            Recipient::Email(_) => Ok(()),
            Recipient::Phone(number) => self.destinations.decide(number, channel),
        }
    }

    /// The test code for a recipient; `None` if a real code has to be sent.
    pub fn test_code(&self, recipient: &Recipient) -> Option<TestCode> {
        if let Some(test_mode) = self.test_mode {
            return Some(TestCode::of(test_mode, &self.policy));
        }
        self.test_recipients.get(&recipient.canonical()).cloned().map(TestCode::of_recipient)
    }
}

/// Hides the test recipients.
impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({})", self.name)
    }
}

#[cfg(test)]
mod tests;
