//! No scan and no sum reads beyond what it is given, on any tier.

#![cfg(unix)]
#![allow(missing_docs)]

use gosync_rollsum::{Candidate, RollingSum, Scanner, SieveBuilder, Tier};
use gosync_testkit::corpus;
use gosync_testkit::guard::Guarded;

const SUMS: [RollingSum; 3] = [RollingSum::Rsync, RollingSum::Librsync, RollingSum::RabinKarp];

/// Around the widths of all vectors, and those of a tile.
const WINDOWS: [usize; 16] = [1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 700, 2048];
const POSITIONS: [usize; 18] = [1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 1023, 1024, 1025, 2050];
const LONGEST: usize = 2050 + 2048;

#[test]
fn scans_keep_to_their_buffer() {
    let data = corpus::random(1, LONGEST);
    let mut bytes = Guarded::new(LONGEST);
    for sum in SUMS {
        for window in WINDOWS {
            for positions in POSITIONS {
                let data = &data[LONGEST - positions - window + 1..];
                let builder = SieveBuilder::new(1);
                data.windows(window).step_by(13).for_each(|block| builder.insert(sum.key(block)));
                let sieve = builder.finish();
                let scan = |tier, buffer: &[u8]| -> Vec<Candidate> {
                    let mut candidates = Vec::new();
                    Scanner::with_tier(sum, window, tier).scan(buffer, 0..positions, &sieve, &mut candidates);
                    candidates
                };
                let expected = scan(Tier::Portable, data);
                assert!(expected.len() >= positions.div_ceil(13));
                for tier in Tier::available() {
                    let what = format!("{sum:?}, {positions} windows of {window}, {tier}");
                    assert_eq!(scan(tier, bytes.at_end(data)), expected, "{what}");
                    assert_eq!(scan(tier, bytes.at_start(data)), expected, "{what}");
                }
            }
        }
    }
}

#[test]
fn sums_keep_to_their_blocks() {
    let data = corpus::random(2, LONGEST);
    let mut bytes = Guarded::new(LONGEST);
    let mut room = Guarded::new(LONGEST);
    for sum in SUMS {
        for length in (0..300).chain([700, 1023, 1024, 1025, 2047, LONGEST]) {
            let data = &data[LONGEST - length..];
            let key = sum.key(data);
            assert_eq!((sum.key(bytes.at_end(data)), sum.key(bytes.at_start(data))), (key, key), "{length}");
            for block_size in [1, 5, 16, 64, 100, 700, 2048] {
                let count = length.div_ceil(block_size);
                let mut sums = |tier, data: &[u8]| {
                    let keys = room.at_end(&vec![0; count]);
                    sum.sum_blocks_with_tier(tier, data, block_size, keys);
                    keys.to_vec()
                };
                let expected = sums(Tier::Portable, data);
                for tier in Tier::available() {
                    let what = format!("{sum:?}, {length} bytes in blocks of {block_size}, {tier}");
                    assert_eq!(sums(tier, bytes.at_end(data)), expected, "{what}");
                    assert_eq!(sums(tier, bytes.at_start(data)), expected, "{what}");
                }
            }
        }
    }
}
