//! Packing small frames with the tables of their target.

use std::ops::Range;

use gosync_chunks::frames::PayloadLayout;

use super::bits::BitWriter;
use super::block;
use super::matches::Matcher;
use super::tables::Tables;

/// Packs the small frames of a stretch of a target, in ascending order.
pub(crate) struct Packer {
    matcher: Matcher,
    bits: BitWriter,
}

impl Packer {
    /// Tries as hard as zstd's `level` says.
    pub(crate) fn new(layout: &PayloadLayout, level: i32) -> Self {
        Self { matcher: Matcher::new(layout, level), bits: BitWriter::default() }
    }

    /// Begins with another stretch, whose first frame begins at `start` in `data`.
    pub(crate) fn begin(&mut self, data: &[u8], start: usize) {
        self.matcher.begin(data, start);
    }

    /// Appends the block of `data[frame]` to `out`, packed with what of `region` is of use, and
    /// returns whether anything is. `data` goes on where it went on before.
    pub(crate) fn pack(
        &mut self,
        tables: &Tables,
        data: &[u8],
        frame: Range<usize>,
        region: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        let prefix = frame.start.min(self.matcher.prefix);
        let parsed = self.matcher.parse(data, frame, region);
        block::write(tables, parsed, &mut self.bits, out);
        let mut made = 0;
        parsed.sequences.iter().any(|sequence| {
            made += sequence.literals as usize;
            let is_far = sequence.offset as usize > prefix + made;
            made += sequence.length as usize;
            is_far
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::frame::{FrameDecoder, LEAST_CONTENT};
    use gosync_chunks::frames::FrameKind;
    use gosync_testkit::corpus;

    #[test]
    fn zstd_unpacks_what_was_packed() {
        for (name, data) in corpus::all(3, 120_000) {
            for (fine, prefix) in [(1, 10), (2, 0), (5, 100), (64, 7), (256, 65_536), (512, 3000), (1024, 20_000)] {
                let data = &data[..if fine < 64 { 3000 } else { data.len() }];
                let layout =
                    PayloadLayout::new(data.len() as u64, fine, fine).unwrap().with_prefixes(prefix, 0).unwrap();
                let tables = Tables::train(&data.to_vec(), &layout, 3).unwrap();
                assert!(
                    tables.preamble().len() <= gosync_chunks::frames::MAX_PREAMBLE
                        && tables.preamble().ends_with(&LEAST_CONTENT)
                );
                let mut packer = Packer::new(&layout, 3);
                packer.begin(data, 0);
                let mut decoder = FrameDecoder::default();
                let (mut packed, mut referring) = (0, 0);
                for number in 0..layout.frame_count(FrameKind::Fine) {
                    let range = layout.frame(FrameKind::Fine, number);
                    let range = range.start as usize..range.end as usize;
                    // Some of what comes later will do as well as what was before.
                    let further = (range.start + 1).min(data.len())..(range.end + 200).min(data.len());
                    let region = if number % 3 == 0 { &data[further] } else { &[] };
                    let mut block = Vec::new();
                    let refers = packer.pack(&tables, data, range.clone(), region, &mut block);
                    if block.len() >= range.len() {
                        packed += range.len();
                        continue;
                    }
                    let region = if refers { region } else { &[] };
                    let low = range.start.saturating_sub(prefix as usize);
                    let before = [tables.preamble(), region, &data[low..range.start]].concat();
                    let plain = decoder.decode_block(&before, &block, range.len());
                    assert!(plain.unwrap() == &data[range.clone()], "{name} {range:?} of {fine} and {prefix}");
                    referring += u32::from(refers);
                    packed += block.len();
                }
                assert!(packed <= data.len());
                assert!(referring > 0 || fine < 64 || name != "random");
                assert!(fine < 256 || name == "random" || packed < data.len() * 3 / 4, "{packed} of {name} in {fine}");
            }
        }
    }

    #[test]
    fn where_a_stretch_begins_makes_no_difference() {
        let data = corpus::text(1, 60_000);
        let layout = PayloadLayout::new(60_000, 200, 200).unwrap().with_prefixes(5000, 0).unwrap();
        let tables = Tables::train(&data, &layout, 3).unwrap();
        let pack = |start: usize, packer: &mut Packer, data: &[u8]| {
            packer.begin(data, start);
            let mut frames = Vec::new();
            for at in (start..data.len()).step_by(200) {
                let mut frame = Vec::new();
                packer.pack(&tables, data, at..at + 200, &[], &mut frame);
                frames.push(frame);
            }
            frames
        };
        let mut packer = Packer::new(&layout, 3);
        let whole = pack(0, &mut packer, &data);
        for start in [200, 4800, 30_000] {
            assert!(pack(start, &mut packer, &data)[..] == whole[start / 200..]);
            // With nothing before the prefix, and less behind.
            let low = start.saturating_sub(5000);
            let part = pack(start - low, &mut packer, &data[low..40_000]);
            assert!(part[..] == whole[start / 200..200]);
        }
    }
}
