//! The fuzz targets in short: each property over the committed inputs, and over inputs that are made
//! from them at random. `make fuzz` looks for further inputs with libFuzzer.

use std::{fs, path::Path};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};

#[path = "../../../fuzz/targets/codes.rs"]
mod codes;
#[path = "../../../fuzz/targets/configuration.rs"]
mod configuration;
#[path = "../../../fuzz/targets/forwarded.rs"]
mod forwarded;
#[path = "../../../fuzz/targets/json_bodies.rs"]
mod json_bodies;
#[path = "../../../fuzz/targets/recipients.rs"]
mod recipients;
#[path = "../../../fuzz/targets/return_urls.rs"]
mod return_urls;
#[path = "../../../fuzz/targets/secrets.rs"]
mod secrets;
#[path = "../../../fuzz/targets/tokens.rs"]
mod tokens;
#[path = "../../../fuzz/targets/wire_codec.rs"]
mod wire_codec;

#[test]
fn s30_a_recipient_is_one_and_has_one_canonical_form() {
    run("recipients", 1000, recipients::holds);
}

#[test]
fn s30_a_typed_code_is_read_as_its_digits_or_not_at_all() {
    run("codes", 3000, codes::holds);
}

#[test]
fn s30_a_caller_is_the_peer_or_an_address_that_a_proxy_vouches_for() {
    run("forwarded", 2000, forwarded::holds);
}

#[test]
fn s30_a_return_url_is_a_listed_one() {
    run("return_urls", 1500, return_urls::holds);
}

#[test]
fn s30_a_token_that_was_altered_is_refused() {
    run("tokens", 1000, tokens::holds);
}

#[test]
fn s30_a_webhook_secret_signs_for_its_site_and_a_refused_secret_is_not_quoted() {
    run("secrets", 2000, secrets::holds);
}

#[test]
fn s30_a_configuration_is_read_or_refused_and_quotes_no_secret() {
    run("configuration", 60, configuration::holds);
}

#[test]
fn s30_what_the_island_reads_is_what_was_written() {
    run("wire_codec", 3000, wire_codec::holds);
}

#[test]
fn s30_a_body_with_an_unknown_field_is_refused_and_no_value_is_quoted() {
    run("json_bodies", 1000, json_bodies::holds);
}

/// Runs a property over the committed inputs of a target and over `further` ones.
fn run(target: &str, further: u32, holds: fn(&[u8])) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let files = fs::read_dir(root.join("fuzz/corpus").join(target)).unwrap();
    let corpus: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(corpus.len() >= 12, "only {} inputs for {target}", corpus.len());
    for input in &corpus {
        holds(input);
    }

    let config =
        ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(further) };
    let ran = TestRunner::new(config).run(&altered(corpus), |input| {
        holds(&input);
        Ok(())
    });
    ran.unwrap();
}

/// Committed inputs in which pieces are replaced by others.
fn altered(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    const TRICKS: [&[u8]; 12] = [
        b"\0",
        b"\r\n",
        b",",
        b"@",
        b"%00",
        b"\\",
        b"\"",
        b"\xc2\xa0",
        b"\xe2\x80\xae",
        b"\xff",
        b"00000",
        b"..",
    ];
    let piece = prop_oneof![
        vec(any::<u8>(), 0..4),
        "\\PC{0,4}".prop_map(String::into_bytes),
        select(&TRICKS[..]).prop_map(<[u8]>::to_vec),
        (select(corpus.clone()), any::<Index>(), any::<Index>()).prop_map(|(other, from, to)| {
            let (from, to) = (from.index(other.len() + 1), to.index(other.len() + 1));
            other[from.min(to)..from.max(to)].to_vec()
        }),
    ];
    let edit = (any::<Index>(), 0..4_usize, piece);
    (select(corpus), vec(edit, 0..5)).prop_map(|(mut input, edits)| {
        for (place, removed, piece) in edits {
            let start = place.index(input.len() + 1);
            let end = (start + removed).min(input.len());
            input.splice(start..end, piece);
        }
        input
    })
}
