//! Forms of people, and the redirects that answer them.

use super::*;

#[tokio::test]
async fn s11_no_get_and_no_head_acts() {
    let site = site();
    let paths = [
        "/",
        "/v/ID",
        "/v/ID?e=incorrect",
        "/v/ID/check?code=123456",
        "/v/ID/resend",
        "/not-me/ID",
        "/not-me/ID?",
    ];
    for path in paths {
        for method in [Method::GET, Method::HEAD] {
            let path = path.replace("ID", ID);
            site.send(request(method, &path).body(Body::empty()).unwrap()).await;
        }
    }
    for path in crate::http::server_fns::paths() {
        let answer = site.get(&format!("{path}?id={ID}&guess=123456")).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    }

    assert_eq!(site.acts(), [""; 0]);
}

#[tokio::test]
async fn s12_another_site_cannot_act() {
    let site = site();
    let paths = [
        "/",
        "/v/ID/check",
        "/v/ID/resend",
        "/v/ID/cancel",
        "/not-me/ID",
        "/ui/check",
        "/ui/resend",
    ];
    for path in paths {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("x-nothing", ""),
        ] {
            let request = request(Method::POST, &path.replace("ID", ID)).header(name, value);
            let answer = site.send(request.body(Body::from("code=123456")).unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {name}: {value}");
        }
    }

    assert_eq!(site.acts(), [""; 0]);
}

#[tokio::test]
async fn a_start_leads_to_its_verification() {
    let site = site();

    let answer = site.post("/", "channel=email&email=jane%40example.com&phone=&country=GB").await;

    assert_eq!(answer.location(), format!("/v/{ID}"));
    assert_eq!(site.acts(), ["start jane@example.com 192.0.2.1"]);
}

#[tokio::test]
async fn a_refused_start_shows_the_form_again_with_what_was_typed() {
    let site = site();

    let wrong = site.post("/", "channel=email&email=nobody").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("value=\"nobody\""), "{}", wrong.body);
    assert!(wrong.body.contains("<title>Error"), "{}", wrong.body);

    let often = site.post("/", "channel=email&email=often%40example.com").await;
    assert_eq!(often.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(often.header("retry-after"), "60");
    assert!(often.body.contains("often@example.com"), "{}", often.body);

    let away = site.post("/", "channel=email&email=away").await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(away.header("retry-after"), "7");
}

#[tokio::test]
async fn every_form_of_a_verification_is_answered_by_a_redirect() {
    let site = site();
    let page = format!("/v/{ID}");
    let location = async |path: &str, form: &'static str| {
        site.post(&format!("{page}{path}"), form).await.location().to_owned()
    };

    assert_eq!(location("/check", "code=123456").await, page);
    assert_eq!(location("/check", "code=654321").await, format!("{page}?e=incorrect"));
    assert_eq!(location("/check", "code=12345").await, format!("{page}?e=too-short"));
    assert_eq!(location("/resend", "").await, page);
    assert_eq!(location("/resend", "channel=email").await, page);
    assert_eq!(location("/resend", "channel=sms").await, format!("{page}?e=too-early.25"));
    assert_eq!(location("/cancel", "").await, "/");
    assert_eq!(site.post("/v/unknown/cancel", "").await.location(), "/");
    assert_eq!(site.post("/v/unknown/check", "code=1").await.location(), "/v/unknown?e=expired");
}

#[tokio::test]
async fn s26_a_form_that_comes_to_nothing_on_our_side_is_answered_with_a_fault() {
    let site = site();
    for path in ["/v/away/check", "/v/away/resend", "/v/away/cancel"] {
        let body = if path.ends_with("check") { "code=123456" } else { "" };
        let answer = site.post(path, body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.header("retry-after"), "7", "{path}");
    }
}

#[tokio::test]
async fn an_id_that_was_never_ours_cannot_lead_elsewhere() {
    let site = site();
    for path in ["/v/%2F%2Fevil.example/check", "/v/a%0d%0ab/resend", "/v/%3Fe=x/cancel"] {
        let answer = site.post(path, "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header("location"), "");
    }
    assert_eq!(site.acts(), [""; 0]);
}

#[tokio::test]
async fn s9_expired_and_unknown_look_alike() {
    let site = site();
    let strip = |answer: Answer| {
        let policy = answer.header("content-security-policy").to_owned();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        (answer.status, answer.body.replace(nonce, ""))
    };

    let unknown = strip(site.get("/v/unknown").await);
    let other = strip(site.get("/v/other").await);

    assert_eq!(unknown.0, StatusCode::NOT_FOUND);
    assert_eq!(unknown, other);
}

#[tokio::test]
async fn success_shows_from_the_state_alone() {
    let site = site();
    let texts = Catalogue::load().unwrap().texts("en");
    let success = &texts.card.approved;
    assert!(!success.is_empty());

    // On the page every text of the island is a prop, so the heading is what tells.
    let heading = |answer: Answer| {
        let (_, rest) = answer.body.split_once("<h1").unwrap();
        rest.split_once("</h1>").unwrap().0.to_owned()
    };
    assert!(heading(site.get("/v/approved").await).contains(success.as_str()));
    let lied = heading(site.get(&format!("/v/{ID}?e=approved")).await);
    assert!(!lied.contains(success.as_str()), "{lied}");
}

#[tokio::test]
async fn countries_are_named_and_sorted_in_the_page_s_language() {
    let page = site().get("/").await.body;

    let (germany, kingdom) = (page.find("Germany (+49)"), page.find("United Kingdom (+44)"));
    assert!(germany.is_some() && germany < kingdom, "{germany:?} {kingdom:?}");
}
