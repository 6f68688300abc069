//! Works through runs that price requests anew, a portion of each in turn: a long one keeps no other organization waiting.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::{Catalog, CompileProblem, Metered, Revision, Tenant, compile};
use gatewright_store::{Adjustment, ChargedRequest, DatabaseError, RepriceRun, RepriceStep, Scope};
use gatewright_types::api::{LeftAlone, LineItem, PricedAnew, RepriceSums};
use gatewright_types::{Nanos, OrganizationId, RequestId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::control::Control;

/// A transaction writes no longer than others can wait for it: on a single node requests come in through the same
/// connection.
const PORTION: u64 = 100;
/// What only reads keeps nobody waiting.
const PAGE: u64 = 2_000;
/// Between portions, others write.
const PAUSE: Duration = Duration::from_millis(10);
/// For other runs, while some are worked on.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);
const PRICES_CHANGED: &str =
    "prices, facts of models or the catalogue changed while it ran: what was added so far stays; run it again";

/// Why requests cannot be priced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RepriceError {
    #[error("the organization does not compile")]
    DoesNotCompile(Vec<CompileProblem>),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// What an organization's requests are priced by.
struct Prices {
    tenant: Tenant,
    catalog: Catalog,
    revision: Revision,
    /// Prices in force then, or when each request began.
    at: Option<DateTime<Utc>>,
}

/// A portion of requests that was looked at.
struct Looked {
    adjustments: Vec<Adjustment>,
    position: RequestId,
    /// With those before it.
    sums: RepriceSums,
}

/// A run that is worked on.
struct Work {
    run: RepriceRun,
    prices: Prices,
}

/// Whether a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Going {
    On,
    Over,
}

/// Works on all runs that nobody works on, also on those that are begun meanwhile.
pub(crate) async fn take_up(control: &Control, stop: &CancellationToken) -> Result<(), RepriceError> {
    let (mut working, mut looked_at) = (Vec::new(), None::<Instant>);
    // What fails for one organization keeps none of the others waiting.
    let mut done = Ok(());
    loop {
        if looked_at.is_none_or(|at| at.elapsed() >= LOOK_AGAIN_AFTER) {
            working.extend(begin(control).await?);
            looked_at = Some(Instant::now());
        }
        let mut going = Vec::with_capacity(working.len());
        for mut work in working {
            match work.portion(control).await {
                Ok(Going::On) => going.push(work),
                Ok(Going::Over) => {}
                Err(error) => done = Err(error),
            }
        }
        if going.is_empty() {
            return done;
        }
        tokio::select! {
            () = stop.cancelled() => return put_down(control, &going).await,
            () = tokio::time::sleep(PAUSE) => {}
        }
        working = going;
    }
}

async fn begin(control: &Control) -> Result<Vec<Work>, RepriceError> {
    let mut begun = Vec::new();
    for run in control.db.system().take_up_reprices().await? {
        let scope = control.db.organization(run.organization);
        match Prices::read(control, &scope, run.organization, run.priced_at).await {
            Ok(prices) => begun.push(Work { run, prices }),
            Err(RepriceError::DoesNotCompile(problems)) => {
                let problems: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
                let failure = format!("the configuration does not compile: {}", problems.join("; "));
                control.db.end_reprice(&run, Some(&failure)).await?;
            }
            // It is taken up again.
            Err(error @ RepriceError::Database(_)) => return Err(error),
        }
    }
    Ok(begun)
}

/// Others need not wait until it is known that nobody works on them.
async fn put_down(control: &Control, works: &[Work]) -> Result<(), RepriceError> {
    for work in works {
        control.db.system().put_down_reprice(&work.run).await?;
    }
    Ok(())
}

impl Work {
    async fn portion(&mut self, control: &Control) -> Result<Going, RepriceError> {
        let Self { run, prices } = self;
        let scope = control.db.organization(run.organization);
        portion(control, &scope, prices, run).await
    }
}

async fn portion(
    control: &Control,
    scope: &Scope<'_>,
    prices: &Prices,
    run: &mut RepriceRun,
) -> Result<Going, RepriceError> {
    if scope.price_revision().await? != run.revision || prices.revision != run.revision {
        control.db.end_reprice(run, Some(PRICES_CHANGED)).await?;
        return Ok(Going::Over);
    }
    if let Some(month) = scope.locked_months(run.range.from, run.range.to).await?.first() {
        let failure = format!("{month} was locked while it ran: what was added so far stays");
        control.db.end_reprice(run, Some(&failure)).await?;
        return Ok(Going::Over);
    }
    let limit = if run.dry_run { PAGE } else { PORTION };
    let requests = scope.charged(&run.range, Some(run.position), limit).await?;
    let Some(looked) = prices.look(requests, &run.sums) else {
        if control.db.end_reprice(run, None).await? == RepriceStep::Done && !run.dry_run {
            tracing::info!(
                organization.id = %run.organization,
                reprice.id = %run.id,
                requests = run.sums.requests,
                changed = run.sums.changed,
                "requests were priced anew"
            );
        }
        return Ok(Going::Over);
    };
    let budgets = scope.counted_budgets().await?;
    let step = control
        .db
        .adjust(run, &looked.adjustments, &budgets, looked.position, &looked.sums)
        .await?;
    if step == RepriceStep::Lost {
        return Ok(Going::Over);
    }
    (run.position, run.sums) = (looked.position, looked.sums);
    Ok(Going::On)
}

impl Prices {
    async fn read(
        control: &Control,
        scope: &Scope<'_>,
        organization: OrganizationId,
        at: Option<DateTime<Utc>>,
    ) -> Result<Self, RepriceError> {
        // First: what changes while the rest is read is noticed.
        let revision = scope.price_revision().await?;
        let tenant = compile(organization, &scope.compiled_units().await?).map_err(RepriceError::DoesNotCompile)?;
        Ok(Self {
            tenant,
            catalog: control.catalog().await?,
            revision,
            at,
        })
    }

    /// Nothing where there are no more requests.
    fn look(&self, requests: Vec<ChargedRequest>, before: &RepriceSums) -> Option<Looked> {
        let position = requests.last()?.id;
        let (mut adjustments, mut sums) = (Vec::new(), before.clone());
        for request in requests {
            // Nothing was used, at whatever price.
            if request.lines.is_empty() && request.cost.is_some() {
                continue;
            }
            let bill = self.bill(&request);
            let priced = bill.as_ref().map_err(|why| *why).map(|(cost, lines)| {
                let mut versions = lines.iter().filter_map(|line| line.price_version.as_deref());
                (*cost, versions.next_back().unwrap_or_default())
            });
            sums.add(PricedAnew {
                provider: &request.provider,
                model: request.model.as_ref(),
                before: request.cost,
                priced,
            });
            if let Ok((cost, lines)) = bill
                && request.cost != Some(cost)
            {
                adjustments.push(Adjustment { request, cost, lines });
            }
        }
        Some(Looked {
            adjustments,
            position,
            sums,
        })
    }

    fn bill(&self, request: &ChargedRequest) -> Result<(Nanos, Vec<LineItem>), LeftAlone> {
        let metered = Metered {
            provider: &request.provider,
            model: request.model.as_ref(),
            lines: &request.lines,
            served: request.served,
            dialect: request.dialect,
            outcome: request.outcome,
            attempts: request.attempts,
            estimated: request.estimated,
        };
        let at = self.at.unwrap_or(request.started_at);
        self.tenant.bill_again(&self.catalog, &metered, at)
    }
}
