//! The real router over a port that answers as told: what is the same for every answer, and how
//! answers of the port become pages and redirects.

use std::{
    net::SocketAddr,
    sync::{
        Arc, LazyLock, Mutex, Once,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use app::{
    error::{ApiError, Limit, RecipientProblem},
    pages::Assets,
    port::{Caller, Door, Port},
    wire::{
        Brand, Channel, CheckAnswer, Country, Delivery, DeliveryState, EmbedOffer, Embedding,
        InboxMessage, NotMeView, Outcome, PageView, Place, Proof, StartOptions, StartRequest,
        State, Token, VerificationView, WayBack,
    },
};
use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use otp::CodeProblem;
use tower::ServiceExt;

use super::{Readiness, Web, router};
use crate::{
    i18n::Catalogue,
    origin::Origin,
    service::tests::{Installation, installation, installation_counting},
};

mod admission;
mod embed;

const ID: &str = "abcdefghijklmnopqrstuvwxyz-_12";
/// Of a verification in a frame of `https://shop.example`.
const EMBEDDED: &str = "framed-pending";

/// Answers by the id or by what was typed, and writes down what would have changed something.
#[derive(Default)]
struct Script {
    acts: Mutex<Vec<String>>,
}

impl Script {
    async fn note(&self, act: String, id: &str) -> Result<(), ApiError> {
        self.acts.lock().unwrap().push(act);
        match id {
            "panics" => panic!("a fault with 123456 in it"),
            "hangs" => std::future::pending().await,
            "away" => Err(ApiError::Unavailable { retry_after: 7 }),
            "unknown" => Err(ApiError::NotFound),
            _ => Ok(()),
        }
    }
}

fn view(state: State) -> VerificationView {
    VerificationView {
        id: ID.to_owned(),
        state,
        recipient: "j***@example.com".to_owned(),
        code_length: 6,
        attempts_left: 4,
        sends_left: 4,
        delivery: Delivery {
            channel: Channel::Email,
            state: DeliveryState::Sent,
            tries: 1,
            number: 1,
        },
        channels: vec![Channel::Email],
        now: 0,
        code_expires_at: 300_000,
        resend_at: 30_000,
        expires_at: 900_000,
        leads_on: false,
    }
}

fn embedding() -> Embedding {
    Embedding {
        site_key: "lk_pub_shop".to_owned(),
        origin: "https://shop.example".to_owned(),
        page_state: Some("abc".to_owned()),
    }
}

#[async_trait]
impl Port for Script {
    fn embed_offer(&self, site_key: &str, origin: &str) -> Option<EmbedOffer> {
        let known = site_key == "lk_pub_shop" && self.knows_origin(origin);
        known.then(|| EmbedOffer {
            origin: origin.to_owned(),
            brand: Brand::default(),
            channels: vec![Channel::Email],
            regions: None,
        })
    }

    fn knows_origin(&self, origin: &str) -> bool {
        ["https://shop.example", "https://other.example"].contains(&origin)
    }

    async fn start(&self, who: &Caller, what: StartRequest) -> Result<VerificationView, ApiError> {
        let page = match &who.door {
            Door::Frame(Embedding { origin, page_state, .. }) => {
                format!(" for {origin} with {}", page_state.as_deref().unwrap_or_default())
            }
            Door::Page | Door::Island => String::new(),
        };
        self.note(format!("start {} {}{page}", what.to, who.address), &what.to).await?;
        match what.to.as_str() {
            "nobody" => Err(ApiError::InvalidRecipient { problem: RecipientProblem::Email }),
            "often@example.com" => {
                Err(ApiError::RateLimited { limit: Limit::RecipientSends, retry_after: 60 })
            }
            _ => Ok(view(State::Pending)),
        }
    }

    async fn page(&self, caller: &Caller, id: &str) -> Result<Option<PageView>, ApiError> {
        let place = match id.split_once('-') {
            Some(("framed", _)) => Place::Embedded(embedding()),
            Some(("hosted", state)) => Place::Visited(WayBack {
                url: "https://shop.example/return".to_owned(),
                result: if state == "approved" { State::Approved } else { State::Pending },
                page_state: Some("abc".to_owned()),
            }),
            _ => Place::Alone,
        };
        let is_behind = match &caller.door {
            Door::Island => true,
            Door::Page => !matches!(place, Place::Embedded(_)),
            Door::Frame(page) => {
                matches!(&place, Place::Embedded(home) if home.origin == page.origin)
            }
        };
        let state = id.trim_start_matches("framed-").trim_start_matches("hosted-");
        let found = self.view(state).await?.filter(|_| is_behind);
        Ok(found.map(|view| PageView {
            proof: (view.state == State::Approved).then_some(Proof::Elsewhere(Some(60_000))),
            claim: (view.state == State::Pending).then(|| "a-claim".to_owned()),
            view: Some(view),
            brand: Brand { name: "Latchkey".to_owned(), ..Brand::default() },
            place,
        }))
    }

    async fn view(&self, id: &str) -> Result<Option<VerificationView>, ApiError> {
        match id {
            ID | "pending" => Ok(Some(view(State::Pending))),
            "approved" => Ok(Some(view(State::Approved))),
            "panics" | "hangs" | "away" => self.note("view".to_owned(), id).await.map(|()| None),
            _ => Ok(None),
        }
    }

    async fn check(
        &self,
        caller: &Caller,
        id: &str,
        guess: &str,
        claim: &str,
    ) -> Result<CheckAnswer, ApiError> {
        let claimed = if claim.is_empty() { "" } else { " with " };
        self.note(format!("check{claimed}{claim}"), id).await?;
        let (outcome, state) = match guess {
            "123456" => (Outcome::Approved, State::Approved),
            "12345" => {
                (Outcome::Malformed { expected: 6, problem: CodeProblem::TooShort }, State::Pending)
            }
            _ => (Outcome::Incorrect { attempts_left: 4 }, State::Pending),
        };
        let leads_on = id.starts_with("framed-") || id.starts_with("hosted-");
        let is_own = outcome == Outcome::Approved && leads_on && caller.door != Door::Island;
        let page = if is_own {
            self.page(caller, &id.replace("pending", "approved")).await?
        } else {
            None
        };
        let token = Token { signed: "a.b.c".to_owned(), expires_at: 60_000 };
        let page = page.map(|page| PageView { proof: Some(Proof::Own(Some(token))), ..page });
        Ok(CheckAnswer { outcome, verification: Some(view(state)), page })
    }

    async fn resend(
        &self,
        _: &Caller,
        id: &str,
        channel: Option<Channel>,
    ) -> Result<VerificationView, ApiError> {
        self.note("resend".to_owned(), id).await?;
        match channel {
            Some(Channel::Sms) => Err(ApiError::ResendTooEarly { retry_after: 25 }),
            _ => Ok(view(State::Pending)),
        }
    }

    async fn cancel(&self, _: &Caller, id: &str) -> Result<(), ApiError> {
        self.note("cancel".to_owned(), id).await
    }

    async fn not_me(&self, link: &str) -> Result<Option<NotMeView>, ApiError> {
        let view = NotMeView {
            recipient: "j***@example.com".to_owned(),
            brand: Brand::default(),
            state: State::Pending,
            is_done: false,
            cool_down_hours: 24,
        };
        Ok((link == ID).then_some(view))
    }

    async fn disown(&self, link: &str) -> Result<bool, ApiError> {
        self.note("disown".to_owned(), link).await?;
        Ok(link == ID)
    }
}

#[derive(Clone, Default)]
struct Store {
    is_away: Arc<AtomicBool>,
    pings: Arc<AtomicU32>,
}

impl Store {
    fn ping(&self) -> bool {
        self.pings.fetch_add(1, Ordering::SeqCst);
        !self.is_away.load(Ordering::SeqCst)
    }
}

/// The router and what stands behind it.
struct Site {
    router: Router,
    script: Arc<Script>,
    readiness: Readiness,
    store_is_away: Arc<AtomicBool>,
    /// Checks of the store.
    pings: Arc<AtomicU32>,
    _installation: Installation,
}

fn site() -> Site {
    site_with(|_| {})
}

fn site_with(change: impl FnOnce(&mut Web)) -> Site {
    let script = Arc::new(Script::default());
    let store = Store::default();
    let pinged = store.clone();
    let readiness = Readiness::new(move || std::future::ready(pinged.ping()));
    let installation = installation();
    let mut web = Web {
        port: script.clone(),
        service: installation.service.clone(),
        catalogue: Arc::new(Catalogue::load().unwrap()),
        assets: Assets {
            css: "main{}".to_owned(),
            loader: "0".to_owned(),
            js: "/assets/island.js".to_owned(),
            wasm: "/assets/island.wasm".to_owned(),
            ..Assets::default()
        },
        brand: Brand::default(),
        start: StartOptions {
            channels: vec![Channel::Email, Channel::Sms],
            fixed_recipient: None,
            countries: [("GB", 44), ("DE", 49)]
                .map(|(region, calling_code)| Country {
                    region: region.to_owned(),
                    name: region.to_owned(),
                    calling_code,
                })
                .into(),
            default_country: "GB".to_owned(),
        },
        countries: ["GB", "DE", "FR"]
            .map(|region| Country { region: region.into(), name: region.into(), calling_code: 0 })
            .into(),
        inbox: Some(Box::new(|| vec![message()])),
        development_hosts: None,
        has_start_page: true,
        readiness: readiness.clone(),
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        origin: Origin::parse("https://otp.example.com").unwrap(),
        request_timeout: Duration::from_millis(200),
        security_contacts: vec!["mailto:security@example.com".to_owned()],
        now: Box::new(|| 60_000),
    };
    change(&mut web);
    let assets = Router::new().route(
        "/assets/a.css",
        axum::routing::get(|| async { ([(header::CACHE_CONTROL, "max-age=9")], "a{}") }),
    );
    let router = router(web, assets);
    Site {
        router,
        script,
        readiness,
        store_is_away: store.is_away,
        pings: store.pings,
        _installation: installation,
    }
}

fn message() -> InboxMessage {
    InboxMessage {
        number: 1,
        received_at: 0,
        channel: Channel::Email,
        to: "jane@example.com".to_owned(),
        subject: "Code".to_owned(),
        text: "123456".to_owned(),
        code: "123456".to_owned(),
    }
}

/// An answer with its whole body.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.header("location")
    }
}

impl Site {
    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.into()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// Posts a form as our own page does.
    async fn post(&self, path: &str, form: impl Into<Body>) -> Answer {
        self.send(form_post(path).body(form.into()).unwrap()).await
    }

    /// Calls a server function as our own island does.
    async fn call(&self, path: &str, json: &str) -> Answer {
        let request = request(Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json");
        self.send(request.body(Body::from(json.to_owned())).unwrap()).await
    }

    fn acts(&self) -> Vec<String> {
        self.script.acts.lock().unwrap().clone()
    }
}

fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "otp.example.com")
        .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))))
}

fn form_post(path: &str) -> axum::http::request::Builder {
    request(Method::POST, path)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "text/html,*/*;q=0.8")
}

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
    for path in super::server_fns::paths() {
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

#[tokio::test]
async fn s19_a_panic_is_a_500_that_tells_nothing_and_the_next_request_is_answered() {
    let site = site();

    let page = site.post("/v/panics/check", "code=1").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.body.contains("<h1>"), "{}", page.body);
    assert!(!page.body.contains("123456"), "{}", page.body);

    assert_eq!(site.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn s26_an_answer_that_does_not_come_is_given_up() {
    let answer = site().get("/v/hangs").await;

    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn programs_get_problems_as_rfc_9457_has_them() {
    let site = site();

    let away = site.get("/v/away").await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(away.header("retry-after"), "7");
    assert_eq!(away.header("content-type"), "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&away.body).unwrap();
    assert_eq!(
        problem,
        serde_json::json!({
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "code": "unavailable",
            "detail": super::problem::codes::of_error(ApiError::Unavailable { retry_after: 7 }).1,
            "retry_after": 7,
        })
    );
}

#[tokio::test]
async fn people_get_problems_as_pages() {
    let site = site();
    let get =
        |path| request(Method::GET, path).header(header::ACCEPT, "text/html").body(Body::empty());

    let missing = site.send(get("/no/such/page").unwrap()).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.header("content-type").starts_with("text/html"));
    assert!(missing.body.contains("<h1>"));

    let method = site.post("/health/live", "").await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(method.header("allow").contains("GET"), "{}", method.header("allow"));
}

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

#[tokio::test(start_paused = true)]
async fn readiness_follows_the_store_and_ends_with_the_stop() {
    let a_second = Duration::from_secs(1);
    let site = site();
    assert_eq!(site.get("/health/ready").await.status, StatusCode::OK);

    site.store_is_away.store(true, Ordering::SeqCst);
    tokio::time::advance(a_second).await;
    assert_eq!(site.get("/health/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.get("/health/live").await.status, StatusCode::OK);

    site.store_is_away.store(false, Ordering::SeqCst);
    tokio::time::advance(a_second).await;
    assert_eq!(site.get("/health/ready").await.status, StatusCode::OK);

    // S27
    site.readiness.stop();
    assert_eq!(site.get("/health/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.get("/health/live").await.status, StatusCode::OK);
}

/// A check of the store writes.
#[tokio::test(start_paused = true)]
async fn s36_many_questions_for_readiness_are_one_check_a_second() {
    let site = site();
    for _ in 0..3 {
        for _ in 0..100 {
            assert_eq!(site.get("/health/ready").await.status, StatusCode::OK);
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }

    assert_eq!(site.pings.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn the_inbox_is_there_in_development_alone() {
    let with = site();
    assert!(with.get("/dev/inbox").await.body.contains("123456"));
    let json = with.get("/dev/inbox.json").await.body;
    assert_eq!(json, serde_json::to_string(&[message()]).unwrap());

    let without = site_with(|web| web.inbox = None);
    assert_eq!(without.get("/dev/inbox").await.status, StatusCode::NOT_FOUND);
    assert_eq!(without.get("/dev/inbox.json").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn security_txt_names_the_contacts_of_the_configuration() {
    let answer = site().get("/.well-known/security.txt").await;
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "public, max-age=86400");
    assert_eq!(
        answer.body,
        "Contact: mailto:security@example.com\n\
         Expires: 1970-06-30T00:01:00Z\n\
         Canonical: https://otp.example.com/.well-known/security.txt\n"
    );

    let without = site_with(|web| web.security_contacts.clear());
    assert_eq!(without.get("/.well-known/security.txt").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn countries_are_named_and_sorted_in_the_page_s_language() {
    let page = site().get("/").await.body;

    let (germany, kingdom) = (page.find("Germany (+49)"), page.find("United Kingdom (+44)"));
    assert!(germany.is_some() && germany < kingdom, "{germany:?} {kingdom:?}");
}

/// S8: ids are capabilities, so not even paths are logged.
#[tokio::test]
async fn s8_requests_are_logged_by_their_route_and_hold_nothing_personal() {
    let log = log();
    let site = site();

    site.post(&format!("/v/{ID}/check?x=s8-query"), "code=80808080&claim=s8-claim").await;
    site.post("/", "channel=email&email=s8.recipient%40example.com").await;
    site.call("/ui/check", &format!(r#"["{ID}","80808080","s8-claim"]"#)).await;
    site.get("/v/away").await;

    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    for expected in ["/v/{id}/check", "method=\"POST\"", "status=303", "status=503", "latency_us="]
    {
        assert!(log.contains(expected), "{expected}: {log}");
    }
    for secret in [ID, "80808080", "s8.recipient", "s8-query", "s8-claim"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

type Log = Arc<Mutex<Vec<u8>>>;

/// Everything that any test of this program logs, down to the finest. A subscriber for one thread
/// alone would miss what another thread has made the machinery believe to be of no interest.
fn log() -> &'static Log {
    struct Sink;
    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            LOG.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    static LOG: LazyLock<Log> = LazyLock::new(Log::default);
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Sink)
            .init();
    });
    &LOG
}
