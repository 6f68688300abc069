//! Bedrock's streams, kept as lists of frames in JSON and framed here.

use std::collections::BTreeMap;

use gatewright_llm::dialect::bedrock::event_stream::write_frame;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct StoredFrame {
    headers: BTreeMap<String, String>,
    payload: Box<RawValue>,
    damage: Option<Damage>,
}

/// What becomes of a frame on its way.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Damage {
    /// It breaks off.
    Cut,
    Checksum,
}

pub(crate) fn framed(stored: &[u8]) -> Vec<u8> {
    let stored: Vec<StoredFrame> = serde_json::from_slice(stored).expect("a list of frames");
    let frames = stored.iter().flat_map(|stored| {
        let headers: Vec<_> = stored
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut frame = write_frame(&headers, stored.payload.get().as_bytes());
        match stored.damage {
            None => {}
            Some(Damage::Cut) => frame.truncate(frame.len() / 2),
            Some(Damage::Checksum) => {
                if let Some(byte) = frame.last_mut() {
                    *byte ^= 1;
                }
            }
        }
        frame
    });
    frames.collect()
}
