//! Servers that misbehave: the new version comes about, or the right error is told and the
//! old one stays as it was.

use gosync_testkit::corpus;
use gosync_testkit::hostile::{Behaviour, Hostile};

use crate::support::Scratch;

/// A wrong byte, in what is missing of [`versions`].
const WRONG: usize = 1_500_000;

/// Each with the exit codes that are right for it, and words of the error. `length` is that of
/// the file.
pub(crate) fn behaviours(length: usize) -> Vec<(Behaviour, &'static [i32], &'static str)> {
    use Behaviour::{
        Busy, Changes, Chunked, CorruptAlways, CorruptOnce, Dribbles, ExpiringRedirects, FirstRangeOnly, LeavesOut,
        OnePart, PartsMerged, PartsReversed, Proper, RedirectLoop, RefusesRanges, RefusesSeveral, Reset, TooLong,
        Truncated, WholeAlways, WrongRange, WrongTotal,
    };
    let (often, after) = (usize::MAX, length / 96);
    let busy = |status, times| Busy { status, retry_after: Some(0), times };
    let expiring = |status| ExpiringRedirects { uses: 10, status };
    vec![
        (Proper, &[0], ""),
        (WholeAlways, &[0], ""),
        (Chunked, &[0], ""),
        (RefusesSeveral("501 Not Implemented"), &[0], ""),
        (RefusesRanges("416 Range Not Satisfiable"), &[0], ""),
        (FirstRangeOnly, &[0], ""),
        (LeavesOut, &[0], ""),
        (PartsReversed, &[0], ""),
        (PartsMerged, &[0], ""),
        (OnePart, &[0], ""),
        (WrongRange, &[0], ""),
        (WrongTotal, &[3], ""),
        (Truncated { times: 2 }, &[0], ""),
        (Truncated { times: often }, &[4], "cannot reach"),
        (Reset { after, times: 2 }, &[0], ""),
        (Reset { after, times: often }, &[4], "cannot reach"),
        (busy("503 Service Unavailable", 1), &[0], ""),
        (busy("429 Too Many Requests", often), &[4], "has no time: status 429"),
        (Dribbles, &[4], "cannot reach"),
        (RedirectLoop, &[4], "redirects in circles"),
        (expiring("401 Unauthorized"), &[0], ""),
        (expiring("403 Forbidden"), &[0], ""),
        (expiring("410 Gone"), &[0], ""),
        (Changes { after: 3 }, &[3], "the source is not what the index was made for"),
        (CorruptOnce(WRONG), &[0], ""),
        (CorruptAlways(WRONG), &[3], "bytes 1499136..1507328 are missing or wrong"),
        (TooLong, &[0], ""),
    ]
}

/// A new version, and an old one that lacks every other mebibyte, so that several ranges can be
/// asked for at once.
pub(crate) fn versions(length: usize) -> (Vec<u8>, Vec<u8>) {
    let new = corpus::random(1, length);
    let mut old = new.clone();
    old.chunks_mut(1 << 20).skip(1).step_by(2).for_each(|stretch| stretch.fill(0));
    (new, old)
}

/// What `patch` is told of all of them.
pub(crate) fn options(behaviour: Behaviour) -> [&'static str; 6] {
    use Behaviour::{Busy, Dribbles, Reset, Truncated};
    const OFTEN: usize = usize::MAX;
    let is_lasting = matches!(
        behaviour,
        Dribbles | Busy { times: OFTEN, .. } | Reset { times: OFTEN, .. } | Truncated { times: OFTEN }
    );
    let (retries, patience) = if is_lasting { ("0", "1s") } else { ("3", "20s") };
    ["--connections", "4", "--retries", retries, "--read-timeout", patience]
}

#[test]
fn the_new_version_or_an_error_and_the_old_one() {
    const LENGTH: usize = 6 << 20;
    let (new, old) = versions(LENGTH);
    let scratch = Scratch::new();
    scratch.write("new", &new);
    assert_eq!(scratch.run(&["build", "new", "--block-size", "8KiB"]).code, 0);
    for (behaviour, expected, words) in behaviours(LENGTH) {
        scratch.write("old", &old);
        let server = Hostile::start(new.clone(), behaviour);
        let run = scratch.run(&[&["patch", "old", "new.gosync", &server.url()][..], &options(behaviour)].concat());
        let what = format!("{behaviour:?}: exit code {}: {}", run.code, run.stderr);
        assert!(expected.contains(&run.code), "{what}");
        assert!(scratch.read("old") == if run.code == 0 { &*new } else { &*old }, "{what}");
        if run.code != 0 {
            run.assert_failed(run.code, words);
        }
        for left in [".old.gosync-part", ".old.gosync-journal"] {
            let found = std::fs::remove_file(scratch.path(left));
            assert!(run.code != 0 || found.is_err(), "{what}");
        }
        assert_eq!(scratch.names(), ["new", "new.gosync", "old"], "{what}");
    }
}
