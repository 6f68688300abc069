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
    }
}
