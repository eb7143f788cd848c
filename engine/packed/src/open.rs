//! Opens a packed file: finds its streams, undoes them, and finds out who made them.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gosync_chunks::{ByteRange, Cancelled, Phase, Progress, ReadAt};
use gosync_work::hand_out;

use crate::container::find::{Found, find};
use crate::container::gzip;
use crate::container::signs::is_packed;
use crate::container::view::Member;
use crate::encoder::search::{Maker, Search};
use crate::encoder::settings::Encoder;
use crate::error::OpenError;
use crate::flat::{Flat, Layer, Opened};
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
/// When `packed` cannot be read, the temporary file not be written or read, or `progress` cancels.
pub fn open<'a>(packed: &'a dyn ReadAt, options: &Options, progress: &dyn Progress) -> Result<Opened<'a>, OpenError> {
    let found = Opener::new(options, Some(Search::new(&options.encoders)), progress)?.found(packed)?;
    let (mut encoders, mut layers) = (Vec::new(), Vec::new());
    let streams = found.into_iter().filter_map(|found| found.listed(&mut encoders, &mut layers)).collect();
    let encoders = encoders.into_iter().map(Listed::new).collect();
    Ok(Opened::new(packed, Recipe::new(packed.size(), encoders, streams), layers))
}

/// Opens the zip or gzip file `packed` to be read only. That is much faster than [`open`]: nobody has
/// to find out how it is closed again.
///
/// # Errors
///
/// As [`open`].
pub fn look_into<P: ReadAt>(packed: P, options: &Options, progress: &dyn Progress) -> Result<Flat<P>, OpenError> {
    let found = Opener::new(options, None, progress)?.found(&packed)?;
    let layers = found.into_iter().map(Open::layer).collect();
    Ok(Flat::new(packed, layers))
}

/// A stream that is open, and those in it.
struct Open {
    stream: Inflated,
    /// What makes it, where that is wanted.
    maker: Option<Maker>,
    inner: Vec<Open>,
}

impl Open {
    fn layer(self) -> Layer {
        let Inflated { range, plain } = self.stream;
        Layer { packed: range, plain, inner: self.inner.into_iter().map(Self::layer).collect() }
    }

    /// As the recipe has it, and what was in it; `None` where the recipe has no room for another
    /// encoder.
    fn listed(self, encoders: &mut Vec<Encoder>, layers: &mut Vec<Layer>) -> Option<Stream> {
        let Maker { encoder, corrections } = self.maker?;
        let known = encoders.iter().position(|other| *other == encoder);
        let number = known.unwrap_or(encoders.len());
        if known.is_none() {
            if encoders.len() == MOST_ENCODERS {
                return None;
            }
            encoders.push(encoder);
        }
        let Inflated { range, plain } = self.stream;
        let len = plain.size();
        let mut layer = Layer { packed: range, plain, inner: Vec::new() };
        let inner = self.inner.into_iter().filter_map(|open| open.listed(encoders, &mut layer.inner)).collect();
        layers.push(layer);
        Some(Stream { packed: range, plain: len, inner, encoder: number, corrections })
    }
}

struct Opener<'o> {
    options: &'o Options,
    spool: Arc<Spool>,
    /// How much was opened so far, and how many streams.
    opened: AtomicU64,
    streams: AtomicUsize,
    /// Finds out what makes streams, where that is wanted.
    search: Option<Search<'o>>,
    progress: &'o dyn Progress,
}

impl<'o> Opener<'o> {
    fn new(options: &'o Options, search: Option<Search<'o>>, progress: &'o dyn Progress) -> io::Result<Self> {
        let spool = Spool::new(options.directory.as_deref())?;
        let (opened, streams) = (AtomicU64::new(0), AtomicUsize::new(0));
        Ok(Self { options, spool, opened, streams, search, progress })
    }

    /// The streams of the file `packed`.
    fn found(&self, packed: &dyn ReadAt) -> Result<Vec<Open>, OpenError> {
        let size = packed.size();
        self.progress.begin(Phase::Open, size);
        let nested = self.options.nested.min(MOST_NESTED);
        let found = self.open(packed, ByteRange::at(0, size), nested, self.progress);
        let found = found.map_err(|error| match self.progress.is_cancelled() {
            true => OpenError::from(Cancelled),
            false => error.into(),
        })?;
        self.progress.advance(Phase::Open, size - found.iter().map(|open| open.stream.range.len()).sum::<u64>());
        Ok(found)
    }

    /// Opens the streams in `range` of `data`, which may be so many deep. `told` is told of them.
    fn open(&self, data: &dyn ReadAt, range: ByteRange, nested: u32, told: &dyn Progress) -> io::Result<Vec<Open>> {
        if nested == 0 {
            return Ok(Vec::new());
        }
        let data = &Watched { data, progress: self.progress };
        let inflated = self.inflate(data, range, MOST_FILES)?;
        let mut open = match &self.search {
            Some(search) => proved(search, data, inflated, told)?,
            None => {
                told.advance(Phase::Open, inflated.iter().map(|stream| stream.range.len()).sum());
                inflated.into_iter().map(|stream| Open { stream, maker: None, inner: Vec::new() }).collect()
            }
        };
        // Each of these is worked on by all threads in turn.
        for open in &mut open {
            let plain = &open.stream.plain;
            open.inner = self.open(plain, ByteRange::at(0, plain.size()), nested - 1, &())?;
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

/// Those of the streams `inflated` of `data` that something is known to make.
fn proved(
    search: &Search<'_>,
    data: &dyn ReadAt,
    inflated: Vec<Inflated>,
    told: &dyn Progress,
) -> io::Result<Vec<Open>> {
    let proved = Mutex::new(Vec::new());
    hand_out(
        inflated.into_iter().enumerate(),
        || search.hand(),
        |hand, (at, stream)| -> io::Result<()> {
            if let Some(maker) = hand.find(data, &stream, told)? {
                lock(&proved).push((at, Open { stream, maker: Some(maker), inner: Vec::new() }));
            }
            Ok(())
        },
    )?;
    let mut proved = proved.into_inner().unwrap_or_else(PoisonError::into_inner);
    proved.sort_unstable_by_key(|(at, _)| *at);
    Ok(proved.into_iter().map(|(_, open)| open).collect())
}

/// Data that cannot be read any more once that is not wanted.
struct Watched<'a> {
    data: &'a dyn ReadAt,
    progress: &'a dyn Progress,
}

impl ReadAt for Watched<'_> {
    fn size(&self) -> u64 {
        self.data.size()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.progress.check().map_err(io::Error::other)?;
        self.data.read_exact_at(offset, buffer)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
