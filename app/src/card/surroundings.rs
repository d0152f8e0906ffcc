//! Where the card's forms and links lead without script, which depends on what surrounds it.
//!
//! Only the server says so, out of its context: hydration leaves attributes as they were written,
//! and a browser that runs the island follows none of these addresses.

/// What surrounds a card.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// What the address of a verification begins with.
    pub(crate) base: &'static str,
    /// What each address ends with: a query, or nothing.
    pub(crate) query: String,
    /// Where to begin anew.
    pub(crate) start: String,
    /// It stands in a frame.
    pub(crate) is_framed: bool,
    /// Somebody else has named the recipient, who cannot be changed here.
    pub(crate) is_given: bool,
}

#[cfg(feature = "ssr")]
impl Surroundings {
    fn find() -> Self {
        leptos::prelude::use_context().unwrap_or(Self {
            base: "/v/",
            query: String::new(),
            start: "/".to_owned(),
            is_framed: false,
            is_given: false,
        })
    }
}

/// Where a form of a verification is posted to.
#[cfg(feature = "ssr")]
pub(super) fn path(id: &str, verb: &str) -> String {
    let Surroundings { base, query, .. } = Surroundings::find();
    [base, id, "/", verb, &query].concat()
}

#[cfg(not(feature = "ssr"))]
pub(super) fn path(_id: &str, _verb: &str) -> &'static str {
    ""
}

/// Where to begin anew.
#[cfg(feature = "ssr")]
pub(super) fn start() -> String {
    Surroundings::find().start
}

#[cfg(not(feature = "ssr"))]
pub(super) fn start() -> &'static str {
    ""
}

/// Browsers refuse to focus a field in a frame unasked, and say so in the console.
pub(super) fn may_autofocus() -> bool {
    #[cfg(feature = "ssr")]
    return !Surroundings::find().is_framed;
    #[cfg(not(feature = "ssr"))]
    true
}

/// Cannot the person choose another recipient here?
pub(super) fn is_given() -> bool {
    #[cfg(feature = "ssr")]
    return Surroundings::find().is_given;
    #[cfg(not(feature = "ssr"))]
    false
}
