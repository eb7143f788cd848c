//! A target out of pieces of its gzip file.

use gosync_chunks::ranges::deliver_wanted;
use gosync_chunks::{ByteRange, Limits, ReadAt, Sink, Source, SourceError, Transfer};

use super::error::InflateError;
use super::header::BlockHeader;
use super::inflate::{Inflater, WINDOW};
use super::map::{BlockMap, Run};
use super::spool::{PATH, Spool};
use crate::prior::Prior;

/// Compressed bytes that are decoded at once.
const CHUNK: u64 = 64 << 10;

/// Fetches those pieces of a gzip file that have what is asked for, all in one call, and
/// decodes each with the 32 KiB of the target before it: from its own memory, or from where
/// the target is being rebuilt. So whatever is before a range that is asked for, and is not
/// asked for in the same call, must have been rebuilt by then.
///
/// While they arrive they are decoded, in the order of the file; those that come early wait
/// in a temporary one.
pub struct Pieces<'a> {
    /// What the gzip file is called in messages.
    pub location: String,
    /// What has the gzip file.
    pub source: &'a dyn Source,
    /// Its map, of all of the target.
    pub map: &'a BlockMap,
    /// The target's bytes, as far as there are any, at their places.
    pub rebuilt: &'a dyn ReadAt,
}

impl Pieces<'_> {
    fn decode(&self, runs: &[Run], ranges: &[ByteRange], spool: &Spool, sink: &dyn Sink) -> Result<Transfer, Failure> {
        let points = self.map.points();
        let mut prior = Prior::new(self.rebuilt, WINDOW);
        let mut transfer = Transfer::default();
        let (mut window, mut buffer) = (Vec::new(), Vec::new());
        for run in runs {
            let (first, last) = (points[run.points.start], points[run.points.end]);
            let header = match run.block {
                Some(block) => {
                    let header = self.header(block, spool, &mut buffer, &mut transfer)?;
                    Some(header.behind(first.bytes - points[block].bytes)?)
                }
                None => None,
            };
            window.clear();
            let before = ByteRange { start: first.bytes.saturating_sub(WINDOW), end: first.bytes };
            prior
                .append(before, &mut window)
                .map_err(|source| SourceError::Read { location: "what was rebuilt of the target".into(), source })?;
            let mut inflater =
                Inflater::new(&window, header.as_ref(), (first.bits % 8) as usize, last.bytes - first.bytes);
            let mut target = first.bytes;
            let mut deliver = |plain: &[u8]| {
                deliver_wanted(ranges, target, plain, sink).map_err(SourceError::Sink)?;
                prior.push(target, plain);
                target += plain.len() as u64;
                Ok::<(), Failure>(())
            };
            let mut at = run.points.start;
            while at < run.points.end && inflater.left() > 0 {
                let most = points[at].bits / 8 + CHUNK;
                let end = points[..=run.points.end].partition_point(|point| point.bits / 8 <= most) - 1;
                let end = end.max(at + 1);
                let bytes = self.map.bytes(at..end);
                self.read(spool, bytes, &mut buffer)?;
                let bit = |point: usize| (points[point].bits - bytes.start * 8) as usize;
                inflater.push(&buffer, bit(at)..bit(end), &mut deliver)?;
                at = end;
            }
            inflater.finish(&mut deliver)?;
        }
        Ok(transfer)
    }

    /// The header of the block that begins at the point `block`.
    fn header(
        &self,
        block: usize,
        spool: &Spool,
        buffer: &mut Vec<u8>,
        transfer: &mut Transfer,
    ) -> Result<BlockHeader, Failure> {
        let segment = self.map.segment(block);
        let bit = (self.map.points()[block].bits % 8) as usize;
        let fetched = self.map.header_bytes(block);
        self.read(spool, fetched, buffer)?;
        match BlockHeader::read(buffer, bit) {
            Err(InflateError::CutOff) if fetched.end < segment.end => {
                let whole = ByteRange { end: segment.end.min(fetched.start + BlockHeader::LONGEST), ..fetched };
                *transfer += self.source.fetch(&[ByteRange { start: fetched.end, end: whole.end }], spool)?;
                self.read(spool, whole, buffer)?;
                Ok(BlockHeader::read(buffer, bit)?)
            }
            header => Ok(header?),
        }
    }

    fn read(&self, spool: &Spool, range: ByteRange, buffer: &mut Vec<u8>) -> Result<(), Failure> {
        let failed = |source| SourceError::Read { location: PATH.into(), source };
        if spool.read(range, buffer).map_err(failed)? { Ok(()) } else { Err(Failure::Missing) }
    }
}

/// Why no more is decoded.
#[derive(Debug)]
enum Failure {
    Source(SourceError),
    Inflate(InflateError),
    /// The source was done, or gave up, before it came to what is needed.
    Missing,
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<InflateError> for Failure {
    fn from(error: InflateError) -> Self {
        Self::Inflate(error)
    }
}

impl Source for Pieces<'_> {
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(self.map.points().last().map(|last| last.bytes))
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let length = self.map.points().last().map_or(0, |last| last.bytes);
        if let Some(past) = ranges.iter().find(|range| range.end > length) {
            return Err(SourceError::Length { location: self.location.to_owned(), expected: past.end, actual: length });
        }
        let runs = self.map.runs(ranges);
        let compressed: Vec<ByteRange> = self.map.compressed(&runs).iter().collect();
        if compressed.is_empty() {
            return Ok(Transfer::default());
        }
        let spool = Spool::new().map_err(|source| SourceError::Read { location: PATH.into(), source })?;
        let (fetched, decoded) = std::thread::scope(|scope| {
            let fetching = scope.spawn(|| {
                let fetched = self.source.fetch(&compressed, &spool);
                spool.set_over();
                fetched
            });
            let decoded = self.decode(&runs, ranges, &spool, sink);
            spool.close();
            (fetching.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), decoded)
        });
        match (fetched, decoded) {
            // What was fetched besides does not matter.
            (Ok(mut transfer), Ok(more)) => {
                transfer += more;
                Ok(transfer)
            }
            (_, Err(Failure::Source(error))) => Err(error),
            (_, Err(Failure::Inflate(error))) => Err(SourceError::Corrupt {
                location: self.location.to_owned(),
                reason: format!(
                    "{error}, or the map of it in the control file is wrong; it may have changed since that was made"
                ),
            }),
            (Err(error), _) => Err(error),
            (Ok(_), Err(Failure::Missing)) => Err(SourceError::Refused {
                location: self.location.to_owned(),
                reason: "a piece of it did not come".into(),
            }),
        }
    }

    fn limits(&self) -> Limits {
        // What lies between two ranges here says nothing about what lies between their pieces.
        Limits { bridged_gap: 0, ..self.source.limits() }
    }

    fn reads_rebuilt(&self) -> bool {
        true
    }

    /// It is not asked again for what it had wrong once: what a piece was decoded with may
    /// be wrong as well. What it was fetched from may have another place.
    fn reject(&self, ranges: &[ByteRange]) -> bool {
        let compressed: Vec<ByteRange> = self.map.compressed(&self.map.runs(ranges)).iter().collect();
        self.source.reject(&compressed);
        false
    }
}
