//! What is rebuilt of a target, for what is compressed to be decoded with.

use std::io;

use gosync_chunks::ranges::without;
use gosync_chunks::{ByteRange, Plan, ReadAt, Step};
use gosync_files::LocalFile;

/// The target as far as it is rebuilt: repeats are only written when all is fetched, so
/// they are read where the block stands that they repeat.
pub struct Rebuilt<'a> {
    file: &'a LocalFile,
    /// Where each repeated block stands, and the one that it repeats; ascending.
    repeats: Vec<(ByteRange, u64)>,
    /// What the plan leaves out, ascending, and what has that at its place.
    left_out: Vec<ByteRange>,
    elsewhere: Option<&'a dyn ReadAt>,
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
        Self { file, repeats, left_out: Vec::new(), elsewhere: None }
    }

    /// With `elsewhere`, which has what `plan` leaves out, at the target's places.
    #[must_use]
    pub fn with_elsewhere(mut self, plan: &Plan, elsewhere: &'a dyn ReadAt) -> Self {
        let whole = ByteRange { start: 0, end: plan.cut().length() };
        self.left_out = without(&[whole], plan.blocks().into_iter().map(|blocks| plan.cut().bytes(blocks)));
        self.elsewhere = Some(elsewhere);
        self
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
        let first = self.left_out.partition_point(|range| range.end <= offset);
        for range in self.left_out[first..].iter().take_while(|range| range.start < end) {
            let (from, to) = (range.start.max(offset), range.end.min(end));
            if let Some(elsewhere) = self.elsewhere {
                elsewhere.read_exact_at(from, &mut buffer[(from - offset) as usize..(to - offset) as usize])?;
            }
        }
        Ok(())
    }
}
