//! Return URLs: exactly those that the site has listed.

use serde_json::json;

use super::DEMO;
use crate::app::TestApp;

/// URLs that have fooled other products, none of which is the site's. The site has listed
/// `http://localhost:3001/return` and `http://127.0.0.1:3001/return`.
const BYPASSES: &[&str] = &[
    // Another host.
    "http://evil.example/return",
    "https://evil.example/",
    "http://evil.example:3001/return",
    "http://localhost.evil.example:3001/return",
    "http://evil-localhost:3001/return",
    "http://localhostevil:3001/return",
    "http://evil.example/localhost:3001/return",
    "http://evil.example/?http://localhost:3001/return",
    "http://evil.example/#http://localhost:3001/return",
    "http://evil.example#@localhost:3001/return",
    "http://evil.example?@localhost:3001/return",
    "http://evil.example/@localhost:3001/return",
    "http://www.localhost:3001/return",
    "http://localhost.:3001/return",
    "http://localhost%2eevil.example:3001/return",
    "http://localhost%00.evil.example:3001/return",
    "http://localhost%0d%0a.evil.example/return",
    "http://[::1]:3001/return",
    "http://[::ffff:127.0.0.1]:3001/return",
    "http://127.0.0.2:3001/return",
    "http://0.0.0.0:3001/return",
    "http://127.0.0.1.evil.example:3001/return",
    "http://127.0.0.1.nip.io:3001/return",
    // Another port.
    "http://localhost/return",
    "http://localhost:/return",
    "http://localhost:80/return",
    "http://localhost:3000/return",
    "http://localhost:30010/return",
    "http://localhost:300/return",
    "http://localhost:65537/return",
    "http://localhost:-3001/return",
    "http://localhost:3001a/return",
    // Another scheme.
    "https://localhost:3001/return",
    "ftp://localhost:3001/return",
    "ws://localhost:3001/return",
    "file://localhost:3001/return",
    "file:///return",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "javascript://localhost:3001/return%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "blob:http://localhost:3001/return",
    "view-source:http://localhost:3001/return",
    "about:blank",
    "mailto:eve@evil.example",
    "intent://localhost:3001/return#Intent;end",
    "shttp://localhost:3001/return",
    // A person in front of the host.
    "http://localhost:3001@evil.example/return",
    "http://localhost@evil.example:3001/return",
    "http://evil.example@localhost:3001/return",
    "http://user:password@localhost:3001/return",
    "http://:password@localhost:3001/return",
    "http://localhost%3a3001@evil.example/return",
    "http://localhost:3001%2freturn@evil.example/",
    "http://localhost:3001\\@evil.example/return",
    "http://a@b@localhost:3001/return",
    // Another path.
    "http://localhost:3001",
    "http://localhost:3001/",
    "http://localhost:3001//return",
    "http://localhost:3001/return/",
    "http://localhost:3001/return/x",
    "http://localhost:3001/returns",
    "http://localhost:3001/retur",
    "http://localhost:3001/Return",
    "http://localhost:3001/RETURN",
    "http://localhost:3001/x/return",
    "http://localhost:3001/return/..",
    "http://localhost:3001/return/../evil",
    "http://localhost:3001/return/%2e%2e/evil",
    "http://localhost:3001/return%2f..%2fevil",
    "http://localhost:3001/..;/return",
    "http://localhost:3001/return;x",
    "http://localhost:3001/return;x=1",
    "http://localhost:3001/return%00",
    "http://localhost:3001/return%20",
    "http://localhost:3001/return%0d%0aset-cookie:x=1",
    "http://localhost:3001/%72eturn",
    "http://localhost:3001/return.html",
    "http://localhost:3001/return@evil.example",
    "http://localhost:3001/return:evil.example",
    "http://localhost:3001//evil.example/return",
    "http://localhost:3001/\\evil.example/return",
    // More than a path.
    "http://localhost:3001/return?",
    "http://localhost:3001/return?next=http://evil.example",
    "http://localhost:3001/return??",
    "http://localhost:3001/return#",
    "http://localhost:3001/return#evil",
    "http://localhost:3001/return?#",
    "http://localhost:3001/return&x=1",
    "http://localhost:3001/return,http://evil.example/",
    "http://localhost:3001/return http://evil.example/",
    // No absolute URL at all.
    "//localhost:3001/return",
    "//evil.example/return",
    "///evil.example/return",
    "/return",
    "return",
    "./return",
    "?return",
    "#return",
    "\\\\evil.example\\return",
    "/\\evil.example/return",
    "localhost:3001/return",
    "evil.example",
    "http:",
    "http://",
    "http:///",
    "://localhost:3001/return",
    "*",
    "http://*/return",
    "null",
    // Characters that browsers silently drop or turn into others.
    " http://localhost:3001/return",
    "http://localhost:3001/return ",
    "\u{feff}http://localhost:3001/return",
    "http://localhost:3001/ret urn",
    "ht\ttp://localhost:3001/return",
    "http://local\nhost:3001/return",
    "http://localhost:3001/return\n",
    "http://localhost:3001/return\r\n",
    "\u{0}http://localhost:3001/return",
    "http://localhost:3001/return\u{0}",
    "http:\\\\localhost:3001\\return",
    "http://localhost:3001\\return",
    "http://localhost:3001/return\u{a0}",
    "http://localhost:3001/return\u{2028}",
    // Look-alikes.
    "http://loc\u{430}lhost:3001/return",
    "http://localhost:3001/r\u{435}turn",
    "http://localhost:3001/retu\u{200b}rn",
    "http://localho\u{15b}t:3001/return",
    "http://localhost\u{2024}evil.example:3001/return",
    "http://localhost\u{ff0e}evil.example:3001/return",
    "http://localhost\u{ff1a}3001/return",
    "http://localhost:3001\u{ff0f}return",
    "http://localhost:3001\u{2044}return",
    "http\u{ff1a}//localhost:3001/return",
    "http://evil.example\u{ff03}@localhost:3001/return",
];

#[tokio::test(flavor = "multi_thread")]
async fn s15_nobody_is_sent_anywhere_but_where_the_site_has_said() {
    assert!(BYPASSES.len() >= 100);
    let app = TestApp::start().await;
    let shop = app.back_end(DEMO);
    for url in BYPASSES {
        let body = json!({"to": "jo@example.com", "return_url": url});
        let answer = shop.post("/v1/verifications", &body).await;
        assert_eq!(answer.problem(), (400, "invalid_return_url"), "{url:?}");
        assert!(!answer.text.contains("evil"), "{}", answer.text);
    }
    assert_eq!(app.inbox(0).await.len(), 0);
    for url in ["http://localhost:3001/return", "http://127.0.0.1:3001/return"] {
        let body = json!({"to": "jo@example.com", "return_url": url});
        assert_eq!(shop.post("/v1/verifications", &body).await.json["return_url"], url);
    }
}
