//! Pages in a frame of another page.

use super::*;

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
