//! E-mail addresses: the plain `local@domain` form of RFC 5321, and nothing else of the grammar.
//!
//! RFC 5322 also allows quoted local parts, comments, display names, groups and address literals.
//! They are refused: people's mailboxes do not need them, and each has been used for injections. The
//! local part is ASCII, because an internationalised one is deliverable only if every server on the
//! way supports SMTPUTF8. The domain may be internationalised and is kept in its ASCII form.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::RecipientProblem;

/// RFC 5321, section 4.5.3.1.1, in octets.
const LONGEST_LOCAL_PART: usize = 64;
/// RFC 5321, section 4.5.3.1.3: a path has 256 octets, two of them the angle brackets.
const LONGEST_ADDRESS: usize = 254;

/// One mailbox. Made by [`Recipient::parse`](super::Recipient::parse) or read back from the store.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    address: String,
    /// Byte offset of the at sign in `address`.
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

    /// Takes a stored address as it is. Only its shape is checked, not the Unicode tables behind
    /// internationalised domains, which change between releases.
    pub(super) fn from_stored(address: &str) -> Option<Self> {
        let (local, domain) = address.split_once('@')?;
        let is_label = |label: &str| {
            let is_ldh = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            !label.is_empty() && label.bytes().all(is_ldh)
        };
        let is_sound = address.len() <= LONGEST_ADDRESS
            && is_dot_atom(local)
            && domain.contains('.')
            && domain.split('.').all(is_label);
        is_sound.then(|| Self { address: address.to_owned(), at: local.len() })
    }

    /// The address to send to.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The address in lower case. RFC 5321 allows a domain to tell `Jane` from `jane`, but none does,
    /// and counting them apart would give a mailbox one quota for each capitalisation.
    pub(super) fn canonical(&self) -> String {
        self.address.to_ascii_lowercase()
    }

    pub(super) fn masked(&self) -> String {
        let (local, domain) = (&self.address[..self.at], &self.address[self.at + 1..]);
        // A local part of one character would be shown whole.
        let shown = if local.len() > 1 { &local[..1] } else { "" };
        let (domain, _) = idna::domain_to_unicode(domain);
        format!("{shown}***@{domain}")
    }
}

impl std::fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EmailAddress({})", self.masked())
    }
}

/// RFC 5322 `dot-atom-text`, except `!` and `%`: old relays read those as routes and would deliver the
/// message elsewhere.
fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"#$&'*+-/=?^_`{|}~".contains(&byte))
    })
}

/// The domain in ASCII (UTS #46, non-transitional); `None` if it is not a public name.
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
