//! Addresses that reach the same mailbox.
//!
//! Mail to `jane+shop@example.com` usually arrives at `jane@example.com`, and some providers ignore
//! dots or give each mailbox several domains. Without a common form for them every limit of a mailbox
//! could be had many times over. The form is for counting alone: people are identified by the address
//! that they gave, since no rule here is certain at every domain.

/// A provider whose addresses are known to be spelt in several ways.
struct Provider {
    /// Domains of the same mailboxes. The first one stands for all of them.
    domains: &'static [&'static str],
    /// Characters of the local part that the provider ignores.
    ignored: &'static [char],
}

/// Each with the page on which the provider says so.
const PROVIDERS: [Provider; 4] = [
    // Dots: https://support.google.com/mail/answer/7436150
    // Domains: https://support.google.com/mail/answer/10313
    Provider { domains: &["gmail.com", "googlemail.com"], ignored: &['.'] },
    // Dots, hyphens, underscores: https://proton.me/support/change-username
    // Domains: https://proton.me/support/addresses-and-aliases
    Provider {
        domains: &["proton.me", "protonmail.com", "protonmail.ch", "pm.me"],
        ignored: &['.', '-', '_'],
    },
    // Domains: https://support.apple.com/118230
    Provider { domains: &["icloud.com", "me.com", "mac.com"], ignored: &[] },
    // Domains: https://yandex.com/support/id/authorization/email.html
    Provider {
        domains: &["yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "ya.ru"],
        ignored: &[],
    },
];

/// The common form of the addresses of one mailbox. `address` is in lower case.
///
/// The tag behind a plus sign is dropped at every domain (RFC 5233 calls it the detail). An address of
/// which nothing would be left before the at sign stays as it is.
pub(super) fn fold(address: &str) -> String {
    let Some((local, domain)) = address.split_once('@') else { return address.to_owned() };
    let provider = PROVIDERS.iter().find(|provider| provider.domains.contains(&domain));
    let (domain, ignored) =
        provider.map_or((domain, &[][..]), |provider| (provider.domains[0], provider.ignored));
    let (user, _tag) = local.split_once('+').unwrap_or((local, ""));
    let user = user.replace(ignored, "");
    if user.is_empty() { address.to_owned() } else { format!("{user}@{domain}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn s18_addresses_of_one_mailbox_are_counted_together() {
        for (address, mailbox) in [
            ("jane+shop@example.com", "jane@example.com"),
            ("jane+a+b@example.com", "jane@example.com"),
            ("jane+@example.com", "jane@example.com"),
            ("j.a.n.e@example.com", "j.a.n.e@example.com"),
            ("j.a.n.e+shop@gmail.com", "jane@gmail.com"),
            ("jane@googlemail.com", "jane@gmail.com"),
            ("ja-n_e.doe@pm.me", "janedoe@proton.me"),
            ("j.ane@me.com", "j.ane@icloud.com"),
            ("j.ane@ya.ru", "j.ane@yandex.ru"),
            // Of these nothing would be left.
            ("+jane@example.com", "+jane@example.com"),
            ("+jane@gmail.com", "+jane@gmail.com"),
            ("-+jane@pm.me", "-+jane@pm.me"),
            // Not the provider.
            ("j.ane@gmail.com.example", "j.ane@gmail.com.example"),
        ] {
            assert_eq!(fold(address), mailbox);
        }
    }

    proptest! {
        #[test]
        fn s18_a_folded_address_folds_to_itself(
            local in "[a-z0-9.+_-]{1,12}",
            domain in prop_oneof![
                Just("gmail.com"), Just("googlemail.com"), Just("pm.me"), Just("example.com"),
            ],
        ) {
            let folded = fold(&format!("{local}@{domain}"));
            prop_assert_eq!(fold(&folded), folded.clone());
            prop_assert!(!folded.starts_with('@'), "{}", folded);
        }

        #[test]
        fn s18_an_address_without_a_tag_is_left_alone_at_other_domains(
            local in "[a-z0-9._-]{1,12}",
            domain in "[a-z]{1,9}\\.example",
        ) {
            let address = format!("{local}@{domain}");
            prop_assert_eq!(fold(&address), address);
        }

        #[test]
        fn s18_a_tag_makes_no_other_mailbox(
            local in "[a-z0-9][a-z0-9.]{0,9}",
            tag in "[a-z0-9+.]{0,9}",
            domain in prop_oneof![Just("gmail.com"), Just("example.com")],
        ) {
            let (plain, tagged) = (format!("{local}@{domain}"), format!("{local}+{tag}@{domain}"));
            prop_assert_eq!(fold(&plain), fold(&tagged));
        }
    }
}
