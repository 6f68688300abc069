//! A route in a few words: what stands on its edges, and the whole of it in a line.

use gatewright_types::api::{Affinity, FailureClass, Route};

use super::{Node, Strategy};

/// What stands on the edge to a node's branch; nothing where all branches are alike.
pub(crate) fn edge_label(parent: &Node, position: usize) -> Option<String> {
    let terms = &parent.children.get(position)?.terms;
    let label = match parent.strategy {
        Strategy::Fallback if position == 0 => "first".to_owned(),
        Strategy::Fallback if terms.on.is_empty() => "on failure".to_owned(),
        Strategy::Fallback => {
            let classes = terms.on.iter().map(|class| failure(*class));
            format!("on {}", classes.collect::<Vec<_>>().join(", "))
        }
        Strategy::Weighted => share(parent, position).unwrap_or_else(|| terms.weight.clone()),
        Strategy::When | Strategy::Task if terms.otherwise => "otherwise".to_owned(),
        Strategy::When if terms.condition.trim().is_empty() => "if …".to_owned(),
        Strategy::When => format!("if {}", terms.condition.trim()),
        Strategy::Task if terms.task.trim().is_empty() => "task …".to_owned(),
        Strategy::Task => terms.task.trim().to_owned(),
        Strategy::Canary if position == 0 => "stable".to_owned(),
        Strategy::Canary => format!("candidate {} %", parent.canary.percent.trim()),
        Strategy::Target
        | Strategy::RoundRobin
        | Strategy::LeastBusy
        | Strategy::Fastest
        | Strategy::Cheapest
        | Strategy::LowestUsage
        | Strategy::Sticky => return None,
    };
    Some(label)
}

/// The part of the requests that a weight gives a branch: `12.5 %`.
pub(crate) fn share(parent: &Node, position: usize) -> Option<String> {
    let weights: Option<Vec<u32>> = parent
        .children
        .iter()
        .map(|child| child.terms.weight.trim().parse().ok())
        .collect();
    let weights = weights?;
    let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
    let weight = f64::from(*weights.get(position)?);
    let percent = if sum > 0.0 { weight / sum * 100.0 } else { 0.0 };
    let text = format!("{percent:.1}");
    Some(format!("{} %", text.strip_suffix(".0").unwrap_or(&text)))
}

/// In a line: where it leads, or what it does with how many targets.
pub(crate) fn told(route: &Route) -> String {
    if let Some(target) = route.only_target() {
        return target.target.to_string();
    }
    let targets = match route.targets().len() {
        1 => "1 target".to_owned(),
        targets => format!("{targets} targets"),
    };
    match Strategy::of(route) {
        Strategy::When => format!("{targets} by condition"),
        Strategy::Task => format!("{targets} by task"),
        strategy => format!("{} of {targets}", strategy.title().to_lowercase()),
    }
}

pub(crate) const fn failure(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Error => "error",
        FailureClass::RateLimit => "rate limit",
        FailureClass::Timeout => "timeout",
        FailureClass::ContextLength => "context length",
        FailureClass::ContentPolicy => "content policy",
        FailureClass::Guardrail => "guardrail",
    }
}

pub(crate) const fn affinity(affinity: Affinity) -> &'static str {
    match affinity {
        Affinity::Session => "session",
        Affinity::User => "end user",
        Affinity::Prefix => "beginning of the conversation",
        Affinity::Key => "key",
    }
}
