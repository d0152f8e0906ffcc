//! Frames in other people's pages, and what their element asks for.

use super::*;

const FRAME: &str = "site_key=lk_pub_shop&origin=https://shop.example&state=abc&theme=dark";

/// The one place of a policy that says who may frame the page.
fn ancestors(answer: &Answer) -> &str {
    let policy = answer.header("content-security-policy");
    policy.split("frame-ancestors ").nth(1).unwrap()
}

fn ask(origin: &str, body: &str) -> Request<Body> {
    request(Method::POST, "/embed/verifications")
        .header("sec-fetch-site", "cross-site")
        .header(header::ORIGIN, origin)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "*/*")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

#[tokio::test]
async fn s13_pages_in_a_frame_name_exactly_the_one_origin_around_them() {
    let site = site();
    let id = |path: &str| path.replace("ID", EMBEDDED);
    let answers = [
        site.get(&format!("/embed?{FRAME}")).await,
        site.get(&format!("/embed?{FRAME}&to=given&refused=rate_limited&wait=60")).await,
        site.get(&id(&format!("/embed/v/ID?{FRAME}"))).await,
        // Errors of the frame are shown in the frame.
        site.get(&format!("/embed/v/unknown?{FRAME}")).await,
        site.get(&format!("/embed/v/away?{FRAME}")).await,
        site.post(&format!("/embed?{FRAME}"), "email=nobody").await,
        site.post(&format!("/embed?{FRAME}"), "what=ever").await,
        site.post(&id(&format!("/embed/v/ID/check?{FRAME}")), "what=ever").await,
        site.post(&format!("/embed/v/away/check?{FRAME}"), "code=123456").await,
    ];
    for answer in answers {
        assert_eq!(ancestors(&answer), "https://shop.example", "{}", answer.status);
        assert!(!answer.headers.contains_key("x-frame-options"), "{}", answer.status);
        assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(answer.header("cross-origin-embedder-policy"), "require-corp");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.body.contains("data-embedder=\"https://shop.example\""), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_refused_recipient_is_told_the_reason_in_the_frame() {
    let site = site();
    for (refused, words) in [
        ("not_mobile", "We cannot text this kind of number."),
        ("phone_too_short", "Check the address or number and start again."),
        ("destination_not_served", "We send no text messages to this country"),
        ("destination_blocked", "No text can be sent to this number for the moment."),
        ("texts", "No text can be sent to this number for the moment."),
        ("caller_sends", "Too many codes were asked for."),
        ("rate_limited", "Too many codes were asked for."),
    ] {
        let query = format!("/embed?{FRAME}&to=given&refused={refused}&wait=60");
        let page = site.get(&query).await.body;
        assert!(page.contains(words), "{refused}: {page}");
    }
}

#[tokio::test]
async fn s13_nobody_else_gets_a_page_to_frame() {
    let site = site();
    for query in [
        "",
        "site_key=lk_pub_shop",
        "site_key=lk_pub_other&origin=https://shop.example",
        "site_key=lk_pub_shop&origin=https://evil.example",
        "site_key=lk_pub_shop&origin=https://shop.example.evil.example",
        "site_key=lk_pub_shop&origin=*",
        "site_key=lk_pub_shop&origin=https://shop.example%20https://evil.example",
        "site_key=lk_pub_shop&origin=https://shop.example&origin=https://evil.example",
    ] {
        for path in ["/embed".to_owned(), format!("/embed/v/{EMBEDDED}")] {
            let answer = site.get(&format!("{path}?{query}")).await;
            assert!(answer.status.is_client_error(), "{path} {query}");
            assert_eq!(ancestors(&answer), "'none'", "{path} {query}");
            assert_eq!(answer.header("x-frame-options"), "DENY");
            assert!(!answer.body.contains("data-embedder"));
        }
    }
}

#[tokio::test]
async fn a_page_that_may_not_embed_us_is_told_why() {
    let page = request(Method::GET, "/embed?site_key=x&origin=https://shop.example")
        .header(header::ACCEPT, "text/html");
    let answer = site().send(page.body(Body::empty()).unwrap()).await;

    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("No site has this key"), "{}", answer.body);
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_told_what_is_wrong_with_it() {
    let site = site();
    let long =
        format!("site_key=lk_pub_shop&origin=https://shop.example&state={}", "s8".repeat(129));
    let answer = site.get(&format!("/embed?{long}")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("`state` must be text of up to 256 characters."));
    assert!(!answer.body.contains("s8"), "{}", answer.body);
    for (extra, field, detail) in [
        ("&origin=https://evil.example", "origin", "`origin` may be in the query only once."),
        ("&refused=rate_limited&wait=s8", "wait", "`wait` must be a whole number of seconds."),
    ] {
        let answer = site.get(&format!("/embed?{FRAME}{extra}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{extra}");
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["field"], field);
        assert_eq!(problem["detail"], detail);
        assert!(!answer.body.contains("evil") && !answer.body.contains("s8"), "{}", answer.body);
    }
}

#[tokio::test]
async fn s9_a_verification_shows_in_no_frame_but_its_own() {
    let site = site();
    let other = "site_key=lk_pub_shop&origin=https://other.example";
    let [elsewhere, hosted, unknown] = [
        site.get(&format!("/embed/v/{EMBEDDED}?{other}")).await,
        site.get(&format!("/embed/v/{ID}?{other}")).await,
        site.get(&format!("/embed/v/unknown?{other}")).await,
    ];

    let plain = |answer: &Answer| {
        let nonce = answer.body.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        answer.body.replace(nonce, "")
    };
    for answer in [&elsewhere, &hosted] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(plain(answer), plain(&unknown));
    }
    assert!(unknown.body.contains("data-ending=\"expired\""));
}

#[tokio::test]
async fn s11_a_frame_that_is_only_looked_at_acts_on_nothing() {
    let site = site();
    for path in ["/embed", "/embed/v/ID", "/embed/v/ID/check", "/embed/verifications"] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            let path = format!("{}?{FRAME}&code=123456", path.replace("ID", EMBEDDED));
            let asked = request(method, &path).header(header::ORIGIN, "https://shop.example");
            site.send(asked.body(Body::empty()).unwrap()).await;
        }
    }
    assert_eq!(site.acts(), [""; 0]);
}

#[tokio::test]
async fn every_address_in_a_frame_carries_its_query_along() {
    let site = site();
    let begun = site.post(&format!("/embed?{FRAME}"), "email=jane%40example.com").await;
    assert_eq!(begun.location(), format!("/embed/v/{ID}?{FRAME}"));

    let wrong =
        site.post(&format!("/embed/v/{EMBEDDED}/check?{FRAME}&e=too-short"), "code=000000").await;
    assert_eq!(wrong.location(), format!("/embed/v/{EMBEDDED}?{FRAME}&e=incorrect"));
    let again = site.post(&format!("/embed/v/{EMBEDDED}/resend?{FRAME}"), "").await;
    assert_eq!(again.location(), format!("/embed/v/{EMBEDDED}?{FRAME}"));
    let canceled = site.post(&format!("/embed/v/{EMBEDDED}/cancel?{FRAME}"), "").await;
    assert_eq!(canceled.location(), format!("/embed?{FRAME}"));

    let page = site.get(&format!("/embed/v/{EMBEDDED}?{FRAME}&e=incorrect")).await;
    let query = FRAME.replace('&', "&amp;");
    for verb in ["check", "resend", "cancel"] {
        let action = format!("action=\"/embed/v/{ID}/{verb}?{query}\"");
        assert!(page.body.contains(&action), "{verb}: {}", page.body);
    }
    assert!(page.body.contains("Incorrect OTP!"));
    assert!(!page.body.contains("autofocus"), "browsers refuse it in frames");
    assert_eq!(
        site.acts(),
        [
            "start jane@example.com 192.0.2.1 for https://shop.example with abc",
            "check",
            "resend",
            "cancel",
        ]
    );
}

#[tokio::test]
async fn s12_the_element_s_request_is_answered_for_listed_origins_alone() {
    let site = site();
    let body = r#"{"site_key":"lk_pub_shop","to":"jane@example.com","state":"abc"}"#;

    let begun = site.send(ask("https://shop.example", body)).await;
    assert_eq!(begun.status, StatusCode::CREATED);
    assert_eq!(begun.body, format!("{{\"url\":\"/embed/v/{ID}\"}}"));
    assert_eq!(begun.header("access-control-allow-origin"), "https://shop.example");
    assert_eq!(begun.header("vary"), "origin");
    assert!(!begun.headers.contains_key("access-control-allow-credentials"));
    assert_eq!(site.acts(), ["start jane@example.com 192.0.2.1 for https://shop.example with abc"]);

    // A refusal that the element may read.
    let long = site.send(ask("https://shop.example", &body.replace("abc", &"s".repeat(257)))).await;
    assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(long.body.contains(r#""field":"state""#), "{}", long.body);
    assert_eq!(long.header("access-control-allow-origin"), "https://shop.example");
    assert_eq!(site.acts().len(), 1);

    // Another site's key, an origin that nobody or somebody else has listed, none at all.
    let foreign = body.replace("lk_pub_shop", "lk_pub_other");
    for (origin, body) in [
        ("https://evil.example", body),
        ("null", body),
        ("https://shop.example", &foreign),
        ("https://other.example", &foreign),
    ] {
        let answer = site.send(ask(origin, body)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
    }
    let mut without = ask("https://shop.example", body);
    without.headers_mut().remove(header::ORIGIN);
    assert_eq!(site.send(without).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.acts().len(), 1);
}

#[tokio::test]
async fn s12_no_other_address_is_open_to_a_listed_origin() {
    let site = site();
    for path in ["/embed", "/embed/v/ID/check", "/v/ID/check", "/ui/check", "/embed/verifications/"]
    {
        let path = format!("{}?{FRAME}", path.replace("ID", EMBEDDED));
        let asked = request(Method::POST, &path)
            .header("sec-fetch-site", "cross-site")
            .header(header::ORIGIN, "https://shop.example");
        let answer = site.send(asked.body(Body::from("code=123456")).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(site.acts(), [""; 0]);
}

#[tokio::test]
async fn s19_the_element_s_request_is_json_with_known_fields() {
    let site = site();
    for (body, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("[\"lk_pub_shop\",\"jane@example.com\"]", StatusCode::BAD_REQUEST),
        ("{\"site_key\":\"lk_pub_shop\"}", StatusCode::UNPROCESSABLE_ENTITY),
        (
            "{\"site_key\":\"lk_pub_shop\",\"to\":\"a@example.com\",\"return_url\":\"x\"}",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        assert_eq!(site.send(ask("https://shop.example", body)).await.status, status, "{body}");
    }
    let mut form = ask("https://shop.example", "site_key=lk_pub_shop");
    form.headers_mut().insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    assert_eq!(site.send(form).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let long = format!("{{\"to\":\"{}\"}}", "a".repeat(16 * 1024));
    let long = site.send(ask("https://shop.example", &long)).await;
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(site.acts(), [""; 0]);
}

#[tokio::test]
async fn s8_a_field_that_cannot_be_accepted_is_not_repeated() {
    let site = site();
    for (field, words) in [
        (r#""channel":"jo@example.com""#, "`channel` must be one of: email, sms, whatsapp, voice."),
        (r#""state":["jo@example.com"]"#, "`state` must be text."),
    ] {
        let body = format!(r#"{{"site_key":"lk_pub_shop","to":"jane@example.com",{field}}}"#);
        let answer = site.send(ask("https://shop.example", &body)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert!(answer.body.contains(words), "{}", answer.body);
        assert!(!answer.body.contains("jo@example.com"), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_element_may_read_why_it_was_refused() {
    let body = r#"{"site_key":"lk_pub_shop","to":"often@example.com"}"#;
    let answer = site().send(ask("https://shop.example", body)).await;

    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("access-control-allow-origin"), "https://shop.example");
    assert!(answer.body.contains("\"code\":\"rate_limited\""), "{}", answer.body);
    assert!(answer.body.contains("\"retry_after\":60"), "{}", answer.body);
}

#[tokio::test]
async fn a_preflight_is_answered_for_listed_origins_alone() {
    let site = site();
    let preflight = async |origin: &str| {
        let asked = request(Method::OPTIONS, "/embed/verifications")
            .header(header::ORIGIN, origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        site.send(asked.body(Body::empty()).unwrap()).await
    };

    let known = preflight("https://shop.example").await;
    assert_eq!(known.status, StatusCode::NO_CONTENT);
    assert_eq!(known.header("access-control-allow-origin"), "https://shop.example");
    assert_eq!(known.header("access-control-allow-methods"), "POST");
    assert_eq!(known.header("access-control-allow-headers"), "content-type");
    for origin in ["https://evil.example", "null", "https://shop.example:444", ""] {
        let unknown = preflight(origin).await;
        assert_eq!(unknown.status, StatusCode::FORBIDDEN, "{origin}");
        assert_eq!(unknown.header("access-control-allow-origin"), "", "{origin}");
    }
}

#[tokio::test]
async fn s31_the_token_stands_in_the_answer_to_a_check_in_the_frame_and_nowhere_else() {
    let site = site();
    let path = "/embed/v/framed-pending/check";
    let approved = site.post(&format!("{path}?{FRAME}"), "code=123456&claim=c").await;
    assert_eq!((approved.status, approved.header("location")), (StatusCode::OK, ""));
    assert_eq!(ancestors(&approved), "https://shop.example");
    assert!(approved.body.contains("data-ending=\"approved\" data-token=\"a.b.c\""));
    assert!(approved.body.contains("data-page-state=\"abc\" data-stale-in=\"60000\""));
    assert_eq!(site.acts(), ["check with c"]);

    let looked = site.get(&format!("/embed/v/framed-approved?{FRAME}")).await;
    assert!(looked.body.contains("data-ending=\"elsewhere\" data-stale-in=\"60000\""));
    assert!(looked.body.contains("data-restart") && !looked.body.contains("a.b.c"));
    let typed = site.get(&format!("{path}?{FRAME}")).await;
    assert_eq!(typed.location(), format!("/embed/v/framed-pending?{FRAME}"));
}
