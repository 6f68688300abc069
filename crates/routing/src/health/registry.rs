//! Where the vitals of all deployments are found.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use gatewright_contract::{BreakerChange, BreakerSubject};
use gatewright_types::{OrganizationId, ProviderId, UpstreamModel};

use super::{Budget, Moment, Resting, Transition, Vitals};

type Deployments = HashMap<ProviderId, HashMap<UpstreamModel, Arc<Vitals>>>;

/// A deployment that was not called for so long is forgotten when room for another is made.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60 * 60);

/// The health of all that was used. Cheap to clone; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Health {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    deployments: ArcSwap<Deployments>,
    resting: Resting,
    budgets: ArcSwap<HashMap<OrganizationId, Arc<Budget>>>,
}

/// What was there at one moment, to look up many.
#[derive(Debug)]
pub(crate) struct Look(Guard<Arc<Deployments>>);

impl Health {
    /// The vitals of a deployment, which begin here if there are none yet. Those that nobody uses any more make room.
    pub fn of(&self, provider: ProviderId, model: &UpstreamModel, now: impl Into<Moment>) -> Arc<Vitals> {
        if let Some(vitals) = self.find(provider, model) {
            return vitals;
        }
        let now = now.into();
        let new = Arc::new(Vitals::begun(now));
        self.shared.deployments.rcu(|deployments| {
            let mut deployments = Deployments::clone(deployments);
            for models in deployments.values_mut() {
                models.retain(|_, vitals| vitals.in_flight() > 0 || now.since(vitals.used()) < FORGOTTEN_AFTER);
            }
            deployments.retain(|_, models| !models.is_empty());
            let models = deployments.entry(provider).or_default();
            models.entry(model.clone()).or_insert_with(|| new.clone());
            deployments
        });
        self.find(provider, model).unwrap_or(new)
    }

    pub fn find(&self, provider: ProviderId, model: &UpstreamModel) -> Option<Arc<Vitals>> {
        self.shared.deployments.load().get(&provider)?.get(model).cloned()
    }

    pub fn resting(&self) -> &Resting {
        &self.shared.resting
    }

    /// How much an organization may try again.
    pub fn budget(&self, organization: OrganizationId) -> Arc<Budget> {
        let find = || self.shared.budgets.load().get(&organization).cloned();
        if let Some(budget) = find() {
            return budget;
        }
        let new = Arc::<Budget>::default();
        self.shared.budgets.rcu(|budgets| {
            let mut budgets = HashMap::clone(budgets);
            budgets.entry(organization).or_insert_with(|| new.clone());
            budgets
        });
        find().unwrap_or(new)
    }

    /// What another node found out, or a person decided.
    pub fn take_on(&self, change: &BreakerChange, now: Moment) {
        let transition = Transition::of(change);
        match &change.subject {
            BreakerSubject::Deployment { provider, model } => {
                self.of(*provider, model, now).take_on(transition, now);
            }
            BreakerSubject::Credential { credential, mark } => self.resting().take_on(*credential, *mark, transition),
        }
    }

    /// Every deployment that was called lately.
    pub fn deployments(&self) -> Vec<(ProviderId, UpstreamModel, Arc<Vitals>)> {
        let deployments = self.shared.deployments.load();
        let all = deployments.iter().flat_map(|(provider, models)| {
            let models = models.iter();
            models.map(|(model, vitals)| (*provider, model.clone(), vitals.clone()))
        });
        all.collect()
    }

    pub(crate) fn look(&self) -> Look {
        Look(self.shared.deployments.load())
    }
}

impl Look {
    pub(crate) fn find(&self, provider: ProviderId, model: &UpstreamModel) -> Option<&Vitals> {
        let vitals = self.0.get(&provider)?.get(model)?;
        Some(vitals)
    }

    /// The models of a provider that were called.
    pub(crate) fn models(&self, provider: ProviderId) -> impl Iterator<Item = &UpstreamModel> {
        self.0.get(&provider).into_iter().flat_map(HashMap::keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> UpstreamModel {
        name.parse().expect("a model")
    }

    #[test]
    fn a_deployment_has_one_pulse_and_is_forgotten_when_nobody_calls_it() {
        let health = Health::default();
        let (provider, start) = (ProviderId::mint(), Moment::from_millis(1_000_000));

        let first = health.of(provider, &model("a"), start);
        let again = health.of(provider, &model("a"), start);
        assert!(Arc::ptr_eq(&first, &again));

        let later = start.after(FORGOTTEN_AFTER);
        health.of(provider, &model("b"), later);
        assert!(health.find(provider, &model("a")).is_none());
        assert!(health.find(provider, &model("b")).is_some());
    }
}
