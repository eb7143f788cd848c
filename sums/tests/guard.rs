//! No sum of many blocks reads or writes beyond what it is given, on any tier.

#![cfg(unix)]
#![allow(missing_docs)]

use gosync_chunks::StrongHasher;
use gosync_rollsum::Tier;
use gosync_sums::{Blake2b256, Md4, Md5};
use gosync_testkit::corpus;
use gosync_testkit::guard::Guarded;

/// More than the widest vectors, two or three of them together, have lanes.
const BLOCKS: usize = 49;

/// Around the boundaries of words and of the hashes' own blocks.
const LENGTHS: [usize; 18] = [1, 3, 4, 8, 55, 56, 63, 64, 65, 100, 127, 128, 129, 700, 1023, 1024, 1025, 2048];

fn hashers(tier: Tier) -> [Box<dyn StrongHasher>; 3] {
    [
        Box::new(Md4::full().on(tier)),
        Box::new(Md5::truncated(5).expect("no more than MD5 has").on(tier)),
        Box::new(Blake2b256::full().on(tier)),
    ]
}

#[test]
fn sums_keep_to_their_blocks() {
    let longest = BLOCKS * 2048;
    let data = corpus::random(1, longest);
    let (mut bytes, mut room) = (Guarded::new(longest), Guarded::new(BLOCKS * 32));
    for tier in Tier::available() {
        for hasher in hashers(tier) {
            for length in LENGTHS {
                // With a short last block too.
                for total in [1, 2, 17, BLOCKS].into_iter().flat_map(|count| [count * length, count * length - 1]) {
                    let data = &data[longest - total..];
                    let expected: Vec<u8> =
                        data.chunks(length).flat_map(|block| hasher.sum(block).as_bytes().to_vec()).collect();
                    let empty = vec![0; expected.len()];
                    for at_end in [true, false] {
                        let data = if at_end { bytes.at_end(data) } else { bytes.at_start(data) };
                        let sums = if at_end { room.at_end(&empty) } else { room.at_start(&empty) };
                        hasher.sum_blocks(data, length, sums);
                        assert!(*sums == expected, "{hasher:?}: {total} bytes in blocks of {length} on {tier}");
                    }
                }
            }
        }
    }
}

/// The blocks that a scan has found lie anywhere, and the one that ends last may come first.
#[test]
fn blocks_may_lie_anywhere() {
    let mut bytes = Guarded::new(10_000);
    let data = bytes.at_end(&corpus::random(2, 10_000));
    for tier in Tier::available() {
        for hasher in hashers(tier) {
            for length in LENGTHS {
                let last = data.len() - length;
                let blocks: Vec<&[u8]> = (0..BLOCKS).map(|at| &data[last - at * 61..][..length]).collect();
                let mut sums = vec![0; BLOCKS * hasher.sum_len()];
                hasher.sum_many(&blocks, &mut sums);
                let expected: Vec<u8> = blocks.iter().flat_map(|block| hasher.sum(block).as_bytes().to_vec()).collect();
                assert!(sums == expected, "{hasher:?}: blocks of {length} on {tier}");
            }
        }
    }
}
