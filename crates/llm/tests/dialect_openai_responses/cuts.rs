//! Streams cut anywhere.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::fixtures::{ANSWERS, BROKEN_STREAMS, decode, decode_pieces, stream};

fn streams() -> impl Strategy<Value = Vec<u8>> {
    select([&ANSWERS[..], &BROKEN_STREAMS[..]].concat()).prop_map(stream)
}

proptest! {
    #[test]
    fn a_stream_cut_anywhere_says_the_same(stream in streams(), cuts in vec(any::<Index>(), 0..20)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.iter().rev() {
            let (before, piece) = rest.split_at(*cut);
            pieces.push(piece);
            rest = before;
        }
        pieces.push(rest);
        pieces.reverse();

        prop_assert_eq!(decode_pieces(pieces), decode(&stream));
    }
}
