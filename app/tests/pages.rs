//! The pages as the server renders them, before any script has run.
//!
//! Each text is its own id in brackets, so these tests do not depend on the catalogue.
#![cfg(feature = "ssr")]

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
fn the_field_is_one_input_that_browsers_know_how_to_fill() {
    let html = Site::new().verification(Some(view()), None);
    assert_eq!(html.matches("<input").count() - html.matches("type=\"hidden\"").count(), 1);
    let field = tag(&html, "code");
    for attribute in [
        "name=\"code\"",
        "type=\"text\"",
        "inputmode=\"numeric\"",
        "autocomplete=\"one-time-code\"",
        "autocapitalize=\"off\"",
        "spellcheck=\"false\"",
        "enterkeyhint=\"done\"",
        "dir=\"ltr\"",
        "translate=\"no\"",
        "autofocus",
        "aria-describedby=\"hint error\"",
        "aria-invalid=\"false\"",
    ] {
        assert!(field.contains(attribute), "{attribute} in {field}");
    }
    // These truncate pasted text, drop leading zeros or lose text typed before hydration.
    for attribute in ["maxlength", "type=\"number\"", "value=", "readonly", "pattern"] {
        assert!(!field.contains(attribute), "{attribute} in {field}");
    }
    assert!(html.contains("<label for=\"code\">[code-label 6]</label>"));
    assert!(tag(&html, "error").contains("role=\"alert\""));
    assert_eq!(html.matches("<i></i>").count(), 6);
    assert!(html.contains("data-length=\"6\""));
}

#[test]
fn every_step_is_a_form_that_works_without_script() {
    let html = Site::new().verification(Some(view()), None);
    for verb in ["check", "resend", "cancel"] {
        let form = tag(&html, verb);
        assert!(form.contains("method=\"post\""), "{form}");
        assert!(form.contains(&format!("action=\"/v/k3J9/{verb}\"")), "{form}");
        assert!(html.contains(&format!("form=\"{verb}\"")), "{verb} has its button");
    }
    let submit = html.find("[submit]").unwrap();
    assert!(submit < html.find("[resend]").unwrap(), "SUBMIT comes first");
    // The wait may be over by the time a button is pressed, so none is disabled.
    assert!(!html.contains(" disabled"));
    assert!(!html.contains("aria-disabled=\"true\""));
}

#[test]
fn the_masked_recipient_is_isolated_from_the_text_around_it() {
    let html = Site::new().verification(Some(view()), None);
    assert!(html.contains("<bdi dir=\"ltr\">j***@example.com</bdi>"));
    let status = between(&html, "<p role=\"status\"", "</p>");
    assert!(status.contains("data-state=\"sent\""));
    assert!(status.contains("[sent "));
}

#[test]
fn after_a_resend_the_code_is_called_new_and_another_channel_is_offered() {
    let mut view = view();
    view.channels = vec![Channel::Email, Channel::Sms];
    let offer = |html: &str| between(html, "name=\"channel\"", ">").to_owned();
    let first = Site::new().verification(Some(view.clone()), None);
    assert!(offer(&first).contains("hidden"));
    view.delivery.number = 2;
    let second = Site::new().verification(Some(view), None);
    assert!(second.contains("[sent-again "));
    assert!(!offer(&second).contains("hidden"));
    assert!(offer(&second).contains("value=\"sms\""));
}

#[test]
fn times_are_those_left_when_the_page_was_written() {
    let html = Site::new().verification(Some(view()), None);
    assert!(html.contains("[time-left 4:32]"));
    assert!(html.contains("[resend-wait 0:25]"));
}

#[test]
fn a_wrong_code_is_reported_with_the_tries_left_and_linked_to_the_field() {
    let html = Site::new().verification(Some(view()), Some(Flash::Incorrect));
    assert!(between(&html, "role=\"alert\">", "</p>").contains("[incorrect 4]"));
    assert!(tag(&html, "code").contains("aria-invalid=\"true\""));
}

#[test]
fn each_kind_of_malformed_code_has_its_own_text() {
    let alert = |flash| {
        let html = Site::new().verification(Some(view()), Some(flash));
        between(&html, "role=\"alert\">", "</p>").to_owned()
    };
    assert_eq!(alert(Flash::Empty), "[malformed 6]");
    assert_eq!(alert(Flash::TooShort), "[malformed 6]. [too-short]");
    assert_eq!(alert(Flash::TooLong), "[malformed 6]. [too-long]");
    assert_eq!(alert(Flash::NotDigits), "[malformed 6]. [not-digits]");
    assert_eq!(alert(Flash::TooEarly(25)), "[too-early 0:25]");
}

#[test]
fn success_shows_for_the_approved_state_alone() {
    let site = Site::new();
    let approved = site.verification(Some(over(State::Approved)), None);
    assert!(approved.contains("[approved]"));
    assert!(approved.contains("<bdi dir=\"ltr\">j***@example.com</bdi>"));
    let states =
        [State::Pending, State::Canceled, State::Expired, State::MaxAttemptsReached, State::Failed];
    for state in states {
        let html = site.verification(Some(over(state)), None);
        // The attribute with the seed holds all texts, so only the content is searched.
        let shown = html.split_once("<h1").unwrap().1;
        assert!(!shown.contains("[approved]"), "{state:?}");
    }
}

#[test]
fn each_final_state_has_its_heading_and_a_link_to_the_start_page() {
    let site = Site::new();
    let ended = |state, flash| site.verification(Some(over(state)), flash);
    for (html, heading) in [
        (ended(State::Approved, Some(Flash::AlreadyUsed)), "[already-used]"),
        (ended(State::Expired, None), "[expired]"),
        (ended(State::MaxAttemptsReached, None), "[too-many-attempts]"),
        (ended(State::Canceled, None), "[canceled]"),
        (ended(State::Failed, None), "[failed]"),
    ] {
        assert!(between(&html, "<h1>", "</h1>").contains(heading), "{heading}");
        assert!(between(&html, "<a ", ">").contains("href=\"/\""), "{heading}");
        assert!(!html.contains("<form"), "{heading}");
        assert!(!html.contains("<script"), "{heading} needs no island");
    }
}

#[test]
fn s9_an_unknown_verification_looks_exactly_like_an_expired_one() {
    let site = Site::new();
    let expired = site.verification(Some(over(State::Expired)), None);
    assert_eq!(site.verification(None, None), expired);
    assert_eq!(site.verification(None, Some(Flash::Expired)), expired);
}

#[test]
fn the_start_page_takes_an_address_or_a_number_in_one_form() {
    let html = Site::new().start(&options(), StartForm::default(), None);
    assert_eq!(html.matches("<form").count(), 1);
    assert!(html.contains("<form method=\"post\" action=\"/\""));
    assert!(tag(&html, "by-email").contains("checked"));
    assert!(!tag(&html, "by-sms").contains("checked"));
    assert!(tag(&html, "email").contains("autocomplete=\"email\""));
    assert!(tag(&html, "phone").contains("autocomplete=\"tel\""));
    for id in ["email", "phone", "country"] {
        assert!(html.contains(&format!("<label for=\"{id}\">")), "{id} has its label");
    }
    assert!(html.contains("<option value=\"GB\" selected>name of GB (+44)</option>"));
    assert!(html.contains("<option value=\"DE\">name of DE (+49)</option>"));
}

#[test]
fn with_one_channel_there_is_no_choice_of_channel() {
    let options = StartOptions { channels: vec![Channel::Sms], ..options() };
    let html = Site::new().start(&options, StartForm::default(), None);
    assert!(!html.contains("type=\"radio\""));
    assert!(html.contains("<input type=\"hidden\" name=\"channel\" value=\"sms\">"));
    assert!(!html.contains("id=\"email\""));
}

#[test]
fn with_a_fixed_recipient_there_is_one_button_and_nothing_to_type() {
    let options =
        StartOptions { fixed_recipient: Some("+44 ••• ••42".into()), ..options() };
    let html = Site::new().start(&options, StartForm::default(), None);
    assert!(html.contains("<bdi dir=\"ltr\">+44 ••• ••42</bdi>"));
    assert!(!html.contains("<input"));
    assert_eq!(html.matches("<button").count(), 1);
}

#[test]
fn a_refused_recipient_is_shown_in_the_form_again() {
    let typed = StartForm {
        channel: Some(Channel::Sms),
        email: String::new(),
        phone: "12\"><b>".into(),
        country: "DE".into(),
        work: String::new(),
    };
    let error = ApiError::InvalidRecipient { problem: RecipientProblem::PhoneTooShort };
    let html = Site::new().start(&options(), typed, Some(error));
    assert!(html.contains("value=\"12&quot;"), "the value is escaped");
    assert!(tag(&html, "by-sms").contains("checked"));
    assert!(html.contains("<option value=\"DE\" selected>"));
    assert!(html.contains("aria-invalid=\"true\""));
    assert!(between(&html, "role=\"alert\">", "</p>").contains("[phone-too-short]"));
    assert_eq!(title(&html), "[error-prefix] [title]");
    assert_eq!(html.matches("autofocus").count(), 1);
}

#[test]
fn a_number_that_is_not_served_is_told_about_the_other_way() {
    let typed = StartForm {
        channel: Some(Channel::Sms),
        phone: "+33612345678".into(),
        ..StartForm::default()
    };
    let by_text = StartOptions { channels: vec![Channel::Sms], ..options() };
    for (error, words) in [
        (ApiError::DestinationNotServed, "[destination-not-served]"),
        (ApiError::InvalidRecipient { problem: RecipientProblem::NotMobile }, "[not-mobile]"),
    ] {
        for (options, message) in
            [(&options(), format!("{words} [by-email-instead]")), (&by_text, words.to_owned())]
        {
            let html = Site::new().start(options, typed.clone(), Some(error));
            assert_eq!(between(&html, "role=\"alert\">", "</p>").trim(), message);
            assert!(tag(&html, "phone").contains("value=\"+33612345678\""));
            assert!(tag(&html, "phone").contains("aria-invalid=\"true\""));
        }
    }
}

#[test]
fn the_form_becomes_a_request_for_the_channel_that_was_chosen() {
    let form = |channel| StartForm {
        channel,
        email: "jane@example.com".into(),
        phone: "07700 900142".into(),
        country: "GB".into(),
        work: String::new(),
    };
    let to = |channel| StartRequest::from(form(channel)).to;
    assert_eq!(to(Some(Channel::Email)), "jane@example.com");
    assert_eq!(to(Some(Channel::Sms)), "07700 900142");
    assert_eq!(to(None), "jane@example.com");
    let without_email = StartForm { email: " ".into(), ..form(None) };
    assert_eq!(StartRequest::from(without_email).to, "07700 900142");
    let nowhere = StartForm { country: String::new(), ..form(None) };
    assert_eq!(StartRequest::from(nowhere).country, None);
}

#[test]
fn the_page_of_a_work_repeats_the_form_and_works_without_script() {
    let site = Site::new();
    let challenge = Challenge { level: 1, at: 17, seal: 3 };
    let html = work(WorkPage {
        frame: site.frame(),
        work: Work { challenge, bits: 10, rounds: 1000, retry_after: 20 },
        action: "/embed?a=1&b=2".into(),
        fields: vec![("email", "\"><b>@example.com".into())],
        back: "/embed?a=1".into(),
        brand: &Brand::default(),
        setting: None,
    });
    for part in [
        "<form method=\"post\" action=\"/embed?a=1&amp;b=2\"",
        "data-bits=\"10\" data-rounds=\"1000\" data-wait=\"20\" data-back=\"/embed?a=1\"",
        "name=\"email\" value=\"&quot;&gt;&lt;b&gt;@example.com\"",
        "name=\"work\" value=\"1-17-00000000000000000000000000000003\"",
        "[one-moment-body 0:20]",
        "<button type=\"submit\" class=\"button\">[go-on]",
        "<script nonce=\"n0nce\">find(3>2)</script>",
        "<meta name=\"robots\" content=\"noindex\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!site.problem(ApiError::NotFound).contains("find("), "no other page has its script");
}

#[test]
fn the_inbox_shows_the_newest_message_first_and_escapes_its_text() {
    let html = Site::new().inbox(vec![message(1, "111111"), message(2, "222222")]);
    assert!(html.find("222222").unwrap() < html.find("111111").unwrap());
    assert!(html.contains("&lt;b&gt;222222"));
    assert!(html.contains("[inbox-age 0:05]"));
    assert!(html.contains("<bdi dir=\"ltr\">+447700900142</bdi>"));
    assert!(Site::new().inbox(Vec::new()).contains("[inbox-empty]"));
}

#[test]
fn the_reference_lays_out_endpoints_and_sets_code_between_backticks() {
    let member = Member {
        name: "to".into(),
        kind: "string".into(),
        required: true,
        words: "as `+44` <b>".into(),
    };
    let endpoint = Endpoint {
        id: "create".into(),
        method: "POST".into(),
        path: "/v1/verifications".into(),
        asked: vec![member],
        refusals: vec![("429".into(), "`rate_limited`".into())],
        example: "curl -d '{\"a\"}'".into(),
        ..Endpoint::default()
    };
    let group = Group { endpoints: vec![endpoint], ..Group::default() };
    let html = Site::new().reference(&Reference { groups: vec![group], ..Reference::default() });
    assert!(html.contains("<article id=\"create\">") && html.contains("href=\"#create\""));
    assert!(html.contains("as <code>+44</code> &lt;b&gt;"), "{html}");
    assert!(html.contains("[reference-required]") && html.contains("[reference-refused]"));
    assert!(html.contains("dl{margin:1px}</style>"));
}

#[test]
fn who_did_not_ask_is_asked_by_one_form_and_told_what_came_of_it() {
    let site = Site::new();
    let page = |state, is_done, cool_down_hours| {
        site.not_me(Some(NotMeView { state, is_done, cool_down_hours, ..not_me_view() }))
    };
    let asked = page(State::Pending, false, 24);
    assert_eq!(asked.matches("<form method=\"post\">").count(), 1, "{asked}");
    for text in ["[not-me-question]", "j***@example.com", "[not-me-ends]", "[not-me-cool-down 24]"]
    {
        assert!(asked.contains(text), "{text}: {asked}");
    }
    assert!(asked.contains("Tea &amp; Co") && asked.contains("https://shop.example/help"));
    assert!(!asked.contains("<script") && !asked.contains("[not-me-used"), "{asked}");
    assert!(!page(State::Expired, false, 24).contains("[not-me-ends]"));
    assert!(!page(State::Pending, false, 0).contains("[not-me-cool-down"));
    assert!(page(State::Approved, false, 24).contains("[not-me-used-body "));

    let done = page(State::Canceled, true, 24);
    assert!(done.contains("[not-me-ended ") && done.contains("[not-me-cooling 24]"), "{done}");
    let used = page(State::Approved, true, 24);
    assert!(used.contains("[not-me-used-body ") && !used.contains("[not-me-ended "), "{used}");
    let over = site.not_me(None);
    assert!(over.contains("[not-me-over-body]"), "{over}");
    for page in [done, used, over] {
        assert!(!page.contains("<form"), "{page}");
    }
}

#[test]
fn an_error_page_says_what_to_do_and_when() {
    let site = Site::new();
    assert!(site.problem(ApiError::NotFound).contains("[not-found]"));
    assert!(site.problem(ApiError::Unavailable { retry_after: 1 }).contains("[away]"));
    let limited = ApiError::RateLimited { limit: app::error::Limit::CallerSends, retry_after: 90 };
    assert!(site.problem(limited).contains("[limit-sends 1:30]"));
}

#[test]
fn a_page_in_a_right_to_left_language_declares_its_direction() {
    let mut site = Site::new();
    site.texts.locale = "ar".into();
    assert!(site.verification(Some(view()), None).contains("<html lang=\"ar\" dir=\"rtl\">"));
}

#[test]
fn the_return_form_holds_the_result_and_submits_itself_when_approved_or_canceled() {
    let site = Site::new();
    let endings = [
        (State::Approved, "approved", Some("a.b.c"), true),
        // Without a token it has been returned from before.
        (State::Approved, "approved", None, false),
        (State::Canceled, "canceled", None, true),
        (State::Expired, "expired", None, false),
        (State::MaxAttemptsReached, "max_attempts_reached", None, false),
        (State::Failed, "failed", None, false),
    ];
    for (state, result, token, submits_itself) in endings {
        let html = site.visited(state, token);
        let form = between(&html, "<form id=\"way-back\"", "</form>");
        let action = "action=\"https://shop.example/return?a=1&amp;b=&quot;2&quot;\"";
        assert!(form.contains("method=\"post\"") && form.contains(action), "{form}");
        assert!(form.contains(&format!("name=\"result\" value=\"{result}\"")), "{form}");
        assert!(form.contains("name=\"state\" value=\"&lt;s&gt;\""), "{form}");
        assert_eq!(form.contains("name=\"token\" value=\"a.b.c\""), token.is_some(), "{form}");
        assert!(form.contains("[return-to <bdi>Tea &amp; Co</bdi>"), "{form}");
        assert_eq!(html.contains(".submit()"), submits_itself, "{state:?}");
        assert!(!html.contains("[start-again]"), "{state:?}");
    }
    assert!(!site.visited(State::Pending, None).contains("shop.example/return"));
}

#[test]
fn a_redirected_person_can_cancel_and_find_help() {
    let site = Site::new();
    let html = site.visited(State::Pending, None);
    assert!(html.contains("<p class=\"account\">[for-account <bdi>Tea &amp; Co</bdi>]"), "{html}");
    let leave = "[cancel-and-return \u{2068}Tea &amp; Co\u{2069}]";
    assert!(html.contains(&format!("{leave}</button>")) && !html.contains("[change]"), "{html}");
    assert!(html.contains("<a href=\"https://shop.example/help\" class=\"link\">"), "{html}");
    for (state, words) in [
        (State::Expired, "[expired-there "),
        (State::MaxAttemptsReached, "[too-many-attempts-there "),
        (State::Failed, "[failed-there "),
        (State::Canceled, "[canceled-there "),
    ] {
        assert!(site.visited(state, None).contains(words), "{state:?}");
    }
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

#[test]
fn a_page_in_a_frame_has_the_origin_of_the_embedding_page_and_its_look() {
    let html = framed(&setting(), Some(view()), None);
    assert!(html.contains("data-embedder=\"https://shop.example\""));
    assert!(html.contains("tell(2>1)</script>"));
    assert!(html.contains("main{margin:0}</style>"));
    assert!(html.contains("<meta name=\"color-scheme\" content=\"dark\">"));
    assert!(html.contains(" media=\"all\">p>a{color:pink}</style>"));
    assert!(html.contains("--on-accent:#000000"));
    assert!(
        html.contains("<img src=\"data:image/png;base64,AA==\" alt=\"Shop &amp; Co\""),
        "{html}"
    );
    assert!(html.contains("data-state=\"sent\" data-number=\"1\""), "{html}");
    for word in ["data-ending", "data-token", "data-page-state"] {
        assert!(!html.contains(word), "{word}");
    }
    // A page outside a frame has none of it.
    let alone = Site::new().verification(Some(view()), None);
    for word in ["data-embedder", "tell(", "main{margin", "<img"] {
        assert!(!alone.contains(word), "{word}");
    }
    assert!(alone.contains("media=\"(prefers-color-scheme: dark)\">p>a{color:pink}</style>"));
}

#[test]
fn in_a_frame_forms_and_links_stay_in_it() {
    let html = framed(&setting(), Some(view()), None);
    for verb in ["check", "resend", "cancel"] {
        let action = format!("action=\"/embed/v/k3J9/{verb}?site_key=k&amp;origin=o\"");
        assert!(tag(&html, verb).contains(&action), "{verb}");
    }
    let over = framed(&setting(), Some(over(State::Canceled)), None);
    let way_on = between(&over, "<a ", ">");
    assert!(way_on.contains("href=\"/embed?site_key=k&amp;origin=o\""), "{way_on}");
    assert!(way_on.contains("data-restart"));
}

#[test]
fn a_recipient_given_by_the_embedding_page_cannot_be_changed_in_the_frame() {
    let hidden = |setting: &Setting| {
        let html = framed(setting, Some(view()), None);
        between(&html, "form=\"cancel\"", ">").contains("hidden")
    };
    assert!(!hidden(&setting()));
    assert!(hidden(&Setting { is_given: true, ..setting() }));
}

#[test]
fn without_a_start_page_only_a_person_from_a_relying_party_has_a_place_to_go_back_to() {
    let site = Site::new();
    let hidden = |place| {
        let frame = Frame { has_start: false, ..site.frame() };
        let page = Some(PageView { view: Some(view()), place, ..PageView::default() });
        let html = verification(VerificationPage { frame, page, flash: None, setting: None });
        between(&html, "form=\"cancel\"", ">").contains("hidden")
    };
    assert!(hidden(Place::Alone));
    let url = "https://shop.example/return".into();
    assert!(!hidden(Place::Visited(WayBack { url, result: State::Pending, page_state: None })));
}

#[test]
fn the_final_state_is_in_data_attributes_for_the_embedding_page() {
    let ended = |state, token| framed(&setting(), Some(over(state)), token);
    let approved = ended(State::Approved, Some("a.b.c"));
    assert!(approved.contains("data-ending=\"approved\" data-token=\"a.b.c\""));
    assert!(approved.contains("data-page-state=\"a &quot;state&quot;\" data-stale-in=\"60000\""));
    assert!(approved.contains("[approved]"));
    for (state, word) in [
        (State::Canceled, "canceled"),
        (State::Failed, "failed"),
        (State::MaxAttemptsReached, "max_attempts_reached"),
        (State::Expired, "expired"),
    ] {
        let html = ended(state, None);
        assert!(html.contains(&format!("data-ending=\"{word}\"")), "{word}");
        assert!(!html.contains("data-token"), "{word}");
    }
    assert!(framed(&setting(), None, None).contains("data-ending=\"expired\""));
}

#[test]
fn in_a_frame_an_approved_verification_without_its_token_shows_as_expired() {
    let html = framed(&setting(), Some(over(State::Approved)), None);
    assert!(html.contains("data-ending=\"expired\""));
    assert!(html.contains("[expired]") && html.contains("data-restart"));
}

#[test]
fn s31_elsewhere_an_approved_verification_shows_that_and_no_proof() {
    let (site, approved) = (Site::new(), State::Approved);
    for (proof, is_over) in
        [(Proof::Elsewhere(Some(160_000)), false), (Proof::Elsewhere(None), true)]
    {
        let hosted = site.visited_with(approved, proof.clone());
        assert!(hosted.contains("<h1>[elsewhere]</h1>"), "{hosted}");
        assert!(hosted.contains("[elsewhere-body ") && hosted.contains("j***@example.com"));
        assert!(!hosted.contains("<form") && !hosted.contains("<script"), "{hosted}");
        assert!(!hosted.contains("&lt;s&gt;") && !hosted.contains("/return"), "{hosted}");

        let framed = framed_with(&setting(), Some(over(approved)), proof);
        let ending = if is_over { "expired" } else { "elsewhere" };
        assert!(framed.contains(&format!("data-ending=\"{ending}\"")), "{framed}");
        assert!(framed.contains("data-restart") && !framed.contains("<form"), "{framed}");
        for word in ["data-token", "data-page-state", "state&quot;"] {
            assert!(!framed.contains(word), "{word}");
        }
    }
}

#[test]
fn s31_a_page_that_asks_for_a_code_has_its_claim_in_the_form_and_nowhere_else() {
    let site = Site::new();
    let html = site.verification(Some(view()), None);
    let field = tag(&html, "claim");
    for part in ["type=\"hidden\"", "name=\"claim\"", "form=\"check\"", "value=\"cla1m\""] {
        assert!(field.contains(part), "{field}");
    }
    assert_eq!(html.matches("cla1m").count(), 1);
    assert!(!site.verification(Some(over(State::Approved)), None).contains("name=\"claim\""));
}

#[test]
fn the_page_says_whose_account_the_code_is_for() {
    let hosted = Site::new().visited(State::Pending, None);
    assert!(hosted.contains("[for-account <bdi>Tea &amp; Co</bdi>]"), "{hosted}");
    let framed = framed(&setting(), Some(view()), None);
    assert!(framed.contains("[for-account <bdi>Shop &amp; Co</bdi>]"), "{framed}");
    assert!(!Site::new().verification(Some(view()), None).contains("[for-account"));
}

#[test]
fn the_start_page_in_a_frame_posts_into_the_frame_and_reports_an_error() {
    let (site, setting) = (Site::new(), setting());
    let page = |error| {
        let (options, setting) = (&options(), Some(&setting));
        let typed = StartForm::default();
        let brand = &setting.unwrap().brand;
        start(StartPage { frame: site.frame(), options, typed, error, brand, setting })
    };
    let html = page(None);
    assert!(html.contains("action=\"/embed?site_key=k&amp;origin=o\""));
    assert!(html.contains("content=\"noindex\""));
    assert!(!html.contains("data-ending"));
    let refused = page(Some(ApiError::InvalidRecipient { problem: RecipientProblem::Email }));
    assert!(refused.contains("data-ending=\"invalid_recipient\""));
    assert!(!refused.contains("autofocus"));
}

#[test]
fn an_error_page_in_a_frame_has_a_button_to_start_again() {
    let (site, setting) = (Site::new(), setting());
    let error = ApiError::Unavailable { retry_after: 2 };
    let html = problem(ProblemPage { frame: site.frame(), error, setting: Some(&setting) });
    assert!(html.contains("[away]") && html.contains("alt=\"Shop &amp; Co\""));
    assert!(html.contains("data-ending=\"unavailable\""));
    assert!(between(&html, "<a ", ">").contains("data-restart"));
}
