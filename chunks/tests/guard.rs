//! Zeros are looked for within what is given.

#![cfg(unix)]
#![allow(missing_docs)]

use gosync_chunks::is_zeros;
use gosync_testkit::guard::Guarded;

#[test]
fn zeros_are_looked_for_within_bounds() {
    let mut bytes = Guarded::new(3000);
    for length in 0..600 {
        assert!(is_zeros(bytes.at_end(&vec![0; length])) && is_zeros(bytes.at_start(&vec![0; length])), "{length}");
    }
}
