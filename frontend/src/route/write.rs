//! The tree as YAML and back. An unfinished tree is written, too, as far as it goes; the text is read by the route's own
//! parser.

use gatewright_types::api::Route;

use super::{CanaryTerms, Child, Draft, FaultTerms, Leaf, Node, Strategy};
use crate::api::read_json;
use crate::yaml::{self, Unreadable, Yaml};

type Map = Vec<(String, Yaml)>;

pub(crate) fn parse(text: &str) -> Result<Draft, Unreadable> {
    let read = yaml::read(text)?;
    read_json::<Route>(&read.json)
        .map(|route| Draft::of(&route))
        .map_err(|error| Unreadable {
            message: message(&error),
            at: read.place(error.column()),
        })
}

fn message(error: &serde_json::Error) -> String {
    let mut message = error.to_string();
    // That place is the JSON's.
    if let Some(end) = message.rfind(" at line ") {
        message.truncate(end);
    }
    if message.starts_with("invalid type") && message.ends_with("expected a string") {
        message.push_str(": put it in quotes");
    }
    message
}

pub(crate) fn write(draft: &Draft) -> String {
    yaml::write(&Yaml::Map(node(&draft.root)))
}

fn node(from: &Node) -> Map {
    let mut map = Map::new();
    let word = from.strategy.word();
    match from.strategy {
        Strategy::Target => put(&mut map, word, target(&from.leaf)),
        Strategy::Fallback => put(
            &mut map,
            word,
            list(&from.children, |child| {
                if child.terms.on.is_empty() {
                    return Yaml::Map(node(&child.node));
                }
                let on = child.terms.on.iter().map(|class| text(class.as_str()));
                pair("on", Yaml::List(on.collect()), &child.node)
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
            let mut sticky = Map::new();
            put_affinity(&mut sticky, from);
            put(&mut sticky, "routes", plain(&from.children));
            put(&mut map, word, Yaml::Map(sticky));
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
            let mut named = Map::new();
            for child in tasks {
                put(&mut named, child.terms.task.trim(), Yaml::Map(node(&child.node)));
            }
            put(&mut map, word, Yaml::Map(named));
            put_otherwise(&mut map, rest);
        }
        Strategy::Canary => put(&mut map, word, Yaml::Map(canary(from))),
    }
    map
}

fn otherwise(children: &[Child]) -> (Option<&Child>, &[Child]) {
    match children.split_last() {
        Some((last, before)) if last.terms.otherwise => (Some(last), before),
        _ => (None, children),
    }
}

fn put_otherwise(map: &mut Map, rest: Option<&Child>) {
    if let Some(rest) = rest {
        put(map, "otherwise", Yaml::Map(node(&rest.node)));
    }
}

fn canary(from: &Node) -> Map {
    let mut map = Map::new();
    for (word, child) in ["stable", "candidate"].into_iter().zip(&from.children) {
        put(&mut map, word, Yaml::Map(node(&child.node)));
    }
    let terms = &from.canary;
    put(&mut map, "percent", number(&terms.percent));
    put_affinity(&mut map, from);
    put_ramp(&mut map, terms);
    if terms.rolls_back {
        let mut rollback = Map::new();
        let limits = [
            ("min_requests", &terms.min_requests),
            ("error_rate", &terms.error_rate),
            ("latency", &terms.latency),
            ("cost", &terms.cost),
        ];
        for (word, limit) in limits {
            put_some(&mut rollback, word, limit, number);
        }
        put(&mut map, "rollback", Yaml::Map(rollback));
    }
    map
}

fn put_ramp(map: &mut Map, terms: &CanaryTerms) {
    if terms.step.trim().is_empty() && terms.every.trim().is_empty() {
        return;
    }
    let mut ramp = Map::new();
    put_some(&mut ramp, "step", &terms.step, number);
    put_some(&mut ramp, "every", &terms.every, text);
    if terms.until.trim() != "100" {
        put_some(&mut ramp, "until", &terms.until, number);
    }
    put(map, "ramp", Yaml::Map(ramp));
}

fn put_affinity(map: &mut Map, from: &Node) {
    if from.by != from.strategy.usual_affinity() {
        let by = from.by.iter().map(|affinity| text(affinity.as_str()));
        put(map, "by", Yaml::List(by.collect()));
    }
}

fn target(leaf: &Leaf) -> Yaml {
    let (provider, model) = (leaf.provider.trim(), leaf.model.trim());
    if !leaf.has_more() {
        return text(&format!("{provider}/{model}"));
    }
    let mut map = Map::new();
    put(&mut map, "provider", text(provider));
    put(&mut map, "model", text(model));
    put_some(&mut map, "params", &leaf.params, |params| {
        read_json(params).map_or_else(|_| text(params), |params: serde_json::Value| params.into())
    });
    put_some(&mut map, "prompt", &leaf.prompt, text);
    put_some(&mut map, "headers", &leaf.headers, headers);
    if let Some(fault) = fault(&leaf.fault) {
        put(&mut map, "fault", fault);
    }
    Yaml::Map(map)
}

fn headers(lines: &str) -> Yaml {
    let mut map = Map::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        put(&mut map, name.trim(), text(value.trim()));
    }
    Yaml::Map(map)
}

fn fault(terms: &FaultTerms) -> Option<Yaml> {
    let mut map = Map::new();
    put(&mut map, "kind", text(terms.kind?.as_str()));
    if terms.percent.trim() != "100" {
        put_some(&mut map, "percent", &terms.percent, number);
    }
    put_some(&mut map, "delay", &terms.delay, text);
    Some(Yaml::Map(map))
}

fn pair(word: &str, terms: Yaml, below: &Node) -> Yaml {
    let mut map = Map::new();
    put(&mut map, word, terms);
    put(&mut map, "route", Yaml::Map(node(below)));
    Yaml::Map(map)
}

fn plain(children: &[Child]) -> Yaml {
    list(children, |child| Yaml::Map(node(&child.node)))
}

fn list(children: &[Child], item: impl Fn(&Child) -> Yaml) -> Yaml {
    Yaml::List(children.iter().map(item).collect())
}

fn put(map: &mut Map, word: &str, value: Yaml) {
    match map.iter_mut().find(|(key, _)| key == word) {
        Some((_, before)) => *before = value,
        None => map.push((word.to_owned(), value)),
    }
}

fn put_some(map: &mut Map, word: &str, typed: &str, value: impl Fn(&str) -> Yaml) {
    if !typed.trim().is_empty() {
        put(map, word, value(typed.trim()));
    }
}

fn text(text: &str) -> Yaml {
    Yaml::Text(text.to_owned())
}

/// What is no number stays the text that was typed.
fn number(typed: &str) -> Yaml {
    let typed = typed.trim();
    typed
        .parse::<u64>()
        .map_or_else(|_| text(typed), |number| Yaml::Plain(number.to_string()))
}
