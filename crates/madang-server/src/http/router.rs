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
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{health, openapi, problem, rates, web};
use crate::{
    accounts, app::App, audit, channels, config::Config, direct, drafts, drain, edits, emoji, exports, files,
    gateway, invites, messages, metrics, notifications, pins, presence, previews, profiles, reactions, reads,
    reminders, reports, retention, sanctions, saved, scheduled, search, settings, threads, workspaces,
};

/// A request that is not answered after this long is given up.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// The routes of the API, with their documentation.
pub fn api() -> OpenApiRouter<App> {
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
    let forms = OpenApiRouter::new()
        .routes(routes!(emoji::index, emoji::create))
        .layer(DefaultBodyLimit::max(emoji::FORM_BYTES));
    OpenApiRouter::new()
        .merge(forms)
        .routes(routes!(emoji::destroy))
        .routes(routes!(emoji::show))
        .routes(routes!(accounts::register))
        .routes(routes!(accounts::login))
        .routes(routes!(accounts::guest))
        .routes(routes!(accounts::refresh))
        .routes(routes!(accounts::logout))
        .routes(routes!(accounts::sessions))
        .routes(routes!(accounts::end_session))
        .routes(routes!(accounts::me))
        .routes(routes!(exports::show, exports::create))
        .routes(routes!(accounts::show, profiles::update))
        .routes(routes!(profiles::changes))
        .routes(routes!(presence::show))
        .routes(routes!(presence::update))
        .routes(routes!(workspaces::index, workspaces::create))
        .routes(routes!(workspaces::show, workspaces::update))
        .routes(routes!(workspaces::members, workspaces::add_member))
        .routes(routes!(workspaces::update_member, workspaces::remove_member))
        .routes(routes!(retention::set_of_workspace))
        .routes(routes!(retention::set_of_channel, retention::clear_of_channel))
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
        .routes(routes!(previews::destroy))
        .routes(routes!(reactions::index, reactions::create, reactions::destroy))
        .routes(routes!(reads::mark))
        .routes(routes!(reads::unmark))
        .routes(routes!(reads::seen))
        .routes(routes!(settings::show, settings::update))
        .routes(routes!(threads::index, threads::create))
        .routes(routes!(threads::follow, threads::unfollow))
        .routes(routes!(threads::followed))
        .routes(routes!(sanctions::index, sanctions::create))
        .routes(routes!(sanctions::destroy))
        .routes(routes!(reports::create))
        .routes(routes!(reports::index))
        .routes(routes!(reports::resolve))
        .routes(routes!(audit::index))
        .routes(routes!(invites::index, invites::create))
        .routes(routes!(invites::destroy))
        .routes(routes!(invites::preview))
        .routes(routes!(invites::accept))
        .routes(routes!(saved::index))
        .routes(routes!(saved::create, saved::destroy))
        .routes(routes!(drafts::index))
        .routes(routes!(drafts::show, drafts::update, drafts::destroy))
        .routes(routes!(scheduled::index))
        .routes(routes!(scheduled::create))
        .routes(routes!(scheduled::update, scheduled::destroy))
        .routes(routes!(reminders::index, reminders::create))
        .routes(routes!(reminders::destroy))
        .routes(routes!(notifications::index))
        .routes(routes!(notifications::read))
        .routes(routes!(notifications::settings, notifications::update_settings))
        .routes(routes!(notifications::update_workspace))
        .routes(routes!(notifications::update_channel))
}

/// The routes of files, whose bodies are streams: no limit of all of a body or of its time holds for them.
fn streams() -> OpenApiRouter<App> {
    use profiles::http as profiles;

    use crate::files::{http as files, tus};
    OpenApiRouter::new()
        .routes(routes!(files::create))
        .routes(routes!(tus::create, tus::options))
        .routes(routes!(tus::show, tus::update, tus::destroy))
        .routes(routes!(files::show))
        .routes(routes!(files::thumbnail))
        .routes(routes!(profiles::set_avatar, profiles::remove_avatar))
        .routes(routes!(profiles::avatar))
        .routes(routes!(crate::exports::http::download))
        .layer(DefaultBodyLimit::disable())
}

/// The routes with their documentation: the API under its base path, and health; and those of streams.
pub fn documented() -> (Router<App>, Router<App>, OpenApi) {
    let (router, mut document) =
        OpenApiRouter::new().nest("/api/v1", api()).routes(routes!(health::show)).split_for_parts();
    let (streams, of_streams) = OpenApiRouter::new().nest("/api/v1", streams()).split_for_parts();
    document.merge(of_streams);
    openapi::complete(&mut document);
    (router, streams, document)
}

/// Everything that the server answers.
pub fn router(app: App) -> Router {
    let (routes, streams, document) = documented();
    let json = document.to_json().unwrap_or_default();
    let document = move || async move { ([(header::CONTENT_TYPE, "application/json")], json) };
    let fixed = |name: HeaderName, value: HeaderValue| SetResponseHeaderLayer::if_not_present(name, value);
    let mut router = routes
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
