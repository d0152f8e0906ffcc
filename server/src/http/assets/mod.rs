//! Embedded files: those that pages load, and those that clients look for at the root.
//!
//! The name of a page's file changes with its content, so browsers and proxies may keep it for ever,
//! and a page always names exactly the files that it was made with. They were compressed when the
//! release was built; answering costs no more than handing over bytes.
//!
//! Files at the root keep their names and are asked for again when they are old. `/embed.js` is the
//! one file that pages of other origins may load.

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

use self::site::{File, Site};
use super::security_headers::LoadedByAnyone;

/// A year, the longest that caches honour; `immutable` saves revalidation (RFC 8246).
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Soon enough for a fix to reach every page, and without a wait for clients with an older one.
const FOR_MINUTES: &str = "public, max-age=300, stale-while-revalidate=86400";

const FOR_A_DAY: &str = "public, max-age=86400";

/// The script that other people's pages load.
const EMBED: &str = "embed.js";

/// The files that pages load: style and loader as text, the island's code as URLs.
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
        work: site.text("work.js"),
        js: site.url("island.js"),
        wasm: site.url("island_bg.wasm"),
    }
}

/// Routes of the files: `/assets/{file}`, `/embed.js`, and those in `public`.
pub fn router() -> Router {
    site::public().fold(serving(Site::load()), |router, file| {
        let (path, file) = (format!("/{}", file.plain), Arc::new(file));
        let answer = async move |headers: HeaderMap| answer(&file, &headers, FOR_A_DAY);
        router.route(&path, get(answer))
    })
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
        Some(file) => answer(file, &headers, FOR_EVER),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /embed.js`: a module, which browsers fetch with CORS, with `integrity` or without.
async fn embed(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let Some(file) = site.find_plain(EMBED) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = answer(file, &headers, FOR_MINUTES);
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.extensions_mut().insert(LoadedByAnyone);
    response
}

/// The file in the densest form that the client accepts, or 304 if the client has it.
fn answer(file: &File, headers: &HeaderMap, keep: &'static str) -> Response {
    let tag = format!("W/\"{}\"", file.hashed);
    let is_known = listed(headers, &header::IF_NONE_MATCH).any(|known| known.trim() == tag);
    let validity: [(HeaderName, String); 3] = [
        (header::CACHE_CONTROL, keep.to_owned()),
        (header::ETAG, tag),
        (header::VARY, "accept-encoding".to_owned()),
    ];
    if is_known {
        return (StatusCode::NOT_MODIFIED, validity).into_response();
    }
    let kind = [(header::CONTENT_TYPE, file.content_type())];
    for (coding, form) in [("br", &file.brotli), ("gzip", &file.gzip)] {
        if let Some(form) = form.as_ref().filter(|_| accepts(headers, coding)) {
            let coding = [(header::CONTENT_ENCODING, coding)];
            return (validity, kind, coding, form.clone()).into_response();
        }
    }
    (validity, kind, file.identity.clone()).into_response()
}

/// `true` if a client accepts a coding (RFC 9110, section 12.5.3). Weights only rule a coding out: no
/// client gains from the larger one of two that it understands.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    listed(headers, &header::ACCEPT_ENCODING).any(|choice| {
        let (name, parameter) = choice.split_once(';').unwrap_or((choice, ""));
        let weight = parameter.split_once('=').and_then(|(_, weight)| weight.trim().parse().ok());
        name.trim().eq_ignore_ascii_case(coding) && weight != Some(0.0_f32)
    })
}

/// The elements of a header that is a list.
fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(','))
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
        let island = File {
            plain: "island_bg.wasm".into(),
            hashed: "island_bg.0123456789ab.wasm".into(),
            identity: Bytes::from_static(b"plain"),
            brotli: Some(Bytes::from_static(b"in brotli")),
            gzip: Some(Bytes::from_static(b"in gzip")),
        };
        let embed = File {
            plain: "embed.js".into(),
            hashed: "embed.0123456789ab.js".into(),
            identity: Bytes::from_static(b"plain"),
            brotli: Some(Bytes::from_static(b"in brotli")),
            gzip: None,
        };
        [island, embed].into_iter().collect()
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
        assert_eq!(headers[header::CACHE_CONTROL], FOR_MINUTES);
        assert_eq!(headers[header::CONTENT_ENCODING], "br");
        assert!(response.extensions().get::<LoadedByAnyone>().is_some());
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

    #[tokio::test]
    async fn files_at_the_root_are_kept_for_a_day_and_then_asked_for_by_their_tag() {
        for (path, kind) in [
            ("/favicon.ico", "image/x-icon"),
            ("/favicon.svg", "image/svg+xml"),
            ("/apple-touch-icon.png", "image/png"),
            ("/robots.txt", "text/plain; charset=utf-8"),
        ] {
            let ask = async |tag: &str| {
                let request = Request::get(path).header(header::IF_NONE_MATCH, tag);
                router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
            };
            let response = ask("").await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], kind);
            assert_eq!(response.headers()[header::CACHE_CONTROL], FOR_A_DAY);
            assert!(response.extensions().get::<LoadedByAnyone>().is_none());
            let again = ask(response.headers()[header::ETAG].to_str().unwrap()).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        }
    }

    fn accepted(accept: &'static str) -> [bool; 2] {
        let headers = [(header::ACCEPT_ENCODING, HeaderValue::from_static(accept))];
        let headers = HeaderMap::from_iter(headers);
        ["br", "gzip"].map(|coding| accepts(&headers, coding))
    }

    #[test]
    fn codings_are_accepted_whatever_their_order_unless_their_weight_is_zero() {
        assert_eq!(accepted("gzip, deflate, br, zstd"), [true, true]);
        assert_eq!(accepted("GZIP;q=1.0, br ; q=0.1"), [true, true]);
        assert_eq!(accepted("deflate, gzip;q=0.5"), [false, true]);
        assert_eq!(accepted("br;q=0, gzip"), [false, true]);
        assert_eq!(accepted("br;q=0.000, gzip; q=0"), [false, false]);
        assert_eq!(accepted("zstd, brotli"), [false, false]);
        assert_eq!(accepted(""), [false, false]);
    }
}
