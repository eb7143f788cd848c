//! A slow and plain decoder of deflate, which tells where each symbol begins.

use std::collections::HashMap;

/// A place where a decoder can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Bits from the beginning of the stream.
    pub(crate) bits: usize,
    /// Bytes that come out of these.
    pub(crate) bytes: usize,
    /// Where the block begins that it is within, or its own, if that begins there.
    pub(crate) block: usize,
}

impl Place {
    pub(crate) fn is_start(&self) -> bool {
        self.bits == self.block
    }
}

type Code = HashMap<(u32, u32), u32>;

fn code(lengths: &[u32]) -> Code {
    let mut codes = Code::new();
    let mut code = 0;
    for len in 1..16 {
        for (symbol, _) in lengths.iter().enumerate().filter(|&(_, &of)| of == len) {
            codes.insert((len, code), symbol as u32);
            code += 1;
        }
        code *= 2;
    }
    codes
}

struct Reader<'a>(&'a [u8], usize);

impl Reader<'_> {
    fn take(&mut self, count: u32) -> u32 {
        (0..count).fold(0, |value, place| {
            let bit = self.0[self.1 / 8] >> (self.1 % 8) & 1;
            self.1 += 1;
            value | u32::from(bit) << place
        })
    }

    fn symbol(&mut self, codes: &Code) -> u32 {
        let mut read = 0;
        for len in 1.. {
            read = read << 1 | self.take(1);
            if let Some(&symbol) = codes.get(&(len, read)) {
                return symbol;
            }
        }
        unreachable!()
    }

    fn codes(&mut self) -> (Code, Code) {
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let (literals, distances) = (self.take(5) as usize + 257, self.take(5) as usize + 1);
        let mut lengths = [0; 19];
        let count = self.take(4) as usize + 4;
        ORDER[..count].iter().for_each(|&symbol| lengths[symbol] = self.take(3));
        let codes = code(&lengths);
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            match self.symbol(&codes) {
                16 => lengths.extend(vec![*lengths.last().unwrap(); self.take(2) as usize + 3]),
                17 => lengths.extend(vec![0; self.take(3) as usize + 3]),
                18 => lengths.extend(vec![0; self.take(7) as usize + 11]),
                len => lengths.push(len),
            }
        }
        (code(&lengths[..literals]), code(&lengths[literals..]))
    }
}

/// Every place in `stream` and its end, and what comes out of it.
pub(crate) fn places(stream: &[u8]) -> (Vec<Place>, Vec<u8>) {
    let mut reader = Reader(stream, 0);
    let (mut places, mut out) = (Vec::new(), Vec::new());
    loop {
        let block = reader.1;
        places.push(Place { bits: block, bytes: out.len(), block });
        let is_last = reader.take(1) == 1;
        let kind = reader.take(2);
        if kind == 0 {
            reader.1 = reader.1.next_multiple_of(8);
            let len = reader.take(16);
            reader.take(16);
            for _ in 0..len {
                places.push(Place { bits: reader.1, bytes: out.len(), block });
                out.push(reader.take(8) as u8);
            }
        } else {
            let fixed: Vec<u32> = (0..288).map(|at| [8, 9, 7, 8][at / 144 + at / 256 + at / 280]).collect();
            let (literals, distances) = if kind == 1 { (code(&fixed), code(&[5; 30])) } else { reader.codes() };
            loop {
                places.push(Place { bits: reader.1, bytes: out.len(), block });
                let symbol = reader.symbol(&literals);
                if symbol < 256 {
                    out.push(symbol as u8);
                    continue;
                }
                if symbol == 256 {
                    break;
                }
                let len = match symbol - 257 {
                    few @ 0..8 => few + 3,
                    28 => 258,
                    many => {
                        let extra = many / 4 - 1;
                        3 + ((4 + many % 4) << extra) + reader.take(extra)
                    }
                };
                let distance = match reader.symbol(&distances) {
                    few @ 0..4 => few + 1,
                    many => {
                        let extra = many / 2 - 1;
                        1 + ((2 + many % 2) << extra) + reader.take(extra)
                    }
                };
                for _ in 0..len {
                    out.push(out[out.len() - distance as usize]);
                }
            }
        }
        if is_last {
            places.push(Place { bits: reader.1, bytes: out.len(), block: reader.1 });
            return (places, out);
        }
    }
}
