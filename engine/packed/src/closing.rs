//! The bytes of a packed file, from some place on, out of the opened ones.

use std::io::{self, Read};

use gosync_chunks::{ByteRange, ReadAt};

use crate::encoder::parse::Parser;
use crate::encoder::rebuild::Deflate;
use crate::error::CloseError;
use crate::range_reader::RangeReader;
use crate::recipe::{Recipe, Stream, flat};

/// Reads the packed bytes of a range, from its beginning to its end: what was not opened as it
/// is, and streams as they are made again.
///
/// Streams are made again while they are read, and need the same memory however long they are.
pub(crate) struct Closing<'a> {
    recipe: &'a Recipe,
    flat: &'a dyn ReadAt,
    /// Where the next opened byte is.
    at: u64,
    /// What comes next.
    streams: &'a [Stream],
    /// The packed bytes that are left, of the range.
    rest: ByteRange,
    stream: Option<Box<Rebuilt<'a>>>,
    /// What has streams that cannot be made here, at their packed places; and that which is read.
    packed: Option<&'a dyn ReadAt>,
    as_it_is: Option<RangeReader<'a>>,
    /// What the last stream was made with: there may be many of some bytes each.
    spare: Option<Parser>,
}

/// A stream on its way.
struct Rebuilt<'a> {
    reader: Deflate<Box<dyn Read + Send + 'a>>,
    /// Where it is among the packed bytes, and how many of its bytes are left.
    start: u64,
    left: u64,
}

impl<'a> Closing<'a> {
    /// Begins at `range.start`, which is not within any of `streams`. All of these are in `range`,
    /// and what is there begins at `at` of `flat`.
    pub(crate) fn new(
        recipe: &'a Recipe,
        flat: &'a dyn ReadAt,
        at: u64,
        streams: &'a [Stream],
        range: ByteRange,
    ) -> Self {
        Self { recipe, flat, at, streams, rest: range, stream: None, packed: None, as_it_is: None, spare: None }
    }

    /// With the streams that cannot be made here in `packed`, at their places.
    pub(crate) fn with_packed(self, packed: Option<&'a dyn ReadAt>) -> Self {
        Self { packed, ..self }
    }

    /// Fills some of `buffer`, which is not empty; 0 at the end.
    pub(crate) fn next(&mut self, buffer: &mut [u8]) -> Result<usize, CloseError> {
        loop {
            if let Some(stream) = &mut self.stream {
                let count = stream.read(buffer)?;
                self.rest.start += count as u64;
                if count > 0 {
                    return Ok(count);
                }
                self.spare = self.stream.take().map(|stream| stream.reader.into_parser());
            }
            if let Some(reader) = &mut self.as_it_is {
                let count = reader.read(buffer)?;
                self.rest.start += count as u64;
                if count > 0 {
                    return Ok(count);
                }
                self.as_it_is = None;
            }
            let end = self.streams.first().map_or(self.rest.end, |stream| stream.packed.start);
            if self.rest.start < end {
                let count = (end - self.rest.start).min(buffer.len() as u64) as usize;
                self.flat.read_exact_at(self.at, &mut buffer[..count])?;
                self.at += count as u64;
                self.rest.start += count as u64;
                return Ok(count);
            }
            let Some((first, others)) = self.streams.split_first() else { return Ok(0) };
            self.streams = others;
            self.begin(first)?;
        }
    }

    fn begin(&mut self, stream: &'a Stream) -> Result<(), CloseError> {
        let start = stream.packed.start;
        if let Some(packed) = self.packed.filter(|_| !self.recipe.is_known(stream)) {
            self.as_it_is = Some(RangeReader::new(packed, stream.packed));
            self.at += stream.flat();
            return Ok(());
        }
        let encoder = self.recipe.encoder(stream).ok_or(CloseError::UnknownEncoder { start })?;
        let range = ByteRange::at(self.at, stream.flat());
        let plain: Box<dyn Read + Send> = if stream.inner.is_empty() {
            Box::new(RangeReader::new(self.flat, range))
        } else {
            let inner = ByteRange::at(0, stream.plain);
            Box::new(Closing::new(self.recipe, self.flat, self.at, &stream.inner, inner))
        };
        let left = stream.packed.len();
        let parser = self.spare.take().unwrap_or_else(|| Parser::new(encoder.settings()));
        let reader = encoder.deflate_with(parser, stream.corrections.as_ref(), plain)?;
        self.stream = Some(Box::new(Rebuilt { reader, start, left }));
        self.at = range.end;
        Ok(())
    }
}

impl Rebuilt<'_> {
    /// Fills some of `buffer`; 0 once the stream has ended where it should.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, CloseError> {
        let count = self.reader.read(buffer)?;
        let differs = CloseError::Differs { start: self.start };
        match self.left.checked_sub(count as u64) {
            Some(left) if count > 0 || left == 0 => self.left = left,
            _ => return Err(differs),
        }
        Ok(count)
    }
}

impl Read for Closing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.next(buffer).map_err(|error| match error {
            CloseError::Io(error) => error,
            other => io::Error::other(other),
        })
    }
}

/// Where parts of a packed file begin that can be read by themselves.
pub(crate) struct Starts {
    /// For each stream, where it is in the opened file.
    flats: Vec<u64>,
}

impl Starts {
    pub(crate) fn new(streams: &[Stream]) -> Self {
        let (mut packed, mut at) = (0, 0);
        let flats = streams.iter().map(|stream| {
            let start = at + (stream.packed.start - packed);
            (packed, at) = (stream.packed.end, start + flat(stream.plain, &stream.inner));
            start
        });
        Self { flats: flats.collect() }
    }

    /// Where the stream with this number is in the opened file.
    pub(crate) fn flat(&self, stream: usize) -> u64 {
        self.flats[stream]
    }
}
