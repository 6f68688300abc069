//! Counting tokens: a request like any other, which is not answered but measured.

use serde::Serialize;

use super::read_request;
use crate::BadRequest;
use crate::chat::Chat;

#[derive(Serialize)]
struct TokenCount {
    input_tokens: u64,
}

pub(super) fn read(body: &[u8]) -> Result<Chat, BadRequest> {
    read_request::read_unlimited(body)
}

pub(super) fn write(input_tokens: u64) -> Vec<u8> {
    serde_json::to_vec(&TokenCount { input_tokens }).expect("a number can always be written as JSON")
}
