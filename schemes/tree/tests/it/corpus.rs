//! Any two trees, and the corpus of the fuzz target, replayed.

#[path = "../../../../fuzz/properties/listing.rs"]
mod listings;
#[path = "../../../../fuzz/properties/trees.rs"]
mod properties;

use gosync_testkit::fuzz::replay;
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn tree_listing() {
    replay("tree_listing", |_, data| listings::listing(data));
}

#[test]
fn tree_update() {
    replay("tree_update", |_, data| properties::trees(data));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_becomes_any_other(common in 0..12_u8, old in 0..12_u8, things in vec(any::<u8>(), 0..160)) {
        properties::trees(&[&[common, old], &things[..]].concat());
    }
}
