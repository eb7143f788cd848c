//! What is served: a target, and an index that is made of it on the spot.

use std::error::Error as StdError;
use std::io;
use std::time::SystemTime;

use gosync_chunks::{ByteRange, ErrorKind, Progress, ReadAt};
use gosync_files::LocalFile;
use gosync_layers::format::LayeredIndex;
use gosync_publish::{Build, BuildOptions, Error as PublishError};
use gosync_tree::TreeBuild;

use crate::place::{Found, Place};
use crate::request::{Object, Opened, Reason, State, Wish};
use crate::sizes::block_sizes;

/// Something that is served.
pub(crate) struct Offered {
    pub(crate) opened: Opened,
    index: Vec<u8>,
    target: Box<dyn ReadAt>,
}

/// What comes of a wish.
pub(crate) enum Answer {
    /// The other side has it.
    Same,
    Offered(Box<Offered>),
}

/// Why there is none.
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) why: String,
}

/// Bytes of the coarsest layer that are sent unasked, at most: without them nothing of a file can be
/// compared.
const PUSHED_LAYER: u64 = 64 << 10;

/// The same of all of an index.
const PUSHED_INDEX: u64 = 4 << 10;

/// The same of a listing, where there is another one.
const PUSHED_LISTING: u64 = 8 << 10;

/// And where there is none.
const PUSHED_WHOLE_LISTING: u64 = 2 << 20;

impl Answer {
    /// Looks at what is wished for.
    pub(crate) fn of(wish: &Wish, place: &Place, progress: &dyn Progress) -> Result<Self, Refusal> {
        let found = place.open(&wish.path)?;
        if found.is_directory { directory(wish, found, progress) } else { file(wish, found, progress) }
    }
}

fn file(wish: &Wish, Found { file, called, .. }: Found, progress: &dyn Progress) -> Result<Answer, Refusal> {
    let before = state(&file)?;
    let is_same = |state: State| Some(state.modified) == before.1 && state.length == before.0;
    if wish.file.is_some_and(is_same) && !wish.checksum {
        return Ok(Answer::Same);
    }
    let target = LocalFile::new(&called, file)?;
    let options = BuildOptions { block_sizes: block_sizes(target.size()), ..BuildOptions::default() };
    let name = called.display().to_string();
    let build = Build { target: &target, called: &name, name: None, sections: Vec::new(), options: &options, progress };
    let index = build.index(None)?;
    if target.file().map(state).transpose()?.is_some_and(|now| now != before) {
        return Err(PublishError::Changed { path: called }.into());
    }
    let coarsest = top(&index, index.length());
    let pushed = if coarsest <= PUSHED_LAYER { coarsest } else { 0 };
    let (opened, index) = offered(&index, false, before.1, pushed)?;
    Ok(Answer::Offered(Box::new(Offered { opened, index, target: Box::new(target) })))
}

fn directory(wish: &Wish, Found { file, called, .. }: Found, progress: &dyn Progress) -> Result<Answer, Refusal> {
    let tree = TreeBuild::scan_opened(file, &called, &wish.tree_options(), progress)?;
    let info = tree.info();
    if wish.listing == Some(info.listing_hash) {
        return Ok(Answer::Same);
    }
    let block_sizes = block_sizes(info.listing_length.saturating_add(info.bytes));
    let (index, target) = tree.index_and_target(&BuildOptions { block_sizes, ..BuildOptions::default() }, progress)?;
    let of_listing = top(&index, info.listing_length);
    let (mut opened, index) = offered(&index, true, None, of_listing)?;
    // One that is short costs less than the round trips that save most of it.
    let most = if wish.listing.is_some() { PUSHED_LISTING } else { PUSHED_WHOLE_LISTING };
    if info.listing_length <= most {
        opened.pushed[Object::Target as usize].push(ByteRange::at(0, info.listing_length));
    }
    Ok(Answer::Offered(Box::new(Offered { opened, index, target })))
}

/// Bytes of an index up to the end of its coarsest layer, as far as that is of the first `length` bytes
/// of the target.
fn top(index: &LayeredIndex, length: u64) -> u64 {
    let records = index
        .layers()
        .first()
        .map_or(0, |layer| length.div_ceil(layer.layout.block_size().into()) * layer.record_len as u64);
    index.head().len() as u64 + records
}

/// What there is, of whose index the head, the first `pushed` bytes and the sections come unasked.
fn offered(
    index: &LayeredIndex,
    is_directory: bool,
    modified: Option<SystemTime>,
    pushed: u64,
) -> Result<(Opened, Vec<u8>), Refusal> {
    let mut bytes = Vec::new();
    index.write(&mut bytes)?;
    let len = bytes.len() as u64;
    let start = pushed.max(index.head().len() as u64).min(len);
    let sections = ByteRange { start: index.sections_at().max(start), end: len };
    let of_index = match len <= PUSHED_INDEX {
        true => vec![ByteRange::at(0, len)],
        false => [ByteRange::at(0, start), sections].into_iter().filter(|range| !range.is_empty()).collect(),
    };
    let opened = Opened { is_directory, lengths: [len, index.length()], modified, pushed: [of_index, Vec::new()] };
    Ok((opened, bytes))
}

/// Length, and when it was last changed.
fn state(file: &std::fs::File) -> io::Result<(u64, Option<SystemTime>)> {
    let metadata = file.metadata()?;
    Ok((metadata.len(), metadata.modified().ok()))
}

impl Offered {
    /// Reads bytes of `object`, in which `start` lies.
    pub(crate) fn read(&self, object: Object, start: u64, buffer: &mut [u8]) -> io::Result<()> {
        match object {
            Object::Index => self.index.read_exact_at(start, buffer),
            Object::Target => self.target.read_exact_at(start, buffer),
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Reason::NotFound,
            io::ErrorKind::PermissionDenied => Reason::Denied,
            _ => Reason::Other,
        };
        Self { reason, why: error.to_string() }
    }
}

impl From<gosync_update::Error> for Refusal {
    fn from(error: gosync_update::Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::NotFound => Reason::NotFound,
            ErrorKind::Denied => Reason::Denied,
            _ => Reason::Other,
        };
        Self { reason, why: with_causes(&error) }
    }
}

impl From<PublishError> for Refusal {
    fn from(error: PublishError) -> Self {
        let reason = if matches!(error, PublishError::Changed { .. }) { Reason::Changed } else { Reason::Other };
        Self { reason, why: with_causes(&error) }
    }
}

fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
