//! The target of a control file.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use gosync_blocksources::Mirrors;
use gosync_chunks::{BlockRange, ByteRange, Cancelled, Plan, Progress, ReadAt, Source, Step};
use gosync_files::LocalFile;
use gosync_patcher::TargetId;
use gosync_payloads::Rebuilt;
use gosync_payloads::gzip::{BlockMap, Pieces, Whole as WholeGzip};
use gosync_update::{Check, Comparison, Download, Error, Seed, StreamCheck, Target, Verified, Whole};

use crate::control::Control;
use crate::error::WholeError;
use crate::file_digest::{FileDigest, Hashing};
use crate::matching::search;
use crate::places::Places;
use crate::seed::unpack;

/// More places for a target than this are not tried.
const MOST_PLACES: usize = 16;

/// The target of a control file, as it is, or in a gzip file too.
///
/// Of a gzip file with a map those pieces are fetched that have what is missing, or all of it:
/// whatever takes the fewest bytes, the plain target included. The other places are there for
/// when one fails, or has something else than the target.
#[derive(Clone, Copy)]
pub struct ControlTarget<'a> {
    control: &'a Control,
    places: Option<&'a Places>,
}

/// One way to get at what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Plain,
    Pieces,
    Whole,
}

impl<'a> ControlTarget<'a> {
    /// The target of `control`, as it is.
    pub fn new(control: &'a Control) -> Self {
        Self { control, places: None }
    }

    /// The same at `places`, which may have it in a gzip file too.
    pub fn at(control: &'a Control, places: &'a Places) -> Self {
        Self { control, places: Some(places) }
    }

    /// The map of the gzip file, if it is one of all of the target.
    fn map(&self) -> Option<&'a BlockMap> {
        self.control.block_map.as_ref().filter(|map| map.is_whole(self.length()))
    }

    /// The ways to `wanted`, that which takes the fewest bytes first.
    fn ways(&self, wanted: &[ByteRange], with_pieces: bool, size: impl FnOnce() -> Option<u64>) -> Vec<Way> {
        let has_plain = self.places.is_none_or(|places| places.plain_location().is_some());
        if self.places.is_none_or(|places| places.compressed.is_empty()) {
            return vec![Way::Plain];
        }
        let plain: u64 = wanted.iter().map(|range| range.len()).sum();
        let pieces =
            self.map().filter(|_| with_pieces).map(|map| (map.compressed(&map.runs(wanted)).bytes(), map.file_len()));
        let whole = match pieces {
            Some((_, whole)) => Some(whole),
            // Not to be asked for where it can hardly be worth it.
            None if has_plain && plain >= self.length() / 8 => size(),
            None => None,
        };
        let mut ways = vec![(whole.unwrap_or(u64::MAX), Way::Whole)];
        ways.extend(has_plain.then_some((plain, Way::Plain)));
        ways.extend(pieces.map(|(bytes, _)| (bytes, Way::Pieces)));
        // Where there are all of the pieces, they are the whole, without the need to wait for it.
        ways.sort_by_key(|&(bytes, way)| (bytes, way != Way::Plain, way == Way::Whole));
        ways.into_iter().map(|(_, way)| way).collect()
    }

    /// The first hash of the whole that does not hold for `data`, and what it is instead. The
    /// hashes are one chain each, so they are computed side by side.
    fn wrong_digest(
        &self,
        path: &Path,
        data: &dyn ReadAt,
        progress: &dyn Progress,
    ) -> Result<Option<WholeError>, Error> {
        let is_cancelled = || progress.is_cancelled();
        let digests = &self.control.digests;
        let mut actual: Vec<io::Result<Option<FileDigest>>> = digests.iter().map(|_| Ok(None)).collect();
        rayon::scope(|scope| {
            for (expected, actual) in digests.iter().zip(&mut actual) {
                scope.spawn(move |_| *actual = expected.again(data, &is_cancelled).map(Some));
            }
        });
        for (&expected, actual) in digests.iter().zip(actual) {
            let actual = actual.map_err(|source| match source.kind() {
                io::ErrorKind::Interrupted => Cancelled.into(),
                _ => Error::Read { path: path.to_owned(), source },
            })?;
            if let Some(actual) = actual.filter(|&actual| actual != expected) {
                return Ok(Some(WholeError::Digest { expected, actual }));
            }
        }
        Ok(None)
    }

    /// That a short last block is missing which zsync2 left out, where it did.
    fn lost_tail(&self, published: &dyn Source) -> Option<WholeError> {
        let layout = self.control.signature.layout();
        let length = layout.length();
        let actual = published.size().ok().flatten()?;
        let is_lost =
            layout.short_block().is_none() && (length + 1..length + u64::from(layout.block_size())).contains(&actual);
        is_lost.then_some(WholeError::LostTail { length, actual })
    }
}

impl Target for ControlTarget<'_> {
    fn id(&self) -> TargetId {
        TargetId::of(self.control.signature.sums(), None)
    }

    fn length(&self) -> u64 {
        self.control.signature.layout().length()
    }

    fn modified(&self) -> Option<SystemTime> {
        self.control.modified
    }

    fn compare(&self, seeds: &[&dyn ReadAt], progress: &dyn Progress) -> Result<Comparison, Error> {
        Ok(Comparison::flat(search(self.control, seeds, progress)?, self.control.signature.sums()))
    }

    /// Unpacked where zsync does so: where the target is there in a gzip file too, and the
    /// seed's name ends in `.gz`. There, two versions of the gzip file themselves have next to
    /// nothing in common.
    fn seed(&self, file: LocalFile, _: &dyn Progress) -> Result<Seed, Error> {
        if self.control.z_urls.is_empty() {
            return Ok(Seed::plain(file));
        }
        unpack(file, self.length())
    }

    fn decoded<'b>(
        &'b self,
        found: &'b Comparison,
        published: &'b dyn Source,
        rebuilt: Option<&'b Rebuilt<'b>>,
    ) -> Box<dyn Source + 'b> {
        let wanted = found.plan.fetch_ranges();
        let compressed = self.places.map_or(&[][..], |places| &places.compressed);
        let size = || compressed.iter().find_map(|(_, source)| source.size().ok().flatten());
        let mut places: Vec<(String, Box<dyn Source + 'b>)> = Vec::new();
        for way in self.ways(&wanted, rebuilt.is_some(), size) {
            match (way, self.map().zip(rebuilt)) {
                (Way::Plain, _) => places.push(("the uncompressed target".into(), Box::new(published))),
                (Way::Pieces, Some((map, rebuilt))) => places.extend(compressed.iter().map(|(location, source)| {
                    let pieces = Pieces { location: location.to_string(), source, map, rebuilt };
                    (format!("pieces of {location}"), Box::new(pieces) as Box<dyn Source>)
                })),
                _ => places.extend(compressed.iter().map(|(location, source)| {
                    let whole = WholeGzip::new(location.to_string(), source, self.length());
                    (location.to_string(), Box::new(whole) as Box<dyn Source>)
                })),
            }
        }
        Box::new(Mirrors::new(places, None))
    }

    fn reads_rebuilt(&self) -> bool {
        self.places.is_some_and(|places| !places.compressed.is_empty()) && self.map().is_some()
    }

    fn download(&self, found: &Comparison, _: &dyn Source) -> Result<Download, Error> {
        let wanted = found.plan.fetch_ranges();
        let first = self.places.and_then(|places| places.compressed.first());
        if let (Some((location, _)), Some(map)) = (first, self.map()) {
            let at = |ranges, length| Download { location: Some(location.clone()), calls: vec![ranges], length };
            match self.ways(&wanted, true, || None).first() {
                Some(Way::Pieces) => {
                    return Ok(at(map.compressed(&map.runs(&wanted)).iter().collect(), map.file_len()));
                }
                Some(Way::Whole) => return Ok(at(vec![ByteRange::at(0, map.file_len())], map.file_len())),
                _ => {}
            }
        }
        Ok(Download { location: None, calls: vec![wanted], length: self.length() })
    }

    /// Where a hash of the whole does not hold, other bytes have the sum of some block. What is
    /// fetched again is first the likeliest, which matched alone; then all that was not fetched;
    /// and then everything, from one other place after another.
    fn check(&self, whole: &Whole<'_>) -> Result<Check, Error> {
        let Some(wrong) = self.wrong_digest(whole.path, whole.data, whole.progress)? else { return Ok(Check::Right) };
        if let Some(lost) = (whole.round == 0).then(|| self.lost_tail(whole.published)).flatten() {
            return Err(Error::whole(lost));
        }
        let all = vec![whole.plan.cut().blocks()];
        let not_fetched = if whole.report.kept > 0 { all.clone() } else { copied(whole.plan, u32::MAX) };
        let suspects = [copied(whole.plan, 1), not_fetched];
        let mut suspects = suspects.into_iter().filter(|blocks| !blocks.is_empty());
        let mut places = whole.round;
        for blocks in suspects.by_ref() {
            match places.checked_sub(1) {
                None => return Ok(Check::Wrong(blocks)),
                Some(rest) => places = rest,
            }
        }
        if places < MOST_PLACES && whole.source.reject(&[whole.plan.cut().bytes(all[0])]) {
            return Ok(Check::Wrong(all));
        }
        Err(Error::whole(wrong))
    }

    fn stream_check(&self) -> Option<Box<dyn StreamCheck + '_>> {
        Some(Box::new(StreamDigests { expected: &self.control.digests, hashing: Hashing::new(&self.control.digests) }))
    }

    fn verify(&self, path: &Path, data: &dyn ReadAt, progress: &dyn Progress) -> Result<Verified, Error> {
        let verdict = gosync_patcher::verify(data, self.control.signature.sums(), None, progress);
        let verdict = verdict.map_err(|error| Error::of_verify(path, error))?;
        let wrong = if verdict.is_good() { self.wrong_digest(path, data, progress)? } else { None };
        Ok(Verified { verdict, wrong_whole: wrong.map(|wrong| Box::new(wrong) as _) })
    }
}

/// Compares the hashes of a stream.
struct StreamDigests<'a> {
    expected: &'a [FileDigest],
    hashing: Hashing,
}

impl StreamCheck for StreamDigests<'_> {
    fn update(&mut self, bytes: &[u8]) {
        self.hashing.update(bytes);
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        let actual = self.hashing.finish();
        for &expected in self.expected {
            let found = actual.iter().find(|actual| actual.algorithm() == expected.algorithm());
            if let Some(&actual) = found.filter(|&&actual| actual != expected) {
                return Err(Error::whole(WholeError::Digest { expected, actual }));
            }
        }
        Ok(())
    }
}

/// The blocks that `plan` copies in runs of at most `longest`, and those that repeat others.
fn copied(plan: &Plan, longest: u32) -> Vec<BlockRange> {
    let blocks = plan.steps().iter().filter_map(|step| match *step {
        Step::Copy { target, .. } => Some(plan.cut().covering(target)),
        Step::Repeat { blocks, .. } if longest == u32::MAX => Some(blocks),
        _ => None,
    });
    let mut ranges: Vec<BlockRange> = Vec::new();
    for blocks in blocks.filter(|blocks| blocks.len() <= longest as usize) {
        match ranges.last_mut() {
            Some(last) if last.end == blocks.start => last.end = blocks.end,
            _ => ranges.push(blocks),
        }
    }
    ranges
}
