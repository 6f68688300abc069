//! Frames of AWS's event streams, as Bedrock sends them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// An event of a model's own stream, in the frame that Bedrock puts around it.
pub fn chunk(event: &Value) -> Vec<u8> {
    let payload = json!({"bytes": STANDARD.encode(event.to_string()), "p": "abcdefgh"});
    frame(&[(":message-type", "event"), (":event-type", "chunk")], &payload)
}

/// What ends a stream that fails.
pub fn exception(name: &str, message: &str) -> Vec<u8> {
    let headers = [(":message-type", "exception"), (":exception-type", name)];
    frame(&headers, &json!({"message": message}))
}

fn frame(headers: &[(&str, &str)], payload: &Value) -> Vec<u8> {
    let size = |length: usize| u32::try_from(length).expect("it is small").to_be_bytes();
    let mut written = Vec::new();
    for (name, value) in headers {
        written.push(u8::try_from(name.len()).expect("it is short"));
        written.extend(name.as_bytes());
        written.push(7);
        written.extend(u16::try_from(value.len()).expect("it is short").to_be_bytes());
        written.extend(value.as_bytes());
    }
    let payload = payload.to_string();
    let mut frame = [size(16 + written.len() + payload.len()), size(written.len())].concat();
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(written);
    frame.extend(payload.as_bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}
