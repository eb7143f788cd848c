//! What is rebuilt of a target, for what is compressed to be decoded with.

use std::io;

use gosync_chunks::{ByteRange, Plan, ReadAt, Step};
use gosync_files::LocalFile;

/// The target as far as it is rebuilt: repeats are only written when all is fetched, so
/// they are read where the block stands that they repeat.
pub struct Rebuilt<'a> {
    file: &'a LocalFile,
    /// Where each repeated block stands, and the one that it repeats; ascending.
    repeats: Vec<(ByteRange, u64)>,
}

impl<'a> Rebuilt<'a> {
    /// What stands of the target in `file`, which has its length, when `plan` is carried out.
    pub fn new(file: &'a LocalFile, plan: &Plan) -> Self {
        let mut repeats = Vec::new();
        for step in plan.steps() {
            if let Step::Repeat { blocks, of } = *step {
                let start = plan.cut().range(of).start;
                repeats.extend(blocks.iter().map(|block| (plan.cut().range(block), start)));
            }
        }
        Self { file, repeats }
    }

    /// What is read where equal bytes stand, ascending.
    pub fn repeated(&self) -> Vec<ByteRange> {
        self.repeats.iter().map(|(range, _)| *range).collect()
    }
}

impl ReadAt for Rebuilt<'_> {
    fn size(&self) -> u64 {
        self.file.size()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(offset, buffer)?;
        let end = offset + buffer.len() as u64;
        let first = self.repeats.partition_point(|(range, _)| range.end <= offset);
        for &(range, of) in self.repeats[first..].iter().take_while(|(range, _)| range.start < end) {
            let (from, to) = (range.start.max(offset), range.end.min(end));
            let part = &mut buffer[(from - offset) as usize..(to - offset) as usize];
            self.file.read_exact_at(of + (from - range.start), part)?;
        }
        Ok(())
    }
}
