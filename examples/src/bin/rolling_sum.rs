//! Picks a rolling sum: which one tells the blocks of some data apart?
//!
//! ```console
//! $ cargo run -p gosync-examples --bin rolling_sum -- FILE
//! ```
//!
//! Without a file it takes text of two letters, on which sums of rsync's kind do poorly.

#![allow(clippy::print_stdout, reason = "a program that shows something")]

use std::collections::HashSet;
use std::error::Error;

use gosync_rollsum::{RollingSum, Scanner, SieveBuilder};

const BLOCK: usize = 2048;

fn main() -> Result<(), Box<dyn Error>> {
    let data = match std::env::args_os().nth(1) {
        Some(path) => std::fs::read(path)?,
        None => two_letters(4 << 20),
    };
    let blocks: HashSet<&[u8]> = data.chunks_exact(BLOCK).collect();
    println!("{} different blocks of {BLOCK} bytes", blocks.len());
    for sum in [RollingSum::Rsync, RollingSum::Librsync, RollingSum::RabinKarp] {
        let keys: HashSet<u32> = blocks.iter().map(|block| sum.key(block)).collect();
        println!("{sum:?}: {} different keys, {} hits in other data", keys.len(), hits(sum, &keys, &data));
    }
    Ok(())
}

/// How many places of the data, read backwards, pass for one of the blocks: each would cost a
/// strong sum.
fn hits(sum: RollingSum, keys: &HashSet<u32>, data: &[u8]) -> usize {
    let builder = SieveBuilder::new(keys.len());
    keys.iter().for_each(|key| builder.insert(*key));
    let other: Vec<u8> = data.iter().rev().copied().collect();
    let mut candidates = Vec::new();
    if let Some(end) = (other.len() + 1).checked_sub(BLOCK) {
        Scanner::new(sum, BLOCK).scan(&other, 0..end, &builder.finish(), &mut candidates);
    }
    // The sieve lets some through that are none of the keys.
    candidates.iter().filter(|candidate| keys.contains(&candidate.key)).count()
}

/// `a` and `b` in an order that does not repeat.
fn two_letters(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if state >> 63 == 0 { b'a' } else { b'b' }
    };
    (0..length).map(|_| letter()).collect()
}
