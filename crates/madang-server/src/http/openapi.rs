//! The OpenAPI document: made from the routes and types, completed with what holds for all of them.
//!
//! Invariants:
//! - A new route inherits its name, its token, and the errors that its kind of request can end with (`errors`).

use madang_proto::{
    Event,
    command::Command,
    error::{ErrorCode, Problem},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, Content, ContentBuilder, Info, License, OpenApi, Ref, RefOr, Required, Response,
        ResponseBuilder, Schema,
        header::{Header, HeaderBuilder},
        path::{HttpMethod, Operation, ParameterIn, PathItem},
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use super::{router, routes};

const SCHEME: &str = "access_token";

/// The document of this version as it is in the repository, where a test holds it against [`document`].
pub const COMMITTED: &str = include_str!("../../../../docs/openapi.json");

/// The document, made anew.
#[must_use]
pub fn document() -> OpenApi {
    let api = routes::documented(router::api().into_iter().chain(router::streams()));
    let beside = routes::documented(router::beside());
    let mut document = OpenApiRouter::new().nest(router::API, api).merge(beside).into_openapi();
    complete(&mut document);
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, item.get.as_mut()),
        (HttpMethod::Post, item.post.as_mut()),
        (HttpMethod::Put, item.put.as_mut()),
        (HttpMethod::Delete, item.delete.as_mut()),
        (HttpMethod::Patch, item.patch.as_mut()),
        (HttpMethod::Head, item.head.as_mut()),
        (HttpMethod::Options, item.options.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}

/// Adds what every route has: a name, the token, the errors.
fn complete(document: &mut OpenApi) {
    let mut info = Info::new("Madang", env!("CARGO_PKG_VERSION"));
    info.description = Some("REST API of the Madang chat server. Live events: docs/protocol.md.".to_owned());
    let mut license = License::new("MIT");
    license.identifier = Some("MIT".to_owned());
    info.license = Some(license);
    document.info = info;
    let components = document.components.get_or_insert_default();
    for (path, item) in &mut document.paths.paths {
        let open =
            path.starts_with("/api/v1/auth/") && !path.ends_with("logout") && !path.contains("sessions");
        let open = open || path == "/health" || path == "/api/v1/invites/preview";
        let open = open || path.starts_with("/api/v1/avatars/");
        for (method, operation) in operations(item) {
            operation.operation_id = Some(operation_id(&method, path));
            if !open {
                operation.security = Some(vec![SecurityRequirement::new(SCHEME, Vec::<String>::new())]);
            }
            if let Some(RefOr::T(body)) = &mut operation.request_body
                && body.content.values().all(|content| may_be_empty(schema(content), components))
            {
                body.required = Some(Required::False);
            }
            if path != "/health" {
                successes(operation);
                for code in errors(&method, path, operation) {
                    let reference = Ref::from_response_name(name(code));
                    let responses = &mut operation.responses.responses;
                    responses.entry(code.status().to_string()).or_insert(RefOr::Ref(reference));
                }
            }
            let other = problem("An error; `code` says which");
            operation.responses.responses.insert("default".to_owned(), RefOr::T(other));
        }
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme(SCHEME, SecurityScheme::Http(bearer));
    let mut schemas: Vec<(String, RefOr<Schema>)> = vec![
        ("Problem".to_owned(), Problem::schema()),
        ("Event".to_owned(), Event::schema()),
        ("Command".to_owned(), Command::schema()),
    ];
    Problem::schemas(&mut schemas);
    Event::schemas(&mut schemas);
    Command::schemas(&mut schemas);
    components.schemas.extend(schemas.into_iter().chain(madang_proto::schema::all()));
    components.headers.extend(headers().into_iter().map(|(name, header)| (name.to_owned(), header.into())));
    for code in ErrorCode::ALL {
        let mut response = problem(code.title());
        let told: &[&str] = match code {
            ErrorCode::RateLimited => &["Retry-After"],
            ErrorCode::Unavailable => &["Retry-After"],
            ErrorCode::Unauthenticated => &["WWW-Authenticate"],
            _ => &[],
        };
        tell(&mut response, told.iter().chain(&RATES).copied());
        components.responses.insert(name(code), response.into());
    }
}

/// An error as a problem.
fn problem(description: &str) -> Response {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content("application/problem+json", problem).build()
}

/// The name of an error's answer: `NotFound`.
fn name(code: ErrorCode) -> String {
    format!("{code:?}")
}

/// The errors that a request of this kind can end with, besides faults of ours.
fn errors(method: &HttpMethod, path: &str, operation: &Operation) -> Vec<ErrorCode> {
    use ErrorCode as E;
    let parameters = || operation.parameters.iter().flatten();
    let has = |place: ParameterIn| {
        parameters()
            .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == place))
    };
    let (body, changes) =
        (operation.request_body.is_some(), !matches!(method, HttpMethod::Get | HttpMethod::Head));
    let pieces = path.starts_with("/api/v1/files/uploads");
    // What is stored as a file comes as bytes, or is begun.
    let files = changes && (pieces || bytes(operation));
    let mut all = vec![E::RateLimited, E::Unavailable];
    // Signing in is refused as not being signed in is.
    if operation.security.is_some() || changes {
        all.push(E::Unauthenticated);
    }
    if has(ParameterIn::Path) || has(ParameterIn::Query) || body {
        all.extend([E::Forbidden, E::NotFound]);
    }
    if has(ParameterIn::Query) || has(ParameterIn::Header) || body {
        all.push(E::Invalid);
    }
    if changes {
        all.push(E::Conflict);
    }
    if body {
        all.extend([E::TooLarge, E::UnsupportedMediaType]);
    }
    if files {
        all.extend([E::TooLarge, E::StorageFull]);
    }
    if pieces {
        all.push(E::PreconditionFailed);
    } else if operation.responses.responses.contains_key("206") {
        all.push(E::RangeNotSatisfiable);
    }
    all
}

/// Whether a request carries bytes.
fn bytes(operation: &Operation) -> bool {
    let Some(RefOr::T(body)) = &operation.request_body else { return false };
    !body.content.contains_key("application/json")
}

fn schema(content: &RefOr<Content>) -> Option<&RefOr<Schema>> {
    if let RefOr::T(content) = content { content.schema.as_ref() } else { None }
}

/// Whether `{}`, for which an empty body stands, is a body of this schema.
fn may_be_empty(schema: Option<&RefOr<Schema>>, components: &Components) -> bool {
    match schema {
        Some(RefOr::Ref(reference)) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            may_be_empty(components.schemas.get(name), components)
        }
        Some(RefOr::T(Schema::Object(object))) => object.required.is_empty(),
        _ => false,
    }
}

/// How a request stands to the limits on how often; `docs/protocol.md` explains it.
const RATES: [&str; 4] = ["RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];

/// Says which headers the successes of an operation have.
fn successes(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        let is_page = response.content.values().any(|content| {
            matches!(schema(content), Some(RefOr::Ref(schema)) if schema.ref_location.contains("/Page_"))
        });
        tell(response, RATES.into_iter().chain(is_page.then_some("X-Next-Cursor")));
    }
}

fn tell(response: &mut Response, names: impl IntoIterator<Item = &'static str>) {
    let named = |name: &str| (name.to_owned(), RefOr::Ref(Ref::new(format!("#/components/headers/{name}"))));
    response.headers.extend(names.into_iter().map(named));
}

/// The headers that more than one answer has.
fn headers() -> [(&'static str, Header); 7] {
    let header = |kind: Type, description: &str| {
        let schema = ObjectBuilder::new().schema_type(kind);
        HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
    };
    [
        (
            "RateLimit-Policy",
            header(Type::String, "Tries in 60 seconds in the long run, and at once: `300;w=60;burst=60`"),
        ),
        ("RateLimit-Limit", header(Type::Integer, "Tries at once")),
        ("RateLimit-Remaining", header(Type::Integer, "Tries that are left at once")),
        ("RateLimit-Reset", header(Type::Integer, "Seconds after which there is at least one more")),
        ("Retry-After", header(Type::Integer, "Seconds to wait")),
        ("WWW-Authenticate", header(Type::String, "`Bearer`")),
        ("X-Next-Cursor", header(Type::String, "Repeats `next_cursor`; empty at the end")),
    ]
}

/// `get /api/v1/channels/{id}/messages` is `get_channels_id_messages`.
fn operation_id(method: &HttpMethod, path: &str) -> String {
    let verb = match method {
        HttpMethod::Post => "post",
        HttpMethod::Put => "put",
        HttpMethod::Delete => "delete",
        HttpMethod::Patch => "patch",
        HttpMethod::Head => "head",
        HttpMethod::Options => "options",
        _ => "get",
    };
    let words = path.trim_start_matches("/api/v1").split(['/', '{', '}', '-']).filter(|w| !w.is_empty());
    std::iter::once(verb).chain(words).collect::<Vec<_>>().join("_")
}
