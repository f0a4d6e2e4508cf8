//! The whole route table, and what holds for every route.

use std::time::Duration;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{from_fn_with_state, map_response, map_response_with_state},
    routing::get,
};
use madang_proto::limits;
use tower_http::{
    compression::CompressionLayer,
    cors::{AllowOrigin, CorsLayer},
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
};

use super::{
    health, openapi, problem, rates,
    routes::{Route, route, serve},
    web,
};
use crate::{
    accounts, app::App, audit, channels, config::Config, direct, drafts, drain, edits, emoji, exports, files,
    gateway, invites, messages, metrics, notifications, pins, presence, previews, profiles, reactions, reads,
    reminders, reports, retention, sanctions, saved, scheduled, search, settings, threads, workspaces,
};

/// Where the API is.
pub(super) const API: &str = "/api/v1";

/// A request that is not answered after this long is given up.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// The routes of the API.
pub(super) fn api() -> Vec<Route> {
    use accounts::http as accounts;
    use audit::http as audit;
    use channels::http as channels;
    use direct::http as direct;
    use drafts::http as drafts;
    use edits::http as edits;
    use emoji::http as emoji;
    use exports::http as exports;
    use invites::http as invites;
    use messages::http as messages;
    use notifications::http as notifications;
    use pins::http as pins;
    use presence::http as presence;
    use previews::http as previews;
    use profiles::http as profiles;
    use reactions::http as reactions;
    use reads::http as reads;
    use reminders::http as reminders;
    use reports::http as reports;
    use retention::http as retention;
    use sanctions::http as sanctions;
    use saved::http as saved;
    use scheduled::http as scheduled;
    use search::http as search;
    use settings::http as settings;
    use threads::http as threads;
    use workspaces::http as workspaces;
    vec![
        route!(emoji::index, emoji::create).with_body_of(emoji::FORM_BYTES),
        route!(emoji::destroy),
        route!(emoji::show),
        route!(accounts::register),
        route!(accounts::login),
        route!(accounts::guest),
        route!(accounts::refresh),
        route!(accounts::logout),
        route!(accounts::sessions),
        route!(accounts::end_session),
        route!(accounts::me),
        route!(exports::show, exports::create),
        route!(exports::show_of_workspace, exports::create_of_workspace),
        route!(accounts::show, profiles::update),
        route!(profiles::changes),
        route!(presence::show),
        route!(presence::update),
        route!(workspaces::index, workspaces::create),
        route!(workspaces::show, workspaces::update),
        route!(workspaces::members, workspaces::add_member),
        route!(workspaces::update_member, workspaces::remove_member),
        route!(retention::set_of_workspace),
        route!(retention::set_of_channel, retention::clear_of_channel),
        route!(channels::of_workspace, channels::create_in_workspace),
        route!(channels::index, channels::create),
        route!(channels::show, channels::update, channels::destroy),
        route!(channels::members, channels::invite),
        route!(channels::remove),
        route!(channels::join),
        route!(channels::leave),
        route!(channels::changes),
        route!(direct::index, direct::create),
        route!(direct::messages),
        route!(messages::index, messages::create),
        route!(messages::index_by_channel),
        route!(messages::send),
        route!(search::index),
        route!(messages::show, messages::update, messages::destroy),
        route!(edits::index),
        route!(pins::index),
        route!(pins::create, pins::destroy),
        route!(previews::destroy),
        route!(reactions::index, reactions::create, reactions::destroy),
        route!(reads::mark),
        route!(reads::unmark),
        route!(reads::seen),
        route!(settings::show, settings::update),
        route!(threads::index, threads::create),
        route!(threads::follow, threads::unfollow),
        route!(threads::followed),
        route!(sanctions::index, sanctions::create),
        route!(sanctions::destroy),
        route!(reports::create),
        route!(reports::index),
        route!(reports::resolve),
        route!(audit::index),
        route!(invites::index, invites::create),
        route!(invites::destroy),
        route!(invites::preview),
        route!(invites::accept),
        route!(saved::index),
        route!(saved::create, saved::destroy),
        route!(drafts::index),
        route!(drafts::show, drafts::update, drafts::destroy),
        route!(scheduled::index),
        route!(scheduled::create),
        route!(scheduled::update, scheduled::destroy),
        route!(reminders::index, reminders::create),
        route!(reminders::destroy),
        route!(notifications::index),
        route!(notifications::read),
        route!(notifications::settings, notifications::update_settings),
        route!(notifications::update_workspace),
        route!(notifications::update_channel),
    ]
}

/// The routes of files, whose bodies are streams: no limit of all of a body or of its time holds for them.
pub(super) fn streams() -> Vec<Route> {
    use exports::http as exports;
    use profiles::http as profiles;

    use crate::files::{http as files, tus};
    vec![
        route!(files::create),
        route!(tus::create, tus::options),
        route!(tus::show, tus::update, tus::destroy),
        route!(files::show),
        route!(files::thumbnail),
        route!(profiles::set_avatar, profiles::remove_avatar),
        route!(profiles::avatar),
        route!(exports::download),
        route!(exports::download_of_workspace),
    ]
}

/// The routes beside the API.
pub(super) fn beside() -> Vec<Route> {
    vec![route!(health::show)]
}

/// Everything that the server answers.
pub fn router(app: App) -> Router {
    let document = async || ([(header::CONTENT_TYPE, "application/json")], openapi::COMMITTED);
    let streams = Router::new().nest(API, serve(streams())).layer(DefaultBodyLimit::disable());
    let fixed = |name: HeaderName, value: HeaderValue| SetResponseHeaderLayer::if_not_present(name, value);
    let mut router = serve(beside())
        .nest(API, serve(api()))
        .route("/api/openapi.json", get(document))
        .fallback(web::show)
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_WITHIN))
        .layer(CompressionLayer::new())
        // After the layers of plain requests: streams and upgraded connections have rules of their own.
        .merge(streams.layer(from_fn_with_state(app.clone(), drain::refuse_uploads)))
        .route("/api/v1/ws", get(gateway::ws::upgrade))
        .layer(map_response(problem::complete))
        .layer(map_response_with_state(app.clone(), drain::say_last))
        .layer(from_fn_with_state(app.clone(), rates::tell))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, web::CONTENT_SECURITY_POLICY))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .layer(fixed(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")))
        .layer(fixed(header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    if let Some(cors) = cors(&app.config) {
        router = router.layer(cors);
    }
    router.layer(from_fn_with_state(app.clone(), metrics::measure)).with_state(app)
}

fn cors(config: &Config) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = config.cors_origins.iter().filter_map(|o| o.parse().ok()).collect();
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_headers(
                [header::AUTHORIZATION, header::CONTENT_TYPE]
                    .into_iter()
                    .chain(files::tus::HEADERS)
                    .collect::<Vec<_>>(),
            )
            .expose_headers(
                [HeaderName::from_static(super::NEXT_CURSOR), header::RETRY_AFTER, header::LOCATION]
                    .into_iter()
                    .chain(rates::HEADERS)
                    .chain(files::tus::HEADERS)
                    .collect::<Vec<_>>(),
            )
            .max_age(Duration::from_secs(3600))
    })
}
