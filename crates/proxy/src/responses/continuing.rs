//! Follows a request's `previous_response_id`. What a provider keeps is continued there, with the credential that made
//! it; what is kept here is put in front of the request's own input, and in the place of items that are only named.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use gatewright_contract::{Caller, UpstreamTarget};
use gatewright_coord::ResponseId;
use gatewright_llm::chat::Json;
use gatewright_llm::dialect::openai_responses::stored::{input_items, item_id_of, links, response_id, response_of};
use gatewright_llm::{BadRequest, Request};
use gatewright_routing::{Legs, Unroutable};
use gatewright_types::RequestId;
use gatewright_types::api::Dialect;

use super::entry::{AtProvider, Entry, Transcript};
use super::keeping::{Keep, What};
use crate::gateway::Gateway;
use crate::refusal::Refusal;
use crate::route::Plan;

/// A conversation of more responses is not put together: each of its requests costs more than the one before.
const MOST_EARLIER: usize = 200;
const PARAM: &str = "previous_response_id";

/// The request as it is to be put to the provider, and where to.
pub(crate) async fn resolve(
    gateway: &Gateway,
    caller: &Caller,
    plan: Plan,
    request: Arc<Request>,
    id: RequestId,
) -> Result<(Plan, Arc<Request>), Refusal> {
    let links = links(request.body()).map_err(Refusal::BadRequest)?;
    let request = match keeps_responses(plan.target()) {
        true => request,
        false => with_items(gateway, caller, request).await?,
    };
    let (mut plan, asked, earlier) = match &links.previous {
        None => (plan, request.clone(), Vec::new()),
        Some(previous) => follow(gateway, caller, plan, &request, previous).await?,
    };
    if links.store {
        let what = if keeps_responses(plan.target()) {
            What::Note {
                // A stream tells at its end what was used, whether or not somebody listens.
                background: links.background && !request.stream(),
            }
        } else {
            let input = input_items(request.body(), &response_id(&id.to_string())).map_err(Refusal::BadRequest)?;
            What::Transcript {
                earlier: earlier.into(),
                input: input.into(),
            }
        };
        plan.keep = Some(Keep {
            organization: caller.tenant.id,
            what,
        });
    }
    Ok((plan, asked))
}

/// Besides the plan and the request: the responses that are before the new one.
async fn follow(
    gateway: &Gateway,
    caller: &Caller,
    plan: Plan,
    request: &Arc<Request>,
    previous: &str,
) -> Result<(Plan, Arc<Request>, Vec<ResponseId>), Refusal> {
    let unknown = || Refusal::PreviousResponseNotFound {
        id: previous.to_owned(),
    };
    let id: ResponseId = previous.parse().map_err(|_| unknown())?;
    let memory = &gateway.parts.responses;
    let found = memory.find_one(caller.tenant.id, &id).await?.ok_or_else(unknown)?;
    match found {
        Entry::AtProvider(made) => Ok((
            pinned(gateway, caller, &plan, &made, previous)?,
            request.clone(),
            Vec::new(),
        )),
        Entry::Here(_) if keeps_responses(plan.target()) => Err(not_possible(format!(
            "'{previous}' was made by a provider that keeps no responses, and the one behind the model '{}' cannot be \
             shown it; continue with a model of such a provider, or send the whole conversation in 'input'",
            plan.routed.model.name
        ))),
        Entry::Here(transcript) => {
            let mut earlier = transcript.earlier.clone();
            let conversation = conversation(gateway, caller, transcript).await?;
            earlier.push(id);
            let asked = in_front(gateway, &conversation, request)?;
            Ok((plan, Arc::new(asked), earlier))
        }
    }
}

/// The way to the provider that has the response. It stays the same for a model that leads to another one by now.
fn pinned(gateway: &Gateway, caller: &Caller, plan: &Plan, made: &AtProvider, previous: &str) -> Result<Plan, Refusal> {
    let model = &plan.routed.model;
    let mut legs = plan.routed.legs.iter();
    let legs = if let Some(leg) = legs.find(|leg| leg.target.provider.id == made.provider) {
        Legs::only(leg.target.clone(), leg.place.clone())
    } else if model.id == made.model {
        let mut providers = caller.tenant.providers.values();
        let provider = providers.find(|provider| provider.id == made.provider);
        let provider = provider.ok_or_else(|| Refusal::PreviousResponseNotFound {
            id: previous.to_owned(),
        })?;
        let target = caller.tenant.target(provider, made.upstream_model.clone());
        Legs::only(Arc::new(target), model.route.place.clone())
    } else {
        return Err(not_possible(format!(
            "'{previous}' is kept by another provider than the one behind the model '{}'; continue with the model that \
             made it, or send the whole conversation in 'input'",
            model.name
        )));
    };
    let target = &legs.first().target;
    if let Some(region) = plan.routed.region.as_ref().filter(|region| !target.resides_in(region)) {
        return Err(Refusal::Unroutable(Unroutable::NotInRegion {
            model: model.name.clone(),
            region: region.clone(),
        }));
    }
    if let Some(barred) = caller.key.barred(target, &gateway.catalog(), chrono::Utc::now()) {
        return Err(Refusal::NotForKey { barred });
    }
    if !keeps_responses(&legs.first().target) {
        return Err(Refusal::PreviousResponseNotFound {
            id: previous.to_owned(),
        });
    }
    Ok(Plan {
        routed: gatewright_routing::Plan {
            legs,
            ..plan.routed.clone()
        },
        credential: made.credential,
        keep: None,
        fault: None,
    })
}

/// With the items themselves where the request only names them.
async fn with_items(gateway: &Gateway, caller: &Caller, request: Arc<Request>) -> Result<Arc<Request>, Refusal> {
    let references = request.references();
    if references.is_empty() {
        return Ok(request);
    }
    let responses = references.iter().filter_map(|id| response_of(id)?.parse().ok());
    let responses: BTreeSet<ResponseId> = responses.collect();
    if responses.len() > MOST_EARLIER {
        let message = format!("the items of more than {MOST_EARLIER} responses are named; send the items themselves");
        return Err(Refusal::BadRequest(BadRequest::at("input", message)));
    }
    let responses: Vec<_> = responses.into_iter().collect();
    let found = gateway.parts.responses.find(caller.tenant.id, &responses).await?;
    let transcripts = found.into_iter().filter_map(|entry| match entry? {
        Entry::Here(transcript) => Some(transcript),
        Entry::AtProvider(_) => None,
    });
    let items: HashMap<Box<str>, Json> = transcripts
        .flat_map(Transcript::items)
        .filter_map(|item| Some((item_id_of(&item)?, item)))
        .collect();
    let request = request.with_items(|id| items.get(id)).map_err(Refusal::BadRequest)?;
    Ok(Arc::new(request))
}

/// All that was said up to and with a response.
async fn conversation(gateway: &Gateway, caller: &Caller, last: Transcript) -> Result<Vec<Json>, Refusal> {
    if last.earlier.len() >= MOST_EARLIER {
        return Err(not_possible(format!(
            "the conversation has more than {MOST_EARLIER} responses; begin a new one with what matters of it in 'input'"
        )));
    }
    let found = gateway.parts.responses.find(caller.tenant.id, &last.earlier).await?;
    let mut items = Vec::new();
    for (id, entry) in last.earlier.iter().zip(found) {
        let Some(Entry::Here(transcript)) = entry else {
            return Err(Refusal::PreviousResponseNotFound { id: id.to_string() });
        };
        items.extend(transcript.items());
    }
    items.extend(last.items());
    Ok(items)
}

fn in_front(gateway: &Gateway, conversation: &[Json], request: &Request) -> Result<Request, Refusal> {
    let limit_bytes = gateway.parts.settings.body_limit_bytes;
    let size_bytes: usize = conversation.iter().map(|item| item.text().len() + 1).sum();
    if size_bytes + request.body_len() > limit_bytes {
        return Err(not_possible(format!(
            "the conversation is larger than the limit of {limit_bytes} bytes; begin a new one with what matters of it \
             in 'input'"
        )));
    }
    request.continuing(conversation).map_err(Refusal::BadRequest)
}

fn not_possible(message: String) -> Refusal {
    Refusal::BadRequest(BadRequest::at(PARAM, message))
}

/// Whether the provider takes requests for a response as they are: then it keeps them, too.
pub(super) fn keeps_responses(target: &UpstreamTarget) -> bool {
    target
        .spoken(Dialect::OpenaiResponses)
        .is_some_and(|spoken| spoken.outbound.is_none())
}
