//! The directions of `docs/ARCHITECTURE.md`, read from the source: who may know whom.
//!
//! Whoever meets one of these tests finds in its message what to do instead.

mod source;

use std::{collections::BTreeSet, fs};

use source::{Source, below, workspace};

/// What each module of the server may know of the others, itself apart. `startup` and `cli` put
/// things together and may know all of them.
const MAY_KNOW: &[(&str, &[&str], &str)] = &[
    (
        "service",
        &["clock", "delivery::envelope", "limits", "derived_keys", "site", "store", "webhook"],
        "the use cases know the store's trait and what a message is made of; providers, HTTP and \
         configuration reach them as plain values, from `startup`",
    ),
    (
        "store",
        &[],
        "a store keeps records and runs steps; what they mean is decided in `otp` and `service`",
    ),
    (
        "delivery",
        &["i18n", "clock", "origin", "outbox", "error_chain", "derived_keys", "store", "webhook"],
        "providers and the worker take their settings as values; `config` makes those",
    ),
    (
        "outbox",
        &["clock", "error_chain", "store"],
        "claiming and settling is the same for every message; what one says is its worker's business",
    ),
    (
        "webhook",
        &["clock", "keyring", "outbox", "error_chain", "derived_keys", "store"],
        "events are read off verifications, and receivers are plain URLs; which site has one is \
         `startup`'s to say",
    ),
    (
        "limits",
        &["derived_keys", "store"],
        "limits are pure counting; who counts when is the service's business",
    ),
    (
        "http",
        &["i18n", "origin", "service", "site"],
        "handlers reach the rules through `app::port::Port` and `Service` alone, never the store \
         or a provider",
    ),
    (
        "gateway",
        &[
            "api",
            "limits",
            "origin",
            "error_chain",
            "service",
            "site",
            "store::Store",
            "store::StoreError",
            "tokens",
        ],
        "the port turns the wire's values into the domain's and back; it adds no rule",
    ),
    (
        "config",
        &["delivery", "keyring", "origin", "site", "webhook"],
        "configuration is read into values; it connects to nothing and builds nothing",
    ),
    ("housekeeping", &["clock", "error_chain", "store"], "sweeping needs a store and the time"),
    (
        "derived_keys",
        &["keyring"],
        "keys are derived from the master secrets and from nothing else",
    ),
    ("telemetry", &["config"], "logging is set up from its settings alone"),
    ("api", &[], "what back ends may ask for is said in values of the wire and of its own"),
    ("origin", &[], "an origin is a value"),
    ("site", &["origin"], "a site is a value that the configuration makes"),
    (
        "tokens",
        &["keyring", "derived_keys"],
        "tokens are signed with keys that are derived from the master secrets",
    ),
    ("keyring", &[], "master secrets are read from text and files"),
    ("i18n", &[], "texts come from their files"),
    ("clock", &[], "the time comes from the machine"),
    ("error_chain", &[], "an error is logged with its causes"),
];

/// The modules that put the others together. They may know all of them, and none of them knows these.
const COMPOSE: &[&str] = &["startup", "cli"];

#[test]
fn each_module_of_the_server_knows_only_what_it_may() {
    for source in below("server/src") {
        let module = module(&source);
        if matches!(module, "main" | "lib") || COMPOSE.contains(&module) {
            continue;
        }
        let Some((_, known, instead)) = MAY_KNOW.iter().find(|(name, ..)| *name == module) else {
            panic!(
                "{}: say in MAY_KNOW of server/tests/layers/main.rs what `{module}` may know",
                source.path
            );
        };
        let may: BTreeSet<_> =
            known.iter().map(|known| known.split("::").next().unwrap()).collect();
        for named in source.modules_named() {
            assert!(
                named == module || may.contains(named.as_str()),
                "{}: `{module}` must not know `{named}`: {instead}",
                source.path,
            );
        }
    }
}

/// Of a module that is known in part, no other part is.
#[test]
fn the_service_knows_of_delivery_only_the_envelope_and_http_of_configuration_only_the_origin() {
    for source in below("server/src/service") {
        let all = source.code.matches("delivery::").count();
        let allowed = source.code.matches("delivery::envelope").count();
        assert_eq!(all, allowed, "{}: of `delivery` only the envelope is known here", source.path);
    }
}

/// Who changes verifications announces it, and has no business with how receivers are reached.
#[test]
fn of_webhooks_the_service_and_the_delivery_know_only_the_announcer() {
    for folder in ["server/src/service", "server/src/delivery"] {
        for source in below(folder) {
            let all = source.code.matches("webhook::").count();
            let allowed = source.code.matches("webhook::EventRecorder").count();
            assert_eq!(all, allowed, "{}: of `webhook` only `EventRecorder` is known", source.path);
        }
    }
}

#[test]
fn concrete_stores_and_providers_are_named_by_startup_alone() {
    for (name, homes) in [
        ("SqliteStore", &["server/src/store/"][..]),
        ("Smtp::new", &["server/src/delivery/"]),
        ("Twilio::new", &["server/src/delivery/"]),
        ("rusqlite", &["server/src/store/"]),
        ("reqwest", &["server/src/delivery/", "server/src/webhook/"]),
    ] {
        for source in below("server/src") {
            let at_home = homes.iter().any(|home| source.path.starts_with(home))
                || source.path == "server/src/startup.rs";
            assert!(
                at_home || !source.says(name),
                "{}: be generic over `Store` or ask the `Dispatcher`; only startup.rs names `{name}`",
                source.path,
            );
        }
    }
}

#[test]
fn the_application_knows_no_server_and_the_front_end_only_the_application() {
    for (krate, allowed) in [
        (
            "app",
            &[
                "async-trait",
                "axum",
                "js-sys",
                "leptos",
                "leptos_axum",
                "serde",
                "serde_json",
                "server_fn",
                "thiserror",
                "wasm-bindgen",
                "wasm-bindgen-futures",
                "web-sys",
            ][..],
        ),
        ("frontend", &["app", "leptos", "wasm-bindgen"][..]),
    ] {
        for dependency in dependencies(krate) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{krate}/Cargo.toml: `{dependency}` would travel to browsers or tie the page to the \
                 server; what the page needs from there goes through app/src/port.rs",
            );
        }
    }
}

#[test]
fn the_domain_is_pure() {
    let small = [
        "base64",
        "hmac",
        "idna",
        "rand",
        "rlibphonenumber",
        "serde",
        "sha2",
        "subtle",
        "thiserror",
        "zeroize",
    ];
    for dependency in dependencies("server/otp") {
        assert!(
            small.contains(&dependency.as_str()),
            "server/otp/Cargo.toml: the domain rests on small pure crates; does `{dependency}` \
             belong into `service` or `delivery`?",
        );
    }
    for source in below("server/otp/src") {
        for word in [
            "async",
            "await",
            "tokio",
            "SysRng",
            "SystemTime",
            "Instant",
            "std::env",
            "std::fs",
            "std::io",
            "std::net",
            "std::process",
            "std::thread",
            "println",
        ] {
            assert!(
                !source.says(word),
                "{}: the domain takes the time and chance as arguments and reaches for nothing \
                 outside; `{word}` belongs into the server",
                source.path,
            );
        }
    }
}

#[test]
fn the_machines_clock_is_read_in_one_place() {
    for source in below("server/src").into_iter().chain(below("app/src")) {
        let ambient = source.says("SystemTime::now")
            || (source.says("Instant::now") && !source.code.contains("tokio"));
        assert!(
            !ambient || source.path == "server/src/clock.rs",
            "{}: take `now` as an argument, or a `Clock`; only clock.rs reads the machine's",
            source.path,
        );
    }
}

#[test]
fn chance_comes_from_the_operating_system_and_is_named_where_it_is_needed() {
    let named = [
        "server/src/cli/keys.rs",
        "server/src/cli/send_test.rs",
        "server/src/delivery/worker.rs",
        "server/src/http/security_headers.rs",
        "server/src/service/mod.rs",
        "server/src/startup.rs",
        "server/src/webhook/worker.rs",
    ];
    for source in below("server/src") {
        assert!(
            !source.says("SysRng") || named.contains(&source.path.as_str()),
            "{}: take the generator as an argument; if it has to be named here, add this file to \
             the list in server/tests/layers/main.rs",
            source.path,
        );
        for other in ["thread_rng", "rand::rng", "rand::random", "fastrand", "getrandom"] {
            assert!(
                !source.says(other),
                "{}: codes and ids come from `SysRng`, not from `{other}`",
                source.path,
            );
        }
    }
}

#[test]
fn no_source_names_the_folders_of_one_machine() {
    let sources = ["server/src", "server/otp/src", "app/src", "frontend/src", "xtask/src"];
    for source in sources.into_iter().flat_map(below) {
        for folder in ["home", "root", "Users"] {
            assert!(
                !source.text.contains(&format!("/{folder}/")),
                "{}: /{folder}/ exists on some machines only; make it a setting or leave it out",
                source.path,
            );
        }
    }
}

/// The module of the server that a file belongs to.
fn module(source: &Source) -> &str {
    let path = source.path.strip_prefix("server/src/").unwrap();
    path.split(['/', '.']).next().unwrap()
}

/// The names in the section of dependencies of a crate's manifest.
fn dependencies(krate: &str) -> Vec<String> {
    let manifest = workspace().join(krate).join("Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    assert!(!dependencies.is_empty());
    dependencies.keys().cloned().collect()
}
