//! Resolving a receiver's name to addresses that may be posted to.
//!
//! The connection is made to what is given out here and to nothing else: a name is resolved once for
//! each connection, so one that answers differently the next time (DNS rebinding) gains nothing.

use std::{net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::AddressFilter;

/// The system's resolver.
#[derive(Clone, Copy, Debug)]
pub(super) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port of the URL takes the place of this one.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Addrs = Box::new(found.collect::<Vec<_>>().into_iter());
            Ok(found)
        })
    }
}

/// Gives out of what another resolver finds only what may be posted to.
pub(super) struct Guarded<R> {
    pub(super) inner: Arc<R>,
    pub(super) addresses: AddressFilter,
}

/// A name, or an address itself, that leads where nothing is posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it leads to an address that is not public; webhook.allowed_networks can allow it")]
pub(super) struct Refused;

impl<R: Resolve + 'static> Resolve for Guarded<R> {
    fn resolve(&self, name: Name) -> Resolving {
        let (inner, addresses) = (self.inner.clone(), self.addresses.clone());
        Box::pin(async move {
            let found = inner.resolve(name).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|found| addresses.allow(found.ip())).collect();
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

    /// What is left of these addresses.
    async fn resolved(addresses: &[&str]) -> Option<Vec<String>> {
        let found = addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0));
        let inner = Arc::new(Fixed(found.collect()));
        let guarded = Guarded { inner, addresses: AddressFilter::default() };
        match guarded.resolve("receiver.example".parse().unwrap()).await {
            Ok(left) => Some(left.map(|address| address.ip().to_string()).collect()),
            Err(error) => {
                assert!(error.is::<Refused>());
                None
            }
        }
    }

    #[tokio::test]
    async fn only_what_may_be_posted_to_is_given_out() {
        assert_eq!(resolved(&["8.8.8.8"]).await.unwrap(), ["8.8.8.8"]);
        let mixed = ["169.254.169.254", "2606:4700::1", "::ffff:10.0.0.1", "1.1.1.1"];
        assert_eq!(resolved(&mixed).await.unwrap(), ["2606:4700::1", "1.1.1.1"]);
        assert_eq!(resolved(&["127.0.0.1", "::1", "10.1.2.3"]).await, None);
        assert_eq!(resolved(&[]).await, None);
    }

    #[tokio::test]
    async fn the_systems_names_of_this_machine_are_refused() {
        let guarded = Guarded { inner: Arc::new(System), addresses: AddressFilter::default() };
        let refused = guarded.resolve("localhost".parse().unwrap()).await;
        assert!(refused.err().unwrap().is::<Refused>());
        let allowed = AddressFilter::public_and(vec!["127.0.0.0/8".parse().unwrap()]);
        let guarded = Guarded { inner: Arc::new(System), addresses: allowed };
        let mut found = guarded.resolve("localhost".parse().unwrap()).await.unwrap();
        assert!(found.all(|found| found.ip().is_ipv4()));
    }
}
