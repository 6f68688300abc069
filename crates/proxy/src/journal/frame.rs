//! One record in the journal: length, checksum, JSON. A frame that is cut or changed is told from a whole one.

use gatewright_contract::UsageRecord;

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
    serde_json::to_writer(&mut *into, record).expect("a usage record has only texts for keys");
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
