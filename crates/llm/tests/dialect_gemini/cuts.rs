//! Streams cut anywhere.

use proptest::prelude::{any, prop, proptest};

use crate::{STREAMS, decode, fixture, settled, stream};

proptest! {
    #[test]
    fn any_split_of_a_stream_gives_the_same_events(
        case in prop::sample::select(&STREAMS[..]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes = fixture(&format!("streams/{case}.sse"));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        pieces.push(&bytes[from..]);

        assert_eq!(settled(decode(pieces)), settled(stream(case)));
    }
}
