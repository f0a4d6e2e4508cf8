//! One path of the API: who answers it, and how that is documented.
//!
//! How: `route!` takes the handlers of a path, of which path and methods are those of their `utoipa::path`.
//! The documentation is a function, which serving never calls: it serves the committed document.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{MethodFilter, MethodRouter},
};
use utoipa::openapi::HttpMethod;
use utoipa_axum::{
    PathItemExt,
    router::{OpenApiRouter, UtoipaMethodRouter},
};

use crate::app::App;

/// A path, and what is done there.
pub struct Route {
    pub path: String,
    pub handlers: MethodRouter<App>,
    pub documentation: fn() -> UtoipaMethodRouter<App>,
}

impl Route {
    /// With so many bytes for a body at most.
    pub fn with_body_of(self, bytes: usize) -> Self {
        Self { handlers: self.handlers.layer(DefaultBodyLimit::max(bytes)), ..self }
    }
}

/// What answers these.
pub fn serve(routes: impl IntoIterator<Item = Route>) -> Router<App> {
    routes.into_iter().fold(Router::new(), |router, route| router.route(&route.path, route.handlers))
}

/// What documents these.
pub fn documented(routes: impl IntoIterator<Item = Route>) -> OpenApiRouter<App> {
    routes.into_iter().fold(OpenApiRouter::new(), |router, route| router.routes((route.documentation)()))
}

/// The filter of these methods.
pub fn filter(methods: &[HttpMethod]) -> MethodFilter {
    methods.iter().map(PathItemExt::to_method_filter).reduce(MethodFilter::or).unwrap_or(MethodFilter::GET)
}

/// A [`Route`] of handlers that have the same path.
macro_rules! route {
    ($first:path $(, $other:path)*) => {
        $crate::http::routes::Route {
            path: $crate::http::routes::route!(@of $first, [path()]),
            handlers: axum::routing::MethodRouter::new()
                .on($crate::http::routes::filter(&$crate::http::routes::route!(@of $first, [methods()])), $first)
                $(.on($crate::http::routes::filter(&$crate::http::routes::route!(@of $other, [methods()])), $other))*,
            documentation: || utoipa_axum::routes!($first $(, $other)*),
        }
    };
    (@of $handler:path, $what:tt) => {
        utoipa_axum::paste! { utoipa_axum::routes!(@path $what of $handler) }
    };
}
pub(super) use route;
