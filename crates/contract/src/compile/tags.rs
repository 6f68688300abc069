//! The tags an organization knows.

use std::collections::HashSet;

use gatewright_types::api::TagRule;

const MOST_TAGS: usize = 50;
const MOST_VALUES: usize = 1_000;

pub(super) fn problems(tags: &[TagRule]) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    if tags.len() > MOST_TAGS {
        wrong.push(("tags".to_owned(), format!("are {MOST_TAGS} at most")));
    }
    let mut names = HashSet::new();
    for (index, tag) in tags.iter().enumerate() {
        if !names.insert(&tag.name) {
            wrong.push((format!("tags[{index}].name"), "is in this list twice".to_owned()));
        }
        let Some(values) = &tag.values else { continue };
        let different: HashSet<_> = values.iter().collect();
        if values.is_empty() || values.len() > MOST_VALUES || different.len() < values.len() {
            let message = format!("are 1 to {MOST_VALUES}, each once: to allow any, leave `values` out");
            wrong.push((format!("tags[{index}].values"), message));
        }
    }
    wrong
}
