//! Crates as far as the rules need to read them: the paths that each module names.
//!
//! Files are parsed, and found by their `mod` declarations. Paths count wherever they stand: in `use`
//! trees, types, expressions, attributes and the tokens of macros. Code for tests does not count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path as FilePath, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Ident, Item, Meta, Token, UseTree,
    punctuated::Punctuated,
    visit::{self, Visit},
};

/// Segments of a path. Absolute ones begin with `crate` or with the name of another crate.
pub(crate) type Path = Vec<String>;

/// Reads `a::b::c`.
pub(crate) fn path(text: &str) -> Path {
    text.split("::").map(str::to_owned).collect()
}

/// First segment of a path that begins with two colons.
const EXTERN: &str = "::";

/// A crate.
pub(crate) struct Crate {
    pub(crate) name: String,
    /// By their absolute paths; that of the root is `crate`.
    pub(crate) modules: BTreeMap<Path, Module>,
}

/// A module: a file, or a block within one.
#[derive(Default)]
pub(crate) struct Module {
    /// The file, relative to the workspace.
    pub(crate) file: String,
    /// The paths that the module names.
    pub(crate) named: BTreeSet<Named>,
    /// The module has an `async` function, block or closure, or awaits something.
    pub(crate) is_async: bool,
    /// Names of the items that the module declares.
    items: BTreeSet<String>,
    /// Names that `use` and `type` give to other paths.
    bindings: BTreeMap<String, Path>,
    /// Modules all of whose names are imported.
    globs: Vec<Path>,
    /// Paths as they stand in the file, and whether they end in `*`.
    written: Vec<(Path, bool)>,
}

/// A path that a module names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    /// Absolute and without re-exports: the place where the item is declared.
    pub(crate) path: Path,
    /// It ends in `*`.
    pub(crate) glob: bool,
    /// Absolute, as it is written.
    pub(crate) text: String,
}

impl Named {
    /// Whether this names something at or below a place, or may do so by a `*`.
    pub(crate) fn reaches(&self, place: &[String]) -> bool {
        self.path.starts_with(place) || self.glob && place.starts_with(&self.path)
    }
}

/// Gives the text of a file.
type Files<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Crate {
    /// Reads a crate of the workspace. The first root is the crate's; another one, such as that of a
    /// binary beside a library, becomes a module of it.
    pub(crate) fn read(name: &str, folder: &str, roots: &[&str]) -> Self {
        Self::parse(name, folder, roots, &|file| fs::read_to_string(workspace().join(file)).ok())
    }

    /// Reads a crate from the texts of its files.
    pub(crate) fn of(name: &str, files: &[(&str, &str)]) -> Self {
        Self::parse(name, "src", &["lib.rs"], &|file| {
            let (_, text) = files.iter().find(|(name, _)| file == format!("src/{name}"))?;
            Some((*text).to_owned())
        })
    }

    fn parse(name: &str, folder: &str, roots: &[&str], files: Files<'_>) -> Self {
        let mut krate = Self { name: name.to_owned(), modules: BTreeMap::new() };
        for (index, root) in roots.iter().enumerate() {
            let mut place = path("crate");
            if index > 0 {
                place.push(root.trim_end_matches(".rs").to_owned());
            }
            krate.add_file(place, folder, &format!("{folder}/{root}"), files);
        }
        let named: Vec<_> = krate.modules.keys().map(|place| krate.named_by(place)).collect();
        for (module, named) in krate.modules.values_mut().zip(named) {
            module.named = named;
        }
        krate
    }

    fn add_file(&mut self, place: Path, folder: &str, file: &str, files: Files<'_>) {
        let text = files(file).unwrap_or_else(|| panic!("there is no {file}"));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.add_module(place, folder, file, &parsed.items, files);
    }

    fn add_module(
        &mut self,
        place: Path,
        folder: &str,
        file: &str,
        items: &[Item],
        files: Files<'_>,
    ) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items.iter().filter(|item| !is_for_tests(attributes(item))) {
            module.declare(item);
            let Item::Mod(child) = item else {
                module.visit_item(item);
                continue;
            };
            let name = child.ident.to_string();
            let folder = format!("{folder}/{name}");
            let below = [place.as_slice(), &[name]].concat();
            if let Some((_, items)) = &child.content {
                self.add_module(below, &folder, file, items, files);
            } else {
                let single = format!("{folder}.rs");
                let file =
                    if files(&single).is_some() { single } else { folder.clone() + "/mod.rs" };
                self.add_file(below, &folder, &file, files);
            }
        }
        self.modules.insert(place, module);
    }

    fn named_by(&self, place: &Path) -> BTreeSet<Named> {
        let named = self.modules[place].written.iter().map(|(written, glob)| {
            let absolute = self.absolute(place, written);
            let text = absolute.join("::") + if *glob { "::*" } else { "" };
            Named { path: self.origin(&absolute), glob: *glob, text }
        });
        named.collect()
    }

    /// The absolute form of a path that stands in the module at `place`.
    fn absolute(&self, place: &[String], written: &[String]) -> Path {
        let (first, rest) = written.split_first().expect("no path is empty");
        let module = &self.modules[place];
        match first.as_str() {
            "crate" => written.to_vec(),
            EXTERN => rest.to_vec(),
            "self" => [place, rest].concat(),
            "super" => {
                let ups = written.iter().take_while(|segment| *segment == "super").count();
                [&place[..place.len() - ups], &written[ups..]].concat()
            }
            name if name == self.name => [&path("crate"), rest].concat(),
            name if module.items.contains(name) || module.bindings.contains_key(name) => {
                [place, written].concat()
            }
            _ => written.to_vec(),
        }
    }

    /// The path at which an item is declared, without re-exports and aliases.
    pub(crate) fn origin(&self, absolute: &[String]) -> Path {
        let mut path = absolute.to_vec();
        // More steps than any chain of names has: one that goes round ends somewhere.
        for _ in 0..32 {
            let Some(place) = self.module_of(&path) else { break };
            let Some((name, rest)) = path[place.len()..].split_first() else { break };
            let module = &self.modules[place];
            if module.items.contains(name) {
                break;
            }
            let target = match module.bindings.get(name) {
                // `use b::b;`: the crate `b`.
                Some(target) if target[0] == *name => target.clone(),
                Some(target) => self.absolute(place, target),
                None => {
                    let globs = module.globs.iter().map(|glob| self.absolute(place, glob));
                    let glob = globs.map(|glob| self.origin(&glob)).find(|glob| {
                        glob != place
                            && self.modules.get(glob).is_some_and(|module| module.has(name))
                    });
                    let Some(glob) = glob else { break };
                    [glob.as_slice(), std::slice::from_ref(name)].concat()
                }
            };
            path = [&target, rest].concat();
        }
        path
    }

    /// The innermost module that an absolute path of this crate leads through.
    pub(crate) fn module_of<'p>(&self, absolute: &'p [String]) -> Option<&'p [String]> {
        (1..=absolute.len())
            .map(|length| &absolute[..length])
            .take_while(|place| self.modules.contains_key(*place))
            .last()
    }

    /// Whether an absolute path leads to a module or an item of this crate.
    pub(crate) fn has(&self, absolute: &[String]) -> bool {
        let origin = self.origin(absolute);
        self.module_of(&origin).is_some_and(|place| {
            let name = origin.get(place.len());
            name.is_none_or(|name| self.modules[place].has(name))
        })
    }
}

impl Module {
    fn has(&self, name: &str) -> bool {
        self.items.contains(name) || self.bindings.contains_key(name)
    }

    fn declare(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Mod(item) => &item.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => match &*item.ty {
                // An alias hides nothing: its name stands for the other path.
                syn::Type::Path(of) if of.qself.is_none() && of.path.segments.len() > 1 => {
                    self.bind(&item.ident, segments(&of.path));
                    return;
                }
                _ => &item.ident,
            },
            _ => return,
        };
        self.items.insert(name.to_string());
    }

    fn bind(&mut self, name: &Ident, target: Path) {
        self.bindings.entry(name.to_string()).or_insert(target);
    }

    fn use_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &Ident| match name.to_string() {
            // `a::{self}` is `a`.
            name if name == "self" && !before.is_empty() => before.to_vec(),
            name => [before, &[name]].concat(),
        };
        match tree {
            UseTree::Path(tree) => self.use_tree(&with(&tree.ident), &tree.tree),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.use_tree(before, tree));
            }
            UseTree::Name(tree) => {
                let target = with(&tree.ident);
                let name = target.last().expect("it holds a name").clone();
                self.bindings.entry(name).or_insert_with(|| target.clone());
                self.written.push((target, false));
            }
            UseTree::Rename(tree) => {
                self.bind(&tree.rename, with(&tree.ident));
                self.written.push((with(&tree.ident), false));
            }
            UseTree::Glob(_) => {
                self.globs.push(before.to_vec());
                self.written.push((before.to_vec(), true));
            }
        }
    }

    fn name(&mut self, path: Path) {
        // A single name was imported, or is this module's own.
        if path.len() > 1 && path[0] != "Self" {
            self.written.push((path, false));
        }
    }

    /// Names what looks like a path in tokens that only a macro understands.
    fn tokens(&mut self, tokens: TokenStream, in_attribute: bool) {
        let mut path = Path::new();
        let mut colons = 0;
        for token in tokens {
            if let TokenTree::Punct(punct) = &token
                && punct.as_char() == ':'
            {
                colons += 1;
                continue;
            }
            if colons != 2 || !matches!(token, TokenTree::Ident(_)) {
                self.name(std::mem::take(&mut path));
            }
            colons = 0;
            match token {
                TokenTree::Ident(ident) => {
                    self.is_async |= ident == "async" || ident == "await";
                    path.push(ident.to_string());
                }
                TokenTree::Group(group) => self.tokens(group.stream(), in_attribute),
                // serde and others take paths as text.
                TokenTree::Literal(literal) if in_attribute => {
                    let text = syn::parse_str::<syn::LitStr>(&literal.to_string());
                    if let Ok(path) = text.and_then(|text| text.parse::<syn::Path>()) {
                        self.name(segments(&path));
                    }
                }
                TokenTree::Literal(_) | TokenTree::Punct(_) => {}
            }
        }
        self.name(path);
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let before = item.leading_colon.map(|_| EXTERN.to_owned());
        self.use_tree(before.as_slice(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.name(segments(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        let mut path = segments(&called.path);
        if let Some(name) = path.last_mut() {
            name.push('!');
        }
        self.written.push((path, false));
        self.tokens(called.tokens.clone(), false);
        visit::visit_macro(self, called);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone(), true);
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.is_async |= signature.asyncness.is_some();
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.is_async = true;
        visit::visit_expr_async(self, block);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.is_async |= closure.asyncness.is_some();
        visit::visit_expr_closure(self, closure);
    }

    fn visit_expr_await(&mut self, awaited: &'ast syn::ExprAwait) {
        self.is_async = true;
        visit::visit_expr_await(self, awaited);
    }
}

fn segments(path: &syn::Path) -> Path {
    let before = path.leading_colon.map(|_| EXTERN.to_owned());
    let names = path.segments.iter().map(|segment| segment.ident.to_string());
    before.into_iter().chain(names).collect()
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether an item is compiled for tests alone.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Meta>().is_ok_and(|condition| asks_for_tests(&condition))
    })
}

fn asks_for_tests(condition: &Meta) -> bool {
    let Meta::List(list) = condition else { return condition.path().is_ident("test") };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if list.path.is_ident("all") {
        parts.iter().any(asks_for_tests)
    } else {
        list.path.is_ident("any") && parts.iter().all(asks_for_tests)
    }
}

/// The folder of the workspace.
pub(crate) fn workspace() -> PathBuf {
    FilePath::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn paths_are_read_wherever_they_stand_and_followed_to_their_declaration() {
    let krate = Crate::of(
        "k",
        &[
            (
                "lib.rs",
                "mod a; mod b { pub mod inner { pub struct Deep; } pub use self::inner::Deep; }
                 mod c { pub use super::b::*; pub fn f() {} } mod d { pub struct D; }",
            ),
            (
                "a.rs",
                r#"//! crate::comment
                use std::{fmt::{self, Write as _}, time::Instant as Moment};
                use crate::{b::{inner, Deep}, c};
                type Clock = std::time::SystemTime;
                /// [`crate::document`]
                #[serde(with = "crate::d::text")]
                fn f(of: &super::d::D) -> fmt::Result {
                    let now = (Moment::now(), Clock::now(), "crate::string");
                    println!("{}", c::f(inner::Deep, k::c::Deep)); // crate::aside
                    async { self::g().await }
                }
                #[cfg(all(test, unix))]
                mod tests { use crate::d::tests; }
                #[cfg(test)]
                fn only_tested() { crate::tests::f() }"#,
            ),
        ],
    );
    let module = &krate.modules[&path("crate::a")];
    let named: Vec<_> = module.named.iter().map(|named| named.path.join("::")).collect();
    let mut expected = vec![
        "crate::a::g",
        "crate::b::inner",
        "crate::b::inner::Deep",
        "crate::c",
        "crate::c::f",
        "crate::d::D",
        "crate::d::text",
        "println!",
        "std::fmt",
        "std::fmt::Result",
        "std::fmt::Write",
        "std::time::Instant",
        "std::time::Instant::now",
        "std::time::SystemTime",
        "std::time::SystemTime::now",
    ];
    let mut found: Vec<_> = named.iter().map(String::as_str).collect();
    found.dedup();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(module.is_async && !krate.modules[&path("crate::c")].is_async);
    assert!(krate.has(&path("crate::c::Deep")) && !krate.has(&path("crate::c::Shallow")));
}
