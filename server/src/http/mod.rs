//! HTTP: from requests to the port and back to pages.
//!
//! Handlers hold no rules; they read a form, call [`Port`] and lay out a page or redirect to one.
//! Everything that holds for every answer is in `middleware`, so a handler that is added later
//! cannot forget it. Modules import in one direction: `middleware`, `wording`, then handlers, `visit`,
//! `frame`, and at last `caller`, `problem` and `security_headers`.

pub mod api;
pub mod assets;
mod bare_answers;
mod body;
mod caller;
mod connections;
mod dev_inbox;
mod development;
mod element;
mod forms;
mod frame;
mod health;
mod middleware;
mod not_me;
mod pages;
mod problem;
mod receipts;
mod same_origin;
mod security_headers;
mod security_txt;
mod serve;
mod server_fns;
mod tally;
#[cfg(test)]
mod tests;
mod trace;
mod visit;
mod well_formed;
mod wording;
mod write_deadline;

use std::{
    collections::HashMap,
    sync::{Arc, Once},
    time::Duration,
};

use app::{
    pages::Assets,
    port::Port,
    wire::{Brand, Country, InboxMessage, StartOptions},
};
use axum::{
    Router,
    extract::{FromRequestParts, Path},
    http::request::Parts,
    routing::{get, post},
};
use ipnet::IpNet;

use self::trace::Refusals;
pub use self::{
    caller::address as caller_address,
    connections::ConnectionLimits,
    health::Readiness,
    serve::{Bounds, Ended, Server, Timeouts},
};
use crate::{i18n::Catalogue, origin::Origin, service::Service};

/// Everything that handlers need.
pub struct Web {
    /// The use cases, for back ends.
    pub service: Service,
    /// The use cases, for browsers.
    pub port: Arc<dyn Port>,
    /// Texts in every language.
    pub catalogue: Arc<Catalogue>,
    /// Files that pages load.
    pub assets: Assets,
    /// The relying party of the start page.
    pub brand: Brand,
    /// Options of the start page; its countries have their region for a name.
    pub start: StartOptions,
    /// Every country that has phone numbers, named likewise.
    pub countries: Vec<Country>,
    /// Whether there is a start page outside of frames.
    pub has_start_page: bool,
    /// The messages of the development inbox, where there is one.
    pub inbox: Option<Box<dyn Fn() -> Vec<InboxMessage> + Send + Sync>>,
    /// In development mode, the hosts that are answered beside this machine.
    pub development_hosts: Option<Vec<String>>,
    /// Readiness for requests.
    pub readiness: Readiness,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Public origin; state changes from other origins are refused.
    pub origin: Origin,
    /// Longest time from a request's last header line to its answer.
    pub request_timeout: Duration,
    /// URIs for reports of vulnerabilities: `mailto:` or `https:`.
    pub security_contacts: Vec<String>,
    /// The server's clock, in milliseconds since the Unix epoch.
    pub now: Box<dyn Fn() -> u64 + Send + Sync>,
}

/// State of the handlers: [`Web`] and what follows from it.
struct Context {
    web: Web,
    /// A proxy that is not listed was warned about.
    unlisted_proxy: Once,
    /// Options of the start pages by locale.
    offers: HashMap<String, Offer>,
    refusals: Refusals,
}

impl Context {
    fn new(web: Web) -> Self {
        let locales = web.catalogue.locales().map(str::to_owned);
        let offers = locales.map(|locale| (locale.clone(), web.offer(&locale))).collect();
        Self { web, unlisted_proxy: Once::new(), offers, refusals: Refusals::new() }
    }
}

/// Options of start pages in one language.
struct Offer {
    /// Those of the start page outside of frames.
    start: StartOptions,
    /// Every country, of which a frame offers those that its site serves.
    countries: Vec<Country>,
}

impl Web {
    /// The options with the names of countries in this language.
    fn offer(&self, locale: &str) -> Offer {
        let named = |countries: &[Country]| {
            let mut countries = countries.to_vec();
            for country in &mut countries {
                if let Some(name) = self.catalogue.country(locale, &country.region) {
                    country.name = name;
                }
            }
            countries.sort_by(|a, b| a.name.cmp(&b.name));
            countries
        };
        let start = StartOptions { countries: named(&self.start.countries), ..self.start.clone() };
        Offer { start, countries: named(&self.countries) }
    }
}

/// The id in the path of a request; `None` if it is no text.
async fn id_in_path(parts: &mut Parts) -> Option<String> {
    Path::from_request_parts(parts, &()).await.ok().map(|Path(id)| id)
}

/// Every route. `assets` answers for the files that pages load.
pub fn router(web: Web, assets: Router) -> Router {
    let inbox = web.inbox.is_some();
    let context = Arc::new(Context::new(web));

    let own_start = context.web.has_start_page.then_some("/");
    let mut routes = journey(own_start, "/v")
        .merge(journey(Some("/embed"), "/embed/v"))
        .route(element::PATH, post(element::start).options(element::preflight))
        .route("/not-me/{link}", get(not_me::page).post(not_me::submit))
        .route("/receipts/{provider}", post(receipts::bounce))
        .route("/receipts/{provider}/{reference}", post(receipts::receipt))
        .route("/.well-known/security.txt", get(security_txt::get))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready));
    for path in server_fns::paths() {
        routes = routes.route(path, post(server_fns::call));
    }
    if inbox {
        routes = routes
            .route("/dev/inbox", get(dev_inbox::page))
            .route("/dev/inbox.json", get(dev_inbox::json));
    }
    let routes = routes
        .merge(api::routes(context.web.origin.as_str()))
        .with_state(context.clone())
        .merge(assets)
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed);
    middleware::wrap(routes, &context)
}

/// The pages of a verification and their forms, on their own or in a frame.
fn journey(start: Option<&str>, verification: &str) -> Router<Arc<Context>> {
    let path = |rest: &str| format!("{verification}/{{id}}{rest}");
    let mut routes = Router::new();
    if let Some(start) = start {
        routes = routes.route(start, get(pages::start).post(forms::start));
    }
    routes
        .route(&path(""), get(pages::verification))
        .route(&path("/check"), get(forms::checked).post(forms::check))
        .route(&path("/resend"), post(forms::resend))
        .route(&path("/cancel"), post(forms::cancel))
}
