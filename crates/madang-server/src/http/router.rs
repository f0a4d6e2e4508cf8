//! The whole route table, and what holds for every route.

use std::time::Duration;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    routing::get,
};
use madang_proto::limits;
use tower_http::{
    compression::CompressionLayer,
    cors::{AllowOrigin, CorsLayer},
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{health, openapi, web};
use crate::{
    accounts, app::App, channels, config::Config, direct, edits, gateway, messages, pins, presence,
    reactions, reads, saved, search, threads, workspaces,
};

/// A request that is not answered after this long is given up.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// The routes of the API, with their documentation.
pub fn api() -> OpenApiRouter<App> {
    use accounts::http as accounts;
    use channels::http as channels;
    use direct::http as direct;
    use edits::http as edits;
    use messages::http as messages;
    use pins::http as pins;
    use presence::http as presence;
    use reactions::http as reactions;
    use reads::http as reads;
    use saved::http as saved;
    use search::http as search;
    use threads::http as threads;
    use workspaces::http as workspaces;
    OpenApiRouter::new()
        .routes(routes!(accounts::register))
        .routes(routes!(accounts::login))
        .routes(routes!(accounts::guest))
        .routes(routes!(accounts::refresh))
        .routes(routes!(accounts::logout))
        .routes(routes!(accounts::sessions))
        .routes(routes!(accounts::end_session))
        .routes(routes!(accounts::me))
        .routes(routes!(accounts::show))
        .routes(routes!(presence::show))
        .routes(routes!(presence::update))
        .routes(routes!(workspaces::index, workspaces::create))
        .routes(routes!(workspaces::show, workspaces::update))
        .routes(routes!(workspaces::members, workspaces::add_member))
        .routes(routes!(workspaces::update_member, workspaces::remove_member))
        .routes(routes!(channels::of_workspace, channels::create_in_workspace))
        .routes(routes!(channels::index, channels::create))
        .routes(routes!(channels::show, channels::update, channels::destroy))
        .routes(routes!(channels::members, channels::invite))
        .routes(routes!(channels::remove))
        .routes(routes!(channels::join))
        .routes(routes!(channels::leave))
        .routes(routes!(channels::changes))
        .routes(routes!(direct::index, direct::create))
        .routes(routes!(direct::messages))
        .routes(routes!(messages::index, messages::create))
        .routes(routes!(messages::index_by_channel))
        .routes(routes!(messages::send))
        .routes(routes!(search::index))
        .routes(routes!(messages::show, messages::update, messages::destroy))
        .routes(routes!(edits::index))
        .routes(routes!(pins::index))
        .routes(routes!(pins::create, pins::destroy))
        .routes(routes!(reactions::index, reactions::create, reactions::destroy))
        .routes(routes!(reads::mark))
        .routes(routes!(threads::index, threads::create))
        .routes(routes!(threads::follow, threads::unfollow))
        .routes(routes!(threads::followed))
        .routes(routes!(saved::index))
        .routes(routes!(saved::create, saved::destroy))
}

/// The routes with their documentation: the API under its base path, and health.
pub fn documented() -> (Router<App>, OpenApi) {
    let (router, mut document) =
        OpenApiRouter::new().nest("/api/v1", api()).routes(routes!(health::show)).split_for_parts();
    openapi::complete(&mut document);
    (router, document)
}

/// Everything that the server answers.
pub fn router(app: App) -> Router {
    let (routes, document) = documented();
    let json = document.to_json().unwrap_or_default();
    let document = move || async move { ([(header::CONTENT_TYPE, "application/json")], json) };
    let fixed = |name: HeaderName, value: HeaderValue| SetResponseHeaderLayer::if_not_present(name, value);
    let mut router = routes
        .route("/api/openapi.json", get(document))
        .fallback(web::show)
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_WITHIN))
        .layer(CompressionLayer::new())
        // After the layers of plain requests: an upgraded connection has rules of its own.
        .route("/api/v1/ws", get(gateway::ws::upgrade))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, web::CONTENT_SECURITY_POLICY))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .layer(fixed(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")))
        .layer(fixed(header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    if let Some(cors) = cors(&app.config) {
        router = router.layer(cors);
    }
    router.with_state(app)
}

fn cors(config: &Config) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = config.cors_origins.iter().filter_map(|o| o.parse().ok()).collect();
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
            .expose_headers([HeaderName::from_static(super::NEXT_CURSOR), header::RETRY_AFTER])
            .max_age(Duration::from_secs(3600))
    })
}
