//! Every setting of the server, defined once: command line, environment, file and documentation are
//! made from this definition.
//!
//! Order: the command line wins over the environment, the environment over the file, the file over
//! the default. In the file the names are those of the long flags with `_` for `-`.

use std::{net::SocketAddr, path::PathBuf};

use clap::ValueEnum;
use ipnet::IpNet;
use madang_proto::accounts::Secret;

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

    /// Secret of which the server's keys are made, at least 32 characters: the same on all nodes of a cluster. A key in
    /// the data folder when not set.
    #[arg(long, env = "MADANG_SECRET", hide_env_values = true, conflicts_with = "secret_file")]
    pub secret: Option<Secret>,

    /// File with that secret.
    #[arg(long, env = "MADANG_SECRET_FILE", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,

    /// Redis through which the nodes of a cluster hear each other: redis://host:6379, or rediss:// with TLS. Needed
    /// where several servers share a PostgreSQL database.
    #[arg(long, env = "MADANG_CLUSTER_REDIS", hide_env_values = true)]
    pub cluster_redis: Option<Secret>,

    /// What this node is called among others, such as its address; the one it listens on when not set.
    #[arg(long, env = "MADANG_CLUSTER_ADDRESS")]
    pub cluster_address: Option<String>,

    /// Whether files/ in the data folder is the same folder on all nodes of a cluster.
    #[arg(long, env = "MADANG_SHARED_FILES", default_value = "off")]
    pub shared_files: Switch,

    /// Bring the database up to date although other nodes work with it as it is.
    #[arg(long)]
    pub force: bool,

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

    /// Seconds to wait for a database connection, a lock or an answer of PostgreSQL before answering 503.
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

    /// Megabytes (of 1,048,576 bytes) that a file may have.
    #[arg(long, env = "MADANG_FILE_MEGABYTES", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub file_megabytes: u64,

    /// Megabytes of files that a user may keep.
    #[arg(long, env = "MADANG_USER_MEGABYTES", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub user_megabytes: u64,

    /// Megabytes of files that the messages of a workspace may carry.
    #[arg(long, env = "MADANG_WORKSPACE_MEGABYTES", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub workspace_megabytes: u64,

    /// Whole months after which messages go to the archive, where they can still be read; 0 for never.
    #[arg(long, env = "MADANG_ARCHIVE_MONTHS", default_value_t = 6, value_parser = clap::value_parser!(u32).range(0..=1200))]
    pub archive_months: u32,

    /// Types of files that are taken, such as image/* or application/pdf; all when not set.
    #[arg(long, env = "MADANG_FILE_TYPES", value_delimiter = ',')]
    pub file_types: Vec<String>,

    /// Whether the server fetches the pages that links in messages lead to, to show their titles and pictures.
    #[arg(long, env = "MADANG_LINK_PREVIEWS", default_value = "on")]
    pub link_previews: Switch,

    /// Networks besides the public internet whose pages are shown, such as 10.1.0.0/16: then whoever may write
    /// sees the titles of what the server can reach there.
    #[arg(long, env = "MADANG_LINK_PREVIEW_NETWORKS", value_delimiter = ',')]
    pub link_preview_networks: Vec<IpNet>,

    /// Ports of pages that are shown.
    #[arg(long, env = "MADANG_LINK_PREVIEW_PORTS", value_delimiter = ',', default_value = "80,443")]
    pub link_preview_ports: Vec<u16>,

    /// Program ffmpeg, with ffprobe beside it, which cleans videos and makes their thumbnails; that of PATH
    /// when not set, none with `off`.
    #[arg(long, env = "MADANG_FFMPEG", value_name = "FILE")]
    pub ffmpeg: Option<String>,

    /// Bucket for files, in storage that speaks S3; the data folder when not set.
    #[arg(long, env = "MADANG_S3_BUCKET")]
    pub s3_bucket: Option<String>,

    /// Address of the storage, such as `https://s3.example.org`; that of Amazon for the region when not set.
    #[arg(long, env = "MADANG_S3_ENDPOINT")]
    pub s3_endpoint: Option<String>,

    /// Region of the bucket.
    #[arg(long, env = "MADANG_S3_REGION", default_value = "us-east-1")]
    pub s3_region: String,

    /// Access key of the bucket.
    #[arg(long, env = "MADANG_S3_KEY")]
    pub s3_key: Option<String>,

    /// Secret of the access key.
    #[arg(long, env = "MADANG_S3_SECRET", hide_env_values = true)]
    pub s3_secret: Option<Secret>,

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

    /// Address and port for `GET /metrics`, which is for Prometheus and has no password, such as 127.0.0.1:9464;
    /// nowhere when not set.
    #[arg(long, env = "MADANG_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Collector of traces that speaks OTLP over HTTP (OpenTelemetry), such as `http://127.0.0.1:4318`; none when not set.
    #[arg(long, env = "MADANG_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// How logs are written.
    #[arg(long, env = "MADANG_LOG_FORMAT", default_value = "auto")]
    pub log_format: LogFormat,

    /// What is logged: a level, or levels by module such as info,madang_server=debug.
    #[arg(long, env = "MADANG_LOG", default_value = "info")]
    pub log: String,

    /// Seconds from the signal to stop until clients are told to come back, in which load balancers see that they
    /// should go to another node; nothing is waited for where there is no other node.
    #[arg(long, env = "MADANG_DRAIN_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub drain_seconds: u64,

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

    /// Bytes that a file may have.
    #[must_use]
    pub const fn file_bytes(&self) -> i64 {
        bytes(self.file_megabytes)
    }

    /// Bytes of files that a user may keep, and that the messages of a workspace may carry.
    #[must_use]
    pub const fn quotas(&self) -> (i64, i64) {
        (bytes(self.user_megabytes), bytes(self.workspace_megabytes))
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

const fn bytes(megabytes: u64) -> i64 {
    megabytes.saturating_mul(1 << 20).cast_signed()
}
