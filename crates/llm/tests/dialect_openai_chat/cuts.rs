//! However bytes are cut, the events are the same.

use proptest::prelude::*;

use crate::{decode, fixture, names};

proptest! {
    #[test]
    fn any_cuts_give_the_same_events(
        name in prop::sample::select(names("streams")),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes = fixture(&name);
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        ends.push(bytes.len());
        ends.sort_unstable();
        let mut from = 0;
        let pieces: Vec<&[u8]> = ends.into_iter().map(|end| &bytes[std::mem::replace(&mut from, end)..end]).collect();

        prop_assert_eq!(decode(pieces), decode([&*bytes]));
    }
}
