//! Placeholder until the site is embedded.
use app::pages::Assets;
use axum::Router;

/// What pages load.
pub fn page_assets() -> Assets {
    Assets::default()
}

/// The files that pages load.
pub fn router() -> Router {
    Router::new()
}
