//! The server's tests: through the public door, with real databases, by named people.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod accounts;
mod channels;
mod direct;
mod edits;
mod encodings;
mod failures;
mod gateway;
mod issuer;
mod limits;
mod messages;
mod openapi;
mod paging;
mod pins;
mod presence;
mod protocol;
mod queries;
mod reactions;
mod reads;
mod resume;
mod saved;
mod search;
mod supervision;
mod support;
mod threads;
mod tls;
mod workspaces;
