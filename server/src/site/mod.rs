//! Relying parties: who may ask for verifications, where they are shown and how they look.
//!
//! Plain values. The configuration makes them once; a site that exists has been checked as a whole.

pub mod builtin;
mod registry;
mod rehearsal;
mod secret;

use std::{collections::HashMap, fmt};

use app::wire::Brand;
use otp::{Channel, Code, Policy, Recipient};
use url::Url;

pub use self::{
    registry::Sites,
    rehearsal::{Rehearsal, Script},
    secret::{NotADigest, SecretDigest},
};
use crate::origin::Origin;

/// One relying party.
#[derive(Clone)]
pub struct Site {
    /// Its name: in tokens, records and limits, so it never changes.
    pub name: String,
    /// Which names it in browsers; a site without one cannot be embedded.
    pub public_key: Option<String>,
    /// What its back ends prove themselves with; more than one while a key is being rotated.
    pub secrets: Vec<SecretDigest>,
    /// The pages that it may be embedded in.
    pub origins: Vec<Origin>,
    /// Where people may be sent back to.
    pub return_urls: Vec<Url>,
    /// The channels that it uses, of those that have a provider.
    pub channels: Vec<Channel>,
    /// The rules of its verifications.
    pub policy: Policy,
    /// How it looks to people.
    pub brand: Brand,
    /// The name that its mail comes from, where it is neither the mail server's nor the brand's.
    pub sender: Option<String>,
    /// Recipients, in canonical form, that nothing is ever sent to: testers and the people who
    /// review applications type the code that stands here.
    pub test_recipients: HashMap<String, Code>,
    /// What a site for other people's test suites does instead of the real thing.
    pub rehearsal: Option<Rehearsal>,
    /// Where it is told what becomes of its verifications.
    pub webhook: Option<Url>,
}

impl Site {
    /// A site with this name and these rules that nobody can reach yet.
    pub fn named(name: &str, policy: Policy, brand: Brand) -> Self {
        Self {
            name: name.to_owned(),
            public_key: None,
            secrets: Vec::new(),
            origins: Vec::new(),
            return_urls: Vec::new(),
            channels: vec![Channel::Email, Channel::Sms],
            policy,
            brand,
            sender: None,
            test_recipients: HashMap::new(),
            rehearsal: None,
            webhook: None,
        }
    }

    /// Whether a page of this origin may embed the site, and the origin in its canonical form.
    pub fn origin(&self, origin: &str) -> Option<&Origin> {
        self.origins.iter().find(|known| known.as_str() == origin)
    }

    /// The return URL that was asked for, if the site has listed exactly that one (S15).
    ///
    /// Both are compared as browsers read them (WHATWG). What a browser would have to respell first,
    /// dropping a line break or turning a backslash round, is refused: no honest caller writes it.
    /// The slash after a bare host is the one exception.
    pub fn return_url(&self, asked: &str) -> Option<&Url> {
        let read = Url::parse(asked).ok()?;
        let as_written = read.as_str() == asked || read.as_str().strip_suffix('/') == Some(asked);
        self.return_urls.iter().find(|known| as_written && **known == read)
    }

    /// What happens instead of sending a message to this recipient, if anything does.
    pub fn script(&self, recipient: &Recipient) -> Option<Script> {
        if let Some(rehearsal) = self.rehearsal {
            return Some(Script::of(rehearsal, &self.policy));
        }
        self.test_recipients.get(&recipient.canonical()).cloned().map(Script::Accept)
    }
}

/// Shows no test recipient.
impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({})", self.name)
    }
}

#[cfg(test)]
mod tests;
