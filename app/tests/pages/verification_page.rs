//! The page of a verification.

use super::*;

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
fn after_a_switch_the_page_says_how_the_code_comes_and_offers_the_next_channel() {
    let phone = |channel| {
        let mut view = view();
        view.recipient = "+44 ••• ••42".into();
        view.channels = vec![Channel::Sms, Channel::Whatsapp, Channel::Voice];
        view.delivery.number = 2;
        view.delivery.channel = channel;
        Site::new().verification(Some(view), None)
    };
    for (channel, status, next, button) in [
        (Channel::Sms, "[sent-again ", "whatsapp", "[resend-by-whatsapp]"),
        (Channel::Whatsapp, "[sent-by-whatsapp ", "voice", "[resend-by-voice]"),
        (Channel::Voice, "[calling ", "sms", "[resend-by-sms]"),
    ] {
        let html = phone(channel);
        assert!(between(&html, "<p role=\"status\"", "</p>").contains(status), "{status}");
        assert!(html.contains("<bdi dir=\"ltr\">+44 ••• ••42</bdi>"));
        let offer = between(&html, "name=\"channel\"", "</button>");
        assert!(offer.contains(&format!("value=\"{next}\"")) && offer.contains(button), "{offer}");
        assert!(!offer.contains("hidden"), "{offer}");
        // RESEND names no channel, which stands for that of the newest message.
        let resend = between(&html, "form=\"resend\" aria-describedby=\"wait\"", ">");
        assert!(!resend.contains("name="), "{resend}");
    }
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
