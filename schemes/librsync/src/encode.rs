//! Writing the commands of a delta.

use crate::encoded::Encoded;

/// What a delta is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeltaReport {
    /// Commands that have literals.
    pub literals: u64,
    /// Bytes of those literals.
    pub literal_bytes: u64,
    /// Bytes of those commands without their literals.
    pub literal_command_bytes: u64,
    /// Commands that copy.
    pub copies: u64,
    /// Bytes that they copy.
    pub copied_bytes: u64,
    /// Bytes of those commands.
    pub copy_command_bytes: u64,
    /// Bytes of the delta.
    pub delta_bytes: u64,
    /// Windows that had the rolling sum of some block.
    pub weak_hits: u64,
    /// Of those, windows that then had another strong sum.
    pub false_weak_hits: u64,
}

impl DeltaReport {
    /// Bytes of the new file.
    pub fn new_bytes(&self) -> u64 {
        self.literal_bytes + self.copied_bytes
    }
}

/// The number that a delta begins with.
pub(crate) const MAGIC: u32 = 0x7273_0236;

/// The command that ends a delta.
pub(crate) const END: u8 = 0;
/// The longest literal whose command is its length.
pub(crate) const SHORT_LITERAL: u8 = 0x40;
/// The command of a literal with its length in one byte; three more have 2, 4 and 8.
pub(crate) const LITERAL: u8 = 0x41;
/// The command of a copy with position and length in one byte each.
pub(crate) const COPY: u8 = 0x45;
/// The first command that there is not.
pub(crate) const RESERVED: u8 = 0x55;

/// Joins and splits what is to be copied and what is literal, and appends commands.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// The longest literal.
    split: usize,
    /// What the next one's length depends on, if anything.
    buffers: Option<Buffers>,
    /// A copy that may go on: where it begins, and its length.
    copy: Option<(u64, u64)>,
    /// A literal that may go on, shorter than the longest.
    literal: Vec<u8>,
    pub(crate) report: DeltaReport,
}

impl Encoder {
    /// Begins a delta whose literals have up to `split` bytes.
    pub(crate) fn new(split: usize, output: &mut Vec<u8>) -> Self {
        output.extend_from_slice(&MAGIC.to_be_bytes());
        let literal = Vec::with_capacity(split.min(1 << 16));
        Self { split, buffers: None, copy: None, literal, report: DeltaReport::default() }
    }

    /// Begins a delta with the literals of librsync since 2.3.3 where it does not search.
    pub(crate) fn with_buffers(block_len: usize, output: &mut Vec<u8>) -> Self {
        // Every version reads literals of any length, and there may be no room for long ones.
        if block_len > LARGE_BLOCK {
            return Self::new(65_533, output);
        }
        let input = OUTPUT_BUFFER + 4 * block_len;
        Self { buffers: Some(Buffers { input, written: 4 }), ..Self::new(input, output) }
    }

    /// `len` bytes of the basis follow, from `position` on.
    pub(crate) fn copy(&mut self, position: u64, len: u64, output: &mut Encoded<'_>) {
        self.flush_literal(output);
        match &mut self.copy {
            Some((start, so_far)) if *start + *so_far == position => *so_far += len,
            _ => {
                self.flush_copy(output);
                self.copy = Some((position, len));
            }
        }
    }

    /// `bytes` follow.
    pub(crate) fn literal<'a>(&mut self, mut bytes: &'a [u8], output: &mut Encoded<'a>) {
        if bytes.is_empty() {
            return;
        }
        self.flush_copy(output);
        while self.literal.len() + bytes.len() >= self.split {
            let (taken, left) = bytes.split_at(self.split - self.literal.len());
            let command_len = self.begin_literal(self.split, output);
            output.extend(&self.literal);
            output.lend(taken);
            self.literal.clear();
            if let Some(buffers) = &mut self.buffers {
                self.split = buffers.left_after(command_len + self.split);
            }
            bytes = left;
        }
        self.literal.extend_from_slice(bytes);
    }

    /// Ends the literal before its time, as librsync does where it does not search.
    pub(crate) fn flush_literal(&mut self, output: &mut Encoded<'_>) {
        if !self.literal.is_empty() {
            self.begin_literal(self.literal.len(), output);
            output.extend(&self.literal);
            self.literal.clear();
        }
    }

    /// Nothing follows.
    pub(crate) fn finish(&mut self, output: &mut Encoded<'_>) {
        self.flush_literal(output);
        self.flush_copy(output);
        output.push(END);
    }

    /// Begins a literal, and tells how many bytes that took.
    fn begin_literal(&mut self, len: usize, output: &mut Encoded<'_>) -> usize {
        let before = output.len();
        let len = len as u64;
        if len <= SHORT_LITERAL.into() {
            output.push(len as u8);
        } else {
            output.push(LITERAL + width(len));
            put(len, output);
        }
        self.report.literals += 1;
        self.report.literal_bytes += len;
        let command_len = output.len() - before;
        self.report.literal_command_bytes += command_len as u64;
        command_len
    }

    fn flush_copy(&mut self, output: &mut Encoded<'_>) {
        let Some((position, len)) = self.copy.take() else { return };
        let before = output.len();
        output.push(COPY + 4 * width(position) + width(len));
        put(position, output);
        put(len, output);
        self.report.copies += 1;
        self.report.copied_bytes += len;
        self.report.copy_command_bytes += (output.len() - before) as u64;
    }
}

/// What rdiff writes at a time since 2.3.3.
const OUTPUT_BUFFER: usize = 4 << 16;

/// Larger blocks would make longer literals than are held here.
const LARGE_BLOCK: usize = 16 << 20;

/// The buffers of rdiff since 2.3.3. Where it does not search, a literal is what its input buffer
/// has when the literal before is written. That buffer is filled up whenever the other is full.
#[derive(Debug)]
struct Buffers {
    /// Bytes of the input buffer.
    input: usize,
    /// What is in the output buffer.
    written: usize,
}

impl Buffers {
    /// What the input buffer has once `len` bytes more are written, which are more than the output
    /// buffer has room for.
    fn left_after(&mut self, len: usize) -> usize {
        self.written = (self.written + len - 1) % OUTPUT_BUFFER + 1;
        self.input - self.written
    }
}

/// The logarithm of the bytes that a number takes: 1, 2, 4 or 8.
fn width(number: u64) -> u8 {
    match number {
        0..0x100 => 0,
        0x100..0x1_0000 => 1,
        0x1_0000..0x1_0000_0000 => 2,
        _ => 3,
    }
}

/// Appends a number in as few bytes as it takes.
fn put(number: u64, output: &mut Encoded<'_>) {
    output.extend(&number.to_be_bytes()[8 - (1 << width(number))..]);
}
