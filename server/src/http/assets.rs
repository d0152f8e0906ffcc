//! The files that pages load: style, loader, and the island's code.
//!
//! A file's name changes with its content, so browsers and proxies may keep it for ever, and a
//! page always names exactly the files that it was made with. They were compressed when the
//! release was built; answering costs no more than handing over bytes.

mod encoding;
mod site;

use std::sync::Arc;

use app::pages::Assets;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use self::{encoding::Encoding, site::Site};

/// A year, the longest that caches honour; `immutable` spares even the question (RFC 8246).
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// What pages load: style and loader as text, the island's code as URLs.
///
/// Everything is empty in a build without the site. Pages then work as plain forms, and the log
/// says what is missing.
pub fn page_assets() -> Assets {
    let site = Site::load();
    if site.is_empty() {
        tracing::warn!("this build has neither style nor island: scripts/build.sh makes them");
    }
    Assets {
        css: site.text("main.css"),
        loader: site.text("loader.js"),
        js: site.url("island.js"),
        wasm: site.url("island_bg.wasm"),
    }
}

/// The files, under `/assets/{file}`.
pub fn router() -> Router {
    serving(Site::load())
}

fn serving(site: Site) -> Router {
    Router::new().route("/assets/{file}", get(asset)).with_state(Arc::new(site))
}

async fn asset(
    State(site): State<Arc<Site>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = site.find(&file) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let packed = match Encoding::preferred(&headers) {
        Encoding::Brotli => asset.brotli.clone().map(|bytes| ("br", bytes)),
        Encoding::Gzip => asset.gzip.clone().map(|bytes| ("gzip", bytes)),
        Encoding::Identity => None,
    };
    let fixed: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    match packed {
        Some((name, bytes)) => (fixed, [(header::CONTENT_ENCODING, name)], bytes).into_response(),
        None => (fixed, asset.identity.clone()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, Bytes},
        http::{Request, Response},
    };
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::{site::Asset, *};

    fn site() -> Site {
        let island = Asset {
            plain: "island_bg.wasm".into(),
            hashed: "island_bg.0123456789ab.wasm".into(),
            identity: Bytes::from_static(b"plain"),
            brotli: Some(Bytes::from_static(b"in brotli")),
            gzip: Some(Bytes::from_static(b"in gzip")),
        };
        Site::of(vec![island])
    }

    async fn get(path: &str, accept: &str) -> Response<Body> {
        let request = Request::get(path).header(header::ACCEPT_ENCODING, accept);
        serving(site()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn body(response: Response<Body>) -> Bytes {
        response.into_body().collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn a_browser_gets_the_densest_form_and_may_keep_it_for_ever() {
        let response = get("/assets/island_bg.0123456789ab.wasm", "gzip, deflate, br").await;

        let headers = response.headers();
        assert_eq!(headers[header::CONTENT_ENCODING], "br");
        assert_eq!(headers[header::CONTENT_TYPE], "application/wasm");
        assert_eq!(headers[header::CACHE_CONTROL], FOR_EVER);
        assert_eq!(headers[header::VARY], "accept-encoding");
        assert_eq!(body(response).await, "in brotli");
    }

    #[tokio::test]
    async fn a_client_that_knows_only_gzip_gets_gzip() {
        let response = get("/assets/island_bg.0123456789ab.wasm", "gzip").await;

        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(body(response).await, "in gzip");
    }

    #[tokio::test]
    async fn a_client_that_knows_no_encoding_gets_the_file_as_it_is() {
        let response = get("/assets/island_bg.0123456789ab.wasm", "identity").await;

        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(response.headers()[header::VARY], "accept-encoding");
        assert_eq!(body(response).await, "plain");
    }

    #[tokio::test]
    async fn a_name_without_its_hash_or_with_a_path_in_it_is_not_found() {
        for path in ["/assets/island_bg.wasm", "/assets/..%2fmanifest.json", "/assets/"] {
            let response = get(path, "br").await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert!(!response.headers().contains_key(header::CACHE_CONTROL), "{path}");
        }
    }
}
