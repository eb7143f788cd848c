//! The scan alone, in memory: how fast each tier of instructions rolls and sieves, by the
//! number of keys in the index.

use std::hint::black_box;
use std::io::Write;

use anyhow::{Context, bail};
use gosync_rollsum::{RollingSum, Scanner, Sieve, SieveBuilder, Tier};
use gosync_testkit::Random;
use serde::{Deserialize, Serialize};

use super::accounting::own_cpu;
use super::programs::target_folder;
use super::statistics::median;
use crate::command::{cargo, output};

const BUFFER: usize = 64 << 20;
const WINDOW: usize = 2048;
/// Positions that are asked for at once, as a comparison does.
const BATCH: usize = 1 << 20;

/// The sums that are shown, and who has them.
pub(crate) const SUMS: [(RollingSum, &str); 2] =
    [(RollingSum::RabinKarp, "our format"), (RollingSum::Rsync, "go-sync's format")];

/// How fast a scan is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rate {
    /// Whose sum it rolls, from [`SUMS`].
    pub(crate) kind: String,
    pub(crate) tier: String,
    pub(crate) log2_keys: u32,
    /// Positions a second of processor time, the median of all rounds.
    pub(crate) rate: f64,
}

/// Measures in a process of its own, built for release whatever this one is built for.
///
/// # Errors
///
/// When it cannot be built or run.
pub(crate) fn rates(quick: bool) -> anyhow::Result<Vec<Rate>> {
    let mut command = cargo(["run", "--release", "--quiet", "--package", "xtask", "--target-dir"]);
    command.arg(target_folder()?).args(["--", "scan-rates"]);
    if quick {
        command.arg("--quick");
    }
    let printed = output(&mut command)?;
    if !printed.status.success() {
        bail!("cannot measure the scan: {}", String::from_utf8_lossy(&printed.stderr).trim());
    }
    serde_json::from_slice(&printed.stdout).context("cannot read the rates of the scan")
}

/// The chore `scan-rates`: measures and prints the rates as JSON.
///
/// # Errors
///
/// When they cannot be printed.
pub(crate) fn print_rates(quick: bool) -> anyhow::Result<()> {
    let mut random = Random::new(1);
    let buffer = random.bytes(BUFFER + WINDOW - 1);
    let (rounds, step) = if quick { (3, 3) } else { (5, 1) };
    let mut rates = Vec::new();
    for log2_keys in (12..=21).step_by(step) {
        let builder = SieveBuilder::new(1 << log2_keys);
        (0..1u32 << log2_keys).for_each(|_| builder.insert(random.next_u64() as u32));
        let sieve = builder.finish();
        for (sum, name) in SUMS {
            let tiers: Vec<Tier> = Tier::available().collect();
            let mut samples = vec![Vec::new(); tiers.len()];
            // All tiers in turn, so that a slow moment is not one tier's.
            for _ in 0..rounds {
                for (tier, samples) in tiers.iter().zip(&mut samples) {
                    samples.push(BUFFER as f64 / scan(Scanner::with_tier(sum, WINDOW, *tier), &buffer, &sieve)?);
                }
            }
            for (tier, samples) in tiers.iter().zip(samples) {
                let rate = median(samples).context("no rounds")?.round();
                rates.push(Rate { kind: name.into(), tier: tier.to_string(), log2_keys, rate });
            }
        }
    }
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&rates)?)?;
    Ok(())
}

/// Seconds of processor time to scan all positions of `buffer`.
fn scan(scanner: Scanner, buffer: &[u8], sieve: &Sieve) -> anyhow::Result<f64> {
    let mut candidates = Vec::new();
    let start = own_cpu()?;
    let end = buffer.len() - (WINDOW - 1);
    for batch in (0..end).step_by(BATCH) {
        candidates.clear();
        scanner.scan(buffer, batch..end.min(batch + BATCH), sieve, &mut candidates);
        black_box(&candidates);
    }
    Ok(own_cpu()? - start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scanning_takes_time() {
        let (buffer, sieve) = (vec![1; 4 << 20], SieveBuilder::new(1).finish());
        assert!(scan(Scanner::new(RollingSum::RabinKarp, WINDOW), &buffer, &sieve).unwrap() > 0.0);
    }
}
