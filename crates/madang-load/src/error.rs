//! Why a load test could not run, with what to do about it.

/// Why a load test could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not on this machine.
    #[error(
        "{0:?} is not an address of this machine: load tests go to one's own server, such as http://127.0.0.1:8080"
    )]
    NotLocal(String),
    /// The server slows us down on purpose.
    #[error(
        "the server limits rates: start it with MADANG_RATE_LIMITS=off for a load test (and only for that)"
    )]
    RateLimited,
    /// The limit of open files.
    #[error(
        "{who} may open {limit} files and this needs {needed}: raise the limit with `ulimit -n {needed}` before starting it, or lower --connections"
    )]
    Files { who: &'static str, limit: u64, needed: u64 },
    /// The server answered, and not as hoped.
    #[error("{doing}: {source}")]
    Server {
        doing: &'static str,
        #[source]
        source: madang_client::Error,
    },
    /// Not all connections came to life.
    #[error("{live} of {wanted} connections are live after {seconds} s{hint}")]
    NotConnected { live: u64, wanted: u64, seconds: u64, hint: String },
    /// The other side does not speak this protocol.
    #[error("unexpected: {0}")]
    Protocol(String),
    /// TLS could not be prepared.
    #[error("preparing TLS: {0}")]
    Tls(#[source] Box<rustls::Error>),
    /// The system refused.
    #[error("{doing}: {source}")]
    Io {
        doing: String,
        #[source]
        source: std::io::Error,
    },
    /// The database of the floor.
    #[error("{doing}: {source}")]
    Database {
        doing: &'static str,
        #[source]
        source: madang_store::Error,
    },
    /// A combination of flags that makes no sense.
    #[error("{0}")]
    Options(String),
}

impl Error {
    /// What the server refused while we were `doing` something.
    pub(crate) fn server(doing: &'static str) -> impl Fn(madang_client::Error) -> Self {
        move |source| {
            if source.code() == Some(madang_proto::error::ErrorCode::RateLimited) {
                return Self::RateLimited;
            }
            Self::Server { doing, source }
        }
    }

    pub(crate) fn tls(source: rustls::Error) -> Self {
        Self::Tls(Box::new(source))
    }

    /// What the system refused while we were `doing` something.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
