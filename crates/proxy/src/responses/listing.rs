//! One page of a list of items, as the address asks for it.

use gatewright_llm::BadRequest;
use gatewright_llm::chat::Json;
use serde::Serialize;

use crate::refusal::Refusal;

const USUAL_PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

/// What an address asks for behind its question mark, in pairs; what is not known is passed over.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) pairs: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
struct Page<'a> {
    object: &'static str,
    data: &'a [Json],
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
    has_more: bool,
}

impl Query {
    /// `known` are the names that mean something to a provider.
    pub(super) fn parse(text: &str, known: &[&str]) -> Self {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text).unwrap_or_default();
        let known = pairs.into_iter().filter(|(name, _)| {
            // Lists are written with brackets.
            known.contains(&name.trim_end_matches("[]"))
        });
        Self { pairs: known.collect() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.pairs.iter();
        pairs
            .find_map(|(found, value)| (found == name).then_some(value.as_str()))
            .filter(|value| !value.is_empty())
    }
}

/// The newest first unless asked otherwise.
pub(super) fn page(items: Vec<Json>, query: &Query) -> Result<Vec<u8>, Refusal> {
    let mut items: Vec<(Option<String>, Json)> = items.into_iter().map(|item| (id_of(&item), item)).collect();
    match query.get("order") {
        None | Some("desc") => items.reverse(),
        Some("asc") => {}
        Some(_) => return Err(refuse("order", "'order' must be asc or desc")),
    }
    let limit = match query.get("limit").map(str::parse) {
        None => USUAL_PAGE,
        Some(Ok(limit @ 1..=LARGEST_PAGE)) => limit,
        Some(_) => return Err(refuse("limit", "'limit' must be a number from 1 to 100")),
    };
    let start = match query.get("after") {
        None => 0,
        Some(after) => {
            let place = items.iter().position(|(id, _)| id.as_deref() == Some(after));
            place.ok_or_else(|| refuse("after", "'after' is no item of this list"))? + 1
        }
    };
    let rest = items.split_off(start);
    let has_more = rest.len() > limit;
    let (ids, data): (Vec<_>, Vec<_>) = rest.into_iter().take(limit).unzip();
    let page = Page {
        object: "list",
        data: &data,
        first_id: ids.first().and_then(Option::as_deref),
        last_id: ids.last().and_then(Option::as_deref),
        has_more,
    };
    Ok(serde_json::to_vec(&page).expect("texts can always be written as JSON"))
}

fn id_of(item: &Json) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(item.text()).ok()?;
    value.get("id")?.as_str().map(str::to_owned)
}

fn refuse(param: &'static str, message: &str) -> Refusal {
    Refusal::BadRequest(BadRequest::at(param, message))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const KNOWN: [&str; 3] = ["order", "limit", "after"];

    fn listed(query: &str) -> Value {
        let items = ["a", "b", "c"].map(|id| Json::parse(&json!({"id": id}).to_string()).expect("JSON"));
        match page(items.to_vec(), &Query::parse(query, &KNOWN)) {
            Ok(body) => {
                let page: Value = serde_json::from_slice(&body).expect("JSON");
                let ids: Vec<_> = page["data"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|item| item["id"].clone())
                    .collect();
                assert_eq!(page["first_id"], *ids.first().unwrap_or(&Value::Null));
                assert_eq!(page["last_id"], *ids.last().unwrap_or(&Value::Null));
                json!([ids, page["has_more"]])
            }
            Err(refusal) => json!(refusal.param()),
        }
    }

    #[test]
    fn a_list_is_read_page_by_page_in_either_order() {
        let check = |query: &str, expected: Value| assert_eq!(listed(query), expected, "{query}");

        check("", json!([["c", "b", "a"], false]));
        check("order=asc&unknown=1", json!([["a", "b", "c"], false]));
        check("limit=2", json!([["c", "b"], true]));
        check("limit=2&after=b", json!([["a"], false]));
        check("order=asc&limit=1&after=a", json!([["b"], true]));
        check("after=a", json!([[], false]));
        check("after=x", json!("after"));
        check("limit=0", json!("limit"));
        check("limit=101", json!("limit"));
        check("order=up", json!("order"));
    }
}
