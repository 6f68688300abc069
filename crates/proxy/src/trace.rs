//! OpenTelemetry spans of a request: one for the request as it came in, one for each call to a provider, with the
//! attribute names of the GenAI semantic conventions. Without an exporter the caller's trace context is passed on as it is.

use std::sync::Arc;

use gatewright_contract::{Provider, UsageRecord};
use gatewright_types::UsageUnit;
use gatewright_types::api::Dialect;
use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState, Tracer as _,
};
use opentelemetry::{Context, KeyValue};

/// Whether requests are traced, and by whom.
#[derive(Clone, Default)]
pub struct Tracing {
    tracer: Option<Arc<BoxedTracer>>,
}

/// The spans of one request.
#[derive(Debug, Default)]
pub(crate) struct RequestTrace {
    /// W3C context to hand to the provider.
    traceparent: Option<String>,
    spans: Option<Box<Spans>>,
}

#[derive(Debug)]
struct Spans {
    tracing: Tracing,
    request: Context,
    call: Option<Context>,
}

impl Tracing {
    pub fn new(tracer: BoxedTracer) -> Self {
        Self {
            tracer: Some(Arc::new(tracer)),
        }
    }

    /// Begins a request that may belong to its caller's trace.
    pub(crate) fn begin(&self, route: &'static str, traceparent: Option<&str>) -> RequestTrace {
        let Some(tracer) = &self.tracer else {
            return RequestTrace {
                traceparent: traceparent.filter(|text| parse(text).is_some()).map(str::to_owned),
                spans: None,
            };
        };
        let parent = match traceparent.and_then(parse) {
            Some(remote) => Context::new().with_remote_span_context(remote),
            None => Context::new(),
        };
        let span = tracer
            .span_builder(route)
            .with_kind(SpanKind::Server)
            .start_with_context(&**tracer, &parent);
        let request = parent.with_span(span);
        RequestTrace {
            traceparent: None,
            spans: Some(Box::new(Spans {
                tracing: self.clone(),
                request,
                call: None,
            })),
        }
    }
}

impl std::fmt::Debug for Tracing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracing").field("on", &self.tracer.is_some()).finish()
    }
}

impl RequestTrace {
    /// A call to a provider begins. Gives the context to send along.
    pub(crate) fn call(&mut self, provider: &Provider, model: &str) -> Option<String> {
        let Some(spans) = &mut self.spans else {
            return self.traceparent.clone();
        };
        let tracer = spans.tracing.tracer.as_ref()?;
        let span = tracer
            .span_builder(format!("chat {model}"))
            .with_kind(SpanKind::Client)
            .with_attributes([
                KeyValue::new("gen_ai.operation.name", "chat"),
                KeyValue::new("gen_ai.provider.name", provider.kind.as_str()),
                KeyValue::new("gen_ai.request.model", model.to_owned()),
                KeyValue::new(
                    "server.address",
                    provider.base_url.as_ref().map_or("", |url| url.host()).to_owned(),
                ),
            ])
            .start_with_context(&**tracer, &spans.request);
        let context = spans.request.with_span(span);
        let traceparent = format_context(context.span().span_context());
        spans.call = Some(context);
        Some(traceparent)
    }

    pub(crate) fn end(&mut self, usage: &UsageRecord) {
        let Some(spans) = self.spans.take() else { return };
        let tokens = |units: &[UsageUnit]| {
            let sum: u64 = usage
                .lines
                .iter()
                .filter(|line| units.contains(&line.unit))
                .map(|line| line.quantity)
                .sum();
            i64::try_from(sum).unwrap_or(i64::MAX)
        };
        let failed = usage.code.clone().map(Status::error);
        if let Some(call) = &spans.call {
            let span = call.span();
            span.set_attribute(KeyValue::new("gen_ai.usage.input_tokens", tokens(UsageUnit::INPUT)));
            span.set_attribute(KeyValue::new("gen_ai.usage.output_tokens", tokens(UsageUnit::OUTPUT)));
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(usage.status)));
            if let Some(status) = failed.clone() {
                span.set_attribute(KeyValue::new("error.type", usage.code.clone().unwrap_or_default()));
                span.set_status(status);
            }
            span.end();
        }
        let span = spans.request.span();
        span.set_attribute(KeyValue::new("gatewright.request.id", usage.id.to_string()));
        span.set_attribute(KeyValue::new(
            "gatewright.organization.id",
            usage.organization.to_string(),
        ));
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(usage.status)));
        if let Some(status) = failed {
            span.set_status(status);
        }
        span.end();
    }
}

/// The route, not the address: names of spans are few.
pub(crate) const fn address_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenaiChat => "POST /v1/chat/completions",
        Dialect::OpenaiResponses => "POST /v1/responses",
        Dialect::OpenaiCompletions => "POST /v1/completions",
        Dialect::OpenaiEmbeddings => "POST /v1/embeddings",
        Dialect::AnthropicMessages => "POST /v1/messages",
        Dialect::GeminiGenerate | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed => "POST /v1beta/models/{model}",
        Dialect::Native(_) => "/native/{provider}/{path}",
    }
}

/// `00-<trace>-<span>-<flags>`.
fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version.len() != 2 || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    if trace.len() != 32 || span.len() != 16 || flags.len() != 2 {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        flags,
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

fn format_context(context: &SpanContext) -> String {
    format!(
        "00-{}-{}-{:02x}",
        context.trace_id(),
        context.span_id(),
        context.trace_flags().to_u8()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_context_round_trips_and_nonsense_is_dropped() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

        assert_eq!(
            parse(text).map(|context| format_context(&context)).as_deref(),
            Some(text)
        );
        for wrong in [
            "",
            "00-0-0-0",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        ] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
