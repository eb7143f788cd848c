//! Making deltas.

use std::io::{Empty, Read, Write};

use gosync_chunks::ReadAt;
use gosync_comparer::{Matches, Statistics};
use gosync_work::in_order;

use crate::arguments::SignatureOptions;
use crate::cutter::{Cut, Cutter, Input};
use crate::encode::{DeltaReport, Encoder};
use crate::encoded::Encoded;
use crate::error::{Error, Stream};
use crate::lookup::SignatureIndex;
use crate::parse::{self, Joiner, Parser};
use crate::signature::Signature;
use crate::signature_job::signature;

/// Bytes of a piece, about: what a thread searches at a time.
const PIECE: usize = 1 << 20;

/// How to write a delta.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeltaOptions {
    /// How long literals may be.
    pub literals: LiteralLen,
}

/// How long the literals of a delta may be. Every version reads both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LiteralLen {
    /// 32,768 bytes, as librsync writes up to 2.3.2.
    #[default]
    UpTo32768,
    /// 65,533 bytes, as librsync writes since 2.3.3. Where the basis is empty they are as long as
    /// that version's `rdiff` has buffers for.
    UpTo65533,
}

/// Writes the delta that makes `new` of the basis of `signature`.
///
/// The new file is read once, in pieces of about a mebibyte that are searched on all threads
/// of the current rayon pool. The delta is the same for any number of them.
///
/// # Errors
///
/// When something cannot be read or written.
pub fn delta(
    signature: &Signature,
    new: impl Read + Send,
    output: impl Write + Send,
    options: &DeltaOptions,
) -> Result<DeltaReport, Error> {
    delta_with(&signature.index(), new, output, options)
}

/// As [`delta`], for callers that make several deltas of one signature.
///
/// # Errors
///
/// As [`delta`].
pub fn delta_with(
    index: &SignatureIndex<'_>,
    new: impl Read + Send,
    output: impl Write + Send,
    options: &DeltaOptions,
) -> Result<DeltaReport, Error> {
    in_pieces(index, Input::Stream(new), output, options, PIECE)
}

/// As [`delta_with`], of a new file that can be read anywhere. Threads read by themselves,
/// where [`delta_with`] lets one read at a time; what two pieces have in common, a block, is
/// read twice.
///
/// # Errors
///
/// As [`delta`]; also when the new file becomes shorter meanwhile.
pub fn delta_at(
    index: &SignatureIndex<'_>,
    new: &dyn ReadAt,
    output: impl Write + Send,
    options: &DeltaOptions,
) -> Result<DeltaReport, Error> {
    in_pieces(index, Input::<Empty>::Data(new), output, options, PIECE)
}

/// In pieces of about `len` bytes.
fn in_pieces(
    index: &SignatureIndex<'_>,
    new: Input<'_, impl Read + Send>,
    mut output: impl Write + Send,
    options: &DeltaOptions,
    len: usize,
) -> Result<DeltaReport, Error> {
    let parser = Parser::new(index);
    let write = Error::write(Stream::Delta);
    let mut memory = Vec::new();
    let mut joiner = Joiner::new(options.encoder(&parser, &mut memory));
    let mut delta_bytes = 0;
    let len = whole_blocks(parser.block_len, len);
    let mut cutter = Cutter::new(new, len, parser.block_len);
    let (data, read) = (cutter.data(), Error::read(Stream::New));
    in_order(
        || (),
        |piece: &mut Searched| cutter.cut(&mut piece.cut).map_err(&read),
        |(), piece| {
            piece.cut.read(data).map_err(&read)?;
            let cut = parse::Piece::from(&piece.cut);
            piece.statistics = parser.search(cut.data, 0..cut.positions(parser.block_len), &mut piece.matches);
            Ok(())
        },
        |piece| {
            let mut encoded = Encoded::lending(&mut memory);
            joiner.join(&parser, &parse::Piece::from(&piece.cut), piece.matches.found(), &mut encoded);
            joiner.statistics += piece.statistics;
            delta_bytes += encoded.len() as u64;
            encoded.write_to(&mut output).map_err(&write)?;
            memory.clear();
            Ok(())
        },
    )?;
    output.flush().map_err(&write)?;
    Ok(report(&joiner, delta_bytes))
}

/// Writes the delta between two files, without a signature between them to keep. `basis` is
/// read to its end before `new` is.
///
/// # Errors
///
/// When the options are absurd, or something cannot be read or written.
pub fn delta_between(
    basis: impl Read + Send,
    new: impl Read + Send,
    output: impl Write + Send,
    signature_options: &SignatureOptions,
    options: &DeltaOptions,
) -> Result<DeltaReport, Error> {
    let mut bytes = Vec::new();
    signature(basis, &mut bytes, signature_options)?;
    let signature = Signature::read(bytes.as_slice())?;
    drop(bytes);
    delta(&signature, new, output, options)
}

#[derive(Default)]
struct Searched {
    cut: Cut,
    matches: Matches,
    statistics: Statistics,
}

/// The length of pieces of about `len` bytes: whole blocks, so that what repeats with the
/// blocks' length is in step in all pieces.
fn whole_blocks(block_len: usize, len: usize) -> usize {
    block_len * len.div_ceil(block_len)
}

impl DeltaOptions {
    fn encoder(self, parser: &Parser<'_>, output: &mut Vec<u8>) -> Encoder {
        // Where there is nothing to be found, librsync does not search, but passes on what it
        // reads at a time.
        let split = match self.literals {
            LiteralLen::UpTo65533 if parser.is_empty => return Encoder::with_buffers(parser.block_len, output),
            LiteralLen::UpTo32768 if parser.is_empty => parser.block_len,
            LiteralLen::UpTo32768 => 32_768,
            LiteralLen::UpTo65533 => 65_533,
        };
        Encoder::new(split, output)
    }
}

fn report(joiner: &Joiner, delta_bytes: u64) -> DeltaReport {
    let Statistics { weak_hits, false_weak_hits, .. } = joiner.statistics;
    DeltaReport { delta_bytes, weak_hits, false_weak_hits, ..joiner.encoder.report }
}

/// Makes a delta of bytes that come in pieces, without reading or writing anything.
///
/// ```
/// use gosync_librsync::{DeltaJob, DeltaOptions, Signature, SignatureOptions, signature};
///
/// let mut sums = Vec::new();
/// signature(b"the old version".as_slice(), &mut sums, &SignatureOptions::default())?;
/// let signature = Signature::read(sums.as_slice())?;
/// let index = signature.index();
///
/// let mut delta = Vec::new();
/// let mut job = DeltaJob::new(&index, &DeltaOptions::default(), &mut delta);
/// job.update(b"the new", &mut delta);
/// job.update(b" version", &mut delta);
/// let report = job.finish(&mut delta);
/// assert_eq!(report.literal_bytes, 15);
/// # Ok::<(), gosync_librsync::Error>(())
/// ```
pub struct DeltaJob<'a> {
    parser: Parser<'a>,
    joiner: Joiner,
    /// What is not searched yet.
    pending: Vec<u8>,
    matches: Matches,
    delta_bytes: u64,
}

impl<'a> DeltaJob<'a> {
    /// Begins, and appends to `output` what a delta begins with.
    pub fn new(index: &'a SignatureIndex<'a>, options: &DeltaOptions, output: &mut Vec<u8>) -> Self {
        let (parser, before) = (Parser::new(index), output.len());
        let joiner = Joiner::new(options.encoder(&parser, output));
        let delta_bytes = (output.len() - before) as u64;
        Self { parser, joiner, pending: Vec::new(), matches: Matches::default(), delta_bytes }
    }

    /// Takes the next bytes of the new file, and appends to `output` what follows from them.
    pub fn update(&mut self, mut new: &[u8], output: &mut Vec<u8>) {
        let len = whole_blocks(self.parser.block_len, PIECE);
        let whole = len + self.parser.block_len;
        while self.pending.len() + new.len() >= whole {
            let (taken, left) = new.split_at(whole - self.pending.len());
            self.pending.extend_from_slice(taken);
            self.search(len, false, output);
            self.pending.drain(..len);
            new = left;
        }
        self.pending.extend_from_slice(new);
    }

    /// The new file ends here: appends the rest to `output`.
    pub fn finish(mut self, output: &mut Vec<u8>) -> DeltaReport {
        self.search(self.pending.len(), true, output);
        report(&self.joiner, self.delta_bytes)
    }

    fn search(&mut self, len: usize, is_last: bool, output: &mut Vec<u8>) {
        let Self { parser, joiner, pending, matches, delta_bytes } = self;
        let piece = parse::Piece { data: pending, len, is_last };
        let positions = piece.positions(parser.block_len);
        let before = output.len();
        joiner.statistics += parser.search(pending, joiner.behind().min(positions)..positions, matches);
        joiner.join(parser, &piece, matches.found(), &mut Encoded::copying(output));
        *delta_bytes += (output.len() - before) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::StrongLen;
    use crate::command::{Command, CommandReader};
    use crate::kind::SignatureKind;
    use gosync_testkit::corpus::{self, edit};
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn signature(basis: &[u8], block_len: u32) -> Signature {
        let kind = SignatureKind::Md4Rollsum;
        let options =
            SignatureOptions { kind, block_len: Some(block_len), strong_len: StrongLen::Maximum, basis_len: None };
        let mut bytes = Vec::new();
        crate::signature_job::signature(basis, &mut bytes, &options).unwrap();
        Signature::read(bytes.as_slice()).unwrap()
    }

    /// The copies that librsync makes, adjacent ones joined, by comparing bytes: where each
    /// begins in the new file, where in the basis, and its length.
    fn by_definition(basis: &[u8], block_len: usize, new: &[u8]) -> Vec<(u64, u64, u64)> {
        let mut blocks = HashMap::new();
        for (at, block) in basis.chunks(block_len).enumerate() {
            blocks.entry(block).or_insert(at * block_len);
        }
        let (mut at, mut copies) = (0, Vec::<(u64, u64, u64)>::new());
        while at < new.len() {
            let window = &new[at..new.len().min(at + block_len)];
            let Some(&position) = blocks.get(window) else {
                at += 1;
                continue;
            };
            match copies.last_mut() {
                Some((start, from, len)) if *start + *len == at as u64 && *from + *len == position as u64 => {
                    *len += window.len() as u64;
                }
                _ => copies.push((at as u64, position as u64, window.len() as u64)),
            }
            at += window.len();
        }
        copies
    }

    fn copies(mut delta: &[u8]) -> Vec<(u64, u64, u64)> {
        let (mut reader, mut at, mut copies) = (CommandReader::default(), 0, Vec::new());
        while let Some(command) = reader.next(&mut delta).unwrap() {
            match command {
                Command::Literal { len } => at += len,
                Command::Copy { position, len } => {
                    copies.push((at, position, len));
                    at += len;
                }
                Command::Bytes(_) | Command::End => {}
            }
        }
        copies
    }

    fn check(basis: &[u8], block_len: u32, new: &[u8], pieces: &[usize]) {
        let signature = signature(basis, block_len);
        let index = signature.index();
        let expected = by_definition(basis, block_len as usize, new);
        let mut first = Vec::new();
        for &len in pieces {
            let mut output = Vec::new();
            in_pieces(&index, Input::Stream(new), &mut output, &DeltaOptions::default(), len).unwrap();
            assert_eq!(copies(&output), expected, "pieces of {len}");
            if first.is_empty() {
                first.clone_from(&output);
            }
            assert!(output == first, "pieces of {len}");
        }
    }

    #[test]
    fn pieces_of_any_length_are_joined_to_the_same() {
        for (name, basis) in corpus::all(1, 20_000) {
            println!("{name}");
            for (_, new) in edit::all(&basis, 2) {
                check(&basis, 64, &new, &[1 << 20, 64, 128, 640, 4096]);
                check(&basis, 37, &new, &[37, 1 << 20, 5000]);
            }
        }
    }

    /// The lengths are those that rdiff 2.3.2 and 2.3.4 wrote.
    #[test]
    fn literals_where_there_is_nothing_to_find() {
        let new = corpus::random(1, 900_000);
        for (literals, expected) in [
            (LiteralLen::UpTo32768, &[2048, 2048, 2048][..]),
            (LiteralLen::UpTo65533, &[270_336, 262_135, 262_139, 105_390]),
        ] {
            let (signature, mut output) = (signature(&[], 2048), Vec::new());
            delta(&signature, new.as_slice(), &mut output, &DeltaOptions { literals }).unwrap();
            let (mut delta, mut reader, mut found) = (output.as_slice(), CommandReader::default(), Vec::new());
            while let Some(command) = reader.next(&mut delta).unwrap() {
                if let Command::Literal { len } = command {
                    found.push(len);
                }
            }
            assert_eq!(found[..expected.len()], *expected);
        }
    }

    #[test]
    fn blocks_of_more_than_other_formats_have() {
        let basis = corpus::random(1, 17 << 20);
        let signature = signature(&basis, (16 << 20) + 1);
        let mut output = Vec::new();
        let new = [b"x", &basis[..]].concat();
        delta(&signature, new.as_slice(), &mut output, &DeltaOptions::default()).unwrap();
        assert_eq!(copies(&output), [(1, 0, 17 << 20)]);
    }

    proptest! {
        /// Of few letters, so that blocks are everywhere and overlap.
        #[test]
        fn as_by_definition(
            basis in prop::collection::vec(0u8..2, 0..200),
            new in prop::collection::vec(0u8..2, 0..400),
            block_len in 1u32..12,
            repeats in 1usize..4,
        ) {
            check(&basis, block_len, &new.repeat(repeats), &[1 << 20, 1, 20, 64]);
        }
    }
}
