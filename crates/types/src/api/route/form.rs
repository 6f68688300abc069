//! How routes are written: a map whose one strategy says what the node is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Canary, Case, FailureClass, FallbackStep, Route, RouteTarget, Sticky, Weighted};
use crate::Slug;

const STRATEGIES: &str = "target, fallback, weighted, round_robin, least_busy, fastest, cheapest, lowest_usage, sticky, \
                          when, task and canary";

/// Exactly one of the strategies; `otherwise` belongs to `when` and `task`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct RouteForm {
    /// Of a step of a fallback only, as is `route`. They are read here, because a form within another would be read
    /// without its place, and is twice the code.
    #[serde(skip_serializing)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    on: Vec<FailureClass>,
    #[serde(skip_serializing)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    route: Option<Box<Route>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Box<RouteTarget>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<Vec<FallbackStep>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weighted: Option<Vec<Weighted>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    round_robin: Option<Vec<Route>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    least_busy: Option<Vec<Route>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fastest: Option<Vec<Route>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cheapest: Option<Vec<Route>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lowest_usage: Option<Vec<Route>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sticky: Option<Sticky>,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<Vec<Case>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<BTreeMap<Slug, Route>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canary: Option<Box<Canary>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    otherwise: Option<Box<Route>>,
}

/// A route, or `on` and `route`.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct StepForm {
    /// The failures it stands in for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    on: Vec<FailureClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<Box<Route>>,
    #[serde(flatten)]
    plain: RouteForm,
}

impl RouteForm {
    fn is_empty(&self) -> bool {
        self.strategies().is_empty() && self.otherwise.is_none()
    }

    fn strategies(&self) -> Vec<&'static str> {
        let written = [
            ("target", self.target.is_some()),
            ("fallback", self.fallback.is_some()),
            ("weighted", self.weighted.is_some()),
            ("round_robin", self.round_robin.is_some()),
            ("least_busy", self.least_busy.is_some()),
            ("fastest", self.fastest.is_some()),
            ("cheapest", self.cheapest.is_some()),
            ("lowest_usage", self.lowest_usage.is_some()),
            ("sticky", self.sticky.is_some()),
            ("when", self.when.is_some()),
            ("task", self.task.is_some()),
            ("canary", self.canary.is_some()),
        ];
        written
            .into_iter()
            .filter_map(|(name, is)| is.then_some(name))
            .collect()
    }
}

impl TryFrom<RouteForm> for Route {
    type Error = String;

    fn try_from(form: RouteForm) -> Result<Self, String> {
        if !form.on.is_empty() || form.route.is_some() {
            return Err("on and route belong to a step of a fallback; this is a route itself".to_owned());
        }
        match form.strategies()[..] {
            [_] => {}
            [] => return Err(format!("a route is one of {STRATEGIES}; this one is none of them")),
            ref several => {
                return Err(format!(
                    "a route is one of {STRATEGIES}; this one is {}",
                    several.join(" and ")
                ));
            }
        }
        if form.otherwise.is_some() && form.when.is_none() && form.task.is_none() {
            return Err("otherwise belongs to when and task; this route is neither".to_owned());
        }
        let RouteForm {
            target,
            fallback,
            weighted,
            round_robin,
            least_busy,
            fastest,
            cheapest,
            lowest_usage,
            sticky,
            when,
            task,
            canary,
            otherwise,
            ..
        } = form;
        let plain = target
            .map(Self::Target)
            .or_else(|| fallback.map(Self::Fallback))
            .or_else(|| weighted.map(Self::Weighted))
            .or_else(|| round_robin.map(Self::RoundRobin))
            .or_else(|| least_busy.map(Self::LeastBusy))
            .or_else(|| fastest.map(Self::Fastest))
            .or_else(|| cheapest.map(Self::Cheapest))
            .or_else(|| lowest_usage.map(Self::LowestUsage))
            .or_else(|| sticky.map(Self::Sticky))
            .or_else(|| canary.map(Self::Canary));
        match (plain, when, task) {
            (Some(route), _, _) => Ok(route),
            (None, Some(cases), _) => Ok(Self::When { cases, otherwise }),
            (None, None, Some(tasks)) => Ok(Self::Task { tasks, otherwise }),
            (None, None, None) => Err(format!("a route is one of {STRATEGIES}")),
        }
    }
}

impl From<Route> for RouteForm {
    fn from(route: Route) -> Self {
        let mut form = Self::default();
        match route {
            Route::Target(target) => form.target = Some(target),
            Route::Fallback(steps) => form.fallback = Some(steps),
            Route::Weighted(choices) => form.weighted = Some(choices),
            Route::RoundRobin(routes) => form.round_robin = Some(routes),
            Route::LeastBusy(routes) => form.least_busy = Some(routes),
            Route::Fastest(routes) => form.fastest = Some(routes),
            Route::Cheapest(routes) => form.cheapest = Some(routes),
            Route::LowestUsage(routes) => form.lowest_usage = Some(routes),
            Route::Sticky(sticky) => form.sticky = Some(sticky),
            Route::When { cases, otherwise } => (form.when, form.otherwise) = (Some(cases), otherwise),
            Route::Task { tasks, otherwise } => (form.task, form.otherwise) = (Some(tasks), otherwise),
            Route::Canary(canary) => form.canary = Some(canary),
        }
        form
    }
}

impl TryFrom<RouteForm> for FallbackStep {
    type Error = String;

    fn try_from(mut form: RouteForm) -> Result<Self, String> {
        let (on, route) = (std::mem::take(&mut form.on), form.route.take());
        match route {
            Some(route) if form.is_empty() => Ok(Self { on, route: *route }),
            Some(_) => Err("a step of a fallback is a route, or has one in route; this one has both".to_owned()),
            None if on.is_empty() => Ok(Self {
                on,
                route: form.try_into()?,
            }),
            None => Err("a step of a fallback that has on has its route in route".to_owned()),
        }
    }
}

impl From<FallbackStep> for StepForm {
    fn from(FallbackStep { on, route }: FallbackStep) -> Self {
        if on.is_empty() {
            return Self {
                plain: route.into(),
                ..Self::default()
            };
        }
        Self {
            on,
            route: Some(Box::new(route)),
            plain: RouteForm::default(),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Route {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Route".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        RouteForm::json_schema(generator)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for FallbackStep {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FallbackStep".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        StepForm::json_schema(generator)
    }
}
