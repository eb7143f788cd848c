//! Writing what a frame is made of as the contents of a zstd block (RFC 8878, 3.1.1.3).

use super::bits::BitWriter;
use super::sequence::{Coded, Parsed, coded};
use super::tables::Tables;

/// All tables are those of the dictionary.
const REPEAT_ALL: u8 = 0xfc;

/// Appends the block's contents to `out`. There are at most 4,095 literals.
pub(super) fn write(tables: &Tables, parsed: &Parsed, bits: &mut BitWriter, out: &mut Vec<u8>) {
    write_literals(tables, &parsed.literals, bits, out);
    let count = parsed.sequences.len();
    if count < 128 {
        out.push(count as u8);
    } else {
        out.extend([(count >> 8) as u8 + 128, count as u8]);
    }
    let coded: Vec<Coded> = coded(&parsed.sequences).collect();
    let Some((last, rest)) = coded.split_last() else { return };
    out.push(REPEAT_ALL);
    let mut literals = tables.literal_lengths.begin(last.literals.symbol);
    let mut length = tables.match_lengths.begin(last.length.symbol);
    let mut offset = tables.offsets.begin(last.offset.symbol);
    add_extra(last, bits);
    for sequence in rest.iter().rev() {
        tables.offsets.encode(&mut offset, sequence.offset.symbol, bits);
        tables.match_lengths.encode(&mut length, sequence.length.symbol, bits);
        tables.literal_lengths.encode(&mut literals, sequence.literals.symbol, bits);
        add_extra(sequence, bits);
    }
    tables.match_lengths.end(length, bits);
    tables.offsets.end(offset, bits);
    tables.literal_lengths.end(literals, bits);
    bits.close(out);
}

fn add_extra(sequence: &Coded, bits: &mut BitWriter) {
    for code in [sequence.literals, sequence.length, sequence.offset] {
        bits.add(code.extra, code.bits);
    }
}

/// More literals than this are written as four streams.
const MOST_IN_ONE: usize = 1023;

fn write_literals(tables: &Tables, literals: &[u8], bits: &mut BitWriter, out: &mut Vec<u8>) {
    let start = out.len();
    let len = literals.len() as u32;
    let raw_header = if len < 32 { 1 } else { 2 };
    if literals.len() <= MOST_IN_ONE {
        let packed = tables.literals.bits(literals) / 8 + 1;
        if packed + 3 < literals.len() + raw_header {
            let header = 3 | len << 4 | (packed as u32) << 14;
            out.extend_from_slice(&header.to_le_bytes()[..3]);
            tables.literals.encode(literals, bits, out);
            return;
        }
    } else {
        // A header, and the lengths of the first three.
        out.extend([0; 4 + 6]);
        for (number, part) in literals.chunks(literals.len().div_ceil(4)).enumerate() {
            let begin = out.len();
            tables.literals.encode(part, bits, out);
            if number < 3 {
                let packed = (out.len() - begin) as u16;
                out[start + 4 + 2 * number..][..2].copy_from_slice(&packed.to_le_bytes());
            }
        }
        let packed = out.len() - start - 4;
        if packed + 4 < literals.len() + raw_header {
            let header = 3 | 2 << 2 | len << 4 | (packed as u32) << 18;
            out[start..][..4].copy_from_slice(&header.to_le_bytes());
            return;
        }
        out.truncate(start);
    }
    if len < 32 {
        out.push((len << 3) as u8);
    } else {
        out.extend(((1 << 2 | len << 4) as u16).to_le_bytes());
    }
    out.extend_from_slice(literals);
}
