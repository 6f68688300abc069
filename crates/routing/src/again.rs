//! A request that was made, decided once more: from what was kept of it, by the configuration as it is by now.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use gatewright_contract::{Model, Strategy};
use gatewright_llm::dialect::PathFacts;
use gatewright_llm::{Needs, Request};
use gatewright_types::api::{Decision, DecisionError, Dialect, Explanation, LookedAt, UsageRow};
use serde_json::{Map, Value, json};

use crate::Headers;
use crate::looked_at::{HEADERS, METADATA, missing};
use crate::said::USER;
use crate::sample::{Put, Sampling, error, explained};

/// What was kept of a request.
#[derive(Debug, Clone, Copy)]
pub struct Logged<'a> {
    pub row: &'a UsageRow,
    /// Most requests keep none.
    pub decision: Option<&'a Decision>,
}

/// Tells where it would go, what was decided then, and what is not known of it any longer.
pub fn explain_again(sampling: Sampling<'_>, logged: Logged<'_>) -> Explanation {
    let model = logged.row.model.as_deref();
    let named = model.and_then(|name| sampling.caller.tenant.models.get(name));
    let not_kept = not_kept(named.map(|model| &**model), logged);
    Explanation {
        then: logged.decision.cloned(),
        not_kept,
        ..explained(sampling, model.map(str::to_owned), put(logged))
    }
}

/// The request with as much in it as is known, and nothing said.
fn put(logged: Logged<'_>) -> Result<Put, DecisionError> {
    let Logged { row, decision } = logged;
    let unread = || error("invalid_request", "the request could not be read".to_owned());
    let model = row.model.as_deref().ok_or_else(unread)?;
    let (member, content) = nothing_said(row.dialect).ok_or_else(|| {
        let message = "a call at a provider's own address goes by no route";
        error("not_routed", message.to_owned())
    })?;
    let looked_at = decision.and_then(|decision| decision.looked_at.as_ref());
    let mut body = Map::from_iter([(member.to_owned(), content)]);
    let in_address = matches!(
        row.dialect,
        Dialect::GeminiGenerate | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed
    );
    if !in_address {
        body.insert("model".to_owned(), model.into());
        body.insert("stream".to_owned(), row.stream.into());
    }
    let labels = looked_at.into_iter().flat_map(|looked_at| sent(&looked_at.metadata));
    let labels: Map<_, _> = labels.map(|(name, value)| (name.to_owned(), value.into())).collect();
    if !labels.is_empty() {
        let name = if in_address { "labels" } else { "metadata" };
        body.insert(name.to_owned(), labels.into());
    }
    let path = PathFacts {
        model: in_address.then_some(model),
        stream: in_address && row.stream,
    };
    let request = Request::parse(row.dialect, Bytes::from(Value::Object(body).to_string()), path)
        .map_err(|bad| error("invalid_request", bad.message))?;
    let user = row.end_user.as_ref().map(|user| (USER, user.as_str()));
    let headers = looked_at.into_iter().flat_map(|looked_at| sent(&looked_at.headers));
    let headers: Headers = headers.chain(user).collect();
    let needs = decision.and_then(|decision| decision.needs.as_ref());
    let (time, random) = row.id.uuid().as_u64_pair();
    Ok(Put {
        needs: needs.map(|needs| Needs::told_before(needs, row.dialect)),
        request,
        headers,
        // What was left to chance then falls the same way.
        dice: time ^ random,
    })
}

fn sent(kept: &BTreeMap<String, Option<String>>) -> impl Iterator<Item = (&str, &str)> {
    kept.iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
}

/// Where a dialect's requests say something, and how they say nothing there. At a provider's own address there are none.
fn nothing_said(dialect: Dialect) -> Option<(&'static str, Value)> {
    let parts = || json!({"role": "user", "parts": [{"text": ""}]});
    Some(match dialect {
        Dialect::OpenaiChat | Dialect::AnthropicMessages => ("messages", json!([{"role": "user", "content": ""}])),
        Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => ("input", json!("")),
        Dialect::OpenaiCompletions => ("prompt", json!("")),
        Dialect::GeminiGenerate => ("contents", json!([parts()])),
        Dialect::GeminiEmbed => ("content", parts()),
        Dialect::GeminiBatchEmbed => ("requests", json!([{"content": parts()}])),
        Dialect::Native(_) => return None,
    })
}

/// What the model's route may go by and what could not be looked at again, as parts of a sentence.
fn not_kept(model: Option<&Model>, logged: Logged<'_>) -> Vec<String> {
    let mut lost = vec!["what its messages, tools and files say".to_owned()];
    let Some(decision) = logged.decision else {
        let lost_with_it = [
            "how large it was and what it needed of a model",
            "its headers, labels and session",
        ];
        lost.extend(lost_with_it.map(str::to_owned));
        return lost;
    };
    if decision.needs.is_none() {
        lost.push("how large it was and what it needed of a model".to_owned());
    }
    let Some(model) = model else { return lost };
    if decision.looked_at.is_none() && !matches!(model.route.strategy, Strategy::Target(_)) {
        lost.push("its session, task and region".to_owned());
    }
    let nothing = LookedAt::default();
    let kept = decision.looked_at.as_ref().unwrap_or(&nothing);
    for condition in model.route.conditions() {
        let (headers, labels) = (condition.keys_of(HEADERS), condition.keys_of(METADATA));
        let gone = missing(&headers, |name| kept.headers.contains_key(name));
        lost.extend(gone.map(|name| format!("the header {name}")));
        if headers.others {
            lost.push("headers that no condition names".to_owned());
        }
        let gone = missing(&labels, |name| kept.metadata.contains_key(name));
        lost.extend(gone.map(|name| format!("the label {name} of its metadata")));
        if labels.others {
            lost.push("labels that no condition names".to_owned());
        }
        if condition.reads("budget") {
            lost.push("how its budgets stood".to_owned());
        }
    }
    if model.route.follows_beginnings() {
        lost.push("what its messages begin with, which decides what it sticks to".to_owned());
    }
    let mut told = BTreeSet::new();
    lost.retain(|one| told.insert(one.clone()));
    lost
}
