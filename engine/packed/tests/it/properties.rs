//! What holds for all files.

use gosync_chunks::ReadAt;
use gosync_packed::{Closed, Encoder, Options, close, open};
use gosync_testkit::Random;
use proptest::prelude::*;

use crate::tools::mixed;
use crate::zip::{round_trip, zip};

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn opening_and_closing_is_the_identity(
        seed: u64, level in 1u8..=9, memory in 1u8..=9, len in 0usize..60_000, changes in 0usize..4,
    ) {
        let members = [mixed(seed, len), mixed(seed ^ 1, len / 3), Vec::new()];
        let encoder = Encoder::zlib(level).with_memory(memory);
        let mut bytes = zip(&members.each_ref().map(Vec::as_slice), encoder);
        let mut random = Random::new(seed);
        for _ in 0..changes {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        let (streams, _) = round_trip(&bytes);
        // Of a short stream it does not show how much memory there was.
        prop_assert!(changes > 0 || memory < 8 || streams >= 1);
    }

    #[test]
    fn any_place_can_be_read(seed: u64, len in 1usize..200_000) {
        let bytes = zip(&[&mixed(seed, len), b"between", &mixed(seed ^ 1, len / 2)], Encoder::zlib(6));
        let opened = open(&bytes, &Options::default(), &()).unwrap();
        let mut flat = vec![0; opened.size() as usize];
        opened.read_exact_at(0, &mut flat).unwrap();
        let closed = Closed::new(opened.recipe(), &flat).unwrap();
        let mut random = Random::new(seed);
        for _ in 0..10 {
            let start = random.below(bytes.len() + 1);
            let end = start + random.below(bytes.len() - start + 1);
            let mut part = vec![0; end - start];
            closed.read_exact_at(start as u64, &mut part).unwrap();
            prop_assert!(part == bytes[start..end]);
            let start = random.below(flat.len() + 1);
            let end = start + random.below(flat.len() - start + 1);
            let mut part = vec![0; end - start];
            opened.read_exact_at(start as u64, &mut part).unwrap();
            prop_assert!(part == flat[start..end]);
        }
        prop_assert!(closed.read_exact_at(bytes.len() as u64, &mut [0]).is_err());
        prop_assert!(opened.read_exact_at(flat.len() as u64, &mut [0]).is_err());
    }
}

/// As many members as threads want, and one that is longer than what a thread gets.
#[test]
fn threads_keep_the_order() {
    let long = mixed(1, 3 << 20);
    let members: Vec<&[u8]> =
        (0..200).map(|at| &long[at * 5000..][..if at == 70 { 1 << 21 } else { at * 200 }]).collect();
    let bytes = zip(&members, Encoder::zlib(1));
    assert_eq!(round_trip(&bytes).0, 200);
    // Without a stream it is copied.
    let opened = open(&long, &Options::default(), &()).unwrap();
    assert!(!opened.is_opened());
    let mut closed = Vec::new();
    close(opened.recipe(), &opened, &mut closed).unwrap();
    assert!(closed == long);
}
