//! A server and its time.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use otp::Timestamp;
use rand::{SeedableRng, rngs::StdRng};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, redirect};
use server::{
    clock::Clock,
    config::{Config, Sources},
    startup::Application,
};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::Fault;

/// A midnight in UTC.
const START: Timestamp = Timestamp::from_millis(1_700_006_400_000);

/// Everybody says that they have the same browser.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Most times that a request is sent to a server that is overloaded.
const OVERLOADED: usize = 100;

/// Settings of a server in this process: a development server behind a proxy, with an inbox.
const SETTINGS: [(&str, &str); 4] = [
    ("LATCHKEY_SERVER__MODE", "development"),
    ("LATCHKEY_SERVER__BIND", "127.0.0.1:0"),
    ("LATCHKEY_SERVER__DEVELOPMENT_HOSTS", "127.0.0.1"),
    ("LATCHKEY_SERVER__TRUSTED_PROXIES", "127.0.0.1"),
];

/// Server that a scenario runs against, and the seed of its randomness.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Origin of a running development server on this machine; otherwise each scenario starts its own.
    pub url: Option<Url>,
    /// Seed of everything that is random but the codes.
    pub seed: u64,
    /// Settings of the server beside those of the scenario, named as in the environment.
    pub settings: Vec<(String, String)>,
}

impl Setup {
    /// The generator of a scenario.
    pub(crate) fn rng(&self) -> StdRng {
        StdRng::seed_from_u64(self.seed)
    }

    /// The server, with settings of the scenario.
    pub(crate) async fn world(&self, settings: &[(&str, String)]) -> Result<World, Fault> {
        let Some(url) = &self.url else {
            let of_scenario = settings.iter().map(|(name, value)| (*name, value.as_str()));
            let own = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            return World::start(of_scenario.chain(own)).await;
        };
        let mut world = World::at(url)?;
        // A development server behind no proxy refuses requests that were forwarded.
        world.forwards = true;
        let page = world.request(Method::GET, "/", Some(IpAddr::from([192, 0, 2, 1])));
        world.forwards = page.send().await?.status() == StatusCode::OK;
        world.skip_messages().await?;
        Ok(world)
    }
}

/// A server and its time.
pub(crate) struct World {
    origin: String,
    client: reqwest::Client,
    /// The server in this process; otherwise time passes by itself.
    own: Option<Own>,
    /// Requests say that a proxy has forwarded them from their address.
    forwards: bool,
    /// Networks that were handed out.
    networks: AtomicU32,
    requests: AtomicU64,
    /// Number of the newest message that was read.
    pub(crate) read: AtomicU64,
}

struct Own {
    clock: Clock,
    /// Dropping it stops the server.
    _stop: oneshot::Sender<()>,
    _folder: TempDir,
}

impl World {
    async fn start<'a>(settings: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Fault> {
        let folder = tempfile::tempdir()?;
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let sources = Sources {
            file: None,
            directory: folder.path().to_owned(),
            environment: SETTINGS.into_iter().chain(settings).map(own).collect(),
        };
        let config = Config::load(&sources)?;
        let clock = Clock::manual(START);
        let application = Application::build_on(&config, |_| Ok(clock.clone())).await?;
        let origin = format!("http://{}", application.address());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(application.run_until_stopped(async {
            let _ = stopped.await;
        }));
        Self::new(origin, Some(Own { clock, _stop: stop, _folder: folder }))
    }

    /// A server that runs already.
    fn at(url: &Url) -> Result<Self, Fault> {
        let is_here = match url.host_str() {
            Some("localhost") => true,
            Some(host) => host
                .trim_matches(['[', ']'])
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback()),
            None => false,
        };
        if !is_here || url.scheme() != "http" {
            return Err("only servers on this machine are attacked: http://127.0.0.1:3000".into());
        }
        Self::new(url.as_str().trim_end_matches('/').to_owned(), None)
    }

    fn new(origin: String, own: Option<Own>) -> Result<Self, Fault> {
        let client = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .user_agent(BROWSER)
            .build()?;
        let (networks, requests, read) = (AtomicU32::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let forwards = own.is_some();
        Ok(Self { origin, client, own, forwards, networks, requests, read })
    }

    /// Sets the clock forward. A server in real time stays where it is.
    pub(crate) fn advance(&self, by: Duration) {
        if let Some(own) = &self.own {
            own.clock.advance(by);
        }
    }

    /// Whether the clock can be set forward.
    pub(crate) fn can_advance(&self) -> bool {
        self.own.is_some()
    }

    /// Whole hours since the epoch.
    pub(crate) fn hour(&self) -> u64 {
        self.own.as_ref().map_or(0, |own| own.clock.now().as_millis() / 3_600_000)
    }

    /// An address in a network that was in no other one's answer: of IPv4 a /24, of IPv6 a /48.
    pub(crate) fn new_network(&self) -> IpAddr {
        let number = self.networks.fetch_add(1, Ordering::Relaxed);
        let [_, a, b, c] = number.to_be_bytes();
        let last = u16::from_be_bytes([b, c]);
        if number < 40_000 && number.is_multiple_of(2) {
            [20, b, c, 7].into()
        } else {
            [0x2a00 + u16::from(a), last, 0, 0, 0, 0, 0, 1].into()
        }
    }

    /// Number of requests that were made.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Sends a request, and again as long as the server is overloaded: it has changed nothing then.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Fault> {
        for _ in 0..OVERLOADED {
            let again = request.try_clone().ok_or("the request cannot be repeated")?;
            self.requests.fetch_add(1, Ordering::Relaxed);
            let answer = again.send().await?;
            match answer.status() {
                StatusCode::SERVICE_UNAVAILABLE => {}
                status if status.is_server_error() => {
                    return Err(format!("the server answers {status}").into());
                }
                _ => return Ok(answer),
            }
        }
        Err("the server is overloaded".into())
    }

    /// A request from an address, or of a back end, which has no browser.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        from: Option<IpAddr>,
    ) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.origin));
        let Some(address) = from else { return request };
        let request = request.header("sec-fetch-site", "same-origin");
        if self.forwards { request.header("x-forwarded-for", address.to_string()) } else { request }
    }
}
