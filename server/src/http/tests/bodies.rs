//! Bodies of forms and of server functions.

use super::*;

#[tokio::test]
async fn s19_unknown_fields_are_refused() {
    let site = site();
    let check = format!("/v/{ID}/check");

    let form = site.post(&check, "code=123456&admin=1").await;
    assert_eq!(form.status, StatusCode::BAD_REQUEST);
    let twice = site.post(&check, "code=123456&code=654321").await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    let start = site.post("/", "channel=email&email=jane%40example.com&to=x").await;
    assert_eq!(start.status, StatusCode::BAD_REQUEST);
    let cancel = site.post(&format!("/v/{ID}/cancel"), "a=b").await;
    assert_eq!(cancel.status, StatusCode::BAD_REQUEST);
    for json in
        [r#"["ID","123456","","admin"]"#, r#"["ID","1"]"#, r#"{"id":"ID","guess":"123456"}"#]
    {
        let answer = site.call("/ui/check", &json.replace("ID", ID)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{json}");
    }

    assert_eq!(site.acts(), [""; 0]);
}

#[tokio::test]
async fn s19_long_bodies_are_refused_whether_or_not_they_say_so() {
    let site = site();
    let path = format!("/v/{ID}/check");
    let fits = "code=".to_owned() + &"1".repeat(16 * 1024 - 5);
    let too_long = fits.clone() + "1";

    assert_eq!(site.post(&path, fits).await.status, StatusCode::SEE_OTHER);
    let told = site.post(&path, too_long.clone()).await;
    assert_eq!(told.status, StatusCode::PAYLOAD_TOO_LARGE);
    // In pieces, as with `Transfer-Encoding: chunked`.
    let pieces = too_long.into_bytes().chunks(1000).map(Bytes::copy_from_slice).collect::<Vec<_>>();
    let pieces = pieces.into_iter().map(Ok::<_, std::io::Error>);
    let untold = Body::from_stream(futures_util::stream::iter(pieces));
    let untold = site.post(&path, untold).await;
    assert_eq!(untold.status, StatusCode::PAYLOAD_TOO_LARGE);

    assert_eq!(site.acts(), ["check"]);
}

#[tokio::test]
async fn forms_and_server_functions_take_their_own_content_type_only() {
    let site = site();
    let posted = |path: &str, kind: &str, body: &str| {
        request(Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body.to_owned()))
            .unwrap()
    };
    let json = format!(r#"["{ID}","123456",""]"#);

    let form = posted(&format!("/v/{ID}/check"), "application/json", r#"{"code":"123456"}"#);
    assert_eq!(site.send(form).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "", "text/json"] {
        let call = posted("/ui/check", kind, &json);
        assert_eq!(site.send(call).await.status, StatusCode::BAD_REQUEST, "{kind}");
    }
    assert_eq!(site.acts(), [""; 0]);
}

#[tokio::test]
async fn server_functions_go_through_the_same_port() {
    let site = site();

    let json = format!(r#"["{ID}","123456",""]"#);
    let right = site.call("/ui/check", &json).await;
    assert_eq!(right.status, StatusCode::OK);
    let answer: Vec<String> = serde_json::from_str(&right.body).unwrap();
    assert!(answer.contains(&"approved".to_owned()), "{answer:?}");

    let unknown = site.call("/ui/start", "[]").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);

    let early = site.call("/ui/resend", &format!(r#"["{ID}","1","sms"]"#)).await;
    assert_eq!(early.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(early.header("retry-after"), "25");
    assert_eq!(early.body, r#"["too-early.25"]"#);
    assert_eq!(site.acts(), ["check", "resend"]);
}

#[tokio::test]
async fn a_refused_server_function_never_redirects_with_the_error_in_the_url() {
    let site = site();
    for (path, json, status) in [
        ("/ui/resend", format!(r#"["{ID}","1","sms"]"#), StatusCode::TOO_MANY_REQUESTS),
        ("/ui/check", "[]".to_owned(), StatusCode::BAD_REQUEST),
    ] {
        let request = request(Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, "https://otp.example.com/v/x");
        let answer = site.send(request.body(Body::from(json)).unwrap()).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("location"), "", "{path}");
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
    }
}
