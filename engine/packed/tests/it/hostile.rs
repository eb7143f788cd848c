//! Files that lie, and recipes that are made up.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gosync_chunks::{Phase, Progress, ReadAt};
use gosync_packed::{Close, CloseError, Encoder, OpenError, Options, Recipe, close, look_into, open};

use crate::tools::mixed;
use crate::zip::{Entry, finish, round_trip, zip};

fn deflated(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    Encoder::zlib(6).deflate(plain).read_to_end(&mut packed).unwrap();
    packed
}

#[test]
fn sizes_may_lie() {
    let (first, second) = (mixed(1, 5000), mixed(2, 5000));
    let packed = deflated(&first);
    let right = packed.len() as u32;
    for (said, streams) in [(right, 2), (right + 7, 2), (right + 40, 1), (right - 1, 1), (u32::MAX - 1, 1), (0, 1)] {
        let mut entries = [Entry { at: 0, packed: said, plain: 1, method: 8 }; 2];
        let mut bytes = [entries[0].local(), packed.clone()].concat();
        entries[1] = Entry { at: bytes.len() as u32, packed: deflated(&second).len() as u32, ..entries[0] };
        bytes.extend([entries[1].local(), deflated(&second)].concat());
        // One that reaches into the other is the only one that is tried.
        assert_eq!(round_trip(&finish(bytes, &entries)).0, streams, "{said} instead of {right}");
    }
}

#[test]
fn members_that_overlap_are_opened_once() {
    let packed = deflated(&mixed(3, 50_000));
    let entry = Entry { at: 0, packed: packed.len() as u32, plain: 50_000, method: 8 };
    let bytes = finish([entry.local(), packed].concat(), &[entry; 1000]);
    let (streams, flat) = round_trip(&bytes);
    assert_eq!(streams, 1);
    assert!(flat < 50_000 + bytes.len() as u64);
}

#[test]
fn bombs_stay_closed() {
    let bomb = deflated(&vec![0; 30 << 20]);
    assert!(bomb.len() < 40_000);
    let entry = Entry { at: 0, packed: bomb.len() as u32, plain: 0, method: 8 };
    let bytes = finish([entry.local(), bomb].concat(), &[entry]);
    assert_eq!(round_trip(&bytes), (0, bytes.len() as u64));
    // Until someone wants it.
    let opened = open(&bytes, &Options { ratio: 2000, ..Options::default() }, &()).unwrap();
    assert_eq!(opened.recipe().streams().len(), 1);
    // A little of it, and all of many.
    let small = zip(&[&[0; 300_000][..]; 40], Encoder::zlib(9));
    assert_eq!(round_trip(&small).0, 40);
    let bounded = open(&small, &Options { opened: 3_000_000, ..Options::default() }, &()).unwrap();
    assert!((1..=10).contains(&bounded.recipe().streams().len()));
    let bounded = open(&small, &Options { streams: 7, ..Options::default() }, &()).unwrap();
    assert_eq!(bounded.recipe().streams().len(), 7);
}

#[test]
fn files_may_be_cut_anywhere() {
    let bytes = zip(&[&mixed(4, 300), &mixed(5, 300)], Encoder::zlib(6));
    for len in 0..bytes.len() {
        round_trip(&bytes[..len]);
    }
    let gzip = [b"\x1f\x8b\x08\0\0\0\0\0\0\x03", &deflated(&mixed(6, 300))[..], &[0; 8]].concat();
    let two = [&gzip[..], &gzip, b"garbage"].concat();
    assert_eq!(round_trip(&two).0, 2);
    for len in 0..two.len() {
        let (streams, _) = round_trip(&two[..len]);
        assert_eq!(streams, usize::from(len >= gzip.len() - 8) + usize::from(len >= 2 * gzip.len() - 8));
    }
}

#[test]
fn headers_of_gzip_have_fields() {
    let body = deflated(&mixed(7, 3000));
    for (flags, fields) in [
        (0, &b""[..]),
        (4, b"\x03\0abc"),
        (8, b"name\0"),
        (16, b"comment\0"),
        (2, b"\x12\x34"),
        (31, b"\x01\0xname\0comment\0\x12\x34"),
    ] {
        let file = [&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255], fields, &body, &[0; 8]].concat();
        assert_eq!(round_trip(&file).0, 1, "flags {flags}");
    }
    // Extra fields and names that go beyond the end; a flag that there is not.
    for (flags, fields) in [(4, &b"\xff\xff"[..]), (8, b""), (32, b"")] {
        let file = [&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255], fields, &body[..1]].concat();
        assert_eq!(round_trip(&file).0, 0, "flags {flags}");
    }
}

#[test]
fn a_hundred_thousand_members() {
    let packed = deflated(b"one of many");
    let (mut bytes, mut entries) = (Vec::new(), Vec::new());
    for _ in 0..100_000 {
        let at = bytes.len() as u32;
        entries.push(Entry { at, packed: packed.len() as u32, plain: 11, method: 8 });
        bytes.extend(entries.last().unwrap().local());
        bytes.extend(&packed);
    }
    // More than the field for their number has room for: it is not asked.
    assert_eq!(round_trip(&finish(bytes, &entries)).0, 100_000);
}

#[test]
fn what_was_changed_does_not_close() {
    let bytes = zip(&[&mixed(8, 100_000)], Encoder::zlib(6));
    let opened = open(&bytes, &Options::default(), &()).unwrap();
    let mut flat = vec![0; opened.size() as usize];
    opened.read_exact_at(0, &mut flat).unwrap();
    let mut closed = Vec::new();
    close(opened.recipe(), &flat, &mut closed).unwrap();
    assert!(closed == bytes);

    flat[50_000..51_000].fill(0);
    let error = close(opened.recipe(), &flat, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, CloseError::Differs { start: 31 }), "{error}");
    flat.push(0);
    let error = close(opened.recipe(), &flat, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, CloseError::Length { .. }), "{error}");
}

#[test]
fn what_encoders_are_not_known_is_told() {
    let bytes = zip(&[&mixed(9, 1000), b"short"], Encoder::zlib(6));
    let opened = open(&bytes, &Options::default(), &()).unwrap();
    let recipe = opened.recipe().to_bytes();
    assert_eq!(opened.recipe().unknown().count(), 0);
    // The version, a length of two bytes, one encoder: a kind of it, or a fingerprint, that is not ours.
    for at in [4, 8, 15] {
        let mut changed = recipe.clone();
        changed[at] ^= 0x40;
        let recipe = Recipe::from_bytes(&changed).unwrap();
        assert_eq!(recipe.unknown().count(), 2);
        let error = close(&recipe, &opened, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, CloseError::UnknownEncoder { start: 31 }), "{error}");
        assert_eq!(recipe.to_bytes(), changed);
        // With those streams, and nothing else that is there.
        let mut packed = vec![0; bytes.len()];
        for stream in recipe.unknown() {
            let range = stream.packed.start as usize..stream.packed.end as usize;
            packed[range.clone()].copy_from_slice(&bytes[range]);
        }
        let mut closed = Vec::new();
        let close = Close { recipe: &recipe, opened: &opened, packed: Some(&packed), progress: &() };
        close.write(&mut closed).unwrap();
        assert!(closed == bytes);
        assert_eq!(recipe.closing_time(1), Duration::ZERO);
    }
}

/// Stops once so many bytes of a phase are done, and adds up what is.
struct StopAt(Phase, u64, AtomicU64);

impl Progress for StopAt {
    fn advance(&self, phase: Phase, bytes: u64) {
        if phase == self.0 {
            self.2.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.2.load(Ordering::Relaxed) >= self.1
    }
}

#[test]
fn is_told_how_far_it_is_and_stops() {
    let members: Vec<Vec<u8>> = (0..20).map(|seed| mixed(seed, 100_000)).collect();
    let bytes = zip(&members.iter().map(Vec::as_slice).collect::<Vec<_>>(), Encoder::zlib(6));
    let size = bytes.len() as u64;
    let at = |phase, bytes| StopAt(phase, bytes, AtomicU64::new(0));
    let all = at(Phase::Open, u64::MAX);
    let opened = open(&bytes, &Options::default(), &all).unwrap();
    assert_eq!(all.2.into_inner(), size);
    let error = open(&bytes, &Options::default(), &at(Phase::Open, size / 2)).unwrap_err();
    assert!(matches!(error, OpenError::Cancelled(_)), "{error}");

    let all = at(Phase::Open, u64::MAX);
    let flat = look_into(&bytes, &Options::default(), &all).unwrap();
    assert_eq!((all.2.into_inner(), flat.size()), (size, opened.size()));
    assert!(look_into(&bytes, &Options::default(), &at(Phase::Open, 0)).is_err());

    let close = |progress: &StopAt, out: &mut Vec<u8>| {
        Close { recipe: opened.recipe(), opened: &flat, packed: None, progress }.write(out)
    };
    let (all, mut closed) = (at(Phase::Close, u64::MAX), Vec::new());
    close(&all, &mut closed).unwrap();
    assert!(all.2.into_inner() == size && closed == bytes);
    let error = close(&at(Phase::Close, size / 2), &mut Vec::new()).unwrap_err();
    assert!(matches!(error, CloseError::Cancelled(_)), "{error}");
}

/// A gzip file whose only block has `plain` as literals of fixed codes.
fn one_block(plain: &[u8]) -> Vec<u8> {
    let (mut file, mut bits, mut count) = (b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), 0u32, 0);
    let mut put = |code: u32, len: u32| {
        bits |= code << count;
        count += len;
        while count >= 8 {
            file.push(bits as u8);
            (bits, count) = (bits >> 8, count - 8);
        }
    };
    put(0b011, 3);
    for byte in plain {
        let (code, len) = if *byte < 144 { (0x30 + u32::from(*byte), 8) } else { (0x100 + u32::from(*byte), 9) };
        put(code.reverse_bits() >> (32 - len), len);
    }
    put(0, 7);
    put(0, 7);
    file.extend([0; 8]);
    file
}

/// zlib's blocks have 65,534 tokens at most. Others' are longer, and those of klauspost's encoder for
/// Go a little.
#[test]
fn blocks_may_have_more_tokens_than_zlib_knows() {
    for len in [65_534, 65_535, 65_536, 300_000, 1 << 20] {
        let file = one_block(&noise(len));
        let opened = open(&file, &Options::default(), &()).unwrap();
        assert!(opened.is_opened(), "{len}");
        let mut closed = Vec::new();
        close(opened.recipe(), &opened, &mut closed).unwrap();
        assert!(closed == file, "{len}");
    }
    let longer = one_block(&noise((1 << 20) + 1));
    let opened = open(&longer, &Options::default(), &()).map(|opened| opened.is_opened());
    assert!(!opened.unwrap(), "it is left as it is");
}

/// Bytes in which next to nothing comes twice.
fn noise(len: usize) -> Vec<u8> {
    gosync_testkit::Random::new(len as u64).bytes(len)
}
