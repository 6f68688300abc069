//! Identifiers of a response and its items, made from the request's: the same for a whole answer and for its stream.

pub(super) fn response_id(request_id: &str) -> String {
    format!("resp_{}", without_prefix(request_id))
}

/// `prefix` is the item's kind as OpenAI abbreviates it; `index` its place in the output.
pub(super) fn item_id(prefix: &str, response_id: &str, index: usize) -> String {
    format!("{prefix}_{}_{index}", without_prefix(response_id))
}

/// Of an item of the input; no item of the output has the same.
pub(super) fn input_item_id(prefix: &str, response_id: &str, index: usize) -> String {
    format!("{prefix}_{}_in{index}", without_prefix(response_id))
}

/// The response whose item this is, when the identifier was made here.
pub(super) fn response_of(item_id: &str) -> Option<String> {
    let (_, rest) = item_id.split_once('_')?;
    let (response, place) = rest.rsplit_once('_')?;
    let place = place.strip_prefix("in").unwrap_or(place);
    let is_place = !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit());
    is_place.then(|| response_id(response))
}

fn without_prefix(id: &str) -> &str {
    id.split_once('_').map_or(id, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_share_what_follows_the_prefix() {
        assert_eq!(response_id("req_01jx"), "resp_01jx");
        assert_eq!(response_id("01jx"), "resp_01jx");
        assert_eq!(item_id("msg", "resp_01jx", 2), "msg_01jx_2");
        assert_eq!(input_item_id("msg", "resp_01jx", 2), "msg_01jx_in2");
        for item in ["msg_01jx_2", "fc_01jx_in12"] {
            assert_eq!(response_of(item).as_deref(), Some("resp_01jx"), "{item}");
        }
        for other in ["msg_01jx", "rs_68ab_x", "item", "fc_01jx_"] {
            assert_eq!(response_of(other), None, "{other}");
        }
    }
}
