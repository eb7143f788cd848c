use super::*;
use proptest::prelude::*;

fn terms(support: RangeSupport, milliseconds: u64, megabytes: u64) -> Terms {
    let line = Line { round_trip: Duration::from_millis(milliseconds), bytes_per_second: megabytes * 1_000_000 };
    Terms { line, support, connections: 5, ..Terms::default() }
}

fn scattered(count: u64, length: u64, every: u64) -> Vec<ByteRange> {
    (0..count).map(|at| ByteRange::at(at * every, length)).collect()
}

#[test]
fn gaps() {
    use RangeSupport::{None, One, Several};
    for (terms, ranges, expected) in [
        (terms(Several, 0, 10), usize::MAX, 112),
        (terms(Several, 50, 10), 501, 112),
        // One range for one request: 100 kB come in the time that asking takes.
        (terms(One, 50, 10), 6, 112 + 100_000),
        (terms(One, 50, 10), 5, 112),
        (terms(One, 50, 1), 99, 112 + 10_000),
        (terms(One, 60_000, 1000), 99, 1 << 20),
        (terms(None, 0, 0), 99, 112),
        (Terms { bridged_gap: Some(7), ..terms(One, 50, 10) }, 99, 7),
    ] {
        assert_eq!(bridged_gap(&terms, ranges), expected, "{ranges} {terms:?}");
    }
}

#[test]
fn sizes() {
    let usual = terms(RangeSupport::Several, 40, 10);
    for (terms, bytes, expected) in [
        (usual, 0, 1),
        (usual, 1000, 1000),
        // Less than what is in flight anyway needs no second connection.
        (usual, 80_000, 80_000),
        (usual, 160_000, 80_000),
        (usual, 6_553_600, 1_310_720),
        (usual, 1 << 30, 1 << 21),
        (terms(RangeSupport::One, 400, 100), 1 << 40, 1 << 25),
        (Terms { request_size: Some(10_000), ..usual }, 30_000, 10_000),
        (Terms { request_size: Some(10_000), ..usual }, 31_000, 7_750),
        (Terms { request_size: Some(0), ..usual }, 10, 1),
    ] {
        assert_eq!(request_size(&terms, bytes), expected, "{bytes} {terms:?}");
    }
}

#[test]
fn requests() {
    let wanted = scattered(400, 16 << 10, 100_000);
    let several = terms(RangeSupport::Several, 40, 40);
    let estimated = estimate(&wanted, Some(40_000_000), &several);
    assert_eq!((estimated.bytes, estimated.requests), (400 << 14, 5));
    assert!(
        estimated.time > Duration::from_millis(240) && estimated.time < Duration::from_millis(260),
        "{estimated:?}"
    );

    // One by one it takes 80 round trips, unless gaps are bridged: they are.
    let one = terms(RangeSupport::One, 40, 40);
    let bridged = estimate(&wanted, None, &one);
    assert!(bridged.bytes > 37_000_000 && bridged.requests < 30, "{bridged:?}");
    let unbridged = Terms { bridged_gap: Some(0), ..one };
    let estimated = estimate(&wanted, None, &unbridged);
    assert_eq!((estimated.bytes, estimated.requests), (400 << 14, 400));
    assert!(estimated.time > Duration::from_millis(81 * 40), "{estimated:?}");
    assert!(prefers_whole(&wanted.iter().copied().collect(), 40_000_000, &unbridged), "80 round trips cost more");
    assert!(!prefers_whole(&wanted.iter().copied().collect(), 400_000_000, &unbridged));

    let without = terms(RangeSupport::None, 40, 40);
    assert_eq!(estimate(&wanted, Some(40_000_000), &without).bytes, 40_000_000);
    assert_eq!(estimate(&wanted, None, &without).bytes, 399 * 100_000 + (16 << 10), "up to the last byte");
    assert_eq!(estimate(&[], None, &without), Estimate::default());
}

#[test]
fn headers_stay_short() {
    // A hundred ranges with offsets of twenty digits are more than a header may hold.
    let start = 10_000_000_000_000_000_000;
    let mut pending: RangeSet = (0..100).map(|at| ByteRange::at(start + at * 10_000, 10)).collect();
    let terms = terms(RangeSupport::Several, 0, 1);
    let request = Cut::new(&pending, &terms).take_bytes(&mut pending, 1 << 20);
    let header: String = request.asked().iter().map(|range| format!("{}-{},", range.start, range.end)).collect();
    assert!(header.len() > 3000 && header.len() <= MOST_HEADER, "{}", header.len());
    assert_eq!(pending.iter().count() + request.wanted.len(), 100);
}

proptest! {
    #[test]
    fn every_byte_in_one_request(
        steps in proptest::collection::vec((1u64..3000, 1u64..5000), 1..300),
        several: bool,
        size in proptest::option::of(1u64..100_000),
        gap in proptest::option::of(0u64..2000),
    ) {
        let mut at = 0;
        let wanted: RangeSet = steps.into_iter().map(|(gap, length)| {
            let range = ByteRange::at(at + gap, length);
            at = range.end;
            range
        }).collect();
        let support = if several { RangeSupport::Several } else { RangeSupport::One };
        let terms = Terms { request_size: size, bridged_gap: gap, ..terms(support, 1, 1) };
        let cut = Cut::new(&wanted, &terms);
        let (mut pending, mut taken) = (wanted.clone(), RangeSet::default());
        while !pending.is_empty() {
            let request = cut.take(&mut pending, &terms);
            let asked = request.asked();
            let most = if several { MOST_RANGES } else { 1 };
            prop_assert!(!asked.is_empty() && asked.len() <= most);
            prop_assert!(asked.is_sorted() && asked.last().unwrap().end <= at, "ascending, and never past the end");
            for range in request.wanted {
                prop_assert!(taken.within(range).next().is_none(), "asked for twice");
                taken.insert(range);
            }
        }
        prop_assert_eq!(taken, wanted);
    }
}
