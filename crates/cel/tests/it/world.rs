//! A caller: a request, its key, and the metadata that came with it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use gatewright_cel::{Declarations, List, Map, Names, Type, Value};

const REQUEST: Type = Type::Object(&[
    ("model", Type::String),
    ("user", Type::String),
    ("tokens", Type::Int),
    ("headers", Type::Map(&Type::String)),
]);
const KEY: Type = Type::Object(&[("name", Type::String), ("tags", Type::List(&Type::String))]);
const TARGET: Type = Type::Object(&[("name", Type::String), ("weight", Type::Int)]);

pub(crate) fn declarations() -> Declarations {
    Declarations::new()
        .variable("request", REQUEST)
        .variable("key", KEY)
        .variable("metadata", Type::Map(&Type::Any))
        .variable("targets", Type::List(&TARGET))
        .variable("time", Type::Timestamp)
        .variable("big", Type::List(&Type::Int))
        .variable("long", Type::String)
}

pub(crate) struct World {
    pub(crate) model: String,
    headers: HashMap<String, String>,
    tags: Vec<String>,
    customer: BTreeMap<String, String>,
    metadata_list: Vec<Value<'static>>,
    east: Vec<(Value<'static>, Value<'static>)>,
    west: Vec<(Value<'static>, Value<'static>)>,
    big: Vec<Value<'static>>,
    long: String,
    time: DateTime<Utc>,
}

impl World {
    pub(crate) fn new() -> Self {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        Self {
            model: "gpt-4o".to_owned(),
            headers: [pair("x-tier", "free"), pair("accept", "*/*")].into(),
            tags: vec!["batch".to_owned(), "eu".to_owned()],
            customer: [pair("name", "Ann")].into(),
            metadata_list: vec![1.0.into(), 2.0.into(), "x".into()],
            east: vec![("name".into(), "east".into())],
            west: vec![("name".into(), "west".into()), ("weight".into(), 3_i64.into())],
            big: (0..100_i64).map(Value::Int).collect(),
            long: "a".repeat(200_000),
            time: "2026-03-01T23:30:15.250Z".parse().expect("it is a time"),
        }
    }
}

impl Names for World {
    fn find<'a>(&'a self, path: &str) -> Option<Value<'a>> {
        Some(match path {
            "request.model" => self.model.as_str().into(),
            "request.tokens" => Value::Int(1200),
            "request.headers" => Value::map(&self.headers),
            "key.tags" => Value::list(&self.tags),
            "metadata" => Value::Map(Map::Made(
                [
                    ("tier".into(), "free".into()),
                    ("number".into(), 4.5.into()),
                    ("customer".into(), Value::map(&self.customer)),
                    ("list".into(), Value::List(List::Slice(&self.metadata_list))),
                ]
                .into(),
            )),
            "targets" => Value::List(List::Made(
                [Value::Map(Map::Slice(&self.east)), Value::Map(Map::Slice(&self.west))].into(),
            )),
            "time" => self.time.into(),
            "big" => Value::List(List::Slice(&self.big)),
            "long" => self.long.as_str().into(),
            _ => return None,
        })
    }
}
