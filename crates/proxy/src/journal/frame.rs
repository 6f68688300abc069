//! One record in the journal: length, checksum, MessagePack with the names of its members, so that a release can read
//! what another one wrote. A frame that is cut or changed is told from a whole one.

use gatewright_contract::UsageRecord;
use serde::de::Error as _;

const HEAD_BYTES: usize = 8;
/// No record comes near this; a larger length is damage.
const LARGEST_BYTES: usize = 1 << 20;

/// What stands at the beginning of some journal bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Whole {
        payload: &'a [u8],
        rest: &'a [u8],
    },
    /// The bytes end before the frame does.
    Cut,
    Damaged,
}

pub(super) fn encode(record: &UsageRecord, into: &mut Vec<u8>) {
    let start = into.len();
    into.extend_from_slice(&[0; HEAD_BYTES]);
    rmp_serde::encode::write_named(into, record).expect("a usage record is made of what MessagePack has");
    let payload = into
        .get(start + HEAD_BYTES..)
        .expect("the head was written before the payload");
    let length = u32::try_from(payload.len()).expect("a usage record is far smaller than 4 GiB");
    let checksum = crc32fast::hash(payload);
    let head = into
        .get_mut(start..start + HEAD_BYTES)
        .expect("the head was written first");
    let (length_part, checksum_part) = head.split_at_mut(4);
    length_part.copy_from_slice(&length.to_le_bytes());
    checksum_part.copy_from_slice(&checksum.to_le_bytes());
}

/// The record of a whole frame.
pub(super) fn record(payload: &[u8]) -> Result<UsageRecord, rmp_serde::decode::Error> {
    match payload.first() {
        // A journal that an earlier release left behind is JSON, as which no MessagePack map begins.
        Some(b'{') => serde_json::from_slice(payload).map_err(rmp_serde::decode::Error::custom),
        _ => rmp_serde::from_slice(payload),
    }
}

pub(super) fn decode(bytes: &[u8]) -> Frame<'_> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return Frame::Cut;
    };
    let Some((checksum, rest)) = rest.split_first_chunk::<4>() else {
        return Frame::Cut;
    };
    let length = u32::from_le_bytes(*length) as usize;
    if length == 0 || length > LARGEST_BYTES {
        return Frame::Damaged;
    }
    let Some((payload, rest)) = rest.split_at_checked(length) else {
        return Frame::Cut;
    };
    if crc32fast::hash(payload) != u32::from_le_bytes(*checksum) {
        return Frame::Damaged;
    }
    Frame::Whole { payload, rest }
}
