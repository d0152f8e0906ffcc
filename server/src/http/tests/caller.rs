//! The caller of a request, and the headers that change nothing.

use super::*;

#[tokio::test]
async fn s17_the_caller_is_whom_a_configured_proxy_vouches_for() {
    let site = site();
    let form = "channel=email&email=jane%40example.com";
    let behind = |peer: [u8; 4]| {
        let request = form_post("/").header("x-forwarded-for", "203.0.113.9, 198.51.100.7");
        let peer = ConnectInfo(SocketAddr::from((peer, 1)));
        request.extension(peer).body(Body::from(form)).unwrap()
    };

    site.send(behind([10, 1, 2, 3])).await;
    site.send(behind([192, 0, 2, 1])).await;

    let expected = ["start jane@example.com 198.51.100.7", "start jane@example.com 192.0.2.1"];
    assert_eq!(site.acts(), expected);
}

#[tokio::test]
async fn s16_host_and_forwarded_headers_change_nothing() {
    let site = site();
    let form = Body::from("channel=email&email=jane%40example.com");
    let mut request = form_post("/").body(form).unwrap();
    let evil = |value| HeaderValue::from_static(value);
    request.headers_mut().insert(header::HOST, evil("evil.example"));
    request.headers_mut().insert("x-forwarded-host", evil("evil.example"));
    request.headers_mut().insert("forwarded", evil("host=evil.example"));

    let answer = site.send(request).await;

    assert_eq!(answer.location(), format!("/v/{ID}"));
    assert!(!format!("{:?}", answer.headers).contains("evil"));
}
