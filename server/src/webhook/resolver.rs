//! DNS resolver that returns allowed addresses only.
//!
//! The client connects to the addresses returned here: a name is resolved once for each connection, so DNS
//! rebinding has no effect.

use std::{net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::AddressFilter;

/// The system's resolver.
#[derive(Clone, Copy, Debug)]
pub(super) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The client replaces the port by that of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Addrs = Box::new(found.collect::<Vec<_>>().into_iter());
            Ok(found)
        })
    }
}

/// Filters the addresses of another resolver.
pub(super) struct Filtered<R> {
    pub(super) inner: Arc<R>,
    pub(super) filter: AddressFilter,
}

/// All addresses of a receiver were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address is not public; webhook.allowed_networks can allow it")]
pub struct Refused;

impl<R: Resolve + 'static> Resolve for Filtered<R> {
    fn resolve(&self, name: Name) -> Resolving {
        let (inner, filter) = (self.inner.clone(), self.filter.clone());
        Box::pin(async move {
            let found = inner.resolve(name).await?;
            let allowed: Vec<SocketAddr> = found.filter(|found| filter.allow(found.ip())).collect();
            if allowed.is_empty() {
                return Err(Refused.into());
            }
            let allowed: Addrs = Box::new(allowed.into_iter());
            Ok(allowed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Vec<SocketAddr>);

    impl Resolve for Fixed {
        fn resolve(&self, _name: Name) -> Resolving {
            let found: Addrs = Box::new(self.0.clone().into_iter());
            Box::pin(async move { Ok(found) })
        }
    }

    /// The allowed ones of these addresses.
    async fn resolved(addresses: &[&str]) -> Option<Vec<String>> {
        let found = addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0));
        let inner = Arc::new(Fixed(found.collect()));
        let filtered = Filtered { inner, filter: AddressFilter::default() };
        match filtered.resolve("receiver.example".parse().unwrap()).await {
            Ok(allowed) => Some(allowed.map(|address| address.ip().to_string()).collect()),
            Err(error) => {
                assert!(error.is::<Refused>());
                None
            }
        }
    }

    #[tokio::test]
    async fn only_allowed_addresses_are_returned() {
        assert_eq!(resolved(&["8.8.8.8"]).await.unwrap(), ["8.8.8.8"]);
        let mixed = ["169.254.169.254", "2606:4700::1", "::ffff:10.0.0.1", "1.1.1.1"];
        assert_eq!(resolved(&mixed).await.unwrap(), ["2606:4700::1", "1.1.1.1"]);
        assert_eq!(resolved(&["127.0.0.1", "::1", "10.1.2.3"]).await, None);
        assert_eq!(resolved(&[]).await, None);
    }

    #[tokio::test]
    async fn localhost_is_refused_unless_it_is_listed() {
        let filtered = Filtered { inner: Arc::new(System), filter: AddressFilter::default() };
        let refused = filtered.resolve("localhost".parse().unwrap()).await;
        assert!(refused.err().unwrap().is::<Refused>());
        let allowed = AddressFilter::public_and(vec!["127.0.0.0/8".parse().unwrap()]);
        let filtered = Filtered { inner: Arc::new(System), filter: allowed };
        let mut found = filtered.resolve("localhost".parse().unwrap()).await.unwrap();
        assert!(found.all(|found| found.ip().is_ipv4()));
    }
}
