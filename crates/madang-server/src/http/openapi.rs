//! The OpenAPI document: made from the routes and types, completed with what holds for all of them.

use madang_proto::{Event, command::Command, error::Problem};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ContentBuilder, Info, License, OpenApi, Ref, RefOr, ResponseBuilder, Schema,
        path::{HttpMethod, Operation, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::router;

const SCHEME: &str = "access_token";

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    router::documented().1
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, item.get.as_mut()),
        (HttpMethod::Post, item.post.as_mut()),
        (HttpMethod::Put, item.put.as_mut()),
        (HttpMethod::Delete, item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}

/// Adds what every route has: a name, the problem answer, the token.
pub(super) fn complete(document: &mut OpenApi) {
    let mut info = Info::new("Madang", env!("CARGO_PKG_VERSION"));
    info.description = Some("REST API of the Madang chat server. Live events: docs/protocol.md.".to_owned());
    let mut license = License::new("MIT");
    license.identifier = Some("MIT".to_owned());
    info.license = Some(license);
    document.info = info;
    for (path, item) in &mut document.paths.paths {
        let open =
            path.starts_with("/api/v1/auth/") && !path.ends_with("logout") && !path.contains("sessions");
        let open = open || path == "/health";
        for (method, operation) in operations(item) {
            operation.operation_id = Some(operation_id(&method, path));
            if !open {
                operation.security = Some(vec![SecurityRequirement::new(SCHEME, Vec::<String>::new())]);
            }
            let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new()
                .description("An error; `code` says which")
                .content("application/problem+json", problem)
                .build();
            operation.responses.responses.insert("default".to_owned(), RefOr::T(response));
        }
    }
    let components = document.components.get_or_insert_default();
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
    components.schemas.extend(schemas);
}

/// `get /api/v1/channels/{id}/messages` is `get_channels_id_messages`.
fn operation_id(method: &HttpMethod, path: &str) -> String {
    let verb = match method {
        HttpMethod::Post => "post",
        HttpMethod::Put => "put",
        HttpMethod::Delete => "delete",
        _ => "get",
    };
    let words = path.trim_start_matches("/api/v1").split(['/', '{', '}', '-']).filter(|w| !w.is_empty());
    std::iter::once(verb).chain(words).collect::<Vec<_>>().join("_")
}
