//! How targets do, made of what nodes report of them, for decisions about samples where nobody is called.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_types::api::HealthReport;
use gatewright_types::{ProviderId, UpstreamModel};

use crate::Health;

#[derive(Debug, Default)]
struct Together {
    open_until: Option<DateTime<Utc>>,
    latency_ms: Option<u32>,
    in_flight: u32,
    tokens: u64,
}

impl Health {
    /// Of each target what the nodes see together: it is left alone when one of them leaves it alone, as slow as the
    /// slowest finds it, and has the requests and the tokens of all.
    pub fn reported(reports: &[HealthReport], now: DateTime<Utc>) -> Self {
        let mut targets: BTreeMap<(&ProviderId, &UpstreamModel), Together> = BTreeMap::new();
        for report in reports.iter().flat_map(|report| &report.targets) {
            let target = targets.entry((&report.provider, &report.model)).or_default();
            target.open_until = target.open_until.max(report.open_until);
            target.latency_ms = target.latency_ms.max(report.latency_ms);
            target.in_flight = target.in_flight.saturating_add(report.in_flight);
            target.tokens = target.tokens.saturating_add(report.tokens_within_a_minute);
        }
        let health = Self::default();
        for ((provider, model), target) in targets {
            let vitals = health.of(*provider, model, now);
            if let Some(until) = target.open_until {
                vitals.open_until(until);
            }
            let latency = target.latency_ms.map(|millis| Duration::from_millis(millis.into()));
            vitals.take_over(latency, target.in_flight, target.tokens, now);
        }
        health
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use gatewright_types::NodeId;
    use gatewright_types::api::{BreakerState, TargetReport};

    use super::*;

    #[test]
    fn nodes_reports_are_put_together() {
        let (provider, now) = (ProviderId::mint(), Utc::now());
        let model: UpstreamModel = "m".parse().expect("a model");
        let seen = |open_until, latency_ms| HealthReport {
            targets: vec![TargetReport {
                node: NodeId::mint(),
                provider,
                model: model.clone(),
                state: BreakerState::Closed,
                since: None,
                open_until,
                requests: 9,
                failures: 3,
                latency_ms,
                in_flight: 2,
                tokens_within_a_minute: 50,
                answered_at: None,
                probe: None,
            }],
            resting: Vec::new(),
        };
        let until = now + TimeDelta::seconds(30);

        let health = Health::reported(
            &[seen(None, Some(80)), seen(Some(until), Some(120)), seen(None, None)],
            now,
        );

        let vitals = health.find(provider, &model).expect("it was reported");
        assert!(vitals.is_open(now) && !vitals.is_open(until));
        assert_eq!(vitals.latency_micros(now), Some(120_000));
        assert_eq!((vitals.in_flight(), vitals.tokens_within_a_minute(now)), (6, 150));
        assert_eq!(health.deployments().len(), 1);
    }
}
