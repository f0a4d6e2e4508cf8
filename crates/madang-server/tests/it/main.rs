//! The server's tests: through the public door, with real databases, by named people.

mod messages;
mod support;
