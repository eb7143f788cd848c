//! A tree that is published as it is: one file each.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use gosync_blocksources::{FileSource, Location, SourceOptions, Throttled, open_source};
use gosync_chunks::ranges::{deliver_wanted, without};
use gosync_chunks::{ByteRange, Limits, Sink, SinkError, Source, SourceError, Transfer};
use gosync_files::LocalFile;
use gosync_work::hand_out_to;

use crate::contents::{Contents, Place};
use crate::listing::Listing;
use crate::platform;
use crate::root::Root;

/// Files that are asked for at once.
const TOGETHER: usize = 12;

/// A source of a flat target whose pieces are files, each at a place of its own.
struct TreeSource<Open> {
    /// In the order of the target.
    pieces: Vec<(ByteRange, usize)>,
    open: Open,
    length: u64,
}

/// Where a tree is, and how to get at it.
#[derive(Clone, Copy)]
pub(crate) struct Published<'a> {
    pub(crate) tree: &'a Location,
    pub(crate) options: &'a SourceOptions,
}

/// The listing at `location`, as the beginning of a flat target.
pub(crate) fn of_listing<'a>(
    location: &'a Location,
    listing_length: u64,
    length: u64,
    options: &'a SourceOptions,
) -> Box<dyn Source + 'a> {
    let pieces = vec![(ByteRange::at(0, listing_length), 0)];
    limited(TreeSource { pieces, open: move |_| open_source(location, options), length }, options)
}

/// The files of a listing, at their places in the flat target.
pub(crate) fn of_files<'a>(
    published: Published<'a>,
    listing: &'a Listing,
    contents: &'a Contents,
) -> Result<Box<dyn Source + 'a>, SourceError> {
    let Published { tree, options } = published;
    let pieces = contents.places.iter().map(|place: &Place| (place.range(), place.entry)).collect();
    let length = contents.length;
    Ok(match tree {
        Location::Path(path) => {
            let root = root_of(path)?;
            let open = move |entry: usize| file_of(&root, &listing.entries()[entry].path);
            limited(TreeSource { pieces, open, length }, options)
        }
        Location::Url(_) => {
            // Each file has decorators of its own, but they share one rate.
            let unlimited = SourceOptions { rate: None, ..options.clone() };
            let open = move |entry: usize| {
                let path = &listing.entries()[entry].path;
                open_source(&beneath(tree, path), &unlimited)
            };
            limited(TreeSource { pieces, open, length }, options)
        }
    })
}

/// The file at `path` of a tree.
pub(crate) fn of_file(published: Published<'_>, path: &[u8]) -> Result<Box<dyn Source>, SourceError> {
    match published.tree {
        Location::Path(tree) => file_of(&root_of(tree)?, path),
        Location::Url(_) => open_source(&beneath(published.tree, path), published.options),
    }
}

fn root_of(path: &Path) -> Result<Root, SourceError> {
    Root::open(path).map_err(|error| SourceError::of_file(path.display().to_string(), error))
}

fn file_of(root: &Root, path: &[u8]) -> Result<Box<dyn Source>, SourceError> {
    let place = root.at(path);
    let file = root.open_file(path).and_then(|file| LocalFile::new(&place, file));
    let file = file.map_err(|error| SourceError::of_file(place.display().to_string(), error))?;
    Ok(Box::new(FileSource::new(file).with_threads(1)))
}

fn limited<'a>(source: impl Source + 'a, options: &SourceOptions) -> Box<dyn Source + 'a> {
    match options.rate {
        Some(rate) => Box::new(Throttled::new(source, rate, options.pauses.clone())),
        None => Box::new(source),
    }
}

/// Where `path` is in a tree at a URL: each name is one segment of it.
fn beneath(tree: &Location, path: &[u8]) -> Location {
    match tree {
        Location::Path(tree) => {
            Location::Path(platform::path_of(path).map_or_else(|| tree.clone(), |path| tree.join(path)))
        }
        Location::Url(url) => {
            let mut url = url.clone();
            url.set_fragment(None);
            let encoded: String = path.iter().map(|&byte| encoded(byte)).collect();
            let directory = url.path().trim_end_matches('/').to_owned();
            url.set_path(&format!("{directory}/{encoded}"));
            Location::Url(url)
        }
    }
}

/// A byte of a path as it stands in a URL.
fn encoded(byte: u8) -> String {
    match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    }
}

impl<Open> TreeSource<Open>
where
    Open: Fn(usize) -> Result<Box<dyn Source>, SourceError> + Send + Sync,
{
    /// The pieces that have bytes of `ranges`, and these bytes.
    fn jobs(&self, ranges: &[ByteRange]) -> Vec<(usize, Vec<ByteRange>)> {
        let mut jobs: Vec<(usize, Vec<ByteRange>)> = Vec::new();
        for range in ranges {
            let first = self.pieces.partition_point(|(piece, _)| piece.end <= range.start);
            for (number, (piece, _)) in self.pieces.iter().enumerate().skip(first) {
                if piece.start >= range.end {
                    break;
                }
                let part = ByteRange { start: piece.start.max(range.start), end: piece.end.min(range.end) };
                match jobs.last_mut() {
                    Some((last, parts)) if *last == number => parts.push(part),
                    _ => jobs.push((number, vec![part])),
                }
            }
        }
        jobs
    }
}

impl<Open> Source for TreeSource<Open>
where
    Open: Fn(usize) -> Result<Box<dyn Source>, SourceError> + Send + Sync,
{
    fn size(&self) -> Result<Option<u64>, SourceError> {
        Ok(Some(self.length))
    }

    fn fetch(&self, ranges: &[ByteRange], sink: &dyn Sink) -> Result<Transfer, SourceError> {
        let jobs = self.jobs(ranges);
        // Between the files are zeros, which nobody sends.
        let zeros = [0; 1 << 12];
        for range in without(ranges, jobs.iter().flat_map(|(_, parts)| parts.iter().copied())) {
            for start in (range.start..range.end).step_by(zeros.len()) {
                let len = (range.end - start).min(zeros.len() as u64) as usize;
                deliver_wanted(ranges, start, &zeros[..len], sink).map_err(SourceError::Sink)?;
            }
        }
        let total = Mutex::new(Transfer::default());
        hand_out_to(
            TOGETHER.min(jobs.len()).max(1),
            jobs.into_iter(),
            || (),
            |(), (number, parts)| {
                let (piece, entry) = self.pieces[number];
                let within =
                    |part: &ByteRange| ByteRange { start: part.start - piece.start, end: part.end - piece.start };
                let parts: Vec<ByteRange> = parts.iter().map(within).collect();
                let transfer = (self.open)(entry)?.fetch(&parts, &Moved { sink, by: piece.start })?;
                *total.lock().unwrap_or_else(PoisonError::into_inner) += transfer;
                Ok::<(), SourceError>(())
            },
        )?;
        Ok(total.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn limits(&self) -> Limits {
        Limits { request_size: 8 << 20, bridged_gap: 0, parallelism: TOGETHER }
    }

    fn reject(&self, _: &[ByteRange]) -> bool {
        false
    }

    fn reads_rebuilt(&self) -> bool {
        false
    }
}

/// Takes the bytes of a file for the flat target.
struct Moved<'a> {
    sink: &'a dyn Sink,
    by: u64,
}

impl Sink for Moved<'_> {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        self.sink.deliver(offset + self.by, data)
    }
}
