//! The stages a request goes through, in order. Each takes what the one before made; every way out ends in the record.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatewright_contract::Caller;
use gatewright_llm::{Request, declared_tools};
use gatewright_types::api::{Dialect, Stage};
use tokio::time::Instant;

use crate::authenticate::{Presented, authenticate};
use crate::cache::{self, Hit, Keeping, Looked};
use crate::call::{Answer, call};
use crate::fault::Wished;
use crate::gateway::Gateway;
use crate::limits;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::responses;
use crate::route::{Chosen, Routable, route};
use crate::shedding::Full;
use crate::told::Told;

/// What the edge takes from a request's head.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) started: Instant,
    pub(crate) dialect: Dialect,
    /// The address as traces name it.
    pub(crate) route: &'static str,
    pub(crate) presented: Presented<'a>,
    pub(crate) traceparent: Option<&'a str>,
    /// The trace of its decisions is to be kept.
    pub(crate) wants_trace: bool,
}

/// A request whose caller is known, with its place in the journal.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) record: Record,
}

/// Where the answer to a request comes from.
enum Answered {
    /// And whether it is to be kept.
    ByProvider(Answer, Option<Keeping>),
    Before(Hit),
}

/// Stages follow one another: where one ends the next begins, and the clock is read once.
struct Laps(Instant);

impl Laps {
    fn begin() -> Self {
        Self(Instant::now())
    }

    /// How long it took since the one before.
    fn next(&mut self) -> Duration {
        let now = Instant::now();
        let took = now.saturating_duration_since(self.0);
        self.0 = now;
        took
    }
}

/// The first stage, before the body is read: strangers cost neither memory nor parsing.
pub(crate) async fn admit(gateway: &Gateway, head: Head<'_>) -> Result<Admitted, Refusal> {
    let parts = &*gateway.parts;
    let now = chrono::Utc::now();
    if parts.readiness.is_draining() {
        return Err(Refusal::Draining);
    }
    let caller = authenticate(parts, head.presented, now).await?;
    if !parts.journal.has_room() {
        return Err(Refusal::Overloaded);
    }
    let place = parts
        .shedding
        .enter(caller.tenant.id)
        .map_err(|Full| Refusal::Overloaded)?;
    let mut record = Record::open(gateway, &caller, place, &head, now);
    record.notes().stage(Stage::Admit, head.started.elapsed());
    Ok(Admitted { caller, record })
}

/// The other stages. Never fails: a refusal is a reply, too.
pub(crate) async fn run(gateway: &Gateway, admitted: Admitted, told: Told, body: Result<Bytes, Refusal>) -> Reply {
    let Admitted { caller, mut record } = admitted;
    match stages(gateway, &caller, told, body, &mut record).await {
        Ok(Answered::ByProvider(answer, keeping)) => Reply::answer(gateway, answer, keeping, record).await,
        Ok(Answered::Before(hit)) => Reply::kept(hit, record).await,
        Err(refusal) => Reply::refusal(&refusal, record),
    }
}

async fn stages(
    gateway: &Gateway,
    caller: &Caller,
    told: Told,
    body: Result<Bytes, Refusal>,
    record: &mut Record,
) -> Result<Answered, Refusal> {
    let body = body?;
    let mut laps = Laps::begin();
    let request = Request::parse(record.dialect(), body, told.path()).map_err(Refusal::BadRequest)?;
    let mut request = Arc::new(request);
    record.asked(&request);
    check_tools(caller, &request)?;
    record.notes().stage(Stage::Read, laps.next());
    let fault = Wished::read(told.fault.as_deref(), &caller.key)?;
    let entered = limits::enter_to_be_answered(gateway, caller, &request, &told, record).await;
    record.notes().stage(Stage::Limits, laps.next());
    let downgraded = entered?;
    if let Some(model) = &downgraded {
        request = Arc::new(request.asking(model.name.as_str()).map_err(Refusal::BadRequest)?);
        record.asked(&request);
    }
    let looked = match &fault {
        None => cache::look(gateway, caller, &request, &told, record).await,
        // An answer that was given before would spoil the failure, and one that is spoilt is not to be given again.
        Some(_) => Ok(Looked::Off),
    };
    record.notes().stage(Stage::Cache, laps.next());
    let mut keeping = match looked? {
        Looked::Hit(hit) => return Ok(Answered::Before(hit)),
        Looked::Miss(keeping) => keeping,
        Looked::Part(smaller, keeping) => {
            if let Some(smaller) = smaller {
                request = smaller;
                record.asked(&request);
            }
            Some(keeping)
        }
        Looked::Off => None,
    };
    let routable = Routable {
        id: record.id(),
        model: match &downgraded {
            Some(model) => Chosen::ByBudget(model),
            None => Chosen::ByCaller(request.model()),
        },
        request: Some(&request),
        headers: &told.headers,
    };
    let routed = route(gateway, caller, routable, record);
    record.notes().stage(Stage::Route, laps.next());
    let mut plan = routed?;
    if request.dialect() == Dialect::OpenaiResponses {
        (plan, request) = responses::resolve(gateway, caller, plan, request, record.id()).await?;
        // With the conversation it continues: that is what the provider reads.
        record.asked(&request);
    }
    plan.fault = fault;
    record.routed(&plan);
    limits::spend_on_answer(gateway, &plan, &request, record).await?;
    let answer = call(gateway, plan, &request, told, record).await?;
    let answer = match &mut keeping {
        Some(keeping) => keeping.complete(answer)?,
        None => answer,
    };
    Ok(Answered::ByProvider(answer, keeping))
}

fn check_tools(caller: &Caller, request: &Request) -> Result<(), Refusal> {
    if !caller.key.limits_tools() {
        return Ok(());
    }
    let declared = declared_tools(request.body()).ok_or(Refusal::ToolsNotTold)?;
    match caller.key.barred_tool(declared.iter().map(String::as_str)) {
        Some(tool) => Err(Refusal::ToolNotAllowed { tool: tool.to_owned() }),
        None => Ok(()),
    }
}
