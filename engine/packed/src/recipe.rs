//! The recipe of a packed file: what of it was opened, and how that is closed again.
//!
//! FORMAT.md has its bytes, in the chapter of this name.

use std::sync::Arc;

use gosync_chunks::ByteRange;

use crate::encoder::fingerprint::fingerprint;
use crate::encoder::settings::Encoder;
use crate::error::RecipeError;
use crate::numbers::{Input, put_number};

/// The version of its bytes.
const VERSION: u8 = 1;
/// How deep streams may be in streams.
pub(crate) const MOST_NESTED: u32 = 2;
/// The most encoders of a recipe.
pub(crate) const MOST_ENCODERS: usize = 255;
/// The longest file: lengths of it can be added up.
const LONGEST: u64 = 1 << 62;

/// Packed files of up to this many bytes are fetched in one go: opening them saves nothing.
pub const SHORT: u64 = 64 << 10;

/// What of a packed file was opened, and how that is closed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    packed: u64,
    encoders: Vec<Listed>,
    streams: Vec<Stream>,
}

/// A stream that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Where it is in the packed file, or in what the stream around it holds.
    pub packed: ByteRange,
    /// How many bytes are in it.
    pub plain: u64,
    /// What of these is opened in turn.
    pub inner: Vec<Stream>,
    /// The number of the encoder in the recipe.
    pub(crate) encoder: usize,
    /// What that would choose otherwise, where it is not the one that made the stream.
    pub(crate) corrections: Option<Arc<[u8]>>,
}

impl Stream {
    /// How many bytes of the recipe correct the encoder, which is not the one that made the stream
    /// but comes near it; 0 where it is.
    pub fn corrections(&self) -> usize {
        self.corrections.as_ref().map_or(0, |bytes| bytes.len())
    }

    /// How many bytes are in its place where all is opened.
    pub fn flat(&self) -> u64 {
        flat(self.plain, &self.inner)
    }
}

/// How many bytes there are once `streams` of `len` bytes are opened.
pub(crate) fn flat(len: u64, streams: &[Stream]) -> u64 {
    streams.iter().fold(len, |len, stream| len - stream.packed.len() + stream.flat())
}

/// An encoder that a recipe names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    bytes: [u8; 4],
    /// What it makes of a corpus, on the machine where the recipe was made.
    fingerprint: u64,
    /// The same encoder here, if it still makes the same.
    pub(crate) encoder: Option<Encoder>,
}

impl Listed {
    pub(crate) fn new(encoder: Encoder) -> Self {
        Self { bytes: encoder.to_bytes(), fingerprint: fingerprint(encoder), encoder: Some(encoder) }
    }

    fn read(bytes: [u8; 4], theirs: u64) -> Self {
        let encoder = Encoder::from_bytes(bytes).filter(|encoder| fingerprint(*encoder) == theirs);
        Self { bytes, fingerprint: theirs, encoder }
    }
}

impl Recipe {
    pub(crate) fn new(packed: u64, encoders: Vec<Listed>, streams: Vec<Stream>) -> Self {
        Self { packed, encoders, streams }
    }

    /// Length of the packed file.
    pub fn packed_len(&self) -> u64 {
        self.packed
    }

    /// Length of what it opens to.
    pub fn flat_len(&self) -> u64 {
        flat(self.packed, &self.streams)
    }

    /// The streams of the file, in order.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// The encoder that makes `stream`; `None` for one that is not known here, or that makes
    /// something else here than where the recipe was made.
    pub fn encoder(&self, stream: &Stream) -> Option<Encoder> {
        self.encoders[stream.encoder].encoder
    }

    /// The encoders that are named; `None` for those that are not known here.
    pub(crate) fn encoders(&self) -> impl Iterator<Item = Option<Encoder>> {
        self.encoders.iter().map(|listed| listed.encoder)
    }

    /// The streams of the file that cannot be closed here, because they or what is in them was
    /// made by encoders that are not known. They can only be had as they are in the packed file.
    pub fn unknown(&self) -> impl Iterator<Item = &Stream> {
        self.streams.iter().filter(|stream| !self.is_known(stream))
    }

    /// Whether `stream` and what is in it can be made here.
    pub(crate) fn is_known(&self, stream: &Stream) -> bool {
        self.encoder(stream).is_some() && stream.inner.iter().all(|stream| self.is_known(stream))
    }

    /// Whether clients will fetch less when the opened file is published than with the packed one as
    /// it is: most of it was opened, and the recipe does not take more than that saves.
    pub fn pays(&self) -> bool {
        let opened: u64 = self.streams.iter().map(|stream| stream.packed.len()).sum();
        let gained = opened.saturating_sub(self.to_bytes().len() as u64);
        self.packed > SHORT && gained > self.packed / 2
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        put_number(&mut out, self.packed);
        put_number(&mut out, self.encoders.len() as u64);
        for listed in &self.encoders {
            out.extend_from_slice(&listed.bytes);
            out.extend_from_slice(&listed.fingerprint.to_le_bytes());
        }
        put_streams(&self.streams, &mut out);
        out
    }

    /// The recipe with these bytes.
    ///
    /// # Errors
    ///
    /// When they are none, or something follows. Nothing is taken from a number that the bytes do
    /// not bear out.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecipeError> {
        let mut input = Input(bytes);
        if input.array()? != [VERSION] {
            return Err(RecipeError::new("it has another version"));
        }
        let packed = input.number()?;
        if packed > LONGEST {
            return Err(RecipeError::new("a length is too large"));
        }
        let count = input.count(12)?;
        if count > MOST_ENCODERS {
            return Err(RecipeError::new("it names too many encoders"));
        }
        let encoders = (0..count)
            .map(|_| Ok(Listed::read(input.array()?, u64::from_le_bytes(input.array()?))))
            .collect::<Result<Vec<_>, _>>()?;
        let streams = streams(&mut input, packed, count, MOST_NESTED)?;
        if !input.0.is_empty() {
            return Err(RecipeError::new("something follows its end"));
        }
        let recipe = Self { packed, encoders, streams };
        if sum(recipe.packed, &recipe.streams).is_none_or(|flat| flat > LONGEST) {
            return Err(RecipeError::new("a length is too large"));
        }
        Ok(recipe)
    }
}

/// What [`flat`] gives, where that is not too much.
fn sum(len: u64, streams: &[Stream]) -> Option<u64> {
    streams.iter().try_fold(len, |len, stream| {
        let inner = sum(stream.plain, &stream.inner)?;
        (len - stream.packed.len()).checked_add(inner)
    })
}

fn put_streams(streams: &[Stream], out: &mut Vec<u8>) {
    put_number(out, streams.len() as u64);
    for run in streams.chunk_by(|one, other| one.encoder == other.encoder) {
        put_number(out, run.len() as u64);
        put_number(out, run[0].encoder as u64);
    }
    // Numbers of a kind together, so that they compress better.
    let mut end = 0;
    for stream in streams {
        put_number(out, stream.packed.start - end);
        end = stream.packed.end;
    }
    streams.iter().for_each(|stream| put_number(out, stream.packed.len()));
    streams.iter().for_each(|stream| put_number(out, stream.plain));
    put_of_some(
        streams,
        |stream| stream.corrections.is_some(),
        out,
        |stream, out| {
            let corrections = stream.corrections.as_deref().unwrap_or_default();
            put_number(out, corrections.len() as u64);
            out.extend_from_slice(corrections);
        },
    );
    put_of_some(streams, |stream| !stream.inner.is_empty(), out, |stream, out| put_streams(&stream.inner, out));
}

/// Puts how many streams there are of which something is to be put, and that, with the number of
/// each.
fn put_of_some(
    streams: &[Stream],
    has: impl Fn(&Stream) -> bool,
    out: &mut Vec<u8>,
    put: impl Fn(&Stream, &mut Vec<u8>),
) {
    let some: Vec<usize> = (0..streams.len()).filter(|at| has(&streams[*at])).collect();
    put_number(out, some.len() as u64);
    let mut next = 0;
    for at in some {
        put_number(out, (at - next) as u64);
        put(&streams[at], out);
        next = at + 1;
    }
}

/// Reads the streams in `len` bytes, where `encoders` are named and streams may be in these
/// `nested` deep, these included.
fn streams(input: &mut Input<'_>, len: u64, encoders: usize, nested: u32) -> Result<Vec<Stream>, RecipeError> {
    let count = input.count(3)?;
    let mut runs = Vec::new();
    let mut covered = 0;
    while covered < count {
        let (run, encoder) = (input.number()?, input.number()?);
        let run = usize::try_from(run).ok().filter(|run| (1..=count - covered).contains(run));
        let (Some(run), true) = (run, encoder < encoders as u64) else {
            return Err(RecipeError::new("a run of streams is wrong"));
        };
        covered += run;
        runs.push((run, encoder as usize));
    }
    let mut column = || (0..count).map(|_| input.number()).collect::<Result<Vec<_>, _>>();
    let (gaps, packed, plain) = (column()?, column()?, column()?);
    let mut end = 0u64;
    let mut streams = Vec::with_capacity(count);
    let encoders_of = runs.into_iter().flat_map(|(run, encoder)| std::iter::repeat_n(encoder, run));
    for (((gap, packed), plain), encoder) in gaps.into_iter().zip(packed).zip(plain).zip(encoders_of) {
        let start = end.checked_add(gap);
        let range = start.and_then(|start| Some(ByteRange { start, end: start.checked_add(packed)? }));
        let Some(range) = range.filter(|range| range.end <= len && packed > 0 && plain <= LONGEST) else {
            return Err(RecipeError::new("a stream is not in the file"));
        };
        end = range.end;
        streams.push(Stream { packed: range, plain, inner: Vec::new(), encoder, corrections: None });
    }
    of_some(&mut streams, input, |stream, input| {
        let len = input.count(1)?;
        stream.corrections = Some(input.take(len)?.into());
        Ok(())
    })?;
    of_some(&mut streams, input, |stream, input| {
        let deeper = nested.checked_sub(1).filter(|deeper| *deeper > 0);
        let deeper = deeper.ok_or(RecipeError::new("streams are nested too deep"))?;
        stream.inner = self::streams(input, stream.plain, encoders, deeper)?;
        if stream.inner.is_empty() {
            Err(RecipeError::new("nothing is nested where something should be"))
        } else {
            Ok(())
        }
    })?;
    Ok(streams)
}

/// Reads what there is of some of `streams`.
fn of_some(
    streams: &mut [Stream],
    input: &mut Input<'_>,
    mut read: impl FnMut(&mut Stream, &mut Input<'_>) -> Result<(), RecipeError>,
) -> Result<(), RecipeError> {
    let mut next = 0usize;
    for _ in 0..input.count(2)? {
        let skipped = usize::try_from(input.number()?).unwrap_or(usize::MAX);
        let at = next.checked_add(skipped).filter(|at| *at < streams.len());
        let at = at.ok_or(RecipeError::new("something is of a stream that is not there"))?;
        read(&mut streams[at], input)?;
        next = at + 1;
    }
    Ok(())
}
