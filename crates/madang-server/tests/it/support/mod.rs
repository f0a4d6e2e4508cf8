//! What the tests are written in: servers, people, and the test that nobody is left stale.

pub mod cast;
pub mod converge;
pub mod server;
pub mod user;

pub use cast::{Cast, Expected, refusals};
pub use converge::converge;
pub use server::{Backend, TestServer};
pub use user::User;

/// Runs each test on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($server:ident: TestServer) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            #[allow(unused_imports, reason = "each test takes what it needs")]
            use super::*;

            async fn story($server: $crate::support::TestServer) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                story($crate::support::TestServer::start($crate::support::Backend::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(backend) = $crate::support::Backend::postgres().await {
                    story($crate::support::TestServer::start(backend).await).await;
                }
            }
        }
    )*};
}

pub(crate) use on_both;
