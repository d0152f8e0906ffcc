//! The directions of `docs/ARCHITECTURE.md`, read from the source: which module may name which.
//!
//! The tables below are the rules. Whoever breaks one finds in the message what to do instead.

mod circles;
mod rules;
mod source;

use std::{fs, sync::LazyLock};

use circles::circles;
use rules::{Confined, Layer, breaches, escapes, stale};
use source::{Crate, workspace};

/// The top modules of the server, from the outside in.
const LAYERS: &[Layer] = &[
    Layer { module: "main", may_name: &["cli"], instead: "the command line does everything" },
    Layer {
        module: "cli",
        may_name: &[
            "clock",
            "config",
            "delivery",
            "error_chain",
            "http",
            "i18n",
            "keyring",
            "origin",
            "site",
            "startup",
            "telemetry",
            "webhook",
        ],
        instead: "commands read the configuration and let `startup` build the application",
    },
    Layer {
        module: "startup",
        may_name: &[
            "clock",
            "config",
            "delivery",
            "derived_keys",
            "housekeeping",
            "http",
            "i18n",
            "keyring",
            "open_files",
            "outbox",
            "port",
            "service",
            "site",
            "skew",
            "store",
            "tokens",
            "webhook",
        ],
        instead: "the composition root takes settings and builds",
    },
    Layer {
        module: "http",
        may_name: &[
            "i18n",
            "origin",
            "service::ReceiptRequest",
            "service::Refused",
            "service::Service",
        ],
        instead: "pages reach the rules through `app::port::Port`",
    },
    Layer {
        module: "http::api",
        may_name: &["service", "site::Site"],
        instead: "the JSON API calls the use cases of `service` and nothing below them",
    },
    Layer {
        module: "port",
        may_name: &["origin", "service"],
        instead: "the port turns the pages' values into the domain's and back; it adds no rule",
    },
    Layer {
        module: "service",
        may_name: &[
            "clock",
            "delivery::envelope",
            "delivery::receipt_reader",
            "delivery::receipts",
            "derived_keys",
            "error_chain",
            "site",
            "store",
            "tokens",
        ],
        instead: "providers, HTTP and configuration reach the use cases as values, from `startup`",
    },
    Layer {
        module: "delivery",
        may_name: &[
            "clock",
            "derived_keys",
            "error_chain",
            "i18n",
            "origin",
            "outbox",
            "site",
            "store",
            "webhook::FilteredClient",
            "webhook::Signer",
            "webhook::WebhookSettings",
            "webhook::rfc3339",
        ],
        instead: "providers and the worker take their settings as values; `config` makes those",
    },
    Layer {
        module: "webhook",
        may_name: &["clock", "derived_keys", "error_chain", "keyring", "outbox", "store"],
        instead: "receivers are plain URLs; `startup` says which site has one",
    },
    Layer {
        module: "outbox",
        may_name: &["clock", "derived_keys", "error_chain", "store"],
        instead: "sealing, claiming and settling are the same for every message; its worker knows the rest",
    },
    Layer {
        module: "housekeeping",
        may_name: &["clock", "error_chain", "skew", "store"],
        instead: "sweeping needs a store and the time",
    },
    Layer {
        module: "skew",
        may_name: &["clock", "store"],
        instead: "two clocks are compared, the server's and the database's",
    },
    Layer {
        module: "store",
        may_name: &["derived_keys", "error_chain", "keyring"],
        instead: "a store encrypts and keeps records and runs steps; `otp` and `service` decide their meaning",
    },
    Layer {
        module: "config",
        may_name: &[
            "delivery",
            "i18n",
            "keyring",
            "origin",
            "site",
            "store::PostgresSettings",
            "webhook::WebhookSettings",
        ],
        instead: "configuration is read into values; it connects to nothing and builds nothing",
    },
    Layer {
        module: "telemetry",
        may_name: &["config"],
        instead: "logging is set up from its settings alone",
    },
    Layer {
        module: "tokens",
        may_name: &["derived_keys", "keyring"],
        instead: "tokens are signed with keys that are derived from the master secrets",
    },
    Layer {
        module: "derived_keys",
        may_name: &["keyring"],
        instead: "keys are derived from the master secrets and from nothing else",
    },
    Layer { module: "site", may_name: &["i18n::Overlay", "origin"], instead: "a site is a value" },
    Layer { module: "origin", may_name: &[], instead: "an origin is a value" },
    Layer { module: "open_files", may_name: &[], instead: "a limit comes from the system" },
    Layer { module: "keyring", may_name: &[], instead: "secrets are read from text and files" },
    Layer { module: "i18n", may_name: &[], instead: "texts come from their files" },
    Layer { module: "clock", may_name: &[], instead: "the time comes from the machine" },
    Layer { module: "error_chain", may_name: &[], instead: "an error is logged with its causes" },
];

/// Things of the server that few of its modules may name.
const CONFINED: &[Confined] = &[
    Confined {
        names: &[
            "crate::store::PostgresStore",
            "crate::store::SqliteStore",
            "crate::store::sqlite",
        ],
        homes: &["store", "startup"],
        instead: "ask the trait `Store`; `startup` alone chooses the back end",
    },
    Confined { names: &["rusqlite"], homes: &["store::sqlite"], instead: "ask the trait `Store`" },
    Confined {
        names: &["tokio_postgres"],
        homes: &["store::postgres"],
        instead: "ask the trait `Store`",
    },
    Confined {
        names: &[
            "crate::delivery::Smtp",
            "crate::delivery::Twilio",
            "crate::delivery::http::Http",
            "crate::delivery::webhook::Webhook",
        ],
        homes: &["delivery"],
        instead: "ask the `Dispatcher`; `delivery::provider` alone names the kinds of providers",
    },
    Confined { names: &["lettre"], homes: &["delivery"], instead: "ask the `Dispatcher`" },
    Confined {
        names: &["reqwest"],
        homes: &["delivery", "startup", "webhook"],
        instead: "outside services are reached through a client of `delivery` or `webhook`",
    },
    Confined {
        names: &["axum", "hyper", "hyper_util", "leptos_axum", "tower"],
        homes: &["http", "startup"],
        instead: "HTTP ends in `http`; hand on values",
    },
    Confined {
        names: &[
            "jiff::Timestamp::now",
            "jiff::Zoned::now",
            "rustix::time",
            "std::time::Instant::now",
            "std::time::SystemTime::now",
        ],
        homes: &["clock"],
        instead: "take `now` as an argument, or a `Clock`; only clock.rs reads the machine's",
    },
    Confined {
        names: &["tokio::time::Instant::now"],
        homes: &["http::health", "http::tally", "http::trace", "startup"],
        instead: "take `now` as an argument, or a `Clock`; this one measures the end of the process, latencies, \
                  the age of a check of the store and the time between log lines, and decides nothing",
    },
    Confined {
        names: &["rand::rngs"],
        homes: &[
            "cli::keys",
            "cli::send_test",
            "delivery::worker",
            "http::security_headers",
            "service",
            "startup",
            "store::store_key",
            "webhook::worker",
        ],
        instead: "take the generator as an argument; if it has to be named here, add this module",
    },
    Confined {
        names: &["fastrand", "getrandom", "rand::random", "rand::rng", "rand::rngs::ThreadRng"],
        homes: &[],
        instead: "codes and ids come from the operating system's generator, `rand::rngs::SysRng`",
    },
];

/// Things that the domain may not name at all.
const IMPURE: &[Confined] = &[Confined {
    names: &[
        "dbg!",
        "eprint!",
        "eprintln!",
        "print!",
        "println!",
        "rand::random",
        "rand::rng",
        "rand::rngs",
        "std::env",
        "std::fs",
        "std::io",
        "std::net",
        "std::process",
        "std::thread",
        "std::time::Instant",
        "std::time::SystemTime",
        "tokio",
    ],
    homes: &[],
    instead: "the domain takes the time and chance as arguments and reaches for nothing outside; \
              this belongs into the server",
}];

/// Things that the application may not name at all.
const CLOCKS: &[Confined] = &[Confined {
    names: &["std::time::Instant::now", "std::time::SystemTime::now"],
    homes: &[],
    instead: "the time comes from the server, or from the browser's own clock",
}];

static SERVER: LazyLock<Crate> =
    LazyLock::new(|| Crate::read("server", "server/src", &["lib.rs", "main.rs"]));
static APP: LazyLock<Crate> = LazyLock::new(|| Crate::read("app", "app/src", &["lib.rs"]));

/// The crates of the domain: the rules, and the words that they share with the pages.
fn domain() -> [Crate; 2] {
    [
        Crate::read("otp", "server/otp/src", &["lib.rs"]),
        Crate::read("otp_types", "otp-types/src", &["lib.rs"]),
    ]
}

fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn each_module_of_the_server_names_only_what_it_may() {
    assert_none(&breaches(&SERVER, LAYERS));
}

#[test]
fn back_ends_providers_clock_and_generator_are_named_in_their_places_alone() {
    assert_none(&escapes(&SERVER, CONFINED));
    assert_none(&escapes(&APP, CLOCKS));
}

#[test]
fn the_tables_permit_nothing_that_nobody_does() {
    assert_none(&stale(&SERVER, LAYERS, CONFINED));
}

#[test]
fn the_domain_is_pure() {
    for krate in domain() {
        assert_none(&impurities(&krate));
    }
}

fn impurities(krate: &Crate) -> Vec<String> {
    let waits = krate.modules.values().filter(|module| module.is_async);
    let waits = waits.map(|module| format!("{}: the domain waits for nothing", module.file));
    escapes(krate, IMPURE).into_iter().chain(waits).collect()
}

#[test]
fn an_impure_domain_is_found() {
    for (text, found) in [
        ("async fn f() {}", "waits for nothing"),
        ("fn f() { let wait = async { g().await }; }", "waits for nothing"),
        ("fn f() { std::fs::read(\"x\"); }", "std::fs::read"),
        ("use std::{env, fmt};", "std::env"),
        ("use rand::rngs::SysRng;", "rand::rngs::SysRng"),
        ("use std::time::SystemTime;", "std::time::SystemTime"),
        ("fn f() { println!() }", "println!"),
    ] {
        let told = impurities(&Crate::of("otp", &[("lib.rs", text)]));
        assert!(told.len() == 1 && told[0].contains(found), "{text}: {told:?}");
    }
    let pure = "use std::time::Duration; fn f(rng: &mut impl rand::TryRng) { format!(\"async\"); }";
    assert_none(&impurities(&Crate::of("otp", &[("lib.rs", pure)])));
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let [otp, types] = domain();
    let frontend = Crate::read("frontend", "frontend/src", &["lib.rs"]);
    let xtask = Crate::read("xtask", "xtask/src", &["main.rs"]);
    let crates = [&*APP, &frontend, &otp, &types, &SERVER, &xtask];
    let found: Vec<_> = crates.into_iter().flat_map(circles).collect();
    let told: Vec<_> = found.iter().map(circles::Circle::told).collect();
    assert_none(&told);
}

#[test]
fn the_application_depends_on_no_server_and_the_front_end_on_the_application_alone() {
    for (krate, allowed) in [
        (
            "app",
            &[
                "async-trait",
                "axum",
                "futures-util",
                "js-sys",
                "leptos",
                "leptos_axum",
                "otp-types",
                "serde",
                "serde_json",
                "server_fn",
                "thiserror",
                "wasm-bindgen",
                "wasm-bindgen-futures",
                "web-sys",
            ][..],
        ),
        ("frontend", &["app", "leptos", "wasm-bindgen"]),
    ] {
        assert_none(&strangers(
            &manifest(krate),
            allowed,
            "it would travel to browsers or tie the pages to the server; what they need from there \
             goes through app/src/port.rs",
        ));
    }
}

#[test]
fn the_domain_depends_on_small_pure_crates() {
    let instead = "does it belong into `service` or `delivery`?";
    let allowed = [
        "base64",
        "hmac",
        "idna",
        "otp-types",
        "rand",
        "rlibphonenumber",
        "serde",
        "sha2",
        "subtle",
        "thiserror",
        "zeroize",
    ];
    assert_none(&strangers(&manifest("server/otp"), &allowed, instead));
    // The island takes this crate without features, so that nothing of these travels.
    assert_none(&strangers(&manifest("otp-types"), &["serde", "utoipa"], instead));
}

#[test]
fn a_dependency_too_many_is_found() {
    let manifest: toml::Table =
        "[dependencies]\nserde = '1'\ntokio = { version = '1' }".parse().unwrap();
    assert_eq!(strangers(&manifest, &["serde"], "x"), ["`tokio` is a stranger: x"]);
}

fn manifest(krate: &str) -> toml::Table {
    let manifest = workspace().join(krate).join("Cargo.toml");
    fs::read_to_string(manifest).unwrap().parse().unwrap()
}

/// Dependencies of a crate that are not allowed.
fn strangers(manifest: &toml::Table, allowed: &[&str], instead: &str) -> Vec<String> {
    let dependencies = manifest["dependencies"].as_table().unwrap();
    let strangers = dependencies.keys().filter(|name| !allowed.contains(&name.as_str()));
    strangers.map(|name| format!("`{name}` is a stranger: {instead}")).collect()
}
