//! What is wanted, and whether it was reached: from the results, row by row.

use super::local::{self, BUILD, DIFF, forced, one_thread};
use super::{librsync, network, wire, zsync};
use crate::bench::report::{CPU, WALL, median, values};
use crate::bench::results::{Measured, Results, Row};
use crate::bench::statistics::Spread;
use crate::bench::table::{figure, grouped};

/// A row of the table.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) what: String,
    pub(super) wanted: String,
    pub(super) measured: String,
    /// Above 1 is reached; `None` where something was not measured.
    pub(super) share: Option<f64>,
}

/// The rates that are wanted of the best tier, of AVX2 and of portable code, 10⁹ bytes a second of one core.
struct Rates {
    what: &'static str,
    corpus: &'static str,
    work: &'static str,
    case: &'static str,
    wanted: [f64; 3],
}

const RANDOM: &str = "random-large";
const IDENTICAL: &str = "identical-large";
const OWN: &str = "gosync, 2048";
const LEGACY: &str = "go-sync's format, 2048";
const MD4: &str = "gosync rdiff, MD4";
const BLAKE2: &str = "gosync rdiff, BLAKE2";
const ZSYNC: &str = "gosync zsync";

const fn rates(
    what: &'static str,
    corpus: &'static str,
    work: &'static str,
    case: &'static str,
    wanted: [f64; 3],
) -> Rates {
    Rates { what, corpus, work, case, wanted }
}

const RATES: [Rates; 12] = [
    rates("diff, nothing in common, our format", RANDOM, DIFF, OWN, [1.2, 0.8, 0.42]),
    rates("the same, go-sync's sums", RANDOM, DIFF, LEGACY, [0.8, 0.6, 0.4]),
    rates("the same, librsync's BLAKE2 sums", RANDOM, DIFF, BLAKE2, [0.8, 0.6, 0.4]),
    rates("the same, librsync's MD4 sums", RANDOM, DIFF, MD4, [0.8, 0.6, 0.4]),
    rates("the same, zsync's sums", RANDOM, DIFF, ZSYNC, [0.8, 0.6, 0.4]),
    rates("diff, identical, go-sync's sums", IDENTICAL, DIFF, LEGACY, [6.0, 4.0, 1.6]),
    rates("diff, identical, our format", IDENTICAL, DIFF, OWN, [3.6, 3.6, 1.6]),
    rates("build, go-sync's format", RANDOM, BUILD, LEGACY, [8.0, 5.0, 2.0]),
    rates("build, librsync's MD4", RANDOM, BUILD, MD4, [10.0, 5.0, 2.5]),
    rates("build, librsync's BLAKE2", RANDOM, BUILD, BLAKE2, [4.0, 1.8, 0.9]),
    rates("build, our format", RANDOM, BUILD, OWN, [4.0, 3.0, 1.5]),
    rates("build, zsync's control file (SHA-1 is one chain)", RANDOM, BUILD, ZSYNC, [1.7, 1.7, 0.0]),
];

/// Speed that is wanted as a multiple of a peer's: what, corpus, work, our case, the peer's, how often.
type Multiple = (&'static str, &'static str, &'static str, &'static str, &'static str, f64);

const MULTIPLES: [Multiple; 12] = [
    ("delta of rdiff BLAKE2, nothing in common", RANDOM, DIFF, BLAKE2, "rdiff, BLAKE2", 16.0),
    ("delta of rdiff MD4, nothing in common", RANDOM, DIFF, MD4, "rdiff, MD4", 16.0),
    ("diff in go-sync's format against rdiff MD4", RANDOM, DIFF, LEGACY, "rdiff, MD4", 16.0),
    ("diff in our format against rdiff BLAKE2", RANDOM, DIFF, OWN, "rdiff, BLAKE2", 20.0),
    ("scan of zsync, nothing in common", RANDOM, DIFF, ZSYNC, ZSYNC_PIECE, 60.0),
    ("diff in go-sync's format against zsync", RANDOM, DIFF, LEGACY, ZSYNC_PIECE, 70.0),
    ("delta of rdiff BLAKE2, identical", IDENTICAL, DIFF, BLAKE2, "rdiff, BLAKE2", 6.0),
    ("delta of rdiff MD4, identical", IDENTICAL, DIFF, MD4, "rdiff, MD4", 6.0),
    ("signature of rdiff BLAKE2", RANDOM, BUILD, BLAKE2, "rdiff, BLAKE2", 8.0),
    ("signature of rdiff MD4", RANDOM, BUILD, MD4, "rdiff, MD4", 8.0),
    ("build in our format against rdiff BLAKE2", RANDOM, BUILD, OWN, "rdiff, BLAKE2", 8.0),
    ("control file of zsyncmake, the same bytes", RANDOM, BUILD, ZSYNC, "zsync's zsyncmake", 3.5),
];

/// zsync's scan of a piece of the seed, since all of it would take minutes.
pub(super) const ZSYNC_PIECE: &str = "zsync, of a sixteenth";

/// Every row, in the order of what is wanted.
pub(super) fn outcomes(results: &Results) -> Vec<Outcome> {
    let nothing = Measured::default();
    let section = |name: &str| results.section(name).unwrap_or(&nothing);
    let large = section(super::target_table::SECTION.name);
    let mut rows: Vec<Outcome> = RATES.iter().flat_map(|goal| rate_outcomes(large, goal)).collect();
    rows.extend(MULTIPLES.iter().map(|goal| multiple(large, goal)));
    rows.extend(threads(large));
    rows.extend(section(local::SECTION.name).corpora(DIFF).iter().map(|corpus| {
        let local = section(local::SECTION.name);
        let [one, base] = [corpus, "random"].map(|corpus| rate(local.find(corpus, DIFF, &one_thread(OWN))));
        ratio(
            format!("rate of diff on *{corpus}*, of that on random data"),
            0.25,
            one.zip(base).map(|(one, base)| one / base),
        )
    }));
    rows.push(copying(section(local::SECTION.name)));
    rows.extend(syncs(section(network::SECTION.name), "gosync"));
    let far = section(network::SECTION.name).find("ranges", network::work(40), "gosync, default");
    let seconds = |seconds: f64| format!("{} s", figure(seconds));
    let what = "whole sync of 410 scattered ranges of 16 KiB at 40 ms, wall time".into();
    rows.push(at_most(what, 0.3, far.and_then(|row| median(row, WALL)), seconds));
    rows.extend(syncs(section(zsync::SECTION.name), "gosync zsync"));
    rows.extend(bytes(section(wire::SECTION.name)));
    rows.extend(on_real_data(section(librsync::SECTION.name)));
    rows
}

/// Bytes a second of processor time.
fn rate(row: Option<&Row>) -> Option<f64> {
    let row = row?;
    median(row, CPU).filter(|cpu| *cpu > 0.0).map(|cpu| row.bytes as f64 / cpu)
}

fn rate_outcomes(section: &Measured, goal: &Rates) -> Vec<Outcome> {
    let [best, avx2, portable] = goal.wanted;
    // Less is wanted of a machine without AVX-512, whose best tier is the one below.
    let has_avx512 = section.machine.extensions.iter().any(|name| name == "avx512_vbmi2");
    let forced = |name: &str| forced(goal.case, name);
    let variants = [
        (", AVX-512", one_thread(goal.case), if has_avx512 { best } else { 0.0 }),
        (", AVX2", if has_avx512 { forced("avx2") } else { one_thread(goal.case) }, avx2),
        (", portable", forced("portable"), portable),
    ];
    let wanted = variants.into_iter().filter(|variant| variant.2 > 0.0);
    let outcome = |(tier, case, wanted): (&str, String, f64)| {
        let rate = rate(section.find(goal.corpus, goal.work, &case)).map(|rate| rate / 1e9);
        Outcome {
            what: format!("{}{tier}", goal.what),
            wanted: format!("{} GB/s", figure(wanted)),
            measured: rate.map_or_else(String::new, |rate| format!("{} GB/s", figure(rate))),
            share: rate.map(|rate| rate / wanted),
        }
    };
    wanted.map(outcome).collect()
}

fn multiple(section: &Measured, &(what, corpus, work, ours, peer, wanted): &Multiple) -> Outcome {
    let ours = rate(section.find(corpus, work, &one_thread(ours)));
    let peer = rate(section.find(corpus, work, peer));
    ratio(format!("{what}, speed"), wanted, ours.zip(peer).map(|(ours, peer)| ours / peer))
}

fn ratio(what: String, wanted: f64, measured: Option<f64>) -> Outcome {
    Outcome {
        what,
        wanted: format!("{} x", figure(wanted)),
        measured: measured.map_or_else(String::new, |ratio| format!("{} x", figure(ratio))),
        share: measured.map(|ratio| ratio / wanted),
    }
}

/// At most `wanted` of something.
fn at_most(what: String, wanted: f64, measured: Option<f64>, show: impl Fn(f64) -> String) -> Outcome {
    Outcome {
        what,
        wanted: format!("at most {}", show(wanted)),
        measured: measured.map_or_else(String::new, &show),
        share: measured.map(|measured| wanted / measured.max(f64::MIN_POSITIVE)),
    }
}

fn threads(section: &Measured) -> Vec<Outcome> {
    let gain = |what: &str, work: &str, case: &str| {
        let wall = |case: &str| section.find(RANDOM, work, case).map(|row| values(row, WALL));
        let spread = wall(&one_thread(case)).zip(wall(&format!("{case}, 2 threads")));
        let spread = spread.and_then(|(one, two)| Spread::of_ratios(&one, &two));
        ratio(format!("two cores against one, {what}"), 1.7, spread.map(|spread| spread.median))
    };
    vec![
        gain("diff, our format", DIFF, OWN),
        gain("build, our format", BUILD, OWN),
        gain("diff, go-sync's format", DIFF, LEGACY),
        gain("build, go-sync's format", BUILD, LEGACY),
        gain("delta of rdiff MD4", DIFF, MD4),
        gain("signature of rdiff MD4", BUILD, MD4),
    ]
}

fn copying(section: &Measured) -> Outcome {
    let wall = |case: &str| section.find("identical", "patch", case).map(|row| values(row, WALL));
    let spread = wall(OWN).zip(wall("cp, of the new version")).and_then(|(ours, cp)| Spread::of_ratios(&ours, &cp));
    let show = |ratio: f64| format!("{} x", figure(ratio));
    at_most("patch from a cached identical seed, wall time of cp".into(), 1.0, spread.map(|spread| spread.median), show)
}

/// The fastest peer's time against ours, wherever there is a peer.
fn syncs(section: &Measured, ours: &str) -> Vec<Outcome> {
    let works = network::ROUND_TRIPS.iter().map(|round_trip| network::work(*round_trip));
    let cells = works.flat_map(|work| section.corpora(work).into_iter().map(move |corpus| (work, corpus)));
    cells
        .map(|(work, corpus)| {
            let rows = section.rows.iter().filter(|row| row.work == work && row.corpus == corpus);
            let walls = rows.filter_map(|row| Some((row, median(row, WALL)?)));
            let (own, peers): (Vec<_>, Vec<_>) = walls.partition(|(row, _)| row.is_ours());
            let own = own.iter().find(|(row, _)| row.case.starts_with(ours)).map(|(_, wall)| *wall);
            let peer = peers.iter().min_by(|one, other| one.1.total_cmp(&other.1));
            let name = peer.map_or("a peer", |(row, _)| row.case.as_str());
            let what = format!("{ours}, {work} of *{corpus}*, against {name}, the fastest peer");
            ratio(what, 1.0, own.zip(peer).map(|(own, (_, peer))| peer / own))
        })
        .collect()
}

/// What is wanted of bytes: of the best flat block size, of peers, and in all.
fn bytes(section: &Measured) -> Vec<Outcome> {
    let kilobytes = |bytes: f64| format!("{} kB", grouped((bytes / 1000.0).round() as u64));
    let moved = |corpus: &str, case: &str| {
        section.find(corpus, wire::BYTES, case).and_then(wire::moved).map(|bytes| bytes as f64)
    };
    let mut rows = Vec::new();
    for corpus in section.corpora(wire::BYTES) {
        let peer = wire::best(section, corpus, |case| wire::REMOTE.contains(&case));
        let own = wire::best(section, corpus, |case| [wire::DEFAULT, wire::COMPRESSED].contains(&case));
        if let Some((name, peer)) = peer {
            let what = format!("bytes on the wire of *{corpus}*, against {name}, the best peer");
            rows.push(at_most(what, peer as f64, own.map(|own| own.1 as f64), kilobytes));
        }
    }
    for (corpus, share) in [("typescript", 0.6), ("scipy", 0.8), ("json", 0.85), ("sqlite", 0.85)] {
        let flat = wire::best(section, corpus, |case| case.starts_with(wire::FLAT_COMPRESSED));
        let ratio = moved(corpus, wire::COMPRESSED).zip(flat).map(|(own, flat)| own / flat.1 as f64);
        let show = |ratio: f64| format!("{} x", figure(ratio));
        rows.push(at_most(format!("bytes of *{corpus}*, compressed, of the best flat size"), share, ratio, show));
    }
    let alone = moved(wire::UNRELATED, wire::COMPRESSED).zip(moved(wire::UNRELATED, wire::ALONE));
    let what = format!("bytes of *{}*, of what {} takes", wire::UNRELATED, wire::ALONE);
    rows.push(at_most(what, 1.02, alone.map(|(own, zstd)| own / zstd), |ratio| format!("{} x", figure(ratio))));
    let totals = [
        ("typescript", "uncompressed", 2e6),
        ("changes-large", "uncompressed", 1.2e6),
        ("identical-large", "to confirm", 400e3),
    ];
    for (corpus, how, wanted) in totals {
        rows.push(at_most(format!("bytes of *{corpus}*, {how}"), wanted, moved(corpus, wire::DEFAULT), kilobytes));
    }
    let requests = section.find("identical-large", wire::BYTES, wire::DEFAULT);
    let requests = requests.and_then(|row| row.runs.last()?.requests).map(|requests| requests as f64);
    rows.push(at_most("requests of *identical-large*".into(), 3.0, requests, |requests| format!("{requests}")));
    rows
}

/// What is wanted on real data, which the large files are not: our case, the peer's, the work, how often.
const REAL: [(&str, &str, &str, f64); 5] = [
    (MD4, "rdiff, MD4", "delta", 10.0),
    (BLAKE2, "rdiff, BLAKE2", "delta", 10.0),
    (MD4, "rdiff, MD4", "patch", 1.0),
    (MD4, "fast_rsync, MD4", "delta", 1.0),
    (MD4, "fast_rsync, MD4", "signature", 1.0),
];

fn on_real_data(section: &Measured) -> Vec<Outcome> {
    let outcome = |&(ours, peer, work, wanted): &(&'static str, &'static str, &'static str, f64)| {
        let row = multiple(section, &("", "scipy", work, ours, peer, wanted));
        Outcome { what: format!("{ours}, {work} of *scipy*, against {peer}, speed"), ..row }
    };
    REAL.iter().map(outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::accounting::Usage;
    use crate::bench::machine::Machine;
    use crate::bench::results::Run;

    fn results(extensions: &[&str], rows: &[(&str, &str, &str, f64)]) -> Results {
        let row = |&(corpus, work, case, cpu): &(&str, &str, &str, f64)| {
            let run = Run { usage: Usage { wall: cpu, cpu, peak: 1 }, moved: None, requests: None };
            let [corpus, work, case] = [corpus, work, case].map(str::to_owned);
            Row { corpus, work, case, bytes: 2_000_000_000, runs: vec![run], ..Row::default() }
        };
        let mut results = Results::default();
        let rows = rows.iter().map(row).collect();
        let extensions = extensions.iter().map(|name| (*name).to_owned()).collect();
        let machine = Machine { extensions, ..Machine::default() };
        results.keep("target-table", Measured { rows, machine, ..Measured::default() }, false);
        results
    }

    #[test]
    fn what_was_missed_is_below_one() {
        let (own, avx2) = (one_thread(OWN), forced(OWN, "avx2"));
        let measured = [
            (RANDOM, DIFF, own.as_str(), 2.0),
            (RANDOM, DIFF, avx2.as_str(), 2.0),
            (RANDOM, DIFF, "rdiff, BLAKE2", 80.0),
        ];
        let rows = outcomes(&results(&["avx512_vbmi2"], &measured));
        let find = |what: &str| rows.iter().find(|row| row.what == what).unwrap();
        let best = find("diff, nothing in common, our format, AVX-512");
        assert_eq!((best.measured.as_str(), best.wanted.as_str()), ("1.00 GB/s", "1.20 GB/s"));
        assert!(best.share.unwrap() < 1.0);
        assert!(find("diff, nothing in common, our format, AVX2").share.unwrap() > 1.0);
        assert_eq!(find("diff, nothing in common, our format, portable").share, None);
        let multiple = find("diff in our format against rdiff BLAKE2, speed");
        assert_eq!((multiple.measured.as_str(), multiple.share), ("40.0 x", Some(2.0)));
        let rows = outcomes(&results(&["avx2"], &measured[..1]));
        assert!(rows.iter().all(|row| !row.what.contains("AVX-512")));
        assert!(rows.iter().any(|row| row.what.ends_with("our format, AVX2") && row.share > Some(1.0)));
    }

    #[test]
    fn less_is_more_where_it_is_bytes() {
        let show = |bytes: f64| format!("{bytes}");
        assert_eq!(at_most("x".into(), 10.0, Some(5.0), show).share, Some(2.0));
        assert!(at_most("x".into(), 10.0, Some(11.0), show).share.unwrap() < 1.0);
        assert_eq!(at_most("x".into(), 10.0, None, show).measured, "");
    }
}
