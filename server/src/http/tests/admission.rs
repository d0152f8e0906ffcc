//! Requests that are turned away before a handler sees them, and addresses that are switched off.

use super::*;

/// A form of our own page with further headers.
fn with(headers: &[(&'static str, &'static str)]) -> Request<Body> {
    let mut request = form_post(&format!("/v/{ID}/check")).body(Body::from("code=123456")).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_static(value));
    }
    request
}

#[tokio::test]
async fn s12_a_request_that_contradicts_itself_is_refused() {
    let site = site();
    let ours = ("origin", "https://otp.example.com");
    for headers in [
        &[("host", "otp.example.com")][..],
        &[("host", "evil.example")],
        &[ours, ours],
        &[ours, ("origin", "https://evil.example")],
        &[("sec-fetch-site", "cross-site")],
    ] {
        let answer = site.send(with(headers)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{headers:?}");
    }
    let mut without = with(&[]);
    without.headers_mut().remove("host");
    assert_eq!(site.send(without).await.status, StatusCode::BAD_REQUEST);
    let mut elsewhere = with(&[]);
    *elsewhere.uri_mut() = format!("http://evil.example/v/{ID}/check").parse().unwrap();
    assert_eq!(site.send(elsewhere).await.status, StatusCode::BAD_REQUEST);
    // Neither header: no browser sends that.
    let mut unsaid = with(&[]);
    unsaid.headers_mut().remove("sec-fetch-site");
    assert_eq!(site.send(unsaid).await.status, StatusCode::FORBIDDEN);

    assert_eq!(site.acts(), [""; 0]);
    site.send(with(&[ours])).await;
    assert_eq!(site.acts(), ["check"]);
}

#[tokio::test]
async fn s19_an_encoded_body_is_refused() {
    let site = site();
    for encoding in ["gzip", "br", "zstd", "deflate", "x", "gzip, identity", ""] {
        let answer = site.send(with(&[("content-encoding", encoding)])).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{encoding}");
    }
    let twice = [("content-encoding", "identity"), ("content-encoding", "gzip")];
    assert_eq!(site.send(with(&twice)).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(site.acts(), [""; 0]);

    site.send(with(&[("content-encoding", "Identity")])).await;
    assert_eq!(site.acts(), ["check"]);
}

/// A request of a program on this machine.
fn local(path: &str, host: &'static str, accept: &str) -> Request<Body> {
    let request = Request::get(path).header("host", host).header("accept", accept);
    let peer = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711)));
    request.extension(peer).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn s32_development_tells_strangers_nothing_but_what_to_set() {
    let site = site_with(|web| web.development_hosts = Some(vec!["192.168.1.5".to_owned()]));
    for path in ["/dev/inbox", "/dev/inbox.json", "/", "/v1/verifications/x", "/embed", "/none"] {
        for accept in ["text/html", "*/*"] {
            let answer = site.send(local(path, "otp.example.com", accept)).await;
            assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
            assert!(!answer.body.contains("123456"), "{path}");
            for key in ["server.mode", "server.public_origin", "server.trusted_proxies"] {
                assert!(answer.body.contains(key), "{path}: {}", answer.body);
            }
        }
    }
    // Checks of health tell nothing.
    let health = site.send(local("/health/ready", "10.0.0.1", "*/*")).await;
    assert_eq!(health.status, StatusCode::OK);
    let mut forwarded = local("/dev/inbox", "127.0.0.1:3000", "*/*");
    forwarded.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
    assert_eq!(site.send(forwarded).await.status, StatusCode::MISDIRECTED_REQUEST);

    for host in ["127.0.0.1:3000", "localhost:3000", "192.168.1.5:3000"] {
        let answer = site.send(local("/dev/inbox", host, "*/*")).await;
        assert!(answer.body.contains("123456"), "{host}: {}", answer.body);
    }
}

#[tokio::test]
async fn s32_without_a_start_page_strangers_begin_nothing() {
    let site = site_with(|web| web.has_start_page = false);

    let page = request(Method::GET, "/").header("accept", "text/html").body(Body::empty());
    let page = site.send(page.unwrap()).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.body.contains("<h1>") && !page.body.contains("href=\"/\""), "{}", page.body);
    let start = site.post("/", "channel=email&email=jane%40example.com").await;
    assert_eq!(start.status, StatusCode::NOT_FOUND);
    assert_eq!(site.acts(), [""; 0]);

    // Everything else works, and no link or redirect leads to the page that is not there.
    let pending = site.get(&format!("/v/{ID}")).await;
    assert_eq!(pending.status, StatusCode::OK);
    assert!(pending.body.contains("id=\"code\""), "{}", pending.body);
    let unknown = site.get("/v/unknown").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(!unknown.body.contains("href=\"/\""), "{}", unknown.body);
    for id in [ID, "unknown"] {
        let answer = site.post(&format!("/v/{id}/cancel"), "").await;
        assert_eq!(answer.location(), format!("/v/{id}"));
    }
    let frame = site.get("/embed?site_key=lk_pub_shop&origin=https://shop.example").await;
    assert_eq!(frame.status, StatusCode::OK);
}

/// Everybody knows the keys of sites for test suites.
#[tokio::test]
async fn s17_callers_with_keys_that_everybody_knows_are_counted_in_production() {
    for is_production in [true, false] {
        let latchkey = installation_counting(is_production);
        let service = latchkey.service.clone();
        let site = site_with(|web| web.service = service);
        let ask = |peer: [u8; 4], path: &str, body: &'static str| {
            let request = request(Method::POST, path)
                .header("authorization", "Bearer lk_sec_test_approve")
                .header("content-type", "application/json")
                .extension(ConnectInfo(SocketAddr::from((peer, 4711))));
            site.send(request.body(Body::from(body)).unwrap())
        };
        let (stranger, other) = ([192, 0, 2, 1], [192, 0, 2, 2]);
        let unknown = "/v1/verifications/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/checks";
        for (path, body) in
            [("/v1/verifications", r#"{"to":"jo@example.com"}"#), (unknown, r#"{"code":"000000"}"#)]
        {
            for _ in 0..3 {
                assert!(ask(stranger, path, body).await.status.is_success(), "{path}");
            }
            let fourth = ask(stranger, path, body).await.status;
            assert_eq!(fourth == StatusCode::TOO_MANY_REQUESTS, is_production, "{path}: {fourth}");
            assert!(ask(other, path, body).await.status.is_success(), "{path}");
        }
    }
}

#[tokio::test]
async fn s17_a_proxy_on_this_machine_that_is_not_listed_is_warned_about() {
    let log = log();
    let site = site();
    let forwarded = || {
        let request = form_post("/").header("x-forwarded-for", "192.0.2.1");
        let peer = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711)));
        request.extension(peer).body(Body::from("email=jo%40example.com")).unwrap()
    };
    let lines = || {
        let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
        log.matches("is not in server.trusted_proxies").count()
    };

    site.send(forwarded()).await;
    assert_eq!(lines(), 1);
    site.send(forwarded()).await;
    assert_eq!(lines(), 1);
    assert_eq!(site.acts(), ["start jo@example.com 127.0.0.1"; 2]);
}

#[tokio::test(start_paused = true)]
async fn s36_many_refusals_and_faults_are_one_line_a_minute() {
    let log = log();
    let site = site();
    let purge = || Method::from_bytes(b"PURGE").unwrap();
    let refuse = async |times| {
        for _ in 0..times {
            let request = request(purge(), "/").header("sec-fetch-site", "same-origin");
            let answer = site.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        }
    };
    let with = |level: &str, part: &str| -> Vec<String> {
        let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
        let ours = log.lines().filter(|line| line.contains(level) && line.contains(part));
        ours.map(str::to_owned).collect()
    };
    // An invented method is not repeated.
    let lines = || with(" INFO ", "method=\"other\"");

    refuse(100).await;
    assert_eq!(lines().len(), 1, "{:?}", lines());
    tokio::time::advance(Duration::from_secs(60)).await;
    refuse(100).await;
    assert_eq!(lines().len(), 2, "{:?}", lines());
    assert!(lines()[1].contains("requests=100"), "{:?}", lines());
    assert_eq!(with("", "PURGE"), [""; 0]);

    for _ in 0..100 {
        assert_eq!(site.get("/v/away").await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(with(" ERROR ", "status=503").len(), 1);
}
