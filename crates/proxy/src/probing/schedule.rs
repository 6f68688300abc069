//! What is to be probed, as the configuration has it, and when. Decides without calling anybody.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::{Provider, Revision, Snapshot, Tenant, UpstreamTarget};
use gatewright_routing::{Health, Moment, Standing};
use gatewright_types::{ProviderId, UpstreamModel};
use tokio::time::Instant;

use super::now;
use crate::attempts::random;

/// A provider that is probed.
#[derive(Debug)]
pub(super) struct Probed {
    pub(super) provider: Arc<Provider>,
    pub(super) every: Duration,
    /// The model that is asked while the provider is idle; absent where it is asked for its models.
    pub(super) asked: Option<Arc<UpstreamTarget>>,
    /// All that requests may go to there. What a route changes or spoils is the route's: it is left out.
    pub(super) targets: Vec<Arc<UpstreamTarget>>,
}

/// What is probed by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// While it is idle.
    Provider(ProviderId),
    /// Once its breaker was open for long enough.
    Deployment(ProviderId, UpstreamModel),
}

#[derive(Debug)]
pub(super) struct Due {
    pub(super) subject: Subject,
    pub(super) probed: Arc<Probed>,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    At(Instant),
    UnderWay,
}

#[derive(Debug, Default)]
pub(super) struct Schedule {
    revision: Option<Revision>,
    probed: HashMap<ProviderId, Arc<Probed>>,
    next: HashMap<Subject, Next>,
}

impl Probed {
    fn of(tenant: &Tenant, provider: &Arc<Provider>) -> Option<Self> {
        let probe = provider.settings.probe.as_deref()?;
        let mut models: Vec<UpstreamModel> = Vec::new();
        let routes = tenant.models.values().flat_map(|model| model.route.targets());
        let led_to = routes.filter(|target| target.provider.id == provider.id);
        let named = led_to.map(|target| &target.model).chain(&probe.model);
        for model in named {
            if !models.contains(model) {
                models.push(model.clone());
            }
        }
        let targets: Vec<_> = models
            .into_iter()
            .map(|model| Arc::new(tenant.target(provider, model)))
            .collect();
        let asked = probe.model.as_ref().and_then(|model| find(&targets, model));
        Some(Self {
            provider: provider.clone(),
            every: probe.every.get(),
            asked: asked.cloned(),
            targets,
        })
    }

    pub(super) fn target(&self, model: &UpstreamModel) -> Option<&Arc<UpstreamTarget>> {
        find(&self.targets, model)
    }

    /// Nothing there was answered for as long as a probe may be away.
    fn is_idle(&self, health: &Health, now: Moment) -> bool {
        let known = self
            .targets
            .iter()
            .filter_map(|target| health.find(self.provider.id, &target.model));
        let answered = known.filter_map(|vitals| vitals.answered()).max();
        answered.is_none_or(|answered| now.since(answered) >= self.every)
    }

    /// Those of which nothing is wrong so far: the others have probes of their own.
    pub(super) fn closed<'a>(&'a self, health: &'a Health) -> impl Iterator<Item = &'a Arc<UpstreamTarget>> {
        let now = now();
        self.targets.iter().filter(move |target| {
            let vitals = health.find(self.provider.id, &target.model);
            vitals.is_none_or(|vitals| vitals.standing(now) == Standing::Closed)
        })
    }

    fn half_open<'a>(&'a self, health: &'a Health, now: Moment) -> impl Iterator<Item = &'a UpstreamModel> {
        let found = self.targets.iter().filter(move |target| {
            let vitals = health.find(self.provider.id, &target.model);
            vitals.is_some_and(|vitals| vitals.standing(now) == Standing::HalfOpen)
        });
        found.map(|target| &target.model)
    }
}

impl Schedule {
    /// Takes the configuration in, where it changed.
    pub(super) fn follow(&mut self, snapshot: Option<&Snapshot>) {
        let Some(snapshot) = snapshot.filter(|snapshot| Some(snapshot.revision()) != self.revision) else {
            return;
        };
        self.revision = Some(snapshot.revision());
        let all = snapshot.tenants().flat_map(|tenant| {
            let providers = tenant.providers.values();
            providers.filter_map(|provider| Some((provider.id, Arc::new(Probed::of(tenant, provider)?))))
        });
        self.probed = all.collect();
        let probed = &self.probed;
        self.next.retain(|subject, _| match subject {
            Subject::Provider(provider) => probed.contains_key(provider),
            Subject::Deployment(provider, model) => probed
                .get(provider)
                .is_some_and(|probed| probed.target(model).is_some()),
        });
        for (provider, probed) in &self.probed {
            // Nodes that start together do not all begin with the same one.
            let first = Instant::now() + part(probed.every);
            let subject = Subject::Provider(*provider);
            self.next.entry(subject).or_insert(Next::At(first));
        }
    }

    /// What is due, marked to be under way, as far as there is room.
    pub(super) fn take_due(&mut self, health: &Health, room: usize) -> Vec<Due> {
        let now = now();
        let mut due = Vec::new();
        for probed in self.probed.values() {
            let provider = probed.provider.id;
            let tried = probed.half_open(health, now);
            let mut subjects: Vec<_> = tried
                .map(|model| Subject::Deployment(provider, model.clone()))
                .collect();
            if probed.is_idle(health, now) {
                subjects.push(Subject::Provider(provider));
            }
            for subject in subjects {
                if due.len() < room && self.next.get(&subject).is_none_or(Next::is_now) {
                    self.next.insert(subject.clone(), Next::UnderWay);
                    due.push(Due {
                        subject,
                        probed: probed.clone(),
                    });
                }
            }
        }
        due
    }

    pub(super) fn ended(&mut self, subject: Subject, again: Instant) {
        self.next.insert(subject, Next::At(again));
    }
}

impl Next {
    fn is_now(&self) -> bool {
        match self {
            Self::At(at) => *at <= Instant::now(),
            Self::UnderWay => false,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(provider) => write!(f, "{provider}"),
            Self::Deployment(provider, model) => write!(f, "{provider}/{model}"),
        }
    }
}

fn find<'a>(targets: &'a [Arc<UpstreamTarget>], model: &UpstreamModel) -> Option<&'a Arc<UpstreamTarget>> {
    targets.iter().find(|target| target.model == *model)
}

/// At random between nothing and all of it.
fn part(length: Duration) -> Duration {
    let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random() % millis.max(1))
}
