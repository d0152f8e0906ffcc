//! The inbox, the reference, the page of a link in a mail, and errors.

use super::*;

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
fn the_inbox_says_by_which_channel_a_message_would_have_gone() {
    for channel in Channel::ALL {
        let html = Site::new().inbox(vec![InboxMessage { channel: *channel, ..message(1, "1") }]);
        let name = format!("[channel-{}]", channel.as_str());
        assert!(between(&html, "class=\"meta\"", "</p>").contains(&name), "{html}");
    }
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
