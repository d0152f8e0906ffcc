//! The files that pages load: style, loader, and the island's code.
//!
//! A file's name changes with its content, so browsers and proxies may keep it for ever, and a
//! page always names exactly the files that it was made with. They were compressed when the
//! release was built; answering costs no more than handing over bytes.
//!
//! One file is for other people's pages, which cannot know such names: `/embed.js` stays where it
//! is, is asked for again after a few minutes, and may be loaded from everywhere.

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

use self::{
    encoding::Encoding,
    site::{Asset, Site},
};
use super::security_headers::Exposure;

/// A year, the longest that caches honour; `immutable` spares even the question (RFC 8246).
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Soon enough for a fix to reach every page, and never a wait for whoever has an older one.
const FOR_NOW: &str = "public, max-age=300, stale-while-revalidate=86400";

/// The script that other people's pages load.
const EMBED: &str = "embed.js";

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
        dark: site.text("dark.css"),
        embed_css: site.text("embed.css"),
        reference_css: site.text("reference.css"),
        loader: site.text("loader.js"),
        frame: site.text("frame.js"),
        js: site.url("island.js"),
        wasm: site.url("island_bg.wasm"),
    }
}

/// The files, under `/assets/{file}`, and `/embed.js`.
pub fn router() -> Router {
    serving(Site::load())
}

fn serving(site: Site) -> Router {
    Router::new()
        .route("/assets/{file}", get(asset))
        .route("/embed.js", get(embed))
        .with_state(Arc::new(site))
}

async fn asset(
    State(site): State<Arc<Site>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    match site.find(&file) {
        Some(asset) => answer(asset, &headers, FOR_EVER),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /embed.js`: a module, and with `integrity` or without, browsers fetch those with CORS.
async fn embed(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let Some(asset) = site.find_plain(EMBED) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("W/\"{}\"", asset.hashed);
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let is_known = known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == tag);
    let mut response = if is_known {
        let kept = [(header::CACHE_CONTROL, FOR_NOW), (header::VARY, "accept-encoding")];
        (StatusCode::NOT_MODIFIED, kept).into_response()
    } else {
        answer(asset, &headers, FOR_NOW)
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.extensions_mut().insert(Exposure::LoadedByAnyone);
    response
}

/// The file in the densest form that the client reads.
fn answer(asset: &Asset, headers: &HeaderMap, keep: &'static str) -> Response {
    let packed = match Encoding::preferred(headers) {
        Encoding::Brotli => asset.brotli.clone().map(|bytes| ("br", bytes)),
        Encoding::Gzip => asset.gzip.clone().map(|bytes| ("gzip", bytes)),
        Encoding::Identity => None,
    };
    let fixed: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
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

    use super::*;

    fn site() -> Site {
        let island = Asset {
            plain: "island_bg.wasm".into(),
            hashed: "island_bg.0123456789ab.wasm".into(),
            identity: Bytes::from_static(b"plain"),
            brotli: Some(Bytes::from_static(b"in brotli")),
            gzip: Some(Bytes::from_static(b"in gzip")),
        };
        let embed = Asset {
            plain: "embed.js".into(),
            hashed: "embed.0123456789ab.js".into(),
            identity: Bytes::from_static(b"plain"),
            brotli: Some(Bytes::from_static(b"in brotli")),
            gzip: None,
        };
        Site::of(vec![island, embed])
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

    #[tokio::test]
    async fn the_script_for_other_pages_stays_where_it_is_and_may_be_loaded_from_everywhere() {
        let response = get("/embed.js", "br").await;

        let headers = response.headers();
        assert_eq!(headers[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(headers[header::CACHE_CONTROL], FOR_NOW);
        assert_eq!(headers[header::CONTENT_ENCODING], "br");
        assert!(matches!(response.extensions().get(), Some(Exposure::LoadedByAnyone)));
    }

    #[tokio::test]
    async fn whoever_has_the_script_is_told_that_it_has_not_changed() {
        let tag = get("/embed.js", "br").await.headers()[header::ETAG].clone();
        let ask = async |tag: &str| {
            let request = Request::get("/embed.js").header(header::IF_NONE_MATCH, tag);
            serving(site()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
        };

        let known = ask(&format!("W/\"other\", {}", tag.to_str().unwrap())).await;
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(known.headers()[header::ETAG], tag);
        assert_eq!(known.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(body(known).await, "");

        assert_eq!(ask("W/\"other\"").await.status(), StatusCode::OK);
    }
}
