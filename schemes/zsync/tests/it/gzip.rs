//! Targets that come in pieces of their gzip files.

use std::fs;
use std::io::{Read, Write};
use std::sync::Arc;

use flate2::{Compression, GzBuilder};
use gosync_chunks::{ErrorKind, Source};
use gosync_payloads::gzip::{BlockHeader, InflateError, Inflater};
use gosync_testkit::Random;
use gosync_testkit::corpus::{self, edit};
use gosync_testkit::source::{Fault, FaultySource, MemorySource, RecordingSource};
use gosync_update::{Error, Seeds, UpdateReport, compare};
use gosync_zsync::{Control, ControlTarget, FileDigest, Places};

use crate::deflate::{Place, places};
use crate::oracle::{control, control_bytes};
use crate::support::{patch_at, place, stream_at};

/// Bytes of a header of gzip without a name.
const HEAD: usize = 10;

fn gzip(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::new(level));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Data whose blocks are stored, fixed and of their own codes.
pub(crate) fn all_kinds() -> Vec<Vec<u8>> {
    vec![
        corpus::text(1, 60_000),
        corpus::random(2, 40_000),
        corpus::zeros(50_000),
        [corpus::text(3, 20_000), corpus::random(4, 70_000), corpus::text(5, 30_000)].concat(),
        b"a few words, words, words".to_vec(),
    ]
}

/// What comes out between two places of `stream`, which is given in pieces of `cut` bits.
fn between(stream: &[u8], target: &[u8], from: Place, to: Place, cut: usize) -> Vec<u8> {
    let header = (!from.is_start()).then(|| {
        let block = places(stream).0.iter().find(|place| place.bits == from.block).unwrap().bytes;
        let header = &stream[from.block / 8..];
        BlockHeader::read(header, from.block % 8).unwrap().behind((from.bytes - block) as u64).unwrap()
    });
    let len = (to.bytes - from.bytes) as u64;
    let mut inflater = Inflater::new(&target[..from.bytes], header.as_ref(), from.bits % 8, len);
    let mut out = Vec::new();
    let mut take = |piece: &[u8]| {
        out.extend_from_slice(piece);
        Ok::<(), InflateError>(())
    };
    for at in (from.bits..to.bits).step_by(cut) {
        inflater.push(stream, at..to.bits.min(at + cut), &mut take).unwrap();
    }
    inflater.finish(&mut take).unwrap();
    out
}

#[test]
fn from_any_place_to_any_other() {
    let mut random = Random::new(1);
    let (mut within, mut stored) = (0, 0);
    for data in all_kinds() {
        for level in [0, 1, 6, 9] {
            let file = gzip(&data, level);
            let stream = &file[HEAD..];
            let (places, out) = places(stream);
            assert!(out == data, "the slow decoder");
            for _ in 0..12 {
                let from = random.below(places.len());
                let to = from + random.below((places.len() - from).min(20_000));
                let (from, to) = (places[from], places[to]);
                within += usize::from(!from.is_start());
                stored += usize::from(!from.is_start() && level == 0);
                let cut = *random.pick(&[13, 1000, 80_000]);
                let found = between(stream, &data, from, to, cut);
                assert!(found == data[from.bytes..to.bytes], "level {level}, {from:?} to {to:?}");
            }
        }
    }
    assert!(within > 50 && stored > 20);
}

#[test]
fn what_is_no_deflate() {
    let broken = |data: &[u8], len| {
        let mut inflater = Inflater::new(b"before", None, 0, len);
        inflater.push(data, 0..data.len() * 8, |_| Ok(())).and_then(|()| inflater.finish(|_| Ok(())))
    };
    assert_eq!(broken(b"\x07", 1), Err(InflateError::Broken), "the kind that there is not");
    assert_eq!(broken(b"\x01\x05\0\xfa\xffword", 5), Err(InflateError::CutOff));
    assert_eq!(broken(b"\x01\x05\0\xfa\xffwords", 5), Ok(()));
    assert_eq!(broken(b"\x01\x05\0\xfa\xffwords", 6), Err(InflateError::CutOff));
    assert_eq!(BlockHeader::read(b"\x01\x05\0\xfa", 0), Err(InflateError::CutOff));
    assert_eq!(BlockHeader::read(b"\x01\x05\0\xfa\0", 0), Err(InflateError::Broken));
    assert_eq!(BlockHeader::read(b"", 0), Err(InflateError::CutOff));
    let stored = BlockHeader::read(b"\x01\x05\0\xfa\xff", 0).unwrap();
    assert!(stored.clone().behind(5).is_ok());
    assert_eq!(stored.behind(6), Err(InflateError::Broken));
}

/// A target, and a control file of its gzip file, as zsyncmake makes one.
struct Case {
    target: Vec<u8>,
    gzip: Vec<u8>,
    places: Vec<Place>,
}

impl Case {
    fn new(target: Vec<u8>, level: u32) -> Self {
        Self::of(target, |target| gzip(target, level))
    }

    fn of(target: Vec<u8>, compress: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let gzip = compress(&target);
        let (all, _) = places(&gzip[HEAD..]);
        let mut chosen: Vec<Place> = Vec::new();
        for (at, &place) in all.iter().enumerate() {
            let is_far = chosen.last().is_none_or(|last| place.bytes >= last.bytes + 1500);
            if is_far || place.is_start() || at + 1 == all.len() {
                chosen.push(place);
            }
        }
        Self { target, gzip, places: chosen }
    }

    fn control(&self) -> Control {
        self.control_with(&self.places)
    }

    fn control_with(&self, places: &[Place]) -> Control {
        let digest = FileDigest::sha1(&self.target, &|| false).unwrap();
        let mut entries = Vec::new();
        let (mut bits, mut bytes) = (0, 0);
        for place in places {
            let at = place.bits + HEAD * 8;
            entries.extend(u16::try_from(at - bits).unwrap().to_be_bytes());
            let within = if place.is_start() { 0 } else { 0x8000 };
            entries.extend((u16::try_from(place.bytes - bytes).unwrap() | within).to_be_bytes());
            (bits, bytes) = (at, place.bytes);
        }
        let plain = control_bytes(&self.target, 1024, (2, 3, 6), &format!("SHA-1: {digest}\n"));
        let end = plain.windows(2).position(|pair| pair == b"\n\n").unwrap() + 1;
        let map = [format!("Z-Map2: {}\n", places.len()).into_bytes(), entries].concat();
        Control::read(&[&plain[..end], &map, &plain[end..]].concat()).unwrap()
    }

    /// One that has most of the target.
    fn seed(&self) -> Vec<u8> {
        edit::insert(&self.target, 7, 6, 200)
    }
}

/// The places where `source` has the gzip file, and none the target.
fn packed(source: impl Source + 'static) -> Places {
    Places::of(vec![place("x.gz", source)], None)
}

/// The places where `source` has the gzip file, and `plain` the target.
fn both(source: impl Source + 'static, plain: impl Source + 'static) -> Places {
    Places::of(vec![place("x.gz", source)], Some(place("x", plain)))
}

fn recorded(data: &[u8]) -> Arc<RecordingSource<MemorySource>> {
    Arc::new(RecordingSource::new(MemorySource::new(data.to_vec())))
}

/// Patches from `places`, and says what came of it, after looking at the output.
fn carry_out(case: &Case, control: &Control, places: &Places) -> Result<UpdateReport, Error> {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let report = patch_at(control, places, &[&case.seed()], &out);
    assert_eq!(fs::read(&out).ok(), report.as_ref().ok().map(|_| case.target.clone()));
    report
}

#[test]
fn only_pieces_are_fetched() {
    // Of zeros and of a few words nothing is missing.
    for data in [0, 1, 3].map(|kind| all_kinds().remove(kind)) {
        for level in [0, 1, 6, 9] {
            let case = Case::new(data.clone(), level);
            let control = case.control();
            for seed in 0..3 {
                let gzip = Arc::new(RecordingSource::new(MemorySource::awkward(case.gzip.clone(), seed)));
                let report = carry_out(&case, &control, &packed(gzip.clone())).unwrap();
                let asked = gzip.requested_bytes();
                assert_eq!((report.report.transfer.bytes, report.report.refetched_blocks), (asked, 0));
                assert_eq!(gzip.fetches().len(), 1, "all in one call");
                // With the ends of blocks and points, and headers, of six changes.
                let most = report.report.fetched + 6 * (2 * 2800 + 170);
                assert!(asked <= most.min(case.gzip.len() as u64), "{asked} of {}", case.gzip.len());
            }
            let gzip = MemorySource::new(case.gzip.clone());
            let streamed = stream_at(&control, &packed(gzip), &[&case.seed()]).unwrap();
            assert!(streamed == case.target);
        }
    }
}

/// A gzip file of `target` in one block, whose header is as long as hardly any: each length of a
/// code takes five bits to seven.
fn with_long_header(target: &[u8]) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |value: u32, count: u32| bits.extend((0..count).map(|place| value >> place & 1 == 1));
    // From the highest bit on, as codes are; of lengths there are two, the shorter one first.
    let code = |symbol: u32, (shorter, len): (u32, u32)| match symbol.checked_sub(shorter) {
        None => (symbol, len),
        Some(longer) => (2 * shorter + longer, len + 1),
    };
    let (literals, distances) = ((226, 8), (2, 4));
    put(1 | 2 << 1, 3);
    put(286 - 257, 5);
    put(30 - 1, 5);
    put(19 - 4, 4);
    // The lengths 4, 5, 8 and 9 have the longest codes, and those that do not occur the shortest.
    for symbol in [16usize, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] {
        put([1, 2, 3, 4, 6, 5, 0, 0, 7, 7].get(symbol).copied().unwrap_or(0), 3);
    }
    let mut put_code = |(code, len): (u32, u32)| put(code.reverse_bits() >> (32 - len), len);
    let length = |len: u32| match len {
        4 => (0b111110, 6),
        5 => (0b11110, 5),
        8 => (0b1111110, 7),
        _ => (0b1111111, 7),
    };
    for (count, codes) in [(286, literals), (30, distances)] {
        (0..count).for_each(|symbol| put_code(length(code(symbol, codes).1)));
    }
    target.iter().for_each(|&byte| put_code(code(byte.into(), literals)));
    put_code(code(256, literals));
    let bytes = bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit)));
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let mut crc = flate2::Crc::new();
    crc.update(target);
    [&head[..], &bytes.collect::<Vec<u8>>(), &crc.sum().to_le_bytes(), &(target.len() as u32).to_le_bytes()].concat()
}

#[test]
fn the_rest_of_a_long_header_is_fetched_too() {
    let case = Case::of(corpus::random(8, 30_000), with_long_header);
    let mut whole = Vec::new();
    flate2::read::GzDecoder::new(case.gzip.as_slice()).read_to_end(&mut whole).unwrap();
    assert!(whole == case.target);
    let header = BlockHeader::read(&case.gzip[HEAD..], 0).unwrap();
    assert!(header.bit_len() > 270 * 8 && header.bit_len() as u64 <= BlockHeader::LONGEST * 8);
    let mut seed = case.target.clone();
    seed[20_000..20_100].fill(0);
    let gzip = recorded(&case.gzip);
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    patch_at(&case.control(), &packed(gzip.clone()), &[&seed], &out).unwrap();
    assert!(fs::read(&out).unwrap() == case.target);
    assert_eq!(gzip.fetches().len(), 2);
    assert!(gzip.requested_bytes() < 6000);
}

#[test]
fn whatever_takes_the_fewest_bytes() {
    let case = Case::new([corpus::text(1, 150_000), corpus::random(2, 150_000)].concat(), 9);
    let control = case.control();
    let without = Control { block_map: None, ..control.clone() };
    let short = Control { block_map: case.control_with(&case.places[..9]).block_map, ..control.clone() };
    let in_text = edit::insert(&case.target, 3, 1, 10);
    let gzip_len = case.gzip.len() as u64;
    let directory = tempfile::tempdir().unwrap();
    for (name, control, seed, has_plain, least, most) in [
        ("pieces of it", &control, &in_text, true, 1, 4000),
        ("all of the pieces", &control, &vec![], true, gzip_len - 30, gzip_len),
        ("a few bytes need no map", &without, &in_text, true, 0, 0),
        ("the whole", &without, &vec![], true, gzip_len, gzip_len),
        ("only the whole", &without, &in_text, false, gzip_len, gzip_len),
        ("the map is of a part", &short, &in_text, true, 0, 0),
        ("and nothing else there", &short, &in_text, false, gzip_len, gzip_len),
    ] {
        let (gzip, plain) = (recorded(&case.gzip), recorded(&case.target));
        let places = if has_plain { both(gzip.clone(), plain.clone()) } else { packed(gzip.clone()) };
        let out = directory.path().join("out");
        patch_at(control, &places, &[seed], &out).unwrap();
        assert!(fs::read(&out).unwrap() == case.target, "{name}");
        fs::remove_file(&out).unwrap();
        assert!((least..=most).contains(&gzip.requested_bytes()), "{name}: {}", gzip.requested_bytes());
        assert_eq!(plain.requested_bytes() > 0, least == 0, "{name}");
    }
}

/// Other files, damage and maps that lie cost bytes, and nothing else.
#[test]
fn what_is_wrong_is_fetched_elsewhere() {
    let case = Case::new(all_kinds().remove(3), 6);
    let control = case.control();
    let all = gosync_chunks::ByteRange::at(HEAD as u64 + 20, case.gzip.len() as u64 - HEAD as u64 - 40);
    let faulty = |fault| FaultySource::new(MemorySource::new(case.gzip.clone()), [fault]);
    let other = gzip(&corpus::text(99, case.target.len()), 6);
    let sources: Vec<(&str, Arc<dyn Source>)> = vec![
        ("damaged", Arc::new(faulty(Fault::CorruptAlways(all)))),
        ("breaks", Arc::new(faulty(Fault::BreakAlways(900)))),
        ("refuses", Arc::new(faulty(Fault::Refuse))),
        ("of something else", Arc::new(MemorySource::new(other))),
        ("cut off", Arc::new(MemorySource::new(case.gzip[..case.gzip.len() / 3].to_vec()))),
        ("empty", Arc::new(MemorySource::new(vec![]))),
    ];
    for (name, source) in &sources {
        let plain = recorded(&case.target);
        let report = carry_out(&case, &control, &both(source.clone(), plain.clone())).expect(name);
        assert!(plain.requested_bytes() > 0 && plain.requested_bytes() <= report.report.fetched, "{name}");
        let failed = carry_out(&case, &control, &packed(source.clone())).unwrap_err();
        assert!(matches!(failed.kind(), ErrorKind::Corrupt | ErrorKind::Source), "{name}: {failed:?}");
        if failed.kind() == ErrorKind::Source {
            assert!(failed.to_string().contains("x.gz"), "{name}: {failed}");
        }
    }
    // It is there a second time, or in order after all.
    for (name, source) in &sources {
        let good = MemorySource::new(case.gzip.clone());
        let twice = vec![place("x.gz", source.clone()), place("y.gz", good)];
        carry_out(&case, &control, &Places::of(twice, None)).expect(name);
    }
    for once in [Fault::CorruptOnce(all), Fault::BreakOnce(900)] {
        carry_out(&case, &control, &packed(faulty(once))).unwrap();
    }
}

#[test]
fn maps_that_lie() {
    let case = Case::new(all_kinds().remove(3), 9);
    let mut random = Random::new(5);
    let mut pieces = 0;
    for _ in 0..60 {
        let mut places = case.places.clone();
        for _ in 0..random.range(1..30) {
            let at = random.range(1..places.len() - 1);
            let (before, after) = (places[at - 1], places[at + 1]);
            let place = &mut places[at];
            match random.below(4) {
                0 => place.bits = random.range(before.bits..after.bits + 1),
                1 => place.bytes = random.range(before.bytes..after.bytes + 1),
                2 => place.block = place.bits,
                _ => place.block = 0,
            }
        }
        let gzip = recorded(&case.gzip);
        carry_out(&case, &case.control_with(&places), &packed(gzip.clone())).unwrap();
        pieces += usize::from(gzip.requested_bytes() < case.gzip.len() as u64);
    }
    assert!(pieces > 0, "some lies concern what is not wanted");
}

/// Where the target is in a gzip file too, seeds are looked for in theirs.
#[test]
fn seeds_in_gzip_files() {
    let target = corpus::text(1, 100_000);
    let old = edit::insert(&target, 2, 1, 50);
    let packed = gzip(&old, 6);
    let half = packed[..packed.len() / 2].to_vec();
    let directory = tempfile::tempdir().unwrap();
    let lines = "Z-URL: new.gz\n";
    for (name, seed, lines, missing, has_trouble) in [
        ("old.gz", &packed, lines, 1..3000, false),
        ("old.gz", &old, lines, 1..3000, false),
        ("old.gz", &half, lines, 10_000..90_000, true),
        ("old.gz", &packed, "", 100_000..100_001, false),
        ("old", &packed, lines, 100_000..100_001, false),
        (".gz", &packed, lines, 100_000..100_001, false),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, seed).unwrap();
        let control = control(&target, 1024, (2, 3, 6), lines);
        let target = ControlTarget::new(&control);
        let seeds = Seeds::open([&path], &target, &()).unwrap();
        assert_eq!((seeds.all()[0].path(), seeds.all()[0].trouble().is_some()), (path.as_path(), has_trouble));
        let found = compare(&target, &seeds, &()).unwrap().plan.fetched_bytes();
        assert!(missing.contains(&found), "{name}, {lines:?}: {found}");
    }
}
