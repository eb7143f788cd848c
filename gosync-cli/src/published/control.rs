//! A control file of zsync.

use std::path::Path;
use std::time::Instant;

use gosync::{LayerReport, Seeds, SourceOptions, Verdict, open_sources};
use gosync_zsync::{
    Control, Download, LocalFile, OpenedControl, PatchOptions, ReadAt, UnpackedSeed, download, open_source,
};
use serde_json::{Value, json};

use super::seeds::warn_of_unreadable;
use super::update::{Published, Update};
use crate::console::Console;
use crate::failure::Usage;
use crate::forecast::{Cost, Forecast};
use crate::outcome::Outcome;
use crate::progress::Bars;
use crate::table::{Facts, counted, grouped, size};

pub(crate) struct PublishedControl {
    pub(crate) opened: OpenedControl,
}

impl PublishedControl {
    /// Brings the target about from `source`, as [`Published::patch`] does.
    pub(crate) fn patch_from(
        &self,
        source: &gosync_zsync::Published<'_>,
        update: &Update<'_>,
        output: Option<&Path>,
        options: PatchOptions,
    ) -> anyhow::Result<Outcome> {
        let (control, console) = (&self.opened.control, update.console);
        if !control.is_verifiable() {
            console.message("warning: the control file has no hash of the whole file; only blocks can be verified");
        }
        let seeds = Unpacked::open(update.seeds, control, console)?;
        let report = update.write(
            output,
            |output, bars| gosync_zsync::patch(control, &seeds.data(), source, output, &options, bars),
            |mut out, bars| gosync_zsync::patch_to_stream(control, &seeds.data(), source, &mut out, bars),
        )?;
        warn_of_unreadable(update.seeds, &report.comparison.unreadable, console);
        Ok(Outcome {
            output_bytes: report.output_bytes(),
            matched_bytes: report.matched_bytes(),
            work: report.report,
            index: self.opened.transfer,
        })
    }

    fn estimate(download: Download, options: &SourceOptions) -> anyhow::Result<Cost> {
        let Download { location, ranges, length } = download;
        let estimate = gosync::estimate_ranges(ranges, length, &location, options)?;
        Ok(Cost { location, estimate })
    }
}

impl Published for PublishedControl {
    fn compare(&self, update: &Update<'_>) -> anyhow::Result<(Forecast, anyhow::Result<Cost>)> {
        let control = &self.opened.control;
        let seeds = Unpacked::open(update.seeds, control, update.console)?;
        let comparison = gosync_zsync::diff(control, &seeds.data(), &Bars::new(update.console))?;
        warn_of_unreadable(update.seeds, &comparison.unreadable, update.console);
        let compared = Instant::now();
        let (plan, statistics) = (comparison.plan, comparison.statistics);
        let cost = match update.sources.first() {
            Some(location) => {
                Ok(Download { location: location.clone(), ranges: plan.fetch_ranges(), length: plan.cut().length() })
            }
            None => download(&self.opened, None, &plan),
        };
        let cost = cost.map_err(Into::into).and_then(|download| Self::estimate(download, update.options));
        let layout = control.signature.layout();
        let layer = LayerReport {
            block_size: layout.block_size(),
            asked: layout.block_count().into(),
            index_bytes: self.opened.bytes.len() as u64,
            matched: statistics.matches,
            searched: true,
        };
        let name = control.file_name.as_ref().map(|name| name.as_str().to_owned());
        let forecast = Forecast {
            target: name.unwrap_or_else(|| self.opened.location.to_string()),
            plan,
            statistics,
            layers: vec![layer],
            index: self.opened.transfer,
            compared,
        };
        Ok((forecast, cost))
    }

    fn patch(&self, update: &Update<'_>, output: Option<&Path>) -> anyhow::Result<Outcome> {
        let length = self.opened.control.signature.layout().length();
        let source = match update.sources {
            [] => open_source(&self.opened, None, update.options)?,
            given => gosync_zsync::Published::plain(open_sources(given, Some(length), update.options)?),
        };
        self.patch_from(&source, update, output, PatchOptions::default())
    }

    fn verify(&self, file: &Path, console: &Console) -> anyhow::Result<(Verdict, bool)> {
        let (verdict, wrong_hash) = gosync_zsync::verify(file, &self.opened.control, &Bars::new(console))?;
        let is_good = verdict.is_good() && wrong_hash.is_none();
        Ok((verdict, is_good))
    }

    fn description(&self) -> (Facts, Value) {
        let control = &self.opened.control;
        (facts(control, self.opened.bytes.len()), event(control, self.opened.bytes.len()))
    }

    fn signed_part(&self) -> Result<&[u8], Usage> {
        Err(Usage {
            message: format!("{} is a control file of zsync, which has no header to sign", self.opened.location),
            hint: "leave out --signed-part",
        })
    }
}

/// For people.
fn facts(control: &Control, bytes: usize) -> Facts {
    let layout = control.signature.layout();
    let lengths = control.hash_lengths;
    let mut facts = Facts::default();
    facts.add("format", format!("zsync, version {}", control.version));
    facts.add("target", control.file_name.as_ref().map_or("(not named)", |name| name.as_str()));
    facts.add("length", format!("{} bytes ({})", grouped(layout.length()), size(layout.length())));
    let (blocks, of) = (layout.block_count().into(), grouped(layout.block_size().into()));
    facts.add("blocks", format!("{} of {of} bytes", counted(blocks, "block")));
    facts.add("weak sums", format!("rsync's sum, {} bytes each", lengths.weak));
    facts.add("strong sums", format!("{}, {} bytes each", control.strong_kind.name(), lengths.strong));
    facts.add("looked for", if lengths.sequence == 2 { "two blocks in a row" } else { "each block" });
    for digest in &control.digests {
        facts.add("whole file", format!("{} {digest}", digest.algorithm()));
    }
    if !control.is_verifiable() {
        facts.add("whole file", "no hash: only the blocks can be verified");
    }
    control.urls.iter().for_each(|url| facts.add("URL", url));
    control.z_urls.iter().for_each(|url| facts.add("compressed URL", url));
    facts.add("index", format!("{} bytes ({})", grouped(bytes as u64), size(bytes as u64)));
    facts
}

/// For programs.
fn event(control: &Control, bytes: usize) -> Value {
    let layout = control.signature.layout();
    let lengths = control.hash_lengths;
    let digests = control.digests.iter().map(|digest| json!({ digest.algorithm(): digest.to_string() }));
    json!({
        "event": "done",
        "format": "zsync",
        "version": control.version,
        "target": control.file_name.as_ref().map(|name| name.as_str()),
        "target_bytes": layout.length(),
        "block_size": layout.block_size(),
        "blocks": layout.block_count(),
        "weak_sum": "rsync's sum",
        "weak_len": lengths.weak,
        "strong_sum": control.strong_kind.name(),
        "strong_len": lengths.strong,
        "sequence": lengths.sequence,
        "file_hashes": digests.collect::<Vec<_>>(),
        "urls": control.urls,
        "compressed_urls": control.z_urls,
        "index_bytes": bytes,
    })
}

/// Seeds as the search wants them: gzip files unpacked where the target is in one too.
struct Unpacked<'a> {
    files: &'a [LocalFile],
    /// For each of them, its content if that is what counts.
    unpacked: Vec<Option<UnpackedSeed>>,
}

impl<'a> Unpacked<'a> {
    fn open(seeds: &'a Seeds, control: &Control, console: &Console) -> anyhow::Result<Self> {
        let files = seeds.files();
        let unpack = |file: &LocalFile| gosync_zsync::unpack_seed(file.path(), control);
        let unpacked = files.iter().map(unpack).collect::<Result<Vec<_>, _>>()?;
        for seed in unpacked.iter().flatten() {
            if let Some(trouble) = &seed.trouble {
                let path = seed.file.path().display();
                console.message(format_args!("warning: cannot unpack all of {path} ({trouble}); the rest is fetched"));
            }
        }
        Ok(Self { files, unpacked })
    }

    fn data(&self) -> Vec<&dyn ReadAt> {
        let data = self.files.iter().zip(&self.unpacked).map(|(file, unpacked)| match unpacked {
            Some(unpacked) => &unpacked.file as &dyn ReadAt,
            None => file,
        });
        data.collect()
    }
}
