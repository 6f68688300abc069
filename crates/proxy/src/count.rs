//! Counting the tokens of a request: asked of the provider where it can count, else estimated. A failure of the provider
//! is told; an estimate in its place would pass for the truth.

use bytes::Bytes;
use gatewright_llm::dialect::Dropped;
use gatewright_llm::{CountPut, CountRequest, FailureKind};

use crate::asking::{Asking, credential, whole};
use crate::attempts::Underway;
use crate::call::refused;
use crate::fault::Wished;
use crate::gateway::Gateway;
use crate::limits;
use crate::patience::Patience;
use crate::pipeline::Admitted;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::route::{Chosen, Plan, Routable, route};
use crate::told::Told;
use crate::upstream::Preference;

/// A count in the caller's dialect.
pub(crate) struct Counted {
    pub(crate) body: Bytes,
    /// It is ours and not a provider's.
    pub(crate) estimated: bool,
    pub(crate) dropped: Dropped,
}

/// The stages after the first one. Never fails: a refusal is a reply, too.
pub(crate) async fn run(gateway: &Gateway, admitted: Admitted, told: Told, body: Result<Bytes, Refusal>) -> Reply {
    let Admitted { caller, mut record } = admitted;
    let counting = async {
        let request = CountRequest::parse(record.dialect(), body?, told.path()).map_err(Refusal::BadRequest)?;
        record.named(request.model());
        limits::enter_aside(gateway, &caller, request.model(), &told.headers, &mut record).await?;
        let routable = Routable {
            id: record.id(),
            model: Chosen::ByCaller(request.model()),
            request: None,
            headers: &told.headers,
        };
        let mut plan = route(gateway, &caller, routable, &mut record)?;
        plan.fault = Wished::read(told.fault.as_deref(), &caller.key)?;
        record.routed(&plan);
        count(gateway, plan, &request, told, &mut record).await
    };
    match counting.await {
        Ok(counted) => Reply::counted(counted, record),
        Err(refusal) => Reply::refusal(&refusal, record),
    }
}

async fn count(
    gateway: &Gateway,
    plan: Plan,
    request: &CountRequest,
    told: Told,
    record: &mut Record,
) -> Result<Counted, Refusal> {
    let target = plan.target();
    let known_as = target.model.as_str();
    let model = target.provider.deployment(known_as);
    let Some(put) = request.put(target.provider.kind, known_as, model) else {
        request.check().map_err(Refusal::BadRequest)?;
        let (request, model) = (request.clone(), known_as.to_owned());
        let counted = gateway.parts.counting.ask(move || request.estimate(&model)).await;
        return Ok(Counted {
            body: counted.map_err(|_| Refusal::Overloaded)?.into(),
            estimated: true,
            dropped: Dropped::default(),
        });
    };
    told.wishes.allow(&put.dropped)?;
    ask(gateway, plan, request, told, put, record).await
}

async fn ask(
    gateway: &Gateway,
    plan: Plan,
    request: &CountRequest,
    told: Told,
    mut put: CountPut,
    record: &mut Record,
) -> Result<Counted, Refusal> {
    let target = plan.target();
    let patience = Patience::with(
        &plan.routed.model.settings.timeouts,
        &target.provider.settings.timeouts,
        gateway.parts.settings.timeouts,
    )
    .capped(told.timeout()?);
    let asking = Asking {
        endpoint: put.endpoint,
        body: std::mem::take(&mut put.body),
        stream: false,
        same_dialect: put.passed,
        fault: plan.fault_at(target),
        headers: told.headers_for(put.endpoint, put.passed, &[]),
    };
    let chosen = credential(&gateway.parts.upstream, &target.provider, Preference::default())?;
    let used = chosen.as_ref().map(|chosen| chosen.id);
    let asked = limits::Target {
        provider: &target.provider,
        model: Some(target),
        credential: used,
    };
    limits::meet_target(record.ticket(), asked, None).await?;
    let now = chrono::Utc::now();
    let vitals = gateway.health().of(target.provider.id, &target.model, now);
    let mut underway = Underway::new(gateway, target.clone(), used, vitals.fly(now));
    let opening = asking.open(gateway, target.clone(), chosen, patience.connect, record);
    let answered = whole(gateway, opening, patience, record).await;
    let counted = answered.and_then(|(_, answer)| {
        let tokens = put.read(&answer).map_err(refused)?;
        Ok((answer, tokens))
    });
    match &counted {
        Ok(_) => underway.reached(),
        // Where tokens cannot be counted, requests may be answered all the same.
        Err(Refusal::Upstream(upstream)) if upstream.failure.kind == FailureKind::NotFound => {}
        Err(refusal) => underway.failed(refusal, patience),
    }
    let (answer, tokens) = counted?;
    Ok(Counted {
        body: if put.passed {
            answer
        } else {
            request.write(tokens).into()
        },
        estimated: false,
        dropped: put.dropped,
    })
}
