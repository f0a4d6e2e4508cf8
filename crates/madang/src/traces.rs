//! Traces: spans of the server's work, sent to a collector that speaks OTLP over HTTP.
//!
//! A thread of its own sends what gathered, every five seconds; what does not fit its queue is dropped, so that a
//! collector that is away costs the server nothing.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use madang_server::SPANS;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

/// How long a collector may take.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// What sends traces; to be [ended](Traces::end), so that the last ones are sent too.
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// To the collector at this address; to nobody without one.
    pub fn to(endpoint: Option<&str>) -> Result<Self> {
        let Some(endpoint) = endpoint else { return Ok(Self(None)) };
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            bail!("--otlp-endpoint {endpoint:?}: expected a URL such as http://127.0.0.1:4318");
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .with_timeout(SEND_WITHIN)
            .build()
            .with_context(|| format!("--otlp-endpoint {endpoint}"))?;
        let resource = Resource::builder().with_service_name("madang").build();
        let provider = SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter);
        Ok(Self(Some(provider.build())))
    }

    /// What hands spans over, and nothing else.
    pub fn layer<S>(&self) -> Option<impl Layer<S> + use<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.0.as_ref()?.tracer("madang");
        let ours = |metadata: &Metadata<'_>| metadata.is_span() && metadata.target() == SPANS;
        let layer =
            tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false);
        Some(layer.with_filter(filter_fn(ours)))
    }

    /// Sends what is left.
    pub fn end(self) {
        if let Some(Err(error)) = self.0.map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}
