//! The symbols that deflate has for lengths and distances (RFC 1951, section 3.2.5).

/// Ends a block.
pub(crate) const END: usize = 256;
/// Symbols of literals and lengths.
pub(crate) const LITERALS: usize = 286;
/// Symbols of distances.
pub(crate) const DISTANCES: usize = 30;
/// Symbols of the lengths of codes.
pub(crate) const LENGTHS: usize = 19;
/// The shortest match, and the longest.
pub(crate) const MIN_MATCH: usize = 3;
pub(crate) const MAX_MATCH: usize = 258;
/// The furthest match.
pub(crate) const MAX_DISTANCE: usize = 1 << 15;
/// In which order the lengths of the codes of lengths are written.
pub(crate) const ORDER: [usize; LENGTHS] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// For each symbol of a length, the shortest it stands for, and how many bits choose among more.
pub(crate) const LENGTH_BASE: [(u16, u8); 29] = length_bases();
/// The same for distances.
pub(crate) const DISTANCE_BASE: [(u16, u8); DISTANCES] = distance_bases();

/// The symbol of each length, less 257, by the length less 3.
pub(crate) const LENGTH_SYMBOL: [u8; 256] = length_symbols();
/// The symbol of each distance less 1: of those below 256 by themselves, and of others by what
/// is above their low seven bits, behind the former.
const DISTANCE_SYMBOL: [u8; 512] = distance_symbols();

/// The symbol of a distance.
#[inline]
pub(crate) fn distance_symbol(distance: usize) -> usize {
    let less = distance.wrapping_sub(1);
    usize::from(DISTANCE_SYMBOL[if less < 256 { less } else { 256 + ((less >> 7) & 255) }])
}

const fn length_bases() -> [(u16, u8); 29] {
    let mut bases = [(0, 0); 29];
    let (mut symbol, mut base) = (0, MIN_MATCH as u16);
    while symbol < 28 {
        let extra = if symbol < 8 { 0 } else { (symbol as u8 - 4) / 4 };
        bases[symbol] = (base, extra);
        base += 1 << extra;
        symbol += 1;
    }
    // The longest has a symbol of its own.
    bases[28] = (MAX_MATCH as u16, 0);
    bases
}

const fn distance_bases() -> [(u16, u8); DISTANCES] {
    let mut bases = [(0, 0); DISTANCES];
    let (mut symbol, mut base) = (0, 1u16);
    while symbol < DISTANCES {
        let extra = if symbol < 4 { 0 } else { (symbol as u8 - 2) / 2 };
        bases[symbol] = (base, extra);
        base = base.wrapping_add(1 << extra);
        symbol += 1;
    }
    bases
}

const fn length_symbols() -> [u8; 256] {
    let mut symbols = [0; 256];
    let (mut length, mut symbol) = (0, 0);
    while length < 256 {
        while symbol < 28 && LENGTH_BASE[symbol + 1].0 as usize <= length + MIN_MATCH {
            symbol += 1;
        }
        symbols[length] = symbol as u8;
        length += 1;
    }
    symbols
}

const fn distance_symbols() -> [u8; 512] {
    let mut symbols = [0; 512];
    let (mut at, mut symbol) = (0, 0);
    while at < 512 {
        let less = if at < 256 { at } else { (at - 256) << 7 };
        if at == 256 {
            symbol = 0;
        }
        while symbol + 1 < DISTANCES && DISTANCE_BASE[symbol + 1].0 as usize <= less + 1 {
            symbol += 1;
        }
        symbols[at] = symbol as u8;
        at += 1;
    }
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_stand_for_what_the_rfc_says() {
        // Some rows of the tables of section 3.2.5.
        for (symbol, base, extra) in
            [(257, 3, 0), (264, 10, 0), (265, 11, 1), (269, 19, 2), (284, 227, 5), (285, 258, 0)]
        {
            assert_eq!(LENGTH_BASE[symbol - 257], (base, extra));
        }
        for (symbol, base, extra) in [(0, 1, 0), (3, 4, 0), (4, 5, 1), (9, 25, 3), (28, 16_385, 13), (29, 24_577, 13)] {
            assert_eq!(DISTANCE_BASE[symbol], (base, extra));
        }
        for length in MIN_MATCH..=MAX_MATCH {
            let (base, extra) = LENGTH_BASE[usize::from(LENGTH_SYMBOL[length - MIN_MATCH])];
            assert!((usize::from(base)..usize::from(base) + (1 << extra)).contains(&length), "{length}");
        }
        for distance in 1..=MAX_DISTANCE {
            let (base, extra) = DISTANCE_BASE[distance_symbol(distance)];
            assert!((usize::from(base)..usize::from(base) + (1 << extra)).contains(&distance), "{distance}");
        }
    }
}
