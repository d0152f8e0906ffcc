//! Rules over the paths that modules name. Each check gives one line for each breach.

use crate::source::{Crate, Path, path};

/// The other top modules, or the parts of them, that a module may name.
pub(crate) struct Layer {
    /// A module below the root. The innermost layer that a module is in holds for it.
    pub(crate) module: &'static str,
    /// Modules or items below the root; each stands for everything below it as well.
    pub(crate) may_name: &'static [&'static str],
    /// Advice for a module that would name more.
    pub(crate) instead: &'static str,
}

/// Things that few modules may name.
pub(crate) struct Confined {
    /// Modules, items, functions or macros, in this crate or another one.
    pub(crate) names: &'static [&'static str],
    /// Modules below the root, each with everything below it.
    pub(crate) homes: &'static [&'static str],
    /// Advice for a module that would name them.
    pub(crate) instead: &'static str,
}

fn below_root(text: &str) -> Path {
    path(&format!("crate::{text}"))
}

/// Paths into other top modules that no layer permits.
pub(crate) fn breaches(krate: &Crate, layers: &[Layer]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (place, module) in krate.modules.iter().filter(|(place, _)| place.len() > 1) {
        let Some(layer) = layer(layers, place) else {
            breaches.push(format!("{}: `{}` is in no layer", module.file, place.join("::")));
            continue;
        };
        let may_name: Vec<_> =
            layer.may_name.iter().map(|name| krate.origin(&below_root(name))).collect();
        for named in &module.named {
            let of_crate = named.path[0] == "crate"
                && krate.modules.contains_key(&named.path[..2.min(named.path.len())]);
            let own = named.path.get(1) == place.get(1);
            if of_crate && !own && !may_name.iter().any(|may| named.path.starts_with(may)) {
                let Layer { module: name, instead, .. } = layer;
                let text = &named.text;
                breaches
                    .push(format!("{}: `{name}` may not name `{text}`: {instead}", module.file));
            }
        }
    }
    breaches
}

fn layer<'a>(layers: &'a [Layer], place: &[String]) -> Option<&'a Layer> {
    let around = layers.iter().filter(|layer| place.starts_with(&below_root(layer.module)));
    around.max_by_key(|layer| layer.module.len())
}

/// Modules that name confined things and are none of their homes.
pub(crate) fn escapes(krate: &Crate, confined: &[Confined]) -> Vec<String> {
    let mut escapes = Vec::new();
    for Confined { names, homes, instead } in confined {
        let names: Vec<_> = names.iter().map(|name| krate.origin(&path(name))).collect();
        for (place, module) in &krate.modules {
            if homes.iter().any(|home| place.starts_with(&below_root(home))) {
                continue;
            }
            let found =
                module.named.iter().filter(|named| names.iter().any(|name| named.reaches(name)));
            escapes.extend(found.map(|named| {
                format!("{}: `{}` is out of place: {instead}", module.file, named.text)
            }));
        }
    }
    escapes
}

/// Entries of the tables that permit what nobody does, or that lead nowhere.
pub(crate) fn stale(krate: &Crate, layers: &[Layer], confined: &[Confined]) -> Vec<String> {
    let mut stale = Vec::new();
    let known = |text: &str| krate.has(&below_root(text));
    for layer in layers {
        if !known(layer.module) {
            stale.push(format!("there is no module `{}`", layer.module));
        }
        let modules = || {
            let modules = krate.modules.iter();
            modules.filter(|(place, _)| {
                self::layer(layers, place).is_some_and(|of| of.module == layer.module)
            })
        };
        for name in layer.may_name {
            let origin = krate.origin(&below_root(name));
            let mut named = modules().flat_map(|(_, module)| &module.named);
            if !known(name) {
                stale.push(format!("`{}` may name `{name}`, which there is not", layer.module));
            } else if !named.any(|named| named.path.starts_with(&origin)) {
                stale.push(format!("`{}` may name `{name}` and does not", layer.module));
            }
        }
    }
    for Confined { names, homes, .. } in confined {
        for name in names.iter().filter(|name| name.starts_with("crate::")) {
            if !krate.has(&path(name)) {
                stale.push(format!("there is no `{name}`"));
            }
        }
        let names: Vec<_> = names.iter().map(|name| krate.origin(&path(name))).collect();
        for home in *homes {
            let modules =
                krate.modules.iter().filter(|(place, _)| place.starts_with(&below_root(home)));
            let mut named = modules.flat_map(|(_, module)| &module.named);
            if !named.any(|named| names.iter().any(|name| named.reaches(name))) {
                stale.push(format!("`{home}` is a home of {names:?} and names none of them"));
            }
        }
    }
    stale
}

#[cfg(test)]
mod fixtures {
    use super::*;

    const LAYERS: &[Layer] = &[
        Layer {
            module: "service",
            may_name: &["delivery::envelope", "store::Store"],
            instead: "x",
        },
        Layer { module: "http", may_name: &[], instead: "x" },
        Layer { module: "http::api", may_name: &["service"], instead: "x" },
        Layer { module: "delivery", may_name: &[], instead: "x" },
        Layer { module: "store", may_name: &[], instead: "x" },
    ];

    /// A crate with the same delivery and store every time.
    fn with(service: &str, http: &str) -> Crate {
        Crate::of(
            "k",
            &[
                ("lib.rs", "mod service; mod http; mod delivery; mod store;"),
                ("service.rs", service),
                ("http.rs", http),
                ("delivery.rs", "pub mod envelope { pub struct Envelope; } pub mod worker { pub struct Worker; }
                    pub use self::{envelope::Envelope, worker::Worker};"),
                ("store.rs", "pub trait Store {} pub struct Sqlite; impl Store for Sqlite {}"),
            ],
        )
    }

    fn texts(breaches: &[String]) -> String {
        breaches.join("\n")
    }

    #[test]
    fn a_module_may_name_the_permitted_part_of_another_and_no_other_part() {
        let good = "use crate::{delivery::{Envelope, envelope}, store::Store};";
        assert_eq!(breaches(&with(good, ""), LAYERS), [""; 0]);
        for (bad, named) in [
            ("use crate::delivery::worker::Worker;", "crate::delivery::worker::Worker"),
            (
                "use crate::{store::Store, delivery::{envelope, Worker as W}};",
                "crate::delivery::Worker",
            ),
            ("fn f() { super::delivery::worker::Worker; }", "crate::delivery::worker::Worker"),
            ("use crate::delivery; fn f(e: delivery::Envelope) {}", "crate::delivery"),
            ("use crate::delivery::*;", "crate::delivery::*"),
            ("fn f() { println!(\"{}\", crate::store::Sqlite) }", "crate::store::Sqlite"),
            ("struct S(Vec<k::store::Sqlite>);", "crate::store::Sqlite"),
            ("mod within { use super::super::store::Sqlite; }", "crate::store::Sqlite"),
        ] {
            let told = texts(&breaches(&with(bad, ""), LAYERS));
            assert!(told.contains(&format!("`service` may not name `{named}`")), "{bad}: {told}");
        }
    }

    #[test]
    fn the_innermost_layer_holds() {
        let api = "mod api { use crate::{http::Own, service::f}; } struct Own;";
        assert_eq!(breaches(&with("pub fn f() {}", api), LAYERS), [""; 0]);
        let http = "mod api {} mod pages { use crate::service::f; }";
        let told = texts(&breaches(&with("pub fn f() {}", http), LAYERS));
        assert!(told.contains("`http` may not name `crate::service::f`"), "{told}");
        let told = texts(&breaches(&Crate::of("k", &[("lib.rs", "mod new {}")]), LAYERS));
        assert!(told.contains("`crate::new` is in no layer"), "{told}");
    }

    #[test]
    fn what_is_confined_is_found_under_any_name() {
        let confined = [Confined {
            names: &["std::time::Instant::now", "rusqlite", "println!", "crate::store::Sqlite"],
            homes: &["store"],
            instead: "x",
        }];
        let escapes = |service: &str| texts(&super::escapes(&with(service, ""), &confined));
        let good = "use tokio::time::Instant; fn f() { Instant::now(); }
            #[cfg(test)] mod tests { use rusqlite::Connection; }";
        assert_eq!(escapes(good), "");
        for (bad, named) in [
            ("use std::time::{Duration, Instant}; fn f() { Instant::now(); }", "Instant::now"),
            ("use std::time as t; fn f() { t::Instant::now(); }", "Instant::now"),
            (
                "fn f(o: Option<I>) { o.unwrap_or_else(I::now); } type I = std::time::Instant;",
                "I::now",
            ),
            ("use std::time::*;", "std::time::*"),
            ("fn f() -> ::rusqlite::Result<()> {}", "rusqlite::Result"),
            ("fn f() { println!() }", "println!"),
            ("use crate::store::Sqlite as S;", "crate::store::Sqlite"),
        ] {
            let told = escapes(bad);
            assert!(told.contains(named) && told.contains("is out of place"), "{bad}: {told}");
        }
    }

    #[test]
    fn an_entry_that_permits_nothing_is_stale() {
        let krate = with("use crate::delivery::envelope;", "mod api {}");
        let confined =
            [Confined { names: &["crate::store::Gone"], homes: &["http"], instead: "x" }];
        let told = texts(&stale(&krate, LAYERS, &confined));
        assert!(told.contains("`service` may name `store::Store` and does not"), "{told}");
        assert!(!told.contains("delivery::envelope"), "{told}");
        assert!(told.contains("there is no `crate::store::Gone`"), "{told}");
        assert!(told.contains("`http` is a home of"), "{told}");
        let gone = [Layer { module: "gone", may_name: &[], instead: "x" }];
        assert_eq!(stale(&krate, &gone, &[]), ["there is no module `gone`"]);
    }
}
