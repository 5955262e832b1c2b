//! What the server counts, in the text form of OpenMetrics. Everything about requests is counted from their audit records,
//! so that the two cannot disagree.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::audit::{Entry, Event};

/// Where a request went. Only names that an operator wrote become labels: what a client asks for could be anything.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Destination {
    provider: String,
    model: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Code {
    code: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Tried {
    provider: String,
    model: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Tokens {
    provider: String,
    model: String,
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Resting {
    provider: String,
    model: String,
    key: String,
}

/// All counters of a node. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Families>);

struct Families {
    registry: Registry,
    requests: Family<Outcome, Counter>,
    refusals: Family<Code, Counter>,
    tries: Family<Tried, Counter>,
    tokens: Family<Tokens, Counter>,
    cost: Family<Destination, Counter>,
    duration: Family<Destination, Histogram>,
    unrecorded: Counter,
    in_flight: Gauge,
    database: Gauge,
    redis: Gauge,
    unshared: Counter,
    spans_lost: Counter,
    resting: Family<Resting, Gauge>,
}

/// What is looked at when the counters are read.
pub(crate) struct Now {
    pub in_flight: usize,
    pub database: bool,
    pub redis: bool,
    pub routes: Vec<gateway::RouteHealth>,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("plantocode");
        // From a tenth of a second to ten minutes.
        let duration: Family<Destination, Histogram> =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.1, 2.0, 14)));
        let families = Families {
            requests: Family::default(),
            refusals: Family::default(),
            tries: Family::default(),
            tokens: Family::default(),
            cost: Family::default(),
            duration,
            unrecorded: Counter::default(),
            in_flight: Gauge::default(),
            database: Gauge::default(),
            redis: Gauge::default(),
            unshared: Counter::default(),
            spans_lost: Counter::default(),
            resting: Family::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests to models by how they ended", families.requests.clone());
        registry.register("refusals", "Requests that never left, by code", families.refusals.clone());
        registry.register("tries", "Attempts at routes by how they went", families.tries.clone());
        registry.register("tokens", "Tokens used", families.tokens.clone());
        registry.register("cost_microusd", "Cost in millionths of a dollar", families.cost.clone());
        registry.register_with_unit(
            "request_duration",
            "From the request to the end of its answer",
            Unit::Seconds,
            families.duration.clone(),
        );
        registry.register(
            "audit_failures",
            "Audit records that could not be written; their requests were refused",
            families.unrecorded.clone(),
        );
        registry.register("in_flight", "Requests under way", families.in_flight.clone());
        registry.register("database_up", "Whether the database answers", families.database.clone());
        registry.register(
            "redis_up",
            "Whether Redis answers; 1 also where none is configured",
            families.redis.clone(),
        );
        registry.register(
            "rates_unshared",
            "Requests that this node admitted alone, because Redis did not answer",
            families.unshared.clone(),
        );
        registry.register(
            "spans_lost",
            "Spans that no collector took; the audit has what they say",
            families.spans_lost.clone(),
        );
        registry.register(
            "route_resting_seconds",
            "How much longer a route is left alone; 0 while it is used",
            families.resting.clone(),
        );
        Self(Arc::new(Families { registry, ..families }))
    }

    /// Counts what a record says. An intent is no end, and counts when it has one.
    pub fn observe(&self, entry: &Entry) {
        if matches!(entry.event, Event::Intent | Event::Changed) {
            return;
        }
        let families = &self.0;
        families.requests.get_or_create(&Outcome { outcome: entry.event.as_str() }).inc();
        if entry.event == Event::Refused {
            let code = entry.error.clone().unwrap_or_default();
            families.refusals.get_or_create(&Code { code }).inc();
        }
        for attempt in &entry.tries {
            let (provider, model) = (attempt.provider.clone(), attempt.model.clone());
            families.tries.get_or_create(&Tried { provider, model, outcome: attempt.outcome }).inc();
        }
        let Some(last) = entry.tries.last() else { return };
        let (provider, model) = (last.provider.clone(), last.model.clone());
        let destination = Destination { provider: provider.clone(), model: model.clone() };
        if let Some(latency) = entry.latency_ms {
            families.duration.get_or_create(&destination).observe(latency as f64 / 1e3);
        }
        if let Some(cost) = entry.cost_microusd {
            families.cost.get_or_create(&destination).inc_by(cost);
        }
        let Some(usage) = entry.usage else { return };
        for (kind, count) in [
            ("input", usage.input_tokens),
            ("output", usage.output_tokens),
            ("cache_read", usage.cache_read_tokens),
            ("cache_write", usage.cache_write_tokens),
            ("reasoning", usage.reasoning_tokens),
        ] {
            let labels = Tokens { provider: provider.clone(), model: model.clone(), kind };
            families.tokens.get_or_create(&labels).inc_by(count);
        }
    }

    /// A record could not be written.
    pub fn unrecorded(&self) {
        self.0.unrecorded.inc();
    }

    /// So many spans were dropped.
    pub fn spans_lost(&self, count: usize) {
        self.0.spans_lost.inc_by(count as u64);
    }

    /// A request was admitted without the other nodes.
    pub fn unshared(&self) {
        self.0.unshared.inc();
    }

    /// All of it as text.
    pub fn text(&self, now: &Now) -> Result<String, fmt::Error> {
        let families = &self.0;
        families.in_flight.set(i64::try_from(now.in_flight).unwrap_or(i64::MAX));
        families.database.set(i64::from(now.database));
        families.redis.set(i64::from(now.redis));
        // Keys that were removed are not told any more.
        families.resting.clear();
        for route in &now.routes {
            let labels = Resting {
                provider: route.provider.clone(),
                model: route.model.clone(),
                key: route.key_id.clone(),
            };
            let seconds = route.resting.map_or(0, |(_, wait)| wait.as_secs().max(1));
            families.resting.get_or_create(&labels).set(i64::try_from(seconds).unwrap_or(i64::MAX));
        }
        let mut text = String::new();
        encode(&mut text, &families.registry)?;
        Ok(text)
    }
}
