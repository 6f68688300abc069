//! The tree as YAML and back. An unfinished tree is written, too, as far as it goes; the text is read by the route's own
//! parser.

use gatewright_types::api::Route;
use serde_yaml_ng::{Mapping, Value};

use super::{CanaryTerms, Child, Draft, FaultTerms, Leaf, Node, Strategy};

/// Why a text is no route, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextError {
    pub(crate) message: String,
    /// Line and column, from 1, as far as they are known.
    pub(crate) at: Option<(usize, usize)>,
}

pub(crate) fn parse(text: &str) -> Result<Draft, TextError> {
    let route: Result<Route, _> = serde_yaml_ng::from_str(text);
    route.map(|route| Draft::of(&route)).map_err(|error| {
        let at = error.location().map(|location| (location.line(), location.column()));
        let message = error.to_string();
        // The place stands beside the message anyway.
        let message = match message.rfind(" at line ") {
            Some(end) => message[..end].to_owned(),
            None => message,
        };
        TextError { message, at }
    })
}

pub(crate) fn write(draft: &Draft) -> String {
    serde_yaml_ng::to_string(&Value::Mapping(node(&draft.root))).expect("maps, lists and texts are always written")
}

fn node(from: &Node) -> Mapping {
    let mut map = Mapping::new();
    let word = from.strategy.word();
    match from.strategy {
        Strategy::Target => put(&mut map, word, target(&from.leaf)),
        Strategy::Fallback => put(
            &mut map,
            word,
            list(&from.children, |child| {
                if child.terms.on.is_empty() {
                    return Value::Mapping(node(&child.node));
                }
                let on = child.terms.on.iter().map(|class| text(class.as_str()));
                pair("on", Value::Sequence(on.collect()), &child.node)
            }),
        ),
        Strategy::Weighted => put(
            &mut map,
            word,
            list(&from.children, |child| {
                pair("weight", number(&child.terms.weight), &child.node)
            }),
        ),
        Strategy::RoundRobin | Strategy::LeastBusy | Strategy::Fastest | Strategy::Cheapest | Strategy::LowestUsage => {
            put(&mut map, word, plain(&from.children))
        }
        Strategy::Sticky => {
            let mut sticky = Mapping::new();
            put_affinity(&mut sticky, from);
            put(&mut sticky, "routes", plain(&from.children));
            put(&mut map, word, Value::Mapping(sticky));
        }
        Strategy::When => {
            let (rest, cases) = otherwise(&from.children);
            put(
                &mut map,
                word,
                list(cases, |child| {
                    pair("if", text(child.terms.condition.trim()), &child.node)
                }),
            );
            put_otherwise(&mut map, rest);
        }
        Strategy::Task => {
            let (rest, tasks) = otherwise(&from.children);
            let mut named = Mapping::new();
            for child in tasks {
                put(&mut named, child.terms.task.trim(), Value::Mapping(node(&child.node)));
            }
            put(&mut map, word, Value::Mapping(named));
            put_otherwise(&mut map, rest);
        }
        Strategy::Canary => put(&mut map, word, Value::Mapping(canary(from))),
    }
    map
}

fn otherwise(children: &[Child]) -> (Option<&Child>, &[Child]) {
    match children.split_last() {
        Some((last, before)) if last.terms.otherwise => (Some(last), before),
        _ => (None, children),
    }
}

fn put_otherwise(map: &mut Mapping, rest: Option<&Child>) {
    if let Some(rest) = rest {
        put(map, "otherwise", Value::Mapping(node(&rest.node)));
    }
}

fn canary(from: &Node) -> Mapping {
    let mut map = Mapping::new();
    for (word, child) in ["stable", "candidate"].into_iter().zip(&from.children) {
        put(&mut map, word, Value::Mapping(node(&child.node)));
    }
    let terms = &from.canary;
    put(&mut map, "percent", number(&terms.percent));
    put_affinity(&mut map, from);
    put_ramp(&mut map, terms);
    if terms.rolls_back {
        let mut rollback = Mapping::new();
        let limits = [
            ("min_requests", &terms.min_requests),
            ("error_rate", &terms.error_rate),
            ("latency", &terms.latency),
            ("cost", &terms.cost),
        ];
        for (word, limit) in limits {
            put_some(&mut rollback, word, limit, number);
        }
        put(&mut map, "rollback", Value::Mapping(rollback));
    }
    map
}

fn put_ramp(map: &mut Mapping, terms: &CanaryTerms) {
    if terms.step.trim().is_empty() && terms.every.trim().is_empty() {
        return;
    }
    let mut ramp = Mapping::new();
    put_some(&mut ramp, "step", &terms.step, number);
    put_some(&mut ramp, "every", &terms.every, text);
    if terms.until.trim() != "100" {
        put_some(&mut ramp, "until", &terms.until, number);
    }
    put(map, "ramp", Value::Mapping(ramp));
}

fn put_affinity(map: &mut Mapping, from: &Node) {
    if from.by != from.strategy.usual_affinity() {
        let by = from.by.iter().map(|affinity| text(affinity.as_str()));
        put(map, "by", Value::Sequence(by.collect()));
    }
}

fn target(leaf: &Leaf) -> Value {
    let (provider, model) = (leaf.provider.trim(), leaf.model.trim());
    if !leaf.has_more() {
        return text(&format!("{provider}/{model}"));
    }
    let mut map = Mapping::new();
    put(&mut map, "provider", text(provider));
    put(&mut map, "model", text(model));
    put_some(&mut map, "params", &leaf.params, |params| {
        serde_json::from_str(params).unwrap_or_else(|_| text(params))
    });
    put_some(&mut map, "prompt", &leaf.prompt, text);
    put_some(&mut map, "headers", &leaf.headers, headers);
    if let Some(fault) = fault(&leaf.fault) {
        put(&mut map, "fault", fault);
    }
    Value::Mapping(map)
}

fn headers(lines: &str) -> Value {
    let mut map = Mapping::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        put(&mut map, name.trim(), text(value.trim()));
    }
    Value::Mapping(map)
}

fn fault(terms: &FaultTerms) -> Option<Value> {
    let mut map = Mapping::new();
    put(&mut map, "kind", text(terms.kind?.as_str()));
    if terms.percent.trim() != "100" {
        put_some(&mut map, "percent", &terms.percent, number);
    }
    put_some(&mut map, "delay", &terms.delay, text);
    Some(Value::Mapping(map))
}

fn pair(word: &str, terms: Value, below: &Node) -> Value {
    let mut map = Mapping::new();
    put(&mut map, word, terms);
    put(&mut map, "route", Value::Mapping(node(below)));
    Value::Mapping(map)
}

fn plain(children: &[Child]) -> Value {
    list(children, |child| Value::Mapping(node(&child.node)))
}

fn list(children: &[Child], item: impl Fn(&Child) -> Value) -> Value {
    Value::Sequence(children.iter().map(item).collect())
}

fn put(map: &mut Mapping, word: &str, value: Value) {
    map.insert(text(word), value);
}

fn put_some(map: &mut Mapping, word: &str, typed: &str, value: impl Fn(&str) -> Value) {
    if !typed.trim().is_empty() {
        put(map, word, value(typed.trim()));
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// What is no number stays the text that was typed.
fn number(typed: &str) -> Value {
    let typed = typed.trim();
    typed.parse::<u64>().map_or_else(|_| text(typed), Value::from)
}
