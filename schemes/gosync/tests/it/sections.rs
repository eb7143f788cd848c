//! What an index says beyond the sums of its target.

use std::sync::Arc;

use gosync::publish::{Build, Section, SectionId, Shard};
use gosync::sources::{Source, Transfer};
use gosync::{Damage, FormatError, Index, LayeredIndex, ReadOptions};
use gosync_chunks::{ByteRange, TargetName};
use gosync_layers::Error;
use gosync_testkit::source::{MemorySource, RecordingSource};

use crate::by_hand::ByHand;
use crate::support::options;
use crate::{golden_data, read};

const NOTE: SectionId = SectionId(7);
const NEEDED: SectionId = SectionId(1 << 31 | 8);
const EMPTY: SectionId = SectionId(9);
const SECTIONS: [(SectionId, &[u8]); 3] = [(NOTE, b"good to know"), (NEEDED, b"without this, nothing"), (EMPTY, b"")];

/// A reader that knows what they are.
const KNOWING: ReadOptions = ReadOptions { max_bytes: 1 << 20, sections: &[SectionId(1 << 31 | 5), NEEDED] };

fn sections() -> Vec<Section> {
    SECTIONS.map(|(id, bytes)| Section { id, bytes: bytes.to_vec() }).to_vec()
}

/// An index with all of them, and what it is of.
fn index() -> (LayeredIndex, Vec<u8>) {
    let data = golden_data(1000);
    let build = Build {
        target: &data,
        called: "the golden data",
        name: Some(TargetName::new("data").unwrap()),
        sections: sections(),
        options: &options(&[256, 64], None),
        progress: &(),
    };
    (build.index(None).unwrap(), data)
}

fn bytes(index: &LayeredIndex) -> Vec<u8> {
    let mut bytes = Vec::new();
    index.write(&mut bytes).unwrap();
    bytes
}

/// The index in `bytes` with no more than its head read, and what is asked for the rest.
fn open(
    bytes: &[u8],
    options: &ReadOptions,
) -> Result<(LayeredIndex, Arc<RecordingSource<MemorySource>>), FormatError> {
    let source = Arc::new(RecordingSource::new(MemorySource::new(bytes.to_vec())));
    let start = bytes[..index().0.head().len()].to_vec();
    let place: Arc<dyn Source> = source.clone();
    let opened = LayeredIndex::open(place, "there", start, options)?;
    Ok((opened, source))
}

#[test]
fn what_is_written_is_read_back() {
    assert!(NEEDED.is_critical() && !NOTE.is_critical());
    assert_eq!(SectionId(8).critical(), NEEDED);
    let (made, data) = index();
    let written = bytes(&made);
    let by_hand = SECTIONS.map(|(id, bytes)| (id.0, bytes));
    assert!(written == ByHand { sections: &by_hand, ..ByHand::new(&data, &[256, 64], "data") }.bytes());

    let whole = LayeredIndex::read(&*written, &KNOWING).unwrap();
    let (opened, source) = open(&written, &KNOWING).unwrap();
    let mut end = written.len() as u64 - SECTIONS.map(|(_, bytes)| bytes.len() as u64).iter().sum::<u64>();
    for (id, content) in SECTIONS {
        let place = ByteRange::at(end, content.len() as u64);
        end = place.end;
        for index in [&made, &whole] {
            assert_eq!(index.section(id).unwrap(), Some((content.to_vec(), Transfer::default())));
        }
        let asked = source.ranges().len();
        let (found, transfer) = opened.section(id).unwrap().unwrap();
        assert_eq!((found.as_slice(), transfer.bytes), (content, place.len()));
        assert_eq!(source.ranges()[asked..].iter().map(|range| range.len()).sum::<u64>(), place.len());
        assert!(source.ranges()[asked..].iter().all(|&range| range == place), "no more than the section is read");
    }
    for index in [&made, &whole, &opened] {
        let listed: Vec<_> = index.sections().iter().collect();
        assert_eq!(listed, SECTIONS.map(|(id, bytes)| (id, bytes.len() as u64)));
        for other in [SectionId(8), NOTE.critical(), SectionId(0)] {
            assert_eq!(index.section(other).unwrap(), None, "{other:?}");
        }
        assert_eq!(index.damage().unwrap(), None);
        assert!(bytes(index) == written);
    }
}

#[test]
fn critical_sections_take_a_reader_that_knows_them() {
    let written = bytes(&index().0);
    let refused = |error: FormatError| {
        assert!(matches!(error, FormatError::Unsupported { what: "section", value } if value == NEEDED.0), "{error:?}");
    };
    for sections in [&[][..], &[NOTE], &[SectionId(8)], &[SectionId(1 << 31 | 5)]] {
        let options = ReadOptions { sections, ..ReadOptions::default() };
        refused(LayeredIndex::read(&*written, &options).unwrap_err());
        refused(Index::read(&*written, &options).unwrap_err());
        refused(open(&written, &options).err().unwrap());
    }
    refused(read(&written).unwrap_err());
    assert!(Index::read(&*written, &KNOWING).is_ok());
}

#[test]
fn damage_to_a_section_is_found_and_does_no_harm_to_the_rest() {
    let (made, data) = index();
    let good = bytes(&made);
    let at = good.len() - SECTIONS[1].1.len() - 1;
    let mut bad = good.clone();
    bad[at] ^= 4;
    let damage = Damage::Section { id: NOTE.0 };
    let error = LayeredIndex::read(&*bad, &KNOWING).unwrap_err();
    assert!(matches!(error, FormatError::Damaged { what } if what == damage), "{error:?}");

    let (opened, _) = open(&bad, &KNOWING).unwrap();
    assert_eq!(opened.damage().unwrap(), Some(damage));
    match opened.section(NOTE).unwrap_err() {
        Error::Index { location, source: FormatError::Damaged { what } } => {
            assert_eq!((location.as_str(), what), ("there", damage));
        }
        error => panic!("{error:?}"),
    }
    assert_eq!(opened.section(NEEDED).unwrap().unwrap().0, SECTIONS[1].1);
    let index = Index::Layered(opened);
    let seeds = gosync::update::Seeds::default();
    let target = index.target();
    let source = MemorySource::new(data.clone());
    let update = gosync::update::Update { target: &*target, seeds: &seeds, source: &source, progress: &() };
    let mut out = Vec::new();
    update.to_stream(&mut out).unwrap();
    assert!(out == data);
}

#[test]
fn parts_have_none_and_indexes_each_once() {
    let data = golden_data(1000);
    let options = options(&[256, 64], None);
    let build = |sections| Build {
        target: &data,
        called: "the golden data",
        name: None,
        sections,
        options: &options,
        progress: &(),
    };
    let twice = vec![sections()[0].clone(), Section { id: NOTE, bytes: Vec::new() }];
    let error = build(twice).index(None).unwrap_err();
    assert_eq!(error.to_string(), "the index cannot have these sections: one comes twice");

    let by_hand = [(NOTE.0, &b"one"[..]), (NEEDED.0, b"two"), (NOTE.0, b"three")];
    let bytes = ByHand { sections: &by_hand, ..ByHand::new(&data, &[256, 64], "data") }.bytes();
    let error = LayeredIndex::read(&*bytes, &KNOWING).unwrap_err();
    assert!(matches!(error, FormatError::Corrupt { what: "it has a section twice" }), "{error:?}");

    let error = build(sections()).part(Shard::new(1, 2).unwrap(), None).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the index cannot have these sections: a part of an index has none");
}
