//! The pages as the server renders them, before any script has run.
//!
//! Each text is its own id in brackets, so these tests do not depend on the catalogue.
#![cfg(feature = "ssr")]

mod frames;
mod other_pages;
mod start_page;
mod verification_page;

use app::{
    error::{ApiError, RecipientProblem},
    flash::Flash,
    look::{Look, LookOptions},
    pages::{
        Assets, Endpoint, Frame, Group, InboxPage, Member, NotMePage, ProblemPage, Reference,
        ReferencePage, Setting, StartForm, StartPage, VerificationPage, WorkPage, inbox, not_me,
        problem, reference as lay_out, start, verification, work,
    },
    texts::{Argument, SLOT, Texts},
    wire::{
        Brand, Channel, Country, Delivery, DeliveryState, Embedding, InboxMessage, NotMeView,
        PageView, Place, Proof, StartOptions, StartRequest, State, Token, VerificationView,
        WayBack,
    },
    work::{Challenge, Work},
};

const NONCE: &str = "n0nce";

struct Site {
    texts: Texts,
    assets: Assets,
}

impl Site {
    fn new() -> Self {
        let texts = Texts::collect("en", |id, argument| match argument {
            Argument::Nothing => format!("[{id}]"),
            Argument::Count(count) => format!("[{id} {count}]"),
            Argument::Slot(_) => format!("[{id} {SLOT}]"),
        });
        let assets = Assets {
            css: "p>a{color:red}".into(),
            dark: "p>a{color:pink}".into(),
            embed_css: "main{margin:0}".into(),
            reference_css: "dl{margin:1px}".into(),
            loader: "go(1<2)".into(),
            frame: "tell(2>1)".into(),
            work: "find(3>2)".into(),
            js: "/assets/island.1.js".into(),
            wasm: "/assets/island_bg.2.wasm".into(),
        };
        Self { texts, assets }
    }

    fn frame(&self) -> Frame<'_> {
        Frame { texts: &self.texts, assets: &self.assets, nonce: NONCE, has_start: true }
    }

    fn verification(&self, view: Option<VerificationView>, flash: Option<Flash>) -> String {
        let page = view.map(|view| PageView {
            claim: (view.state == State::Pending).then(|| "cla1m".to_owned()),
            view: Some(view),
            ..PageView::default()
        });
        verification(VerificationPage { frame: self.frame(), page, flash, setting: None })
    }

    /// The page of a verification for a person whom a relying party has redirected, who has the proof.
    fn visited(&self, state: State, token: Option<&str>) -> String {
        self.visited_with(state, Proof::Own(token.map(signed)))
    }

    fn visited_with(&self, state: State, proof: Proof) -> String {
        let view = Some(over(state)).filter(|_| state != State::Expired);
        let brand = Brand {
            name: "Tea & Co".into(),
            support: Some("https://shop.example/help".into()),
            ..Brand::default()
        };
        let place = Place::Visited(WayBack {
            url: "https://shop.example/return?a=1&b=\"2\"".into(),
            result: state,
            page_state: Some("<s>".into()),
        });
        let proof = (state == State::Approved).then_some(proof);
        let page = Some(PageView { view, brand, place, proof, ..PageView::default() });
        verification(VerificationPage { frame: self.frame(), page, flash: None, setting: None })
    }

    fn start(&self, options: &StartOptions, typed: StartForm, error: Option<ApiError>) -> String {
        let brand = &Brand::default();
        start(StartPage { frame: self.frame(), options, typed, error, brand, setting: None })
    }

    fn problem(&self, error: ApiError) -> String {
        problem(ProblemPage { frame: self.frame(), error, setting: None })
    }

    fn not_me(&self, view: Option<NotMeView>) -> String {
        not_me(NotMePage { frame: self.frame(), view })
    }

    fn reference(&self, reference: &Reference) -> String {
        lay_out(ReferencePage { frame: self.frame(), reference })
    }

    fn inbox(&self, messages: Vec<InboxMessage>) -> String {
        inbox(InboxPage { frame: self.frame(), messages, now: 65_000 })
    }
}

fn not_me_view() -> NotMeView {
    NotMeView {
        recipient: "j***@example.com".into(),
        brand: Brand {
            name: "Tea & Co".into(),
            support: Some("https://shop.example/help".into()),
            ..Brand::default()
        },
        state: State::Pending,
        is_done: false,
        cool_down_hours: 24,
    }
}

fn view() -> VerificationView {
    VerificationView {
        id: "k3J9".into(),
        state: State::Pending,
        recipient: "j***@example.com".into(),
        code_length: 6,
        attempts_left: 4,
        sends_left: 3,
        delivery: Delivery {
            channel: Channel::Email,
            state: DeliveryState::Sent,
            tries: 1,
            number: 1,
        },
        channels: vec![Channel::Email],
        now: 100_000,
        code_expires_at: 372_000,
        resend_at: 125_000,
        expires_at: 372_000,
        leads_on: false,
    }
}

fn signed(token: &str) -> Token {
    Token { signed: token.to_owned(), expires_at: 160_000 }
}

fn over(state: State) -> VerificationView {
    VerificationView { state, ..view() }
}

fn options() -> StartOptions {
    let country = |region: &str, calling_code| Country {
        region: region.into(),
        name: format!("name of {region}"),
        calling_code,
    };
    StartOptions {
        channels: vec![Channel::Email, Channel::Sms],
        fixed_recipient: None,
        countries: vec![country("DE", 49), country("GB", 44)],
        default_country: "GB".into(),
    }
}

fn message(number: u64, code: &str) -> InboxMessage {
    InboxMessage {
        number,
        received_at: 60_000,
        channel: Channel::Sms,
        to: "+447700900142".into(),
        subject: String::new(),
        text: format!("Your code is <b>{code}</b>"),
        code: code.into(),
    }
}

/// Every page, with a name for assertion messages.
fn every_page(site: &Site) -> Vec<(&'static str, String)> {
    let fixed =
        StartOptions { fixed_recipient: Some("+44 ••• ••42".into()), ..options() };
    let invalid = ApiError::InvalidRecipient { problem: RecipientProblem::Email };
    vec![
        ("start", site.start(&options(), StartForm::default(), None)),
        ("start again", site.start(&options(), StartForm::default(), Some(invalid))),
        ("start fixed", site.start(&fixed, StartForm::default(), None)),
        ("enter", site.verification(Some(view()), None)),
        ("wrong", site.verification(Some(view()), Some(Flash::Incorrect))),
        ("approved", site.verification(Some(over(State::Approved)), None)),
        ("returning", site.visited(State::Approved, Some("a.b.c"))),
        ("unknown", site.verification(None, None)),
        ("not me", site.not_me(Some(not_me_view()))),
        ("not me, done", site.not_me(Some(NotMeView { is_done: true, ..not_me_view() }))),
        ("not me, over", site.not_me(None)),
        ("problem", site.problem(ApiError::Internal)),
        ("inbox", site.inbox(vec![message(1, "123456")])),
        ("reference", site.reference(&Reference::default())),
    ]
}

/// The start tag of the element with this id.
fn tag<'a>(html: &'a str, id: &str) -> &'a str {
    let at = html.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no #{id} in {html}"));
    let (from, to) = (html[..at].rfind('<').unwrap(), at + html[at..].find('>').unwrap());
    &html[from..=to]
}

/// The text between the first occurrence of `from` and the next of `to`.
fn between<'a>(html: &'a str, from: &str, to: &str) -> &'a str {
    let rest = html.split_once(from).unwrap_or_else(|| panic!("no {from} in {html}")).1;
    rest.split_once(to).unwrap().0
}

fn title(html: &str) -> &str {
    between(html, "<title>", "</title>")
}

#[test]
fn every_page_is_a_whole_document_in_its_language() {
    for (name, html) in every_page(&Site::new()) {
        assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\" dir=\"ltr\">"), "{name}");
        assert!(html.ends_with("</html>"), "{name}");
        assert_eq!(html.matches("<h1").count() - html.matches("<h1 id=\"ending\"").count(), 1);
        assert!(html.contains("<meta name=\"color-scheme\" content=\"light dark\">"), "{name}");
    }
}

#[test]
fn every_page_obeys_a_policy_of_nonces() {
    for (name, html) in every_page(&Site::new()) {
        assert!(!html.contains(" style="), "{name}");
        assert!(!html.contains(" onclick="), "{name}");
        for element in ["<script", "<style"] {
            for at in html.match_indices(element).map(|(at, _)| at) {
                let tag = &html[at..at + html[at..].find('>').unwrap()];
                assert!(tag.contains("nonce=\"n0nce\""), "{name}: {tag}");
            }
        }
    }
}

#[test]
fn style_and_loader_are_put_into_the_page_unescaped() {
    let html = Site::new().verification(Some(view()), None);
    assert!(html.contains("p>a{color:red}</style>"));
    assert!(html.contains("go(1<2)</script>"));
    assert!(html.contains("data-js=\"/assets/island.1.js\""));
    assert!(html.contains("data-wasm=\"/assets/island_bg.2.wasm\""));
    assert!(!html.contains("<link rel=\"stylesheet\""));
}

#[test]
fn a_page_without_a_built_island_carries_no_script() {
    let mut site = Site::new();
    site.assets.js = String::new();
    assert!(!site.verification(Some(view()), None).contains("<script"));
}

#[test]
fn only_the_start_page_may_be_listed_by_search_engines() {
    for (name, html) in every_page(&Site::new()) {
        let listed = name == "start" || name == "start fixed";
        assert_eq!(html.contains("content=\"noindex\""), !listed, "{name}");
    }
}

#[test]
fn a_title_names_errors_first_and_never_the_recipient() {
    let site = Site::new();
    assert_eq!(title(&site.verification(Some(view()), None)), "[title]");
    assert_eq!(
        title(&site.verification(Some(view()), Some(Flash::TooShort))),
        "[error-prefix] [title]"
    );
    assert_eq!(title(&site.verification(Some(over(State::Approved)), None)), "[title]");
    assert_eq!(title(&site.verification(None, None)), "[error-prefix] [title]");
    for (name, html) in every_page(&site) {
        assert!(!title(&html).contains("example.com"), "{name}");
    }
}

#[test]
fn a_page_in_a_right_to_left_language_declares_its_direction() {
    let mut site = Site::new();
    site.texts.locale = "ar".into();
    assert!(site.verification(Some(view()), None).contains("<html lang=\"ar\" dir=\"rtl\">"));
}

/// A frame in a page of `https://shop.example`.
fn setting() -> Setting {
    let logo = Some("data:image/png;base64,AA==".to_owned());
    Setting {
        origin: "https://shop.example".into(),
        query: "site_key=k&origin=o".into(),
        is_given: false,
        brand: Brand { name: "Shop & Co".into(), logo, ..Brand::default() },
        look: Look::default().with(LookOptions {
            theme: "dark",
            accent: "#112233",
            ..LookOptions::default()
        }),
    }
}

fn framed(setting: &Setting, view: Option<VerificationView>, token: Option<&str>) -> String {
    framed_with(setting, view, Proof::Own(token.map(signed)))
}

fn framed_with(setting: &Setting, view: Option<VerificationView>, proof: Proof) -> String {
    let site = Site::new();
    let page = Embedding {
        site_key: "k".into(),
        origin: "https://shop.example".into(),
        page_state: Some("a \"state\"".into()),
    };
    let proof = view.as_ref().filter(|view| view.state == State::Approved).map(|_| proof);
    let brand = Brand { name: "Shop & Co".into(), ..Brand::default() };
    let place = Place::Embedded(page);
    let page = PageView { view, brand, place, proof, ..PageView::default() };
    let (page, setting) = (Some(page), Some(setting));
    verification(VerificationPage { frame: site.frame(), page, flash: None, setting })
}
