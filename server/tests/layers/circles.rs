//! Circles of imports.
//!
//! Siblings are the modules with the same parent, each with all below it. One imports another where
//! anything in it names something that is declared in the other, by whatever way of re-exports. A
//! circle is a set of siblings that all reach each other so. Whether a module and its parent name each
//! other is no question of order: a module is a part of its parent.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::source::Crate;

/// Siblings that import each other, and an import for each pair.
pub(crate) struct Circle {
    parent: String,
    members: BTreeSet<String>,
    imports: Vec<String>,
}

impl Circle {
    /// The circle in one line, as `server::http: api, problem`.
    pub(crate) fn name(&self) -> String {
        let members: Vec<_> = self.members.iter().map(String::as_str).collect();
        format!("{}: {}", self.parent, members.join(", "))
    }

    /// The circle with its imports.
    pub(crate) fn told(&self) -> String {
        let mut told = format!("circle in {}\n", self.name());
        for import in &self.imports {
            let _ = writeln!(told, "    {import}");
        }
        told
    }
}

/// Imports between siblings, each with the first one that was found.
type Imports<'a> = BTreeMap<(&'a str, &'a str), String>;

/// The circles of a crate, at every level.
pub(crate) fn circles(krate: &Crate) -> Vec<Circle> {
    let mut levels: BTreeMap<&[String], Imports<'_>> = BTreeMap::new();
    for (place, module) in &krate.modules {
        for named in &module.named {
            let Some(target) = krate.module_of(&named.path) else { continue };
            let shared = place.iter().zip(target).take_while(|(one, other)| one == other).count();
            // Else one is a part of the other.
            if let (Some(from), Some(to)) = (place.get(shared), target.get(shared)) {
                let import = || format!("{from} -> {to}: {} names {}", module.file, named.text);
                levels
                    .entry(&place[..shared])
                    .or_default()
                    .entry((from, to))
                    .or_insert_with(import);
            }
        }
    }
    levels.into_iter().flat_map(|(parent, imports)| of_level(krate, parent, &imports)).collect()
}

fn of_level(krate: &Crate, parent: &[String], imports: &Imports<'_>) -> Vec<Circle> {
    let reach = |start: &str| {
        let mut reached = BTreeSet::new();
        let mut next = vec![start];
        while let Some(from) = next.pop() {
            for (_, to) in imports.keys().filter(|(of, _)| *of == from) {
                if reached.insert(*to) {
                    next.push(to);
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|(from, _)| (*from, reach(from))).collect();
    let together = |one: &str, other: &str| {
        reached[one].contains(other) && reached.get(other).is_some_and(|back| back.contains(one))
    };
    let mut circles: Vec<Circle> = Vec::new();
    for start in reached.keys().filter(|start| together(start, start)) {
        if circles.iter().any(|circle| circle.members.contains(*start)) {
            continue;
        }
        let members: BTreeSet<_> = reached
            .keys()
            .filter(|other| together(start, other))
            .map(|m| (*m).to_owned())
            .collect();
        let within = |(from, to): &(&str, &str)| members.contains(*from) && members.contains(*to);
        let imports =
            imports.iter().filter(|(pair, _)| within(pair)).map(|(_, import)| import.clone());
        circles.push(Circle {
            parent: [std::slice::from_ref(&krate.name), &parent[1..]].concat().join("::"),
            imports: imports.collect(),
            members,
        });
    }
    circles
}

#[test]
fn a_circle_is_found_at_any_level_and_through_re_exports() {
    let found = |files: &[(&str, &str)]| -> Vec<String> {
        circles(&Crate::of("k", files)).iter().map(Circle::name).collect()
    };
    // Two files beside each other.
    let one = ("lib.rs", "mod a; mod b; mod c;");
    let (a, b) = (("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", "pub struct B;"));
    let c = ("c.rs", "use crate::{a::A, b::B};");
    assert_eq!(found(&[one, a, b, c]), [""; 0]);
    let b = ("b.rs", "pub struct B; fn f() -> super::a::A { loop {} }");
    assert_eq!(found(&[one, a, b, c]), ["k: a, b"]);
    // A circle of three, two levels below.
    let three =
        "mod m { mod n { mod x { use super::y::Y; struct X; } mod y { use super::z::Z; struct Y; }
        mod z { macro_rules! f { () => { $crate::m::n::x::X } } struct Z; } } }";
    assert_eq!(found(&[("lib.rs", three)]), ["k::m::n: x, y, z"]);
    // A parent gives out its children's items, and lends them its own.
    let parent = "mod m { mod x { use super::{Own, Y}; } mod y { use super::Own; struct Y; }
        use self::y::Y; struct Own(x::X); }";
    assert_eq!(found(&[("lib.rs", parent)]), [""; 0]);
    let back = parent.replace("mod y {", "mod y { use super::x;");
    assert_eq!(found(&[("lib.rs", &back)]), ["k::m: x, y"]);
    // A subtree is a part of its sibling.
    let below =
        "mod a { mod deep { use crate::b::B; struct D; } } mod b { mod deep { use crate::a; }
        struct B; }";
    assert_eq!(found(&[("lib.rs", below)]), ["k: a, b"]);
    let told = circles(&Crate::of("k", &[("lib.rs", below)]))[0].told();
    assert!(told.contains("a -> b: src/lib.rs names crate::b::B"), "{told}");
}
