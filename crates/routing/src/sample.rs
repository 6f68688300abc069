//! What would become of a request: the same decision, told in full, on a node that calls nobody.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gatewright_contract::{Caller, Catalog};
use gatewright_llm::dialect::PathFacts;
use gatewright_llm::{Needs, Request};
use gatewright_types::api::{Decision, DecisionError, Dialect, ExpectedCost, Explanation, SampleHealth, SampleRequest};
use gatewright_types::{ModelName, Money, Nanos};
use serde_json::Value;

use crate::facts::Facts;
use crate::route::route_and_tell;
use crate::{Asked, Headers, Health, Situation, Turns, cost};

/// Who asks for a sample, and when.
#[derive(Debug, Clone, Copy)]
pub struct Sampling<'a> {
    pub caller: &'a Caller,
    pub catalog: &'a Catalog,
    pub now: DateTime<Utc>,
    /// How targets do; without it, all are healthy and idle.
    pub health: Option<&'a Health>,
}

/// A request as far as it is known.
pub(crate) struct Put {
    pub(crate) request: Request,
    pub(crate) headers: Headers,
    /// Where that is not to be read in the request.
    pub(crate) needs: Option<Needs>,
    pub(crate) dice: u64,
}

/// Tells where the request would go. What a caller would be refused for is part of the answer.
pub fn explain(sampling: Sampling<'_>, sample: &SampleRequest) -> Explanation {
    let put = read(sample).map(|request| Put {
        request,
        headers: sample.headers.iter().collect(),
        needs: None,
        dice: sample.dice,
    });
    explained(sampling, named(sample).map(str::to_owned), put)
}

pub(crate) fn explained(sampling: Sampling<'_>, model: Option<String>, put: Result<Put, DecisionError>) -> Explanation {
    let mut decision = Decision {
        model,
        ..Decision::default()
    };
    let costs = put
        .and_then(|put| decide(sampling, &put, &mut decision))
        .unwrap_or_else(|error| {
            decision.error = Some(error);
            Vec::new()
        });
    Explanation {
        decision,
        then: None,
        not_kept: Vec::new(),
        health: match sampling.health {
            Some(_) => SampleHealth::Current,
            None => SampleHealth::Ideal,
        },
        costs,
    }
}

fn decide(sampling: Sampling<'_>, put: &Put, decision: &mut Decision) -> Result<Vec<ExpectedCost>, DecisionError> {
    let Sampling {
        caller,
        catalog,
        now,
        health,
    } = sampling;
    let Put {
        request,
        headers,
        needs,
        dice,
    } = put;
    decision.model = Some(request.model().to_owned());
    decision.needs = Some(needs.unwrap_or_else(|| request.needs()).told());
    let model = caller.tenant.models.get(request.model()).ok_or_else(|| {
        let message = format!("there is no model named {}", request.model());
        error("model_not_found", message)
    })?;
    if !caller.key.allows(request.model()) {
        let message = format!("the key may not call the model {}", request.model());
        return Err(error("model_not_allowed", message));
    }
    let ideal = Health::default();
    let situation = Situation {
        caller,
        model,
        asked: Asked {
            request: Some(request),
            headers,
        },
        needs: *needs,
        health: health.unwrap_or(&ideal),
        turns: &Turns::default(),
        catalog,
        budget: None,
        now,
        dice: *dice,
    };
    let plan = route_and_tell(&situation, &mut decision.route)
        .map_err(|unroutable| error(unroutable.code(), unroutable.to_string()))?;
    let facts = Facts::of(&situation);
    let costs = plan.legs.iter().map(|leg| {
        let nanos = cost::expected(&facts, &leg.target, None);
        ExpectedCost {
            target: leg.target.name(),
            cost: nanos
                .and_then(|nanos| i64::try_from(nanos).ok())
                .map(Nanos::new)
                .map(Money::from),
        }
    });
    Ok(costs.collect())
}

/// Read as if it had come: by the same parser, which finds the same mistakes.
fn read(sample: &SampleRequest) -> Result<Request, DecisionError> {
    let mut body = sample.body.clone();
    let in_address = matches!(
        sample.dialect,
        Dialect::GeminiGenerate | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed
    );
    if let (Value::Object(members), Some(model), false) = (&mut body, &sample.model, in_address) {
        members.insert("model".to_owned(), model.as_str().into());
    }
    let path = PathFacts {
        model: sample.model.as_ref().map(ModelName::as_str).filter(|_| in_address),
        stream: false,
    };
    Request::parse(sample.dialect, Bytes::from(body.to_string()), path)
        .map_err(|bad| error("invalid_request", bad.message))
}

fn named(sample: &SampleRequest) -> Option<&str> {
    let in_body = || sample.body.get("model").and_then(Value::as_str);
    sample.model.as_ref().map(ModelName::as_str).or_else(in_body)
}

pub(crate) fn error(code: &'static str, message: String) -> DecisionError {
    DecisionError {
        code: code.into(),
        message: message.into(),
    }
}
