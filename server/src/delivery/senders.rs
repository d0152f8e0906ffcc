//! Whose name a message carries: that of the site whose verification it belongs to.

use std::collections::HashMap;

/// The names in the messages of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderNames {
    /// The site's name, as people know it.
    pub brand: String,
    /// The name that its mail comes from, where it has one of its own.
    pub sender: Option<String>,
}

/// The names of all sites.
#[derive(Clone, Debug)]
pub struct Senders {
    first: SenderNames,
    by_site: HashMap<String, SenderNames>,
}

impl Senders {
    /// The names of each site; `first` are those of messages whose site is no longer configured.
    pub fn new(
        first: SenderNames,
        by_site: impl IntoIterator<Item = (String, SenderNames)>,
    ) -> Self {
        Self { first, by_site: by_site.into_iter().collect() }
    }

    /// The names in the messages of a site.
    pub fn of(&self, site: &str) -> &SenderNames {
        self.by_site.get(site).unwrap_or(&self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(brand: &str) -> SenderNames {
        SenderNames { brand: brand.to_owned(), sender: None }
    }

    #[test]
    fn a_message_carries_the_names_of_its_site_or_those_of_the_first_one() {
        let brands = Senders::new(names("First"), [("shop".to_owned(), names("Shop"))]);

        assert_eq!(brands.of("shop").brand, "Shop");
        // Its site was taken out of the configuration, or it was written before there were sites.
        assert_eq!(brands.of("gone").brand, "First");
        assert_eq!(brands.of("").brand, "First");
    }
}
