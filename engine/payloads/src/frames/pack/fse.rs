//! Finite state entropy with a fixed table (RFC 8878, 4.1).

use super::bits::BitWriter;

/// A table that symbols are written with.
#[derive(Clone, Debug)]
pub(super) struct Fse {
    log: u32,
    /// How many of the states each symbol has.
    shares: Vec<u32>,
    states: Vec<u16>,
    steps: Vec<Step>,
}

/// How a symbol changes the state.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    bits: u32,
    state: i32,
}

impl Fse {
    /// A table of `1 << log` states for symbols that come about as often as `counts` say.
    /// Those with a count of 0 cannot be written. At least two must have another.
    pub(super) fn new(counts: &[u32], log: u32) -> Self {
        let shares = shares(counts, 1 << log);
        let size = 1usize << log;
        // Spread over the states as every reader spreads them.
        let step = (size >> 1) + (size >> 3) + 3;
        let mut symbols = vec![0; size];
        let mut position = 0;
        for (symbol, &share) in shares.iter().enumerate() {
            for _ in 0..share {
                symbols[position] = symbol;
                position = (position + step) & (size - 1);
            }
        }
        let mut firsts = Vec::with_capacity(shares.len());
        let mut steps = Vec::with_capacity(shares.len());
        let mut total = 0;
        for &share in &shares {
            firsts.push(total as usize);
            steps.push(match share {
                0 => Step::default(),
                1 => Step { bits: (log << 16).wrapping_sub(1 << log), state: total as i32 - 1 },
                _ => {
                    let most = log - (share - 1).ilog2();
                    Step { bits: (most << 16).wrapping_sub(share << most), state: total as i32 - share as i32 }
                }
            });
            total += share;
        }
        let mut states = vec![0; size];
        for (state, &symbol) in symbols.iter().enumerate() {
            states[firsts[symbol]] = (size + state) as u16;
            firsts[symbol] += 1;
        }
        Self { log, shares, states, steps }
    }

    /// The state in which a reader is that reads `symbol` last.
    pub(super) fn begin(&self, symbol: u8) -> u32 {
        let step = self.steps[usize::from(symbol)];
        let bits = step.bits.wrapping_add(1 << 15) >> 16;
        let value = (bits << 16).wrapping_sub(step.bits);
        self.state(value >> bits, step)
    }

    /// Goes to the state in which a reader reads `symbol` before what it reads in `state`.
    pub(super) fn encode(&self, state: &mut u32, symbol: u8, out: &mut BitWriter) {
        let step = self.steps[usize::from(symbol)];
        let bits = state.wrapping_add(step.bits) >> 16;
        out.add(*state, bits);
        *state = self.state(*state >> bits, step);
    }

    /// Tells the reader where to begin.
    pub(super) fn end(&self, state: u32, out: &mut BitWriter) {
        out.add(state, self.log);
    }

    fn state(&self, at: u32, step: Step) -> u32 {
        u32::from(self.states[(at as i32 + step.state) as usize])
    }

    /// Appends the description of the table, from which a reader makes its own.
    pub(super) fn describe(&self, out: &mut Vec<u8>) {
        let mut bits = BitWriter::default();
        bits.add(self.log - 5, 4);
        let mut remaining = (1 << self.log) + 1;
        let mut threshold = 1 << self.log;
        let mut width = self.log + 1;
        let mut symbol = 0;
        while remaining > 1 {
            let share = self.shares[symbol];
            symbol += 1;
            let most = 2 * threshold - 1 - remaining;
            remaining -= share;
            let mut value = share + 1;
            if value >= threshold {
                value += most;
            }
            bits.add(value, width - u32::from(value < most));
            if share == 0 {
                let zeros = self.shares[symbol..].iter().take_while(|share| **share == 0).count();
                for _ in 0..zeros / 3 {
                    bits.add(3, 2);
                }
                bits.add((zeros % 3) as u32, 2);
                symbol += zeros;
            }
            while remaining < threshold {
                width -= 1;
                threshold >>= 1;
            }
        }
        bits.flush(out);
    }
}

/// Divides `size` by `counts`; each count above 0 gets a share.
fn shares(counts: &[u32], size: u32) -> Vec<u32> {
    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let share = |&count: &u32| match count {
        0 => 0,
        _ => ((u64::from(count) * u64::from(size) / total.max(1)) as u32).max(1),
    };
    let mut shares: Vec<u32> = counts.iter().map(share).collect();
    loop {
        let given: u32 = shares.iter().sum();
        let Some(largest) = shares.iter_mut().max() else { return shares };
        match given.cmp(&size) {
            std::cmp::Ordering::Equal => return shares,
            std::cmp::Ordering::Less => *largest += size - given,
            std::cmp::Ordering::Greater => *largest -= (given - size).min((*largest / 2).max(1)),
        }
    }
}
