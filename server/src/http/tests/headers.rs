//! Headers of every answer.

use super::*;

#[tokio::test]
async fn s13_every_answer_carries_the_security_headers() {
    let site = site();
    let foreign = request(Method::POST, "/").header("sec-fetch-site", "cross-site");
    let answers = [
        site.get("/").await,
        site.get(&format!("/v/{ID}")).await,
        site.get("/v/unknown").await,
        site.get("/v/panics").await,
        site.get("/v/hangs").await,
        site.get("/v/away").await,
        site.get("/no/such/page").await,
        site.get("/health/live").await,
        site.get("/health/ready").await,
        site.get("/dev/inbox").await,
        site.get("/dev/inbox.json").await,
        site.get("/assets/a.css").await,
        site.post("/health/live", "").await,
        site.post("/", "channel=email&email=jane%40example.com").await,
        site.post("/", vec![b'a'; 16 * 1024 + 1]).await,
        site.post("/", "what=ever").await,
        site.call("/ui/view", "{}").await,
        site.send(foreign.body(Body::empty()).unwrap()).await,
    ];
    for answer in answers {
        let status = answer.status;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{status}: {policy}");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{status}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{status}");
        assert!(answer.header("permissions-policy").contains("camera=()"), "{status}");
        assert!(answer.header("strict-transport-security").contains("max-age="), "{status}");
        let cached = if answer.body == "a{}" { "max-age=9" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), cached, "{status}");
    }
}

#[tokio::test]
async fn s13_a_page_s_nonce_is_new_each_time_and_the_one_of_its_policy() {
    let site = site();
    let mut nonces = Vec::new();
    for path in ["/", "/", "/v/approved", "/dev/inbox"] {
        let answer = site.get(path).await;
        let policy = answer.header("content-security-policy");
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(answer.body.contains(&format!("nonce=\"{nonce}\"")), "{path}");
        assert!(!nonces.contains(&nonce));
        nonces.push(nonce);
    }
}

#[tokio::test]
async fn hsts_is_for_https_alone() {
    let site = site_with(|web| web.origin = Origin::parse("http://127.0.0.1:3000").unwrap());

    assert_eq!(site.get("/").await.header("strict-transport-security"), "");
}
