//! Finds the encoder of a stream.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gosync_chunks::{ByteRange, Phase, Progress, ReadAt};

use crate::deflate::decode::{DecodeError, TokenReader};
use crate::deflate::token::Kind;
use crate::encoder::check::{Verdict, check};
use crate::encoder::parse::Parser;
use crate::encoder::record::{estimate, record};
use crate::encoder::settings::Encoder;
use crate::inflate::Inflated;
use crate::range_reader::RangeReader;

/// What an unknown encoder may come near to.
const NEAREST: [Encoder; 6] = [
    Encoder::zlib(9),
    Encoder::zlib(6),
    Encoder::zlib(3),
    Encoder::chromium(9),
    Encoder::chromium(6),
    Encoder::chromium(3),
];
/// How many tokens of a stream decide which of them comes nearest.
const SAMPLE: u64 = 20_000;
/// Corrections are of use if they are not more than a part of a stream's length.
const SHARE: u64 = 5;

/// The encoders that are looked for, of which the last that was found comes first.
pub(crate) struct Search<'e> {
    encoders: &'e [Encoder],
    last: AtomicUsize,
}

impl<'e> Search<'e> {
    pub(crate) fn new(encoders: &'e [Encoder]) -> Self {
        Self { encoders, last: AtomicUsize::new(0) }
    }

    /// Someone who searches.
    pub(crate) fn hand(&self) -> Hand<'_> {
        Hand { search: self, parser: Parser::new(Encoder::zlib(6).settings()) }
    }
}

/// What makes a stream: an encoder, and how it has to be corrected if it is not the stream's own.
pub(crate) struct Maker {
    pub(crate) encoder: Encoder,
    pub(crate) corrections: Option<Arc<[u8]>>,
}

/// What one thread searches with.
pub(crate) struct Hand<'s> {
    search: &'s Search<'s>,
    parser: Parser,
}

impl Hand<'_> {
    /// What makes `stream`, which is in `data`. `told` is told how much of it was looked at.
    pub(crate) fn find(
        &mut self,
        data: &dyn ReadAt,
        stream: &Inflated,
        told: &dyn Progress,
    ) -> io::Result<Option<Maker>> {
        let mut furthest = 0;
        let found = self.find_first(data, stream, &mut furthest, told);
        told.advance(Phase::Open, stream.range.len() - furthest);
        found
    }

    fn find_first(
        &mut self,
        data: &dyn ReadAt,
        stream: &Inflated,
        furthest: &mut u64,
        told: &dyn Progress,
    ) -> io::Result<Option<Maker>> {
        let memory = memory(data, stream.range)?;
        let last = self.search.last.load(Ordering::Relaxed);
        let others = (0..self.search.encoders.len()).filter(|at| *at != last);
        for at in std::iter::once(last).filter(|at| *at < self.search.encoders.len()).chain(others) {
            let encoder = self.search.encoders[at];
            let encoder = memory.filter(|_| encoder.has_memory()).map_or(encoder, |memory| encoder.with_memory(memory));
            // An encoder that is not the right one is found out soon.
            let mut plain = RangeReader::new(&stream.plain, ByteRange::at(0, stream.plain.size()));
            let packed = RangeReader::new(data, stream.range);
            let packed = Told { reader: packed, at: 0, furthest, told };
            let verdict = check(encoder, &mut self.parser, &mut plain, packed, stream.range.len())?;
            if verdict == Verdict::Exact {
                self.search.last.store(at, Ordering::Relaxed);
                return Ok(Some(Maker { encoder, corrections: None }));
            }
        }
        self.nearest(data, stream)
    }

    fn nearest(&mut self, data: &dyn ReadAt, stream: &Inflated) -> io::Result<Option<Maker>> {
        let packed = stream.range.len();
        let open = || RangeReader::new(&stream.plain, ByteRange::at(0, stream.plain.size()));
        let mut best = None;
        for encoder in NEAREST {
            let cost = estimate(encoder, &mut self.parser, &mut open(), RangeReader::new(data, stream.range), SAMPLE)?;
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, encoder));
            }
        }
        let Some((_, encoder)) = best else { return Ok(None) };
        let most = usize::try_from(packed / SHARE).unwrap_or(usize::MAX);
        let read = || RangeReader::new(data, stream.range);
        let Some(corrections) = record(encoder, &mut self.parser, &mut open(), read(), packed, most)? else {
            return Ok(None);
        };
        let corrections: Arc<[u8]> = corrections.into();
        let parser = Parser::new(encoder.settings());
        let closed = encoder.deflate_with(parser, Some(&corrections), open())?;
        Ok(is_same(closed, read())?.then_some(Maker { encoder, corrections: Some(corrections) }))
    }
}

/// Tells of what is read for the first time.
struct Told<'t> {
    reader: RangeReader<'t>,
    at: u64,
    furthest: &'t mut u64,
    told: &'t dyn Progress,
}

impl Read for Told<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.at += count as u64;
        if self.at > *self.furthest {
            self.told.advance(Phase::Open, self.at - *self.furthest);
            *self.furthest = self.at;
        }
        Ok(count)
    }
}

/// Whether two readers give the same bytes.
fn is_same(mut one: impl Read, mut other: impl Read) -> io::Result<bool> {
    let (mut ones, mut others) = ([0; 1 << 14], [0; 1 << 14]);
    loop {
        let count = one.read(&mut ones)?;
        let same = match other.read_exact(&mut others[..count]) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            result => result.map(|()| ones[..count] == others[..count])?,
        };
        if count == 0 || !same {
            return Ok(same && other.read(&mut others)? == 0);
        }
    }
}

/// The memory that zlib was given, which shows in how many tokens its blocks have. `None` where
/// there is only one block.
fn memory(data: &dyn ReadAt, range: ByteRange) -> io::Result<Option<u8>> {
    let mut tokens = TokenReader::new(RangeReader::new(data, range));
    let mut count = || -> Result<Option<u32>, DecodeError> {
        let head = tokens.head()?;
        if head.is_last || head.kind == Kind::Stored {
            return Ok(None);
        }
        let mut count = 0;
        while tokens.token()?.is_some() {
            count += 1;
        }
        Ok(Some(count))
    };
    match count() {
        Ok(count) => Ok(count.and_then(|count| {
            let memory = (count + 1u32).ilog2().checked_sub(6)?;
            ((count + 1).is_power_of_two() && (1..=9).contains(&memory)).then_some(memory as u8)
        })),
        Err(DecodeError::Invalid) => Ok(None),
        Err(DecodeError::Read(error)) => Err(error),
    }
}
