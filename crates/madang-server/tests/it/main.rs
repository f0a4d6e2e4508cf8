//! The server's tests: through the public door, with real databases, by named people.

mod failures;
mod messages;
mod supervision;
mod support;
