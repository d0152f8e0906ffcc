//! The sites that nobody configures, as far as the configuration has a say in them.
//!
//! Their keys are known to everybody. Production has no keys of `demo` at all, and the sites for
//! tests only where they are asked for.

use std::net::IpAddr;

use app::wire::Brand;
use otp::Policy;

use super::Surroundings;
use crate::{
    config::{Mode, reader::Reader},
    origin::Origin,
    site::{SecretDigest, Site, builtin},
};

/// What the names of the sites for tests begin with.
pub(super) const RESERVED: &str = "test-";
/// What stands in their public keys behind the prefix.
pub(super) const RESERVED_KEY: &str = "test_";

/// Whom the hosted start page belongs to, where no site of that name is configured.
pub(super) fn demo(server: &Surroundings<'_>) -> Site {
    let (policy, brand) = (policy(server, None), brand(server));
    let site = match server.mode {
        Mode::Development => builtin::demo_for_development(policy, brand),
        Mode::Production => builtin::demo(policy, brand),
    };
    Site { channels: server.channels(), ..site }
}

/// The sites for tests: always in development, in production where they are asked for.
pub(super) fn for_tests(reader: &mut Reader, server: &Surroundings<'_>) -> Vec<Site> {
    let wanted = reader.flag("sites_for_tests");
    let mut origins = read_test_origins(reader, server.mode);
    let mut return_urls = Vec::new();
    match server.mode {
        Mode::Production if !wanted => return Vec::new(),
        // Everybody has the keys, so nobody may be sent anywhere by them.
        Mode::Production => {}
        Mode::Development => {
            let demo = builtin::demo_for_development(policy(server, None), brand(server));
            origins.extend(demo.origins);
            return_urls = demo.return_urls;
        }
    }
    // Test suites rely on six zeros, whatever the server's own codes look like.
    let sites = builtin::for_tests(&policy(server, Some(6)), &brand(server), &origins);
    sites.into_iter().map(|site| Site { return_urls: return_urls.clone(), ..site }).collect()
}

/// Whether it is the digest of a key that stands in this source.
pub(super) fn is_well_known(digest: &SecretDigest) -> bool {
    let (policy, brand) = (Policy::default(), Brand::default());
    let tests = builtin::for_tests(&policy, &brand, &[]);
    let demo = builtin::demo_for_development(policy, brand);
    tests.iter().chain([&demo]).flat_map(|site| &site.secrets).any(|known| known.matches(digest))
}

fn policy(server: &Surroundings<'_>, code_length: Option<u8>) -> Policy {
    let mut draft = server.policy.draft();
    draft.code_length = code_length.unwrap_or(draft.code_length);
    // What is out of bounds has been reported, and nobody uses the stand-in.
    Policy::new(draft).unwrap_or_default()
}

fn brand(server: &Surroundings<'_>) -> Brand {
    Brand { name: server.page.brand.clone(), ..Brand::default() }
}

/// Test suites run on the machine of whoever writes them, so plain http is fine there.
fn read_test_origins(reader: &mut Reader, mode: Mode) -> Vec<Origin> {
    const KEY: &str = "test_origins";
    let origins = super::read_origins(reader, KEY, Mode::Development);
    for origin in &origins {
        if mode == Mode::Production && !origin.is_https() && !is_loopback(origin) {
            let message = "must begin with https:// in production, unless it is this machine";
            reader.refuse(KEY, format!("\"{origin}\" {message}"));
        }
    }
    origins
}

fn is_loopback(origin: &Origin) -> bool {
    let host = origin.host().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
