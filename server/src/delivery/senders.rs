//! Display names of sites in messages.

use std::collections::HashMap;

/// Names in the messages of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderNames {
    /// The site's display name.
    pub brand: String,
    /// Display name of the sender of mail, if the site has one of its own.
    pub sender: Option<String>,
}

/// Names of all sites.
#[derive(Clone, Debug)]
pub struct Senders {
    default: SenderNames,
    by_site: HashMap<String, SenderNames>,
}

impl Senders {
    /// Takes the names of each site; `default` is for messages of sites that are not configured any more.
    pub fn new(
        default: SenderNames,
        by_site: impl IntoIterator<Item = (String, SenderNames)>,
    ) -> Self {
        Self { default, by_site: by_site.into_iter().collect() }
    }

    /// The names of a site.
    pub fn of(&self, site: &str) -> &SenderNames {
        self.by_site.get(site).unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(brand: &str) -> SenderNames {
        SenderNames { brand: brand.to_owned(), sender: None }
    }

    #[test]
    fn a_site_that_is_not_configured_has_the_default_names() {
        let senders = Senders::new(names("First"), [("shop".to_owned(), names("Shop"))]);

        assert_eq!(senders.of("shop").brand, "Shop");
        // The site was removed from the configuration, or the message was stored before there were sites.
        assert_eq!(senders.of("gone").brand, "First");
        assert_eq!(senders.of("").brand, "First");
    }
}
