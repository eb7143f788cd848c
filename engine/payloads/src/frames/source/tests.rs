use super::*;
use crate::frames::encode::encode;
use crate::frames::options::EncodeOptions;
use crate::frames::pack::Tables;
use gosync_chunks::SinkError;
use gosync_testkit::conformance::source_conformance;
use gosync_testkit::source::{MemorySink, MemorySource, RecordingSource};
use gosync_testkit::{Random, corpus};

/// A target's payload, and all that is to be known of it.
struct Payload {
    data: Vec<u8>,
    extents: Extents,
    preamble: Vec<u8>,
}

impl Payload {
    fn new(target: &[u8], layout: PayloadLayout) -> Self {
        let target = target.to_vec();
        let mut data = Vec::new();
        let all = ByteRange::at(0, layout.length());
        let tables = Tables::train(&target, &layout, 3).unwrap();
        let lengths = encode(&target, &layout, &tables, all, &EncodeOptions::default(), &mut data, &()).unwrap();
        assert_eq!(lengths.payload_len(), data.len() as u64);
        Self { data, extents: lengths.extents(layout), preamble: tables.preamble().to_vec() }
    }

    fn source<'a, S: Source>(&self, inner: S, rebuilt: &'a dyn ReadAt) -> FramedSource<'a, S> {
        FramedSource::new(inner, self.extents.clone(), self.preamble.clone(), rebuilt)
    }
}

fn layout(length: usize, fine: u32, coarse: u32, prefixes: (u32, u32)) -> PayloadLayout {
    PayloadLayout::new(length as u64, fine, coarse).unwrap().with_prefixes(prefixes.0, prefixes.1).unwrap()
}

/// What is rebuilt, as it is being rebuilt.
struct Output {
    rebuilt: Mutex<Vec<u8>>,
    sink: MemorySink,
}

impl ReadAt for Output {
    fn size(&self) -> u64 {
        self.rebuilt.lock().unwrap().len() as u64
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        self.rebuilt.lock().unwrap().read_exact_at(offset, buffer)
    }
}

impl Sink for Output {
    fn deliver(&self, offset: u64, data: &[u8]) -> Result<(), SinkError> {
        self.rebuilt.lock().unwrap()[offset as usize..][..data.len()].copy_from_slice(data);
        self.sink.deliver(offset, data)
    }
}

/// `target` with other bytes in `ranges`, as it is before they were fetched.
fn without(target: &[u8], ranges: &[ByteRange]) -> Vec<u8> {
    let mut rebuilt = target.to_vec();
    for range in ranges {
        rebuilt[range.start as usize..range.end as usize].fill(0x55);
    }
    rebuilt
}

fn random_ranges(random: &mut Random, length: usize, most_gap: usize) -> Vec<ByteRange> {
    let mut ranges = Vec::new();
    let mut at = random.below(most_gap);
    while at < length {
        let most = if random.one_in(5) { 3000 } else { 30 };
        let len = random.range(1..most).min(length - at);
        ranges.push(ByteRange::at(at as u64, len as u64));
        at += len + random.below(most_gap);
    }
    ranges
}

#[test]
fn conforms() {
    source_conformance(|data| {
        let payload = Payload::new(&data, layout(data.len(), 512, 4096, (2000, 9000)));
        // Lives as long as the test, as what is rebuilt lives as long as its source.
        let rebuilt: &'static Vec<u8> = Box::leak(Box::new(data));
        Box::new(payload.source(MemorySource::awkward(payload.data.clone(), 7), rebuilt))
    });
}

#[test]
fn delivers_what_is_missing_and_foretells_what_it_costs() {
    let mut random = Random::new(3);
    let shapes = [
        (1, 1, (0, 0), (0, 0)),
        (64, 64, (300, 0), (0, 0)),
        (2000, 4000, (3000, 0), (2000, 5000)),
        (64, 1024, (0, 4000), (64, 1024)),
        (256, 4096, (20_000, 1), (1000, 0)),
        (512, 65_536, (7, 7), (1024, 131_072)),
    ];
    let mut packed = 0;
    for (name, data) in corpus::all(5, 60_000) {
        for (fine, coarse, prefixes, regions) in shapes {
            // Twice, so that the second half refers to the first.
            let target = if fine == 1 { data[..5000].to_vec() } else { [&data[..], &data[..40_001]].concat() };
            let shape = layout(target.len(), fine, coarse, prefixes).with_regions(regions.0, regions.1).unwrap();
            let payload = Payload::new(&target, shape);
            packed += if name == "random" && fine == 512 { payload.data.len() } else { 0 };
            for (gap, batch) in [(2, BATCH), (1000, 1), (20_000, 500), (5000, BATCH)] {
                let ranges = random_ranges(&mut random, target.len(), gap);
                let rebuilt = Mutex::new(without(&target, &ranges));
                let output = Output { rebuilt, sink: MemorySink::new(&ranges) };
                let inner = RecordingSource::new(MemorySource::awkward(payload.data.clone(), random.next_u64()));
                let source = FramedSource { batch, ..payload.source(inner, &output) };
                let foretold = source.calls(&ranges).unwrap().concat();
                let transfer = source.fetch(&ranges, &output).unwrap();
                let bytes = foretold.iter().map(|range| range.len()).sum::<u64>();
                assert_eq!((transfer.bytes, source.inner.requested_bytes()), (bytes, bytes));
                assert_eq!(source.inner.ranges(), foretold);
                drop(source);
                for (range, data) in ranges.iter().zip(output.sink.finish()) {
                    assert!(data == target[range.start as usize..range.end as usize], "{range} of {name} in {fine}");
                }
            }
        }
    }
    // Coarse frames, of which the first has both, and fine ones up to a border of 64 KiB.
    assert!((160_000..161_000).contains(&packed), "random bytes are packed once: {packed}");
}

#[test]
fn what_is_damaged_is_other_bytes_and_nothing_worse() {
    let target = corpus::text(1, 200_000);
    let shape = layout(target.len(), 512, 8192, (4096, 4096)).with_regions(1024, 8192).unwrap();
    let payload = Payload::new(&target, shape);
    let ranges: Vec<_> = (0..20).map(|number| ByteRange::at(number * 10_000 + 77, 300)).collect();
    let rebuilt = without(&target, &ranges);
    let fetch = |data: Vec<u8>| {
        let sink = MemorySink::new(&ranges);
        let source = payload.source(MemorySource::new(data), &rebuilt);
        source.fetch(&ranges, &sink).unwrap();
        let right = |(range, data): (&ByteRange, Vec<u8>)| data == target[range.start as usize..range.end as usize];
        ranges.iter().zip(sink.finish()).map(right).collect::<Vec<_>>()
    };
    assert!(fetch(payload.data.clone()).iter().all(|right| *right));
    let hit = payload.extents.choose(&ranges[3..4], 0).unwrap()[0].payload;
    for seed in 0..100 {
        let mut wrong = payload.data.clone();
        let mut random = Random::new(seed);
        random.fill(&mut wrong[hit.start as usize..hit.end as usize]);
        let right = fetch(wrong);
        // The ranges are further apart than prefixes reach, and nothing is there twice.
        assert!(right.iter().enumerate().all(|(number, right)| *right == (number != 3)), "{right:?}");
    }
}

#[test]
fn rejects_where_the_frames_lie() {
    struct Heard(Mutex<Vec<ByteRange>>);
    impl Source for Heard {
        fn size(&self) -> Result<Option<u64>, SourceError> {
            Ok(None)
        }
        fn fetch(&self, _: &[ByteRange], _: &dyn Sink) -> Result<Transfer, SourceError> {
            Ok(Transfer::default())
        }
        fn limits(&self) -> Limits {
            Limits { request_size: 1, bridged_gap: 1, parallelism: 1 }
        }
        fn reject(&self, ranges: &[ByteRange]) -> bool {
            self.0.lock().unwrap().extend(ranges);
            true
        }
        fn reads_rebuilt(&self) -> bool {
            false
        }
    }
    let target = corpus::text(1, 10_000);
    let payload = Payload::new(&target, layout(target.len(), 100, 1000, (0, 0)));
    let frame = payload.extents.choose(&[ByteRange::at(5000, 1)], 0).unwrap()[0];
    let source = payload.source(Heard(Mutex::default()), &target);
    assert!(source.reject(&[ByteRange::at(5050, 20)]));
    assert!(!source.reject(&[ByteRange::at(9_999, 2)]), "that is past the end");
    assert_eq!(*source.inner.0.lock().unwrap(), [frame.payload]);
    assert_eq!(frame.kind, FrameKind::Fine);
}

#[test]
fn a_source_that_fails_ends_it() {
    let target = corpus::text(1, 100_000);
    let payload = Payload::new(&target, layout(target.len(), 100, 1000, (500, 500)));
    let short = MemorySource::new(payload.data[..payload.data.len() / 2].to_vec());
    let source = FramedSource { batch: 1000, ..payload.source(short, &target) };
    let ranges = [ByteRange::at(0, 100_000)];
    assert!(matches!(source.fetch(&ranges, &MemorySink::new(&ranges)), Err(SourceError::Length { .. })));
}
