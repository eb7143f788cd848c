//! The scan alone: kernels by tier of instructions and size of the index.

use super::section::{Pace, Section};
use crate::bench::plot::PLOT;
use crate::bench::report::{NOT_MEASURED, stamp};
use crate::bench::results::Results;
use crate::bench::scan::SUMS;
use crate::bench::table::{Table, figure};

pub(super) const SECTION: Section =
    Section { name: "scan", corpora: &[], round_trips: &[], pace: Pace::Rounds, cases: |_| (), text };

fn text(results: &Results) -> String {
    let mut text = String::from(
        "## The scan alone\n\n\
         Rolling over 64 MiB of random bytes in memory with a window of 2,048 and sieving the sums, one core, by the\n\
         number of blocks in the index; without the exact look-up of what passes, and without strong sums. 10⁹\n\
         positions a second of processor time, by tier of instructions.\n",
    );
    let Some(section) = results.section(SECTION.name) else { return text + NOT_MEASURED };
    text += &stamp(section);
    text += &format!("\n![scan rate by tier and index size]({PLOT})\n\n");
    let mut sizes: Vec<u32> = section.rates.iter().map(|rate| rate.log2_keys).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let header = ["sum and tier".to_owned()].into_iter().chain(sizes.iter().map(|size| format!("2^{size}")));
    let mut table = Table::new(header);
    for (_, kind) in SUMS {
        let of_kind = || section.rates.iter().filter(move |rate| rate.kind == kind);
        let mut tiers: Vec<&str> = Vec::new();
        of_kind().filter(|rate| rate.log2_keys == sizes[0]).for_each(|rate| tiers.push(&rate.tier));
        for tier in tiers {
            let cells = sizes.iter().map(|size| {
                let rate = of_kind().find(|rate| rate.tier == tier && rate.log2_keys == *size);
                rate.map_or_else(String::new, |rate| figure(rate.rate / 1e9))
            });
            table.row([format!("{kind}, {tier}")].into_iter().chain(cells));
        }
    }
    text + &table.render()
}
