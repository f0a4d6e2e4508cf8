//! Every setting of the server, defined once: command line, environment, file and documentation are
//! made from this definition.
//!
//! Order: the command line wins over the environment, the environment over the file, the file over
//! the default. In the file the names are those of the long flags with `_` for `-`.

use std::{net::SocketAddr, path::PathBuf};

use clap::ValueEnum;
use ipnet::IpNet;

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text in a terminal, JSON otherwise.
    Auto,
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The settings of `madang serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Address and port to listen on.
    #[arg(long, env = "MADANG_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Certificate for HTTPS, a PEM file with the chain; read again when it changes. Plain HTTP when not
    /// set.
    #[arg(long, env = "MADANG_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,

    /// Private key of the certificate, a PEM file.
    #[arg(long, env = "MADANG_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Folder of the data: database, keys, files. Made when missing.
    #[arg(long, env = "MADANG_DATA", default_value = "./data")]
    pub data: PathBuf,

    /// Database: sqlite:PATH or postgres://user:password@host/database. SQLite in the data folder when
    /// not set.
    #[arg(long, env = "MADANG_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Connections to PostgreSQL, or readers of SQLite.
    #[arg(long, env = "MADANG_DATABASE_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub database_connections: u32,

    /// Seconds to wait for a database connection or lock before answering 503.
    #[arg(long, env = "MADANG_DATABASE_PATIENCE", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub database_patience: u64,

    /// Name of the first workspace, made on first start.
    #[arg(long, env = "MADANG_WORKSPACE_NAME", default_value = "Madang")]
    pub workspace_name: String,

    /// Whether people can sign up by themselves.
    #[arg(long, env = "MADANG_REGISTRATION", default_value = "on")]
    pub registration: Switch,

    /// Whether guests can come in without an account, to workspaces that allow them.
    #[arg(long, env = "MADANG_GUESTS", default_value = "on")]
    pub guests: Switch,

    /// Limits on how often things may be tried. Off is for load tests only.
    #[arg(long, env = "MADANG_RATE_LIMITS", default_value = "on")]
    pub rate_limits: Switch,

    /// Networks of reverse proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8.
    #[arg(long, env = "MADANG_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpNet>,

    /// Web origins that may call the API from a browser, such as `https://app.example.org`.
    #[arg(long, env = "MADANG_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,

    /// Outside issuer whose tokens are accepted: the exact `iss` claim.
    #[arg(long, env = "MADANG_ISSUER")]
    pub issuer: Option<String>,

    /// Secret shared with the outside issuer (HS256, HS384, HS512).
    #[arg(long, env = "MADANG_ISSUER_SECRET", hide_env_values = true)]
    pub issuer_secret: Option<String>,

    /// Keys of the outside issuer: path or https URL of its JWKS document (RFC 7517).
    #[arg(long, env = "MADANG_ISSUER_JWKS")]
    pub issuer_jwks: Option<String>,

    /// Audience that the outside issuer's tokens must name; any when not set.
    #[arg(long, env = "MADANG_ISSUER_AUDIENCE")]
    pub issuer_audience: Option<String>,

    /// How logs are written.
    #[arg(long, env = "MADANG_LOG_FORMAT", default_value = "auto")]
    pub log_format: LogFormat,

    /// What is logged: a level, or levels by module such as info,madang_server=debug.
    #[arg(long, env = "MADANG_LOG", default_value = "info")]
    pub log: String,

    /// Seconds that running requests have to end when the server stops.
    #[arg(long, env = "MADANG_SHUTDOWN_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub shutdown_seconds: u64,
}

impl Config {
    /// The URL of the database.
    #[must_use]
    pub fn database(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.data.join("madang.db").display()))
    }

    /// How to reach the database.
    #[must_use]
    pub fn store(&self) -> madang_store::Options {
        madang_store::Options {
            connections: self.database_connections,
            patience: std::time::Duration::from_secs(self.database_patience),
            ..madang_store::Options::new(self.database())
        }
    }
}
