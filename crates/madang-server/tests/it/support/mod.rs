//! What the tests are written in: servers, people, and the test that nobody is left stale.

pub mod cast;
pub mod converge;
pub mod door;
pub mod nodes;
pub mod raw;
pub mod s3;
pub mod server;
pub mod site;
pub mod tls;
pub mod user;
pub mod wire;

/// Longer than anything here takes, on a busy machine too: what waits so long waits in vain.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

pub use cast::{Cast, Expected, refusals};
pub use converge::{all_converge, client_settled, converge, settled};
pub use server::{Backend, TestServer};
pub use user::User;

/// Runs each test on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($server:ident: TestServer) $body:block)*) => {$(
        $(#[$doc])*
        async fn $name($server: TestServer) $body

        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::support::TestServer::start($crate::support::Backend::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(backend) = $crate::support::Backend::postgres().await {
                    super::$name($crate::support::TestServer::start(backend).await).await;
                }
            }
        }
    )*};
}

pub(crate) use on_both;
