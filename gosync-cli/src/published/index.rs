//! An index of gosync's own format or go-sync's.

use std::path::Path;
use std::time::Instant;

use gosync::payload::FrameKind;
use gosync::{Index, Location, OpenedIndex, PayloadInfo, Signed, Verdict, open_sources};
use serde_json::{Value, json};

use super::seeds::warn_of_unreadable;
use super::update::{Published, Update};
use crate::console::Console;
use crate::failure::Usage;
use crate::forecast::{Cost, Forecast};
use crate::outcome::Outcome;
use crate::progress::Bars;
use crate::table::{Facts, grouped, percent, size};

pub(crate) struct PublishedIndex {
    pub(crate) opened: OpenedIndex,
    /// The signature, if there was to be one.
    pub(crate) signed: Option<Signed>,
}

const FRAMES: [(&str, FrameKind); 2] = [("fine", FrameKind::Fine), ("coarse", FrameKind::Coarse)];

impl PublishedIndex {
    fn sources(&self, given: &[Location]) -> Result<Vec<Location>, Usage> {
        if !given.is_empty() {
            return Ok(given.to_vec());
        }
        self.opened.default_source().map(|location| vec![location]).ok_or_else(|| Usage {
            message: format!("{} does not name its target", self.opened.location),
            hint: "give the SOURCE, a path or URL, after the index",
        })
    }
}

impl Published for PublishedIndex {
    fn compare(&self, update: &Update<'_>) -> anyhow::Result<(Forecast, anyhow::Result<Cost>)> {
        let index = &self.opened.index;
        let comparison = gosync::diff(index, update.seeds, &Bars::new(update.console))?;
        warn_of_unreadable(update.seeds, &comparison.unreadable, update.console);
        let compared = Instant::now();
        let cost = || {
            let location = self.sources(update.sources)?.swap_remove(0);
            let estimate = gosync::estimate(&comparison, &location, update.options)?;
            Ok(Cost { location, estimate })
        };
        let cost = cost();
        let mut transfer = self.opened.transfer;
        transfer += comparison.index_transfer;
        let name = index.target_name().map(|name| name.as_str().to_owned());
        let forecast = Forecast {
            target: name.unwrap_or_else(|| self.opened.location.to_string()),
            plan: comparison.plan,
            statistics: comparison.statistics,
            layers: comparison.layers,
            index: transfer,
            compared,
        };
        Ok((forecast, cost))
    }

    fn patch(&self, update: &Update<'_>, output: Option<&Path>) -> anyhow::Result<Outcome> {
        let Update { seeds, sources, options, console } = *update;
        let index = &self.opened.index;
        let sources = self.sources(sources)?;
        let places = sources.iter().map(Location::to_string).collect::<Vec<_>>().join(" or ");
        let place = output.unwrap_or(Path::new("-")).display();
        console.detail(format_args!("index {}, source {places}, output {place}", self.opened.location));
        let source = open_sources(&sources, Some(index.source_length()), options)?;
        let report = update.write(
            output,
            |output, bars| gosync::patch(index, seeds, &*source, output, bars),
            |mut out, bars| gosync::patch_to_stream(index, seeds, &*source, &mut out, bars),
        )?;
        warn_of_unreadable(seeds, &report.comparison.unreadable, console);
        if let Some(damage) = &report.damage {
            console.message(format_args!("warning: {damage} of the index is damaged; it was done without"));
        }
        let mut transfer = self.opened.transfer;
        transfer += report.comparison.index_transfer;
        Ok(Outcome {
            output_bytes: report.output_bytes(),
            matched_bytes: report.matched_bytes(),
            work: report.report,
            index: transfer,
        })
    }

    fn verify(&self, file: &Path, console: &Console) -> anyhow::Result<(Verdict, bool)> {
        let verdict = gosync::verify(file, &self.opened.index, &Bars::new(console))?;
        let is_good = verdict.is_good();
        Ok((verdict, is_good))
    }

    fn description(&self) -> (Facts, Value) {
        let (index, signed) = (&self.opened.index, self.signed.as_ref());
        (facts(index, signed), event(index, signed))
    }

    fn signed_part(&self) -> Result<&[u8], Usage> {
        let index = &self.opened.index;
        index.header_bytes().ok_or_else(|| Usage {
            message: format!("the {} format has no header to sign", index.format()),
            hint: "leave out --signed-part",
        })
    }
}

/// For people.
fn facts(index: &Index, signed: Option<&Signed>) -> Facts {
    let mut facts = Facts::default();
    facts.add("format", format!("{}, version {}", index.format(), index.format_version()));
    facts.add("target", index.target_name().map_or("(not named)", |name| name.as_str()));
    facts.add("length", format!("{} bytes ({})", grouped(index.length()), size(index.length())));
    for layer in index.layers() {
        facts.add(
            format!("blocks of {}", grouped(layer.block_size.into())),
            format!("{}, {} of index", grouped(layer.blocks.into()), size(layer.index_bytes)),
        );
    }
    if let Some(odds) = index.odds() {
        facts.add("wrong match", format!("1 in 2^{odds}, in seeds of up to twice the length"));
    }
    let (weak, strong) = (index.format().weak_sum_name(), index.format().strong_sum_name());
    facts.add("weak sums", format!("{weak}, {} bytes each", index.weak_len()));
    facts.add("strong sums", format!("{strong}, {} bytes each", index.strong_len()));
    if let Some(PayloadInfo { bytes, layout, preamble_bytes }) = index.payload() {
        let of_target = percent(bytes, index.length());
        facts.add("payload", format!("{} bytes ({}, {of_target} of the target)", grouped(bytes), size(bytes)));
        for (name, kind) in FRAMES {
            let prefix = grouped(preamble_bytes as u64 + layout.prefix_len(kind));
            let (count, len) = (grouped(layout.frame_count(kind)), grouped(layout.frame_size(kind)));
            let further = match layout.region_len(kind) {
                0 => String::new(),
                region => format!(" and {} further back", grouped(region)),
            };
            let after = format!("{count} of {len} bytes, each after up to {prefix} known ones{further}");
            facts.add(format!("{name} frames"), after);
        }
    }
    let file_hash = index.file_hash().map(|hash| format!("BLAKE3 {hash}"));
    facts.add("whole file", file_hash.unwrap_or("no hash: only the blocks can be verified".into()));
    let index_bytes = index.encoded_len();
    facts.add(
        "index",
        format!(
            "{} bytes ({}, {} of the file)",
            grouped(index_bytes),
            size(index_bytes),
            percent(index_bytes, index.length())
        ),
    );
    if let Some(signed) = signed {
        facts.add("signature", format!("holds, by key {}: {}", signed.key, signed.comment));
    }
    facts
}

/// For programs.
fn event(index: &Index, signed: Option<&Signed>) -> Value {
    json!({
        "event": "done",
        "format": index.format().to_string(),
        "version": index.format_version(),
        "target": index.target_name().map(|name| name.as_str()),
        "target_bytes": index.length(),
        "layers": index.layers().iter().map(|layer| json!({
            "block_size": layer.block_size,
            "blocks": layer.blocks,
            "index_bytes": layer.index_bytes,
        })).collect::<Vec<_>>(),
        "odds": index.odds(),
        "payload": index.payload().map(|payload| json!({
            "bytes": payload.bytes,
            "preamble_bytes": payload.preamble_bytes,
            "frames": FRAMES.map(|(name, kind)| json!({
                "kind": name,
                "size": payload.layout.frame_size(kind),
                "prefix": payload.layout.prefix_len(kind),
                "region": payload.layout.region_len(kind),
                "count": payload.layout.frame_count(kind),
            })),
        })),
        "weak_sum": index.format().weak_sum_name(),
        "weak_len": index.weak_len(),
        "strong_sum": index.format().strong_sum_name(),
        "strong_len": index.strong_len(),
        "blake3": index.file_hash().map(|hash| hash.to_string()),
        "index_bytes": index.encoded_len(),
        "signed_by": signed.map(|signed| signed.key.to_string()),
        "trusted_comment": signed.map(|signed| signed.comment.as_str()),
    })
}
