//! Addresses of the card's forms and links without script, which depend on the page around the card.
//!
//! Only the server knows them, from its Leptos context. Hydration leaves attributes as they were
//! written, and the running island follows none of these addresses.

/// The page around a card.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub(crate) struct CardContext {
    /// Path in front of a verification's id.
    pub(crate) base: &'static str,
    /// Query at the end of each address, `?` included; may be empty.
    pub(crate) query: String,
    /// Address of the start page, if there is one.
    pub(crate) start: Option<String>,
    /// The page is in a frame.
    pub(crate) is_framed: bool,
    /// There is no other recipient to change to here: the relying party has given this one, or there is no
    /// start page.
    pub(crate) hides_change: bool,
}

#[cfg(feature = "ssr")]
impl CardContext {
    fn find() -> Self {
        leptos::prelude::use_context().unwrap_or(Self {
            base: "/v/",
            query: String::new(),
            start: Some("/".to_owned()),
            is_framed: false,
            hides_change: false,
        })
    }
}

/// Address to which a form of a verification is posted.
#[cfg(feature = "ssr")]
pub(super) fn path(id: &str, verb: &str) -> String {
    let CardContext { base, query, .. } = CardContext::find();
    [base, id, "/", verb, &query].concat()
}

#[cfg(not(feature = "ssr"))]
pub(super) fn path(_id: &str, _verb: &str) -> &'static str {
    ""
}

/// Address of the start page.
#[cfg(feature = "ssr")]
pub(super) fn start() -> String {
    CardContext::find().start.unwrap_or_default()
}

#[cfg(not(feature = "ssr"))]
pub(super) fn start() -> &'static str {
    ""
}

/// Whether there is a start page.
pub(super) fn has_start() -> bool {
    #[cfg(feature = "ssr")]
    return CardContext::find().start.is_some();
    #[cfg(not(feature = "ssr"))]
    true
}

/// `false` in a frame: browsers refuse to autofocus a field there and log a warning.
pub(super) fn may_autofocus() -> bool {
    #[cfg(feature = "ssr")]
    return !CardContext::find().is_framed;
    #[cfg(not(feature = "ssr"))]
    true
}

/// Whether the recipient cannot be changed here.
pub(super) fn hides_change() -> bool {
    #[cfg(feature = "ssr")]
    return CardContext::find().hides_change;
    #[cfg(not(feature = "ssr"))]
    false
}
