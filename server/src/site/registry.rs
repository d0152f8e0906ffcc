//! Registry of sites.

use std::{collections::HashMap, sync::Arc};

use super::{SecretDigest, Site};

/// All sites. The first one is that of the hosted start page.
#[derive(Clone, Debug)]
pub struct Sites {
    first: Arc<Site>,
    by_name: HashMap<String, Arc<Site>>,
    by_public_key: HashMap<String, Arc<Site>>,
    secrets: Vec<(SecretDigest, Arc<Site>)>,
}

impl Sites {
    /// Takes the site of the hosted start page and the others. The configuration ensures that names and keys
    /// are unique.
    pub fn new(first: Site, others: impl IntoIterator<Item = Site>) -> Self {
        let first = Arc::new(first);
        let all: Vec<_> =
            [first.clone()].into_iter().chain(others.into_iter().map(Arc::new)).collect();
        let secret = |site: &Arc<Site>| {
            let site = site.clone();
            let secrets = site.secrets.clone();
            secrets.into_iter().map(move |secret| (secret, site.clone()))
        };
        Self {
            first,
            by_name: all.iter().map(|site| (site.name.clone(), site.clone())).collect(),
            by_public_key: all
                .iter()
                .filter_map(|site| Some((site.public_key.clone()?, site.clone())))
                .collect(),
            secrets: all.iter().flat_map(secret).collect(),
        }
    }

    /// The site of the hosted start page.
    pub fn first(&self) -> &Arc<Site> {
        &self.first
    }

    /// All sites, in no order.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.by_name.values()
    }

    /// The site with this name.
    pub fn named(&self, name: &str) -> Option<&Arc<Site>> {
        self.by_name.get(name)
    }

    /// The site with this name; the first one if it is no longer configured.
    pub fn named_or_first(&self, name: &str) -> &Arc<Site> {
        self.named(name).unwrap_or(&self.first)
    }

    /// The site with this public key.
    pub fn with_public_key(&self, key: &str) -> Option<&Arc<Site>> {
        self.by_public_key.get(key)
    }

    /// The site with this secret key. Always compares all keys, so that the time reveals nothing (S21).
    pub fn with_secret(&self, secret: &str) -> Option<&Arc<Site>> {
        let given = SecretDigest::of(secret);
        let found = |found, (digest, site): &'_ (SecretDigest, Arc<Site>)| {
            if digest.matches(&given) { Some(site.name.clone()) } else { found }
        };
        let name = self.secrets.iter().fold(None, found)?;
        self.named(&name)
    }
}
