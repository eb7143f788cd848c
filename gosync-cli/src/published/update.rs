//! Comparing with something published, and bringing its target about.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use gosync::sources::{Location, Source, SourceError, SourceOptions, open_sources};
use gosync::update::{Estimate, FileOptions, Seeds, Target, UnreadableSeed, compare, estimate, is_made};
use gosync_files::identity::{SameFile, is_same, keep_apart};
use gosync_zsync::{Places, packed_locations, source_locations};
use url::Url;

use super::beside::Beside;
use super::open::Published;
use super::packed::{Closing, unknown};
use crate::console::Console;
use crate::failure::Usage;
use crate::forecast::Forecast;
use crate::outcome::{Outcome, Packed};
use crate::progress::Bars;
use crate::remedy::{self, Wanted};

/// What a target is to be made of, and how.
pub(crate) struct Update<'a> {
    pub(crate) published: &'a Published,
    /// Files that may hold parts of the target.
    pub(crate) seeds: Vec<&'a Path>,
    /// Where the target is, if the user says so.
    pub(crate) sources: &'a [Location],
    /// What URLs in a control file are relative to, if the user says so.
    pub(crate) referer: Option<&'a Url>,
    pub(crate) file_options: FileOptions,
    pub(crate) options: &'a SourceOptions,
    pub(crate) console: &'a Console,
}

impl Update<'_> {
    /// Compares the target with the seeds, and estimates what fetching the rest will cost, if
    /// that can be told. Also gives the seeds.
    pub(crate) fn compare(&self) -> anyhow::Result<(Forecast, Seeds, anyhow::Result<Estimate>)> {
        let (beside, unusable) = match self.beside() {
            Ok(beside) => (beside, None),
            Err(error) => (Beside::default(), Some(error)),
        };
        let target = self.published.target(&beside);
        let bars = Bars::new(self.console);
        let seeds = self.open_seeds(&*target, &bars)?;
        self.console.notes(&seeds.notes());
        let comparison = compare(&*target, &seeds, &bars).map_err(gosync::Error::from)?;
        drop(bars);
        self.warn_of_unreadable(&seeds, &comparison.unreadable);
        let compared = Instant::now();
        let closing = self.published.packed().map(Closing::of);
        let cost = || {
            let locations = match (unusable, &beside.places) {
                (Some(error), _) => return Err(error),
                (None, Some(places)) => vec![places.plain_location().unwrap_or(places.usual()).clone()],
                (None, None) => self.locations()?,
            };
            let mut estimates =
                locations.iter().map(|location| estimate(&*target, &comparison, location, self.options));
            let first = estimates.next().expect("there is a location");
            let estimate = first.or_else(|error| estimates.find_map(Result::ok).ok_or(error));
            let estimate = estimate.map_err(gosync::Error::from)?;
            // What is fetched as it was published comes on top of that.
            let more = closing.map_or(0, |closing| closing.unknown_bytes);
            Ok(Estimate { bytes: estimate.bytes + more, ..estimate })
        };
        let cost = cost();
        let mut index = self.published.transfer();
        index += comparison.index_transfer;
        let forecast = Forecast {
            target: self.published.target_name(),
            plan: comparison.plan,
            statistics: comparison.statistics,
            layers: comparison.layers,
            index,
            closing,
            compared,
        };
        Ok((forecast, seeds, cost))
    }

    /// Refuses to write `output` where that is something that is read: the index, `others`, a
    /// seed or the source. The file at `in_place` is the one to bring to the new version, which
    /// it may have already.
    pub(crate) fn keep_apart(&self, output: &Path, in_place: &Path, others: &[PathBuf]) -> Result<(), SameFile> {
        let index = self.published.location().as_path().into_iter();
        let pointer = self.published.pointer().and_then(|latest| latest.location.as_path());
        keep_apart(output, index.chain(pointer).chain(others.iter().map(PathBuf::as_path)))?;
        let is_in_place = is_same(output, in_place);
        if !is_in_place {
            keep_apart(output, &self.seeds)?;
        }
        keep_apart(output, self.sources_beside(is_in_place).iter().filter_map(Location::as_path))
    }

    /// Where the target is fetched from that is something else than the target: what packs it, and,
    /// unless that is to be brought to the new version, the target as it is.
    fn sources_beside(&self, is_in_place: bool) -> Vec<Location> {
        match self.published {
            Published::Control(opened) if self.sources.is_empty() => {
                let plain = source_locations(opened, self.referer).unwrap_or_default();
                let plain = plain.into_iter().filter(|_| !is_in_place);
                packed_locations(opened, self.referer).into_iter().chain(plain).collect()
            }
            published if is_in_place && !published.is_compressed() => Vec::new(),
            _ => self.locations().unwrap_or_default(),
        }
    }

    /// An error of [`patch`](Self::patch) or of the estimate, with a hint where it takes knowing what
    /// was asked for. `may_be_output` where the source could be meant for the output.
    pub(crate) fn explain(&self, error: anyhow::Error, may_be_output: bool) -> anyhow::Error {
        let (info, usual) = match self.published {
            Published::Index(opened, ..) => (Some(opened.index.info()), opened.default_source()),
            Published::Control(_) => (None, None),
        };
        // Of a packed file it may be that file that is missing, and not the payload of what is in it.
        let packed = info.as_ref().filter(|_| self.published.packed().is_some()).and_then(|info| {
            let name = info.target_name.as_ref()?.as_str();
            let Some(SourceError::NotFound { location, .. }) = remedy::source_error(&error) else { return None };
            location.ends_with(&format!("/{name}")).then(|| name.to_owned())
        });
        let wanted = Wanted {
            given: self.sources.first().filter(|_| packed.is_none()),
            may_be_output,
            is_payload: packed.is_none() && info.is_some_and(|info| info.payload.is_some()),
            name: packed.or_else(|| usual.and_then(|location| location.file_name())),
        };
        remedy::of_target(error, &wanted)
    }

    /// Brings the target about as the file `output`, or else on standard output.
    pub(crate) fn patch(&self, output: Option<&Path>) -> anyhow::Result<Outcome> {
        let console = self.console;
        if let Published::Control(opened) = self.published
            && !opened.control.is_verifiable()
        {
            console.message("warning: the control file has no hash of the whole file; only blocks can be verified");
        }
        let beside = self.beside()?;
        let (source, named): (Box<dyn Source + '_>, String) = match &beside.places {
            Some(places) => (Box::new(places.plain()), places.usual().to_string()),
            None => {
                let locations = self.locations()?;
                let source = open_sources(&locations, Some(self.source_length()), self.options);
                let named = locations.iter().map(Location::to_string).collect::<Vec<_>>().join(" or ");
                (source.map_err(gosync::Error::source)?, named)
            }
        };
        let source = &*source;
        let place = output.unwrap_or(Path::new("-")).display();
        console.detail(format_args!("index {}, source {named}, output {place}", self.published.location()));
        let target = self.published.target(&beside);
        let bars = Bars::new(console);
        let seeds = self.open_seeds(&*target, &bars)?;
        if let Some(output) = output.filter(|_| self.published.is_known())
            && is_made(&*target, output, &bars).map_err(gosync::Error::from)?
        {
            let output_bytes = target.finish().map_or(target.length(), |finish| finish.length());
            return Ok(Outcome::nothing(output_bytes, self.published.transfer()));
        }
        let report = match output {
            Some(output) => {
                let bars = bars.kept();
                let update = gosync::update::Update { target: &*target, seeds: &seeds, source, progress: &bars };
                let report = update.to_file(output, &self.file_options);
                console.interrupt.settle();
                report
            }
            None => {
                let update = gosync::update::Update { target: &*target, seeds: &seeds, source, progress: &bars };
                let mut out = io::stdout().lock();
                let report = update.to_stream(&mut out);
                out.flush()?;
                report
            }
        };
        let report = report.map_err(gosync::Error::from).inspect_err(|_| console.notes(&seeds.notes()))?;
        self.warn_of_unreadable(&seeds, &report.comparison.unreadable);
        if let Some(damage) = &report.damage {
            console.message(format_args!("warning: {damage} of the index is damaged; it was done without"));
        }
        let mut index = self.published.transfer();
        index += report.comparison.index_transfer;
        let (opened_bytes, matched_bytes) = (report.output_bytes(), report.matched_bytes());
        let packed = self.published.packed().map(|info| Packed {
            opened_bytes,
            unknown_streams: unknown(info).0,
            as_published: report.finished.map(|finished| finished.transfer).unwrap_or_default(),
        });
        let mut work = report.report;
        work.transfer += packed.map(|packed| packed.as_published).unwrap_or_default();
        Ok(Outcome {
            changed: report.changed,
            output_bytes: self.published.packed().map_or(opened_bytes, |info| info.recipe.packed_len()),
            matched_bytes,
            work,
            search: report.comparison.statistics,
            index,
            packed,
            notes: self.options.http.hosts.notes(),
            warnings: report.notes,
        })
    }

    /// What there is beside the source.
    fn beside(&self) -> anyhow::Result<Beside> {
        Ok(match self.published {
            Published::Control(opened) if self.sources.is_empty() => {
                Beside { places: Some(Places::open(opened, self.referer, self.options)?), packed: None }
            }
            Published::Index(opened, .., Some(info)) => Beside::packed(opened, info, self.sources, self.options),
            _ => Beside::default(),
        })
    }

    /// Where the target is: where the user says, or else the index.
    fn locations(&self) -> Result<Vec<Location>, Usage> {
        let named = match self.published {
            Published::Index(opened, ..) if self.sources.is_empty() => opened.default_sources(),
            _ => Vec::new(),
        };
        let locations: Vec<Location> = self.sources.iter().cloned().chain(named).collect();
        match locations.is_empty() {
            false => Ok(locations),
            true => Err(Usage {
                message: format!("{} does not name its target", self.published.location()),
                hint: "give the SOURCE, a path or URL, after the index",
            }),
        }
    }

    /// How long what is there is, in bytes.
    fn source_length(&self) -> u64 {
        match self.published {
            Published::Index(opened, ..) => opened.index.info().source_length(),
            Published::Control(opened) => opened.control.signature.layout().length(),
        }
    }

    /// Opens the seeds that exist, and names the others.
    fn open_seeds(&self, target: &dyn Target, bars: &Bars<'_>) -> Result<Seeds, gosync::Error> {
        let seeds = Seeds::open(&self.seeds, target, bars)?;
        for missing in seeds.missing() {
            self.console.message(format_args!("{} does not exist: nothing can be taken from it", missing.display()));
        }
        for seed in seeds.all() {
            if let Some(trouble) = seed.trouble() {
                let path = seed.path().display();
                self.console
                    .message(format_args!("warning: cannot unpack all of {path} ({trouble}); the rest is fetched"));
            }
        }
        Ok(seeds)
    }

    /// Says which seeds could not be read, and that this cost only bytes.
    fn warn_of_unreadable(&self, seeds: &Seeds, unreadable: &[UnreadableSeed]) {
        for unreadable in unreadable {
            // A seed beyond those of the user is what an earlier run left behind.
            if let Some(seed) = seeds.all().get(usize::from(unreadable.seed.0)) {
                self.console.message(format_args!(
                    "warning: cannot read {} at byte {} ({}); what it holds there is fetched instead",
                    seed.path().display(),
                    unreadable.offset,
                    unreadable.error
                ));
            }
        }
    }
}
