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
mod bodies;
mod caller;
mod embed;
mod forms;
mod headers;
mod log;
mod operation;
mod problems;
mod script;

use self::{log::log, script::Script};

const ID: &str = "abcdefghijklmnopqrstuvwxyz-_12";
/// Of a verification in a frame of `https://shop.example`.
const EMBEDDED: &str = "framed-pending";

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
