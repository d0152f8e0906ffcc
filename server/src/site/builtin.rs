//! Built-in sites.

use app::wire::Brand;
use otp::Policy;
use url::Url;

use super::{Rehearsal, SecretDigest, Site};
use crate::origin::Origin;

/// Name of the site of the hosted start page.
pub const DEMO: &str = "demo";

/// Origins of the example shop in development.
const SHOPS: [&str; 2] = ["http://localhost:3001", "http://127.0.0.1:3001"];

/// The site of the hosted start page, without keys.
pub fn demo(policy: Policy, brand: Brand) -> Site {
    Site::named(DEMO, policy, brand)
}

/// The site of the hosted start page in development, with well-known keys for the examples in the
/// documentation and for the example shop.
pub fn demo_for_development(policy: Policy, brand: Brand) -> Site {
    let return_url = |shop: &str| Url::parse(&format!("{shop}/return")).ok();
    Site {
        public_key: Some("lk_pub_demo".to_owned()),
        secrets: vec![SecretDigest::of("lk_sec_demo")],
        origins: SHOPS.into_iter().filter_map(Origin::parse).collect(),
        return_urls: SHOPS.into_iter().filter_map(return_url).collect(),
        ..demo(policy, brand)
    }
}

/// Sites for test suites of relying parties, with well-known keys and fixed behaviour. They send nothing.
pub fn for_tests(policy: &Policy, brand: &Brand, origins: &[Origin]) -> Vec<Site> {
    let behaviours = [
        ("approve", Rehearsal::Approve),
        ("incorrect", Rehearsal::Incorrect),
        ("undeliverable", Rehearsal::Undeliverable),
        ("limited", Rehearsal::RateLimited),
    ];
    let site = |(name, rehearsal)| Site {
        public_key: Some(format!("lk_pub_test_{name}")),
        secrets: vec![SecretDigest::of(&format!("lk_sec_test_{name}"))],
        origins: origins.to_vec(),
        rehearsal: Some(rehearsal),
        ..Site::named(&format!("test-{name}"), policy.clone(), brand.clone())
    };
    behaviours.into_iter().map(site).collect()
}
