//! The link "this wasn't me" in mails, and the cool-down that it begins.

use ::app::wire::{Outcome, State};
use reqwest::{Method, StatusCode};

use crate::{app::TestApp, back_ends::DEMO, secrecy::without_nonce};

/// Longest wait that a stranger is told.
const HOUR: u64 = 3600;
const DAY: u64 = 24 * 3600;
const JO: [(&str, &str); 2] = [("channel", "email"), ("email", "jo@example.com")];

impl TestApp {
    /// Path of the link in the newest of `count` messages.
    pub(crate) async fn not_me_link(&self, count: usize) -> String {
        let text = &self.inbox(count).await[0].text;
        let url = text.lines().last().unwrap();
        url.strip_prefix(&self.origin).unwrap_or_else(|| panic!("{text}")).to_owned()
    }

    async fn text(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    /// Presses the button.
    pub(crate) async fn press(&self, link: &str) {
        let answer = self.post_form(link, &[]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(answer.headers()["location"], link);
    }

    /// Seconds for which a stranger has to wait; `None` if a code was sent.
    async fn refused(&self) -> Option<u64> {
        let answer = self.post_form("/", &JO).await;
        if answer.status() == StatusCode::SEE_OTHER {
            return None;
        }
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        Some(answer.headers()["retry-after"].to_str().unwrap().parse().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s35_the_recipient_ends_it_and_strangers_send_them_nothing_for_a_day() {
    let app = TestApp::start().await;
    let earlier = app.start_email("jo@example.com").await;
    let id = app.start_email("Jo@Example.com").await;
    let link = app.not_me_link(2).await;
    let question = app.text(&link).await;
    assert!(
        question.contains("Did you ask for this code?") && question.contains("J***@example.com")
    );
    assert!(
        question.contains("For 24 hours, new codes to this address can then be asked for only"),
        "{question}"
    );
    assert!(!question.contains("Jo@"), "the recipient is masked");
    app.press(&link).await;
    assert!(app.text(&link).await.contains("Thank you for telling us"));
    assert_eq!(app.view(&id).await.unwrap().state, State::Canceled);

    assert_eq!(app.refused().await, Some(HOUR), "the wait tells as little as the words");
    app.advance(60);
    let resent = app.resend(&earlier).await;
    assert_eq!(resent.status(), 429, "neither by another verification");
    assert!(!resent.text().await.unwrap().contains("cooled"), "the page is not told why");
    app.start_email("sam@example.com").await;
    // The site itself still can.
    app.back_end(DEMO).create("jo@example.com").await;
    assert_eq!(app.inbox(4).await.len(), 4);
    app.advance(DAY - 61);
    assert_eq!(app.refused().await, Some(1));
    app.advance(1);
    assert_eq!(app.refused().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn s11_a_scanner_that_loads_the_link_ends_nothing() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let (code, link) = (app.code(1).await, app.not_me_link(1).await);
    for _ in 0..10 {
        for method in [Method::GET, Method::HEAD] {
            for query in ["", "?", "?submit=1"] {
                let path = format!("{link}{query}");
                let answer = app.bare_request(method.clone(), &path).send().await.unwrap();
                assert_eq!(answer.status(), StatusCode::OK);
            }
        }
        // Not from our own page.
        let foreign =
            app.bare_request(Method::POST, &link).header("origin", "https://evil.example");
        assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(app.refused().await, None);
    assert_eq!(app.outcome(&id, &code).await, Outcome::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn s35_the_button_works_once() {
    let app = TestApp::start().await;
    app.start_email("jo@example.com").await;
    let link = app.not_me_link(1).await;
    app.press(&link).await;
    app.advance(3600);
    app.press(&link).await;
    assert!(app.text(&link).await.contains("Thank you for telling us"));
    app.advance(DAY - HOUR - 1);
    assert_eq!(app.refused().await, Some(1), "the cool-down is not begun again");
}

#[tokio::test(flavor = "multi_thread")]
async fn s35_the_button_works_after_the_code_has_expired_and_over_a_restart() {
    let mut app = TestApp::start().await;
    app.start_email("jo@example.com").await;
    let path = app.not_me_link(1).await;
    app.advance(12 * 3600);
    app = app.restart().await;
    assert!(!app.text(&path).await.contains("end it here"), "the code has ended already");
    app.press(&path).await;
    assert_eq!(app.refused().await, Some(HOUR));
}

#[tokio::test(flavor = "multi_thread")]
async fn s35_after_an_approval_the_page_says_what_is_left_to_do() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let link = app.not_me_link(1).await;
    assert_eq!(app.outcome(&id, &app.code(1).await).await, Outcome::Approved);
    for heading in ["Did you ask for this code?", "This code has been used"] {
        let page = app.text(&link).await;
        assert!(page.contains(heading), "{page}");
        assert!(page.contains("cannot be undone here") && page.contains("Latchkey"), "{page}");
        app.press(&link).await;
    }
    assert_eq!(app.view(&id).await.unwrap().state, State::Approved);
    assert_eq!(app.refused().await, Some(HOUR));
}

#[tokio::test(flavor = "multi_thread")]
async fn s35_unknown_and_altered_links_are_answered_alike_and_end_nothing() {
    let app = TestApp::start().await;
    let id = app.start_email("jo@example.com").await;
    let link = app.not_me_link(1).await;
    let mut pages = Vec::new();
    let flipped = if link.ends_with('A') { "Q" } else { "A" };
    for altered in [
        format!("{}{flipped}", &link[..link.len() - 1]),
        format!("/not-me/{id}"),
        format!("/not-me/{id}{}", "A".repeat(22)),
        "/not-me/%C3%A9%0d%0a".to_owned(),
        format!("/not-me/{}", "A".repeat(2000)),
    ] {
        let answer = app.post_form(&altered, &[]).await;
        pages.push((answer.status(), without_nonce(&answer.text().await.unwrap())));
        let answer = app.get(&altered).await;
        pages.push((answer.status(), without_nonce(&answer.text().await.unwrap())));
    }
    assert_eq!(pages[0].0, StatusCode::NOT_FOUND);
    assert!(pages[0].1.contains("There is nothing left to do"), "{}", pages[0].1);
    assert!(pages.iter().all(|page| *page == pages[0]));
    assert_eq!(app.view(&id).await.unwrap().state, State::Pending);
    assert_eq!(app.refused().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn s35_without_a_cool_down_the_button_ends_the_verification_alone() {
    let app = TestApp::start_with(&[("LATCHKEY_LIMITS__COOL_DOWN", "0")]).await;
    let id = app.start_email("jo@example.com").await;
    let link = app.not_me_link(1).await;
    assert!(!app.text(&link).await.contains("hours"));
    app.press(&link).await;
    assert_eq!(app.view(&id).await.unwrap().state, State::Canceled);
    assert_eq!(app.refused().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn s35_a_form_with_fields_is_none_of_ours() {
    let app = TestApp::start().await;
    app.start_email("jo@example.com").await;
    let link = app.not_me_link(1).await;
    assert_eq!(app.post_form(&link, &[("a", "b")]).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(app.refused().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn s16_the_link_is_built_from_the_public_origin() {
    let origin = ("LATCHKEY_SERVER__PUBLIC_ORIGIN", "http://otp.example");
    let hosts = ("LATCHKEY_SERVER__DEVELOPMENT_HOSTS", "127.0.0.1,evil.example");
    let app = TestApp::start_with(&[origin, hosts]).await;
    let request = app.request(Method::POST, "/").header("host", "evil.example");
    request.header("x-forwarded-host", "evil.example").form(&JO).send().await.unwrap();
    let text = &app.inbox(1).await[0].text;
    let url = text.lines().last().unwrap();
    assert!(url.starts_with("http://otp.example/not-me/"), "{text}");
    assert!(!text.contains("evil"), "{text}");
}
