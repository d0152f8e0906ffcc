//! HTTP: from requests to the port and back to pages.
//!
//! Handlers hold no rules; they read a form, call [`Port`] and lay out a page or redirect to one.
//! Everything that holds for every answer is in `middleware`, so a handler that is added later
//! cannot forget it. Modules import in one direction: `middleware`, `wording`, then handlers, `visit`,
//! `frame`, and at last `caller`, `problem` and `security_headers`.

pub mod api;
pub mod assets;
mod body;
mod caller;
mod dev_inbox;
mod element;
mod forms;
mod frame;
mod health;
mod middleware;
mod pages;
mod problem;
mod same_origin;
mod security_headers;
mod security_txt;
mod serve;
mod server_fns;
#[cfg(test)]
mod tests;
mod trace;
mod visit;
mod wording;

use std::{collections::HashMap, sync::Arc, time::Duration};

use app::{
    pages::Assets,
    port::Port,
    wire::{Brand, Channel, Country, StartOptions},
};
use axum::{
    Router,
    routing::{get, post},
};
use ipnet::IpNet;

pub use self::{
    dev_inbox::DevInbox,
    health::{Readiness, StorePing},
    serve::{Ended, Server, Timeouts},
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
    /// Choices on the first page.
    pub start: StartSettings,
    /// The development inbox, where there is one.
    pub inbox: Option<DevInbox>,
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

/// Choices on the first page, in no language yet.
#[derive(Clone, Debug, Default)]
pub struct StartSettings {
    /// The relying party whose page it is.
    pub brand: Brand,
    /// The channels that have a provider, in the order to offer them.
    pub channels: Vec<Channel>,
    /// The masked form of the one recipient that codes go to, if it is fixed.
    pub fixed_recipient: Option<String>,
    /// The region that is selected at first.
    pub default_country: String,
    /// Regions of the phone form (ISO 3166-1 alpha-2) with their calling codes; none without a
    /// phone channel.
    pub regions: Vec<(String, u16)>,
}

/// State of the handlers: [`Web`] and what follows from it.
struct Context {
    web: Web,
    /// Options of the first page by locale.
    offers: HashMap<String, StartOptions>,
}

impl Context {
    fn new(web: Web) -> Self {
        let locales = web.catalogue.locales().map(str::to_owned);
        let offers = locales.map(|locale| (locale.clone(), web.offer(&locale))).collect();
        Self { web, offers }
    }
}

impl Web {
    fn offer(&self, locale: &str) -> StartOptions {
        let mut countries: Vec<_> = self
            .start
            .regions
            .iter()
            .map(|(region, calling_code)| Country {
                name: self.catalogue.country(locale, region).unwrap_or_else(|| region.clone()),
                region: region.clone(),
                calling_code: *calling_code,
            })
            .collect();
        countries.sort_by(|a, b| a.name.cmp(&b.name));
        StartOptions {
            channels: self.start.channels.clone(),
            fixed_recipient: self.start.fixed_recipient.clone(),
            countries,
            default_country: self.start.default_country.clone(),
        }
    }
}

/// Every route. `assets` answers for the files that pages load.
pub fn router(web: Web, assets: Router) -> Router {
    let inbox = web.inbox.is_some();
    let context = Arc::new(Context::new(web));

    let mut routes = journey("/", "/v")
        .merge(journey("/embed", "/embed/v"))
        .route(element::PATH, post(element::start).options(element::preflight))
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
fn journey(start: &str, verification: &str) -> Router<Arc<Context>> {
    let path = |rest: &str| format!("{verification}/{{id}}{rest}");
    Router::new()
        .route(start, get(pages::start).post(forms::start))
        .route(&path(""), get(pages::verification))
        .route(&path("/check"), get(forms::checked).post(forms::check))
        .route(&path("/resend"), post(forms::resend))
        .route(&path("/cancel"), post(forms::cancel))
}
