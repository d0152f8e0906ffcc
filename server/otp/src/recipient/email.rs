//! E-mail addresses: the plain `local@domain` that sign-up forms mean, and nothing else of the
//! address grammar.
//!
//! RFC 5322 also allows quoted local parts, comments, display names, groups and address literals.
//! No mailbox that a person reads needs them, and each has carried an injection somewhere, so they
//! are refused. The local part is ASCII because an internationalised one is deliverable only where
//! every server on the way offers SMTPUTF8; the domain may be internationalised and is kept in the
//! ASCII form that the network uses.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::RecipientProblem;

/// RFC 5321, section 4.5.3.1.1, in octets.
const LONGEST_LOCAL_PART: usize = 64;
/// RFC 5321, section 4.5.3.1.3: a path has 256 octets, two of them the angle brackets.
const LONGEST_ADDRESS: usize = 254;

/// One mailbox. Built by [`Recipient::parse`](super::Recipient::parse) only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    address: String,
    /// Where the at sign stands in `address`.
    at: usize,
}

impl EmailAddress {
    pub(super) fn parse(typed: &str) -> Result<Self, RecipientProblem> {
        let (local, domain) = typed.split_once('@').ok_or(RecipientProblem::Email)?;
        if !is_dot_atom(local) || local.len() > LONGEST_LOCAL_PART {
            return Err(RecipientProblem::Email);
        }
        let domain = ascii_domain(domain).ok_or(RecipientProblem::Email)?;
        let address = format!("{local}@{domain}");
        if address.len() > LONGEST_ADDRESS {
            return Err(RecipientProblem::Email);
        }
        Ok(Self { address, at: local.len() })
    }

    /// The address to send to.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The part before the at sign, as typed.
    pub fn local_part(&self) -> &str {
        &self.address[..self.at]
    }

    /// The domain, lower-case ASCII.
    pub fn domain(&self) -> &str {
        &self.address[self.at + 1..]
    }

    /// RFC 5321 lets the owner of a domain tell `Jane` from `jane`. Nobody does, and whoever counts
    /// them apart gives every mailbox as many quotas as it has capitalisations.
    pub(super) fn canonical(&self) -> String {
        self.address.to_ascii_lowercase()
    }

    pub(super) fn masked(&self) -> String {
        let local = self.local_part();
        // A local part of one character would be shown whole.
        let shown = if local.len() > 1 { &local[..1] } else { "" };
        let (domain, _) = idna::domain_to_unicode(self.domain());
        format!("{shown}***@{domain}")
    }
}

impl std::fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EmailAddress({})", self.masked())
    }
}

/// RFC 5322 `dot-atom-text`, except `!` and `%`: relays of another age read those as routes and
/// would hand the message to somebody else.
fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"#$&'*+-/=?^_`{|}~".contains(&byte))
    })
}

/// The domain as DNS knows it (UTS #46, non-transitional), or `None` where it is no public name.
fn ascii_domain(domain: &str) -> Option<String> {
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .ok()?;
    let (_, top) = ascii.rsplit_once('.')?;
    // An all-numeric last label means an IPv4 address; no top-level domain has one letter.
    let is_name = top.len() > 1 && !top.bytes().all(|byte| byte.is_ascii_digit());
    is_name.then(|| ascii.into_owned())
}
