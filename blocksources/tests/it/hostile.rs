//! `HttpSource` against servers that answer as no server should.

use std::time::{Duration, Instant};

use gosync_blocksources::cost::RangeSupport;
use gosync_blocksources::{HttpOptions, HttpSource};
use gosync_chunks::{ByteRange, Source, SourceError, Transfer};
use gosync_testkit::conformance::source_conformance;
use gosync_testkit::corpus;
use gosync_testkit::hostile::{Asked, Behaviour, Hostile, Otherwise};
use gosync_testkit::source::MemorySink;

use crate::conformance::Kept;

const LENGTH: u64 = 300_000;

fn data() -> Vec<u8> {
    corpus::random(9, LENGTH as usize)
}

/// More than fit into one request, with gaps that are too long to bridge, up to the end.
fn ranges() -> Vec<ByteRange> {
    (0..300).map(|at| ByteRange::at(1000 * at + 750, 250)).collect()
}

struct Outcome {
    result: Result<Transfer, SourceError>,
    /// The ranges that came whole and right.
    right: usize,
    support: RangeSupport,
    asked: Vec<Asked>,
}

fn fetch(behaviour: Behaviour, options: &HttpOptions) -> Outcome {
    let server = Hostile::start(data(), behaviour);
    let source = HttpSource::new(&server.url(), HttpOptions { hosts: Default::default(), ..options.clone() }).unwrap();
    let (ranges, data) = (ranges(), data());
    // It panics at a byte that was not asked for, or comes twice.
    let sink = MemorySink::new(&ranges);
    let result = source.fetch(&ranges, &sink);
    let right = if sink.missing() > 0 {
        0
    } else {
        let came = sink.finish();
        let is_right = |(range, came): &(&ByteRange, Vec<u8>)| *came == data[range.start as usize..range.end as usize];
        ranges.iter().zip(came).filter(is_right).count()
    };
    let asked = server.asked();
    for asked in &asked {
        let header = asked.header("range").unwrap_or_default();
        assert!(header.len() < 4000 && asked.ranges.len() <= 200, "{header}");
        assert!(asked.ranges.is_sorted_by(|one, next| one.end < next.start), "{header}");
        assert!(asked.ranges.iter().all(|range| range.end <= LENGTH), "{header}");
    }
    Outcome { result, right, support: source.terms().support, asked }
}

#[test]
fn every_byte_comes_from_servers_that() {
    use RangeSupport::{None, One, Several};
    for (behaviour, expected) in [
        (Behaviour::Proper, Several),
        (Behaviour::PartsReversed, Several),
        (Behaviour::PartsMerged, Several),
        (Behaviour::OnePart, Several),
        (Behaviour::TooLong, Several),
        (Behaviour::Truncated { times: 2 }, Several),
        (Behaviour::Reset { after: 600, times: 2 }, Several),
        (Behaviour::FirstRangeOnly, One),
        (Behaviour::LeavesOut, One),
        (Behaviour::RefusesSeveral("400 Bad Request"), One),
        (Behaviour::RefusesSeveral("403 Forbidden"), One),
        (Behaviour::RefusesSeveral("416 Range Not Satisfiable"), One),
        (Behaviour::RefusesSeveral("500 Internal Server Error"), One),
        (Behaviour::RefusesSeveral("501 Not Implemented"), One),
        (Behaviour::RefusesRanges("501 Not Implemented"), None),
        (Behaviour::RefusesRanges("416 Range Not Satisfiable"), None),
        (Behaviour::WrongRange, None),
        (Behaviour::WholeAlways, None),
        (Behaviour::Chunked, None),
    ] {
        for (connections, bridged_gap) in [(1, Some(0)), (3, Some(0)), (3, Option::None)] {
            let options = HttpOptions { connections, bridged_gap, ..HttpOptions::default() };
            let outcome = fetch(behaviour, &options);
            let what = format!("{behaviour:?} over {connections}");
            assert!(outcome.result.is_ok() && outcome.right == 300, "{what}: {:?}", outcome.result);
            // Where all of it is the best that can be had, it may come before it is known
            // whether single ranges could be had too.
            let is_whole = outcome.asked.iter().all(|asked| asked.ranges.len() != 1);
            assert!(
                outcome.support == expected || (is_whole && outcome.support == One),
                "{what}: {:?}",
                outcome.support
            );
            let Transfer { bytes, requests } = outcome.result.unwrap();
            assert!(bytes <= 2 * LENGTH, "{what}: {bytes}");
            assert_eq!(requests, outcome.asked.len() as u64, "{what}");
        }
    }
}

#[test]
fn a_body_with_all_is_used_and_not_asked_for_again() {
    for behaviour in [Behaviour::WholeAlways, Behaviour::Chunked] {
        let outcome = fetch(behaviour, &HttpOptions { connections: 1, ..HttpOptions::default() });
        let Transfer { bytes, requests } = outcome.result.unwrap();
        assert!(bytes <= LENGTH && requests <= 2, "{behaviour:?}: {bytes} in {requests}");
    }
}

#[test]
fn errors() {
    let often = usize::MAX;
    let options = HttpOptions { connections: 3, read_timeout: Duration::from_millis(400), ..HttpOptions::default() };
    let error = |behaviour| {
        let outcome = fetch(behaviour, &options);
        outcome.result.expect_err(&format!("{behaviour:?}"))
    };
    for behaviour in
        [Behaviour::Truncated { times: often }, Behaviour::Reset { after: 100, times: often }, Behaviour::Dribbles]
    {
        let error = error(behaviour);
        assert!(matches!(error, SourceError::Unreachable { .. }) && error.is_transient(), "{behaviour:?}: {error:?}");
    }
    for (status, retry_after) in [
        ("503 Service Unavailable", Some(7)),
        ("429 Too Many Requests", None),
        ("502 Bad Gateway", None),
        ("504 Gateway Timeout", None),
        ("408 Request Timeout", Some(0)),
        ("425 Too Early", None),
        ("509", None),
        ("520", None),
        ("530", None),
        ("598", None),
    ] {
        let error = error(Behaviour::Busy { status, retry_after, times: often });
        assert!(error.is_transient());
        match error {
            SourceError::Busy { reason, retry_after: found, .. } => {
                assert_eq!(reason, format!("status {status}"));
                assert_eq!(found, retry_after.map(|seconds| Duration::from_secs(seconds.into())));
            }
            other => panic!("{status}: {other:?}"),
        }
    }
    // One after the other, so that there is an answer to compare with.
    let one_by_one = HttpOptions { connections: 1, bridged_gap: Some(0), ..options.clone() };
    let outcome = fetch(Behaviour::WrongTotal, &one_by_one);
    assert!(matches!(outcome.result, Err(SourceError::Changed { .. })), "{:?}", outcome.result);
    // Of the same length it may be the same: the sums tell.
    let outcome = fetch(Behaviour::Changes { after: 1 }, &one_by_one);
    assert!(outcome.result.is_ok() && outcome.right < 300, "{:?}", outcome.result);
    match error(Behaviour::RedirectLoop) {
        SourceError::Refused { reason, .. } => assert!(reason.contains("in circles"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_slow_body_ends_in_time() {
    // Every byte resets the read time-out, and none the other two.
    let patient = Duration::from_secs(60);
    for (read_timeout, time) in [(Duration::from_millis(300), None), (patient, Some(Duration::from_millis(300)))] {
        let deadline = time.map(|time| Instant::now() + time);
        let options = HttpOptions { read_timeout, deadline, ..HttpOptions::default() };
        let server = Hostile::start(data(), Behaviour::Dribbles);
        let source = HttpSource::new(&server.url(), options).unwrap();
        let (ranges, start) = (ranges(), Instant::now());
        let error = source.fetch(&ranges[..1], &MemorySink::new(&ranges[..1]));
        // The bytes are of the range, as far as can be told; there are not enough of them.
        let is_right = |error: &SourceError| error.is_transient() == time.is_none();
        assert!(matches!(&error, Err(error @ SourceError::Unreachable { .. }) if is_right(error)), "{error:?}");
        assert!(start.elapsed() < patient / 2);
    }
}

#[test]
fn wrong_bytes_are_the_sinks_business_and_the_next_fetch_may_be_right() {
    let options = HttpOptions { connections: 1, ..HttpOptions::default() };
    let at = 1000 * 140 + 800;
    for (behaviour, second) in [(Behaviour::CorruptOnce(at), 1), (Behaviour::CorruptAlways(at), 0)] {
        assert_eq!(fetch(behaviour, &options).right, 299);
        let server = Hostile::start(data(), behaviour);
        let source = HttpSource::new(&server.url(), options.clone()).unwrap();
        let only = [ranges()[140]];
        for expected in [0, second] {
            let sink = MemorySink::new(&only);
            source.fetch(&only, &sink).unwrap();
            let is_right = sink.finish() == [&data()[only[0].start as usize..only[0].end as usize]];
            assert_eq!(usize::from(is_right), expected, "{behaviour:?}");
        }
    }
}

#[test]
fn fewer_ranges_at_once() {
    for (otherwise, sign) in [
        (Otherwise::Whole, "it sends the whole file"),
        (Otherwise::First, "some were left out"),
        (Otherwise::Status("416 Range Not Satisfiable"), "status 416"),
        (Otherwise::Status("400 Bad Request"), "status 400"),
        (Otherwise::Status("431 Request Header Fields Too Large"), "status 431"),
        (Otherwise::Reset, "it closes the connection"),
    ] {
        for connections in [1, 3] {
            let server = Hostile::start(data(), Behaviour::TakesFew { most: 10, otherwise });
            let options = HttpOptions { connections, bridged_gap: Some(0), ..HttpOptions::default() };
            for _ in 0..2 {
                let source = HttpSource::new(&server.url(), options.clone()).unwrap();
                let (ranges, data) = (ranges(), data());
                let sink = MemorySink::new(&ranges);
                source.fetch(&ranges, &sink).unwrap_or_else(|error| panic!("{otherwise:?}: {error}"));
                for (range, came) in ranges.iter().zip(sink.finish()) {
                    assert!(came == data[range.start as usize..range.end as usize], "{otherwise:?} {range}");
                }
            }
            let asked = server.asked();
            let is_whole = asked.iter().any(|asked| asked.ranges.is_empty());
            let too_many = asked.iter().filter(|asked| asked.ranges.len() > 10).count();
            assert!(too_many <= 2 + connections, "{otherwise:?}: {too_many} requests for too many");
            assert!(is_whole || asked.len() <= 2 * 300 / 10 + 4 + too_many, "{otherwise:?}: {}", asked.len());
            let [note] = options.hosts.notes().try_into().unwrap();
            assert!(note.contains(sign) && note.contains("ranges at once"), "{note}");
            assert_eq!(options.hosts.range_support(&server.url()), RangeSupport::Several, "{otherwise:?}");
        }
    }
}

#[test]
fn one_range_where_several_are_not_answered() {
    let busy = "503 Service Unavailable";
    for (otherwise, failures, sign) in
        [(Otherwise::Silence, 0, "it does not answer"), (Otherwise::Status(busy), 1, busy)]
    {
        let server = Hostile::start(data(), Behaviour::TakesFew { most: 1, otherwise });
        let read_timeout = Duration::from_millis(100);
        let options = HttpOptions { connections: 1, bridged_gap: Some(0), read_timeout, ..HttpOptions::default() };
        let source = HttpSource::new(&server.url(), options.clone()).unwrap();
        let ranges = &ranges()[..20];
        for _ in 0..failures {
            // It may pass.
            let error = source.fetch(ranges, &MemorySink::new(ranges)).unwrap_err();
            assert!(matches!(error, SourceError::Busy { .. }), "{error:?}");
        }
        let sink = MemorySink::new(ranges);
        source.fetch(ranges, &sink).unwrap();
        assert_eq!((sink.missing(), source.terms().support), (0, RangeSupport::One), "{otherwise:?}");
        let [note] = options.hosts.notes().try_into().unwrap();
        assert!(note.contains(sign) && note.contains("does not send several ranges"), "{note}");
    }
}

#[test]
fn what_is_learned_is_shared_by_all_of_a_host() {
    let server = Hostile::start(data(), Behaviour::RefusesSeveral("501 Not Implemented"));
    let options = HttpOptions { connections: 1, bridged_gap: Some(0), ..HttpOptions::default() };
    let (ranges, several) =
        (&ranges()[..3], |server: &Hostile| server.asked().iter().filter(|asked| asked.ranges.len() > 1).count());
    for _ in 0..2 {
        let source = HttpSource::new(&server.url(), options.clone()).unwrap();
        source.fetch(ranges, &MemorySink::new(ranges)).unwrap();
    }
    assert_eq!((several(&server), server.asked().len()), (1, 7));
    assert_eq!(options.hosts.range_support(&server.url()), RangeSupport::One);
    assert!(options.hosts.line(&server.url()).is_some());
}

#[test]
fn a_busy_server_gets_fewer_connections() {
    let busy = Behaviour::Busy { status: "503 Service Unavailable", retry_after: None, times: 1 };
    let server = Hostile::start(data(), busy);
    let source = HttpSource::new(&server.url(), HttpOptions { connections: 4, ..HttpOptions::default() }).unwrap();
    let ranges = ranges();
    assert_eq!(source.limits().parallelism, 4);
    source.fetch(&ranges[..1], &MemorySink::new(&ranges[..1])).unwrap_err();
    assert_eq!(source.limits().parallelism, 2);
    source.fetch(&ranges, &MemorySink::new(&ranges)).unwrap();
}

#[test]
fn conform() {
    for behaviour in [
        Behaviour::WholeAlways,
        Behaviour::Chunked,
        Behaviour::RefusesSeveral("501 Not Implemented"),
        Behaviour::RefusesRanges("501 Not Implemented"),
        Behaviour::FirstRangeOnly,
        Behaviour::LeavesOut,
        Behaviour::PartsReversed,
        Behaviour::PartsMerged,
        Behaviour::OnePart,
        Behaviour::ExpiringRedirects { uses: 50, status: "410 Gone" },
        Behaviour::TooLong,
    ] {
        source_conformance(|data| {
            let server = Hostile::start(data, behaviour);
            let source = HttpSource::new(&server.url(), HttpOptions::default()).unwrap();
            Box::new(Kept { source, _beside: server })
        });
    }
}
