//! How the models at providers do that the organization's requests go to, as the nodes see it, and having one called again
//! at once that is left alone.

use std::collections::BTreeMap;

use gatewright_contract::{BreakerChange, BreakerSubject};
use gatewright_coord::{CoordError, Tiding};
use gatewright_types::api::{
    BreakerState, HealthReport, Provider, RestingCredential, TargetHealth, TargetReport, TargetReset,
};
use gatewright_types::{CredentialId, Page, PageQuery, ProviderId, UpstreamModel};
use serde_json::json;

use crate::access::Call;
use crate::endpoint::{Json, NoContent};
use crate::error::ApiError;

pub(crate) async fn list(call: Call) -> Result<Json<Page<TargetHealth>>, ApiError> {
    let providers = providers(&call).await?;
    let reports = reports(&call).await?;
    let mut resting: BTreeMap<CredentialId, RestingCredential> = BTreeMap::new();
    let mut seen: BTreeMap<(&ProviderId, UpstreamModel), Vec<TargetReport>> = BTreeMap::new();
    for report in reports {
        for rest in report.resting {
            let known = resting.entry(rest.credential).or_insert_with(|| rest.clone());
            known.until = known.until.max(rest.until);
        }
        for target in report.targets {
            if let Some((id, _)) = providers.get_key_value(&target.provider) {
                seen.entry((id, target.model.clone())).or_default().push(target);
            }
        }
    }
    let items = seen.into_iter().filter_map(|((provider, model), nodes)| {
        let provider = providers.get(provider)?;
        let own = provider.credentials.iter();
        let resting = own.filter_map(|credential| resting.get(&credential.id).cloned());
        Some(together(provider, model, resting.collect(), nodes))
    });
    Ok(Json(Page {
        items: items.collect(),
        next_cursor: None,
    }))
}

/// Closes the breaker and ends the rest of the provider's credentials, on all nodes.
pub(crate) async fn reset(call: Call, Json(reset): Json<TargetReset>) -> Result<NoContent, ApiError> {
    let TargetReset { provider, model } = reset;
    let found = call.scope().provider_by_name(&provider).await?;
    let found = found.ok_or_else(|| ApiError::field("provider", &"is none of this organization's"))?;
    let audited = call.change("target.reset", found.id, json!({"provider": provider, "model": model}));
    call.write(audited, async |_| Ok(())).await?;
    let deployment = BreakerSubject::Deployment {
        provider: found.id,
        model,
    };
    let credentials = found.credentials.iter().map(|credential| BreakerSubject::Credential {
        credential: credential.id,
        mark: None,
    });
    for subject in std::iter::once(deployment).chain(credentials) {
        let name = subject.name();
        let text = serde_json::to_string(&BreakerChange::closed(subject)).expect("names and numbers are always JSON");
        let tiding = Tiding {
            subject: name,
            text,
            stands: false,
        };
        call.control.health.tell(&tiding).await?;
    }
    Ok(NoContent)
}

/// What the nodes see of all targets, those of other organizations too.
pub(super) async fn reports(call: &Call) -> Result<Vec<HealthReport>, CoordError> {
    let reports = call.control.health.reports().await?;
    // One of another release that cannot be read is left out until its node is of this one.
    let reports = reports.iter().filter_map(|report| serde_json::from_str(report).ok());
    Ok(reports.collect())
}

async fn providers(call: &Call) -> Result<BTreeMap<ProviderId, Provider>, ApiError> {
    let mut found = BTreeMap::new();
    let mut query = PageQuery {
        limit: Some(PageQuery::LONGEST),
        cursor: None,
    };
    loop {
        let page = call.scope().providers(&query).await?;
        found.extend(page.items.into_iter().map(|provider| (provider.id, provider)));
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(found),
        }
    }
}

fn together(
    provider: &Provider,
    model: UpstreamModel,
    resting: Vec<RestingCredential>,
    nodes: Vec<TargetReport>,
) -> TargetHealth {
    let rank = |state: BreakerState| match state {
        BreakerState::Closed => 0,
        BreakerState::HalfOpen => 1,
        BreakerState::Open => 2,
    };
    let worst = nodes.iter().max_by_key(|node| rank(node.state));
    let sum = |number: fn(&TargetReport) -> u32| nodes.iter().map(number).fold(0, u32::saturating_add);
    let (requests, failures) = (sum(|node| node.requests), sum(|node| node.failures));
    TargetHealth {
        provider: provider.name.clone(),
        model,
        state: worst.map_or(BreakerState::Closed, |node| node.state),
        since: worst.and_then(|node| node.since),
        open_until: nodes.iter().filter_map(|node| node.open_until).max(),
        requests,
        failures,
        error_rate: match requests {
            0 => 0.0,
            _ => f64::from(failures) * 100.0 / f64::from(requests),
        },
        latency_ms: nodes.iter().filter_map(|node| node.latency_ms).max(),
        in_flight: sum(|node| node.in_flight),
        tokens_within_a_minute: nodes.iter().map(|node| node.tokens_within_a_minute).sum(),
        probe: nodes.iter().filter_map(|node| node.probe).max_by_key(|probe| probe.at),
        resting,
        nodes,
    }
}
