//! What the holder of a key may know of the budgets and limits on its way.

use chrono::{DateTime, Utc};
use gatewright_contract::Caller;
use gatewright_routing::{Asked, Headers};
use gatewright_types::Nanos;
use serde_json::{Value, json};

use super::path::{Path, in_words};
use super::who::{Errand, Who};
use crate::accounts::{Accounts, Demand, Standing};
use crate::refusal::Refusal;

/// Enough to have a node ask how a counter stands.
const LEAST: i64 = 1;

/// As JSON. Asks the counters at most once.
pub(crate) async fn own_usage(accounts: &Accounts, caller: &Caller, headers: &Headers) -> Result<Value, Refusal> {
    let asked = Asked { request: None, headers };
    let who = &Who::of(caller, asked, Errand::Aside)?;
    let (organization, now) = (caller.tenant.id, accounts.now());
    let path = Path::Asking {
        caller,
        who,
        model: None,
    };
    let budgets = path.budgets();
    let counters: Vec<_> = budgets.iter().map(|met| met.counter(now)).collect();
    let asking = counters.iter().map(|counter| Demand {
        counter: counter.clone(),
        amount: LEAST,
    });
    let asking: Vec<_> = asking.collect();
    // Whatever is left of them: what was asked for is known now, and given back.
    drop(accounts.reserve(organization, &asking, None).await);
    let budgets = budgets.iter().zip(&counters).map(|(met, counter)| {
        let standing = accounts.peek(organization, counter);
        let mut told = json!(met.it.spec);
        if let Value::Object(members) = &mut told {
            members.insert("id".to_owned(), json!(met.it.id));
            members.insert(
                "for".to_owned(),
                in_words(&met.it.scope, met.name.as_ref(), caller).into(),
            );
            members.insert("cap".to_owned(), json!(Nanos::new(standing.cap)));
            members.insert("spent".to_owned(), json!(Nanos::new(standing.spent_or_reserved)));
            members.insert("remaining".to_owned(), json!(Nanos::new(standing.remaining)));
            members.insert("resets_at".to_owned(), resets(standing));
        }
        told
    });
    let limits = path.limits().into_iter().filter(|met| !met.it.spec.shadow);
    let limits = limits.flat_map(|met| {
        let limit = met.it.clone();
        if limit.spec.blocked {
            return vec![json!({
                "id": limit.id, "for": in_words(&limit.scope, met.name.as_ref(), caller),
                "limit": "blocked", "most": 0, "remaining": 0, "resets_at": null,
            })];
        }
        let all: Vec<_> = limit
            .measures()
            .map(|(measure, most)| {
                let standing = accounts.peek(organization, &met.counter(measure, most));
                json!({
                    "id": limit.id, "for": in_words(&limit.scope, met.name.as_ref(), caller),
                    "limit": measure.as_str(), "most": most, "remaining": standing.remaining,
                    "resets_at": resets(standing),
                })
            })
            .collect();
        all
    });
    Ok(json!({
        "object": "usage", "organization": caller.tenant.slug, "as_of": time(now),
        "key": { "id": caller.key.id, "name": caller.key.name },
        "budgets": budgets.collect::<Vec<_>>(),
        "limits": limits.collect::<Vec<_>>(),
    }))
}

fn resets(standing: Standing) -> Value {
    standing.resets_at.map_or(Value::Null, time)
}

fn time(at: DateTime<Utc>) -> Value {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true).into()
}
