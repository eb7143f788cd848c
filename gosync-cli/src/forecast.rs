//! What a comparison found, and what a patch would fetch.

use std::path::Path;
use std::time::{Duration, Instant};

use gosync::sources::Transfer;
use gosync::update::{Estimate, LayerReport, Plan, Statistics};
use serde_json::json;

use crate::console::Console;
use crate::directory::outcome::joined;
use crate::published::packed::Closing;
use crate::table::{Facts, counted, in_requests, seconds};
use crate::text::{grouped, percent, share, size};

/// What is known before anything is fetched, whatever the format of the index.
pub(crate) struct Forecast {
    /// The target's name, or where its index is.
    pub(crate) target: String,
    pub(crate) plan: Plan,
    pub(crate) statistics: Statistics,
    pub(crate) layers: Vec<LayerReport>,
    /// What reading the index took.
    pub(crate) index: Transfer,
    /// What closing a packed file will take, if it is one.
    pub(crate) closing: Option<Closing>,
    /// When all of this was known; estimating the cost takes longer.
    pub(crate) compared: Instant,
}

impl Forecast {
    /// Tells what was found, as `diff` does, and how long that took since `start`; with `stats` also
    /// what it took.
    pub(crate) fn tell(
        &self,
        cost: Option<&Estimate>,
        start: Instant,
        stats: bool,
        console: &Console,
    ) -> anyhow::Result<()> {
        let Self { plan, statistics, layers, index, .. } = self;
        let time = self.compared.duration_since(start);
        let length = plan.cut().length();
        let ranges = plan.fetch_ranges().len();
        let part = |bytes| format!("{} bytes ({}, {})", grouped(bytes), size(bytes), percent(bytes, length));

        let mut facts = Facts::default();
        let target = if self.closing.is_some() { "opened" } else { "target" };
        facts.add(target, format!("{} bytes ({})", grouped(length), size(length)));
        for layer in layers {
            facts.add(
                format!("blocks of {}", grouped(layer.block_size.into())),
                format!(
                    "{} of {} matched, for {} of index",
                    grouped(layer.matched),
                    grouped(layer.asked),
                    size(layer.index_bytes)
                ),
            );
        }
        facts.add("seeds", format!("{} bytes ({})", grouped(statistics.seed_bytes), size(statistics.seed_bytes)));
        facts.add("matched", part(plan.matched_bytes()));
        facts.add("to fetch", format!("{} in {}", part(plan.fetched_bytes()), counted(ranges as u64, "range")));
        if let Some(cost) = cost {
            facts.add("payload", format!("{} bytes{}", grouped(cost.bytes), in_requests(cost.requests)));
        }
        facts.add("index", format!("{} bytes{}", grouped(index.bytes), in_requests(index.requests)));
        if let Some(closing) = &self.closing {
            closing.add_facts(&mut facts);
        }
        if stats || console.is_verbose() {
            add_statistics(&mut facts, statistics);
        }
        facts.add("time", seconds(time));
        if stats {
            console.asked(facts)?;
        } else {
            console.data(facts)?;
        }
        let done = json!({
            "event": "done",
            "matched_bytes": plan.matched_bytes(),
            "missing_bytes": plan.fetched_bytes(),
            "missing_ranges": ranges,
            "repeated_bytes": plan.repeated_bytes(),
            "target_bytes": length,
            "seed_bytes": statistics.seed_bytes,
            "index_bytes": index.bytes,
            "payload_bytes": cost.map(|cost| cost.bytes),
            "requests": cost.map(|cost| cost.requests + index.requests),
            "comparisons": statistics.comparisons,
            "weak_hits": statistics.weak_hits,
            "false_weak_hits": statistics.false_weak_hits,
            "weak_hit_rate": statistics.weak_hit_rate(),
            "false_weak_hit_rate": statistics.false_weak_hit_rate(),
            "strong_sums": statistics.strong_sums,
            "seconds": time.as_secs_f64(),
        });
        console.event(&joined(done, self.closing.map_or(json!({}), |closing| closing.event())))?;
        Ok(())
    }

    /// Tells what a patch would fetch, as `patch --dry-run` does.
    pub(crate) fn tell_cost(
        &self,
        cost: &Estimate,
        output: Option<&Path>,
        stats: bool,
        console: &Console,
    ) -> anyhow::Result<()> {
        let length = self.plan.cut().length();
        let requests = cost.requests + self.index.requests;
        let closing = self.closing.map(|closing| format!(", and close it in about {}", seconds(closing.time)));
        let closing = closing.unwrap_or_default();
        console.message(format_args!(
            "{}: would fetch {} of {}{} and {} of index{}{}{closing}",
            cost.location,
            size(cost.bytes),
            size(length),
            if self.closing.is_some() { " in the file" } else { "" },
            size(self.index.bytes),
            in_requests(requests),
            cost.seconds
                .map_or(String::new(), |time| { format!(", in about {}", seconds(Duration::from_secs_f64(time))) }),
        ));
        if stats || console.is_very_verbose() {
            let mut facts = Facts::default();
            add_statistics(&mut facts, &self.statistics);
            console.aside(&facts);
        }
        let done = json!({
            "event": "done",
            "dry_run": true,
            "output": output.map(|output| output.to_string_lossy()),
            "matched_bytes": self.plan.matched_bytes(),
            "missing_bytes": self.plan.fetched_bytes(),
            "fetched_bytes": cost.bytes,
            "index_bytes": self.index.bytes,
            "output_bytes": self.closing.map_or(length, |closing| closing.bytes),
            "requests": requests,
            "seconds": cost.seconds,
        });
        console.event(&joined(done, self.closing.map_or(json!({}), |closing| closing.event())))?;
        Ok(())
    }
}

/// Adds what a search took.
pub(crate) fn add_statistics(facts: &mut Facts, statistics: &Statistics) {
    let (weak, wrong) = (statistics.weak_hit_rate(), statistics.false_weak_hit_rate());
    let hits = |hits, rate, of| format!("{} ({} of the {of})", grouped(hits), share(rate));
    facts.add("comparisons", grouped(statistics.comparisons));
    facts.add("weak hits", hits(statistics.weak_hits, weak, "comparisons"));
    facts.add("false weak hits", hits(statistics.false_weak_hits, wrong, "weak hits"));
    facts.add("strong sums", grouped(statistics.strong_sums));
}
