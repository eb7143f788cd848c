//! Opens a packed file: finds its streams, undoes them, and finds out who made them.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gosync_chunks::{ByteRange, ReadAt};
use gosync_work::hand_out;

use crate::container::find::{Found, find};
use crate::container::gzip;
use crate::container::signs::is_packed;
use crate::container::view::Member;
use crate::encoder::search::{Maker, Search};
use crate::encoder::settings::Encoder;
use crate::flat::{Layer, Opened};
use crate::inflate::{Inflated, Inflater};
use crate::options::Options;
use crate::recipe::{Listed, MOST_ENCODERS, MOST_NESTED, Recipe, Stream};
use crate::spool::Spool;

/// How deep files may be in files: a zip file that is stored in another has no stream around it.
const MOST_FILES: u32 = 8;
/// What any stream may open to, however short it is.
const SMALL: u64 = 1 << 20;

/// Opens the zip or gzip file `packed`. Whatever cannot be opened, or not be closed again bit by
/// bit, is left as it is; for data of another kind that is all of it.
///
/// Streams are worked on by all threads of the rayon pool that the caller is in.
///
/// # Errors
///
/// When `packed` cannot be read, or the temporary file not be written or read.
pub fn open<'a>(packed: &'a dyn ReadAt, options: &Options) -> io::Result<Opened<'a>> {
    let opener = Opener {
        options,
        spool: Spool::new(options.directory.as_deref())?,
        opened: AtomicU64::new(0),
        streams: AtomicUsize::new(0),
        search: Search::new(&options.encoders),
    };
    let range = ByteRange::at(0, packed.size());
    let found = opener.open(packed, range, options.nested.min(MOST_NESTED))?;
    let (mut encoders, mut layers) = (Vec::new(), Vec::new());
    let streams = found.into_iter().filter_map(|found| found.listed(&mut encoders, &mut layers)).collect();
    let encoders = encoders.into_iter().map(Listed::new).collect();
    Ok(Opened::new(packed, Recipe::new(packed.size(), encoders, streams), layers))
}

/// A stream that is open, and those in it.
struct Open {
    stream: Inflated,
    maker: Maker,
    inner: Vec<Open>,
}

impl Open {
    /// As the recipe has it, and what was in it; `None` where the recipe has no room for another
    /// encoder.
    fn listed(self, encoders: &mut Vec<Encoder>, layers: &mut Vec<Layer>) -> Option<Stream> {
        let known = encoders.iter().position(|encoder| *encoder == self.maker.encoder);
        let encoder = known.unwrap_or(encoders.len());
        if known.is_none() {
            if encoders.len() == MOST_ENCODERS {
                return None;
            }
            encoders.push(self.maker.encoder);
        }
        let Inflated { range, plain } = self.stream;
        let mut layer = Layer::new(plain);
        let plain = layer.plain.size();
        let inner = self.inner.into_iter().filter_map(|open| open.listed(encoders, &mut layer.inner)).collect();
        layers.push(layer);
        Some(Stream { packed: range, plain, inner, encoder, corrections: self.maker.corrections })
    }
}

struct Opener<'o> {
    options: &'o Options,
    spool: Arc<Spool>,
    /// How much was opened so far, and how many streams.
    opened: AtomicU64,
    streams: AtomicUsize,
    search: Search<'o>,
}

impl Opener<'_> {
    /// Opens the streams in `range` of `data`, which may be so many deep.
    fn open(&self, data: &dyn ReadAt, range: ByteRange, nested: u32) -> io::Result<Vec<Open>> {
        if nested == 0 {
            return Ok(Vec::new());
        }
        let inflated = self.inflate(data, range, MOST_FILES)?;
        let proved = Mutex::new(Vec::new());
        hand_out(
            inflated.into_iter().enumerate(),
            || self.search.hand(),
            |hand, (at, stream)| -> io::Result<()> {
                if let Some(maker) = hand.find(data, &stream)? {
                    lock(&proved).push((at, Open { stream, maker, inner: Vec::new() }));
                }
                Ok(())
            },
        )?;
        let mut proved = proved.into_inner().unwrap_or_else(PoisonError::into_inner);
        proved.sort_unstable_by_key(|(at, _)| *at);
        let mut open: Vec<Open> = proved.into_iter().map(|(_, open)| open).collect();
        // Each of these is worked on by all threads in turn.
        for open in &mut open {
            let plain = &open.stream.plain;
            open.inner = self.open(plain, ByteRange::at(0, plain.size()), nested - 1)?;
        }
        Ok(open)
    }

    /// Undoes the streams of the file in `range` of `data`, and of `files` that lie in it as they
    /// are.
    fn inflate(&self, data: &dyn ReadAt, range: ByteRange, files: u32) -> io::Result<Vec<Inflated>> {
        let most = self.options.streams.saturating_sub(self.streams.load(Ordering::Relaxed));
        match find(data, range, most)? {
            Some(Found::Members(members)) => self.inflate_members(data, &members, files),
            Some(Found::Gzip) => self.inflate_gzip(data, range),
            None => Ok(Vec::new()),
        }
    }

    fn inflate_members(&self, data: &dyn ReadAt, members: &[Member], files: u32) -> io::Result<Vec<Inflated>> {
        let inflated = Mutex::new(Vec::new());
        hand_out(
            members.iter().filter(|member| member.is_deflated),
            Inflater::default,
            |inflater, member| -> io::Result<()> {
                let stream = self.inflate_one(inflater, data, member.range)?;
                lock(&inflated).extend(stream);
                Ok(())
            },
        )?;
        let mut inflated = inflated.into_inner().unwrap_or_else(PoisonError::into_inner);
        if files > 0 {
            for member in members.iter().filter(|member| !member.is_deflated) {
                if is_packed(data, member.range)? {
                    inflated.extend(self.inflate(data, member.range, files - 1)?);
                }
            }
        }
        inflated.sort_unstable_by_key(|stream| stream.range.start);
        Ok(inflated)
    }

    /// Undoes one member after another: where the next begins follows from the one before it.
    fn inflate_gzip(&self, data: &dyn ReadAt, mut range: ByteRange) -> io::Result<Vec<Inflated>> {
        /// The check and the length behind a stream.
        const TRAILER: u64 = 8;
        let (mut inflater, mut inflated) = (Inflater::default(), Vec::new());
        while let Some(body) = gzip::body(data, range)? {
            let Some(stream) = self.inflate_one(&mut inflater, data, ByteRange { start: body, ..range })? else {
                break;
            };
            range.start = stream.range.end.saturating_add(TRAILER).min(range.end);
            inflated.push(stream);
        }
        Ok(inflated)
    }

    /// Undoes the stream that `range` begins with, unless that is more than is wanted.
    fn inflate_one(
        &self,
        inflater: &mut Inflater,
        data: &dyn ReadAt,
        range: ByteRange,
    ) -> io::Result<Option<Inflated>> {
        if self.streams.fetch_add(1, Ordering::Relaxed) >= self.options.streams {
            return Ok(None);
        }
        let left = self.options.opened.saturating_sub(self.opened.load(Ordering::Relaxed));
        let most = |packed: u64| packed.saturating_mul(self.options.ratio).max(SMALL).min(left);
        let stream = inflater.inflate(data, range, &self.spool, most)?;
        let plain = stream.as_ref().map_or(0, |stream| stream.plain.size());
        let before = self.opened.fetch_add(plain, Ordering::Relaxed);
        if before.saturating_add(plain) > self.options.opened {
            // Others opened what there was room for meanwhile.
            self.opened.fetch_sub(plain, Ordering::Relaxed);
            return Ok(None);
        }
        Ok(stream)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
