//! The start page, and the page of a work.

use super::*;

#[test]
fn the_start_page_takes_an_address_or_a_number_in_one_form() {
    let html = Site::new().start(&options(), StartForm::default(), None);
    assert_eq!(html.matches("<form").count(), 1);
    assert!(html.contains("<form method=\"post\" action=\"/\""));
    assert!(tag(&html, "by-email").contains("checked"));
    assert!(!tag(&html, "by-phone").contains("checked"));
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
fn the_choice_names_the_channel_that_a_phone_is_reached_by_first() {
    for (channel, name) in [
        (Channel::Sms, "[channel-sms]"),
        (Channel::Whatsapp, "[channel-whatsapp]"),
        (Channel::Voice, "[channel-voice]"),
    ] {
        let options = StartOptions { channels: vec![channel, Channel::Email], ..options() };
        let html = Site::new().start(&options, StartForm::default(), None);
        let radio = tag(&html, "by-phone");
        assert!(radio.contains(&format!("value=\"{}\"", channel.as_str())), "{radio}");
        assert!(radio.contains("checked"), "{radio}");
        assert!(html.contains(name), "{name}");
        assert!(tag(&html, "phone").contains("autocomplete=\"tel\""));
    }
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
    assert!(tag(&html, "by-phone").contains("checked"));
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
    for channel in Channel::OF_PHONES {
        assert_eq!(to(Some(*channel)), "07700 900142", "{channel:?}");
    }
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
