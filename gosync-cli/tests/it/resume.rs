//! Runs that are killed, interrupted or cut off, and the run after.

use std::ops::Range;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use gosync_testkit::{Random, corpus};
use serde_json::Value;

use crate::proxy::{Line, Proxy};
use crate::support::{Scratch, Serving};

const BLOCK: usize = 4096;
const LEFT: [&str; 5] = [".old.gosync-journal", ".old.gosync-part", "new", "new.gosync", "old"];

/// `new` with its index, and `old`, which has the first `common` bytes of it; served.
fn published(length: usize, common: usize) -> (Scratch, Vec<u8>, Serving) {
    let scratch = Scratch::new();
    let target = corpus::random(1, length);
    scratch.write("new", &target);
    scratch.write("old", &target[..common]);
    assert_eq!(scratch.run(&["build", "new", "--block-size", &BLOCK.to_string()]).code, 0);
    let server = scratch.serve();
    (scratch, target, server)
}

/// Starts a patch of `old` over `proxy`.
fn start(scratch: &Scratch, proxy: &Proxy) -> Child {
    let mut command = scratch.command(&["patch", "old", "new.gosync", &format!("{}/new", proxy.url), "--json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} does not happen");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The blocks of the target that stand in the staged file.
fn standing(scratch: &Scratch, target: &[u8]) -> Vec<Range<u64>> {
    let part = std::fs::read(scratch.path(".old.gosync-part")).unwrap_or_default();
    let blocks = target.chunks(BLOCK).zip(part.chunks(BLOCK)).zip((0u64..).step_by(BLOCK));
    blocks.filter(|((target, part), _)| target == part).map(|(_, start)| start..start + BLOCK as u64).collect()
}

fn overlap(some: &[Range<u64>], others: &[Range<u64>]) -> u64 {
    let common =
        |one: &Range<u64>, other: &Range<u64>| one.end.min(other.end).saturating_sub(one.start.max(other.start));
    some.iter().map(|one| others.iter().map(|other| common(one, other)).sum::<u64>()).sum()
}

/// Kills a patch of `old` to `new`, which takes `to_fetch` bytes, at twenty moments. Tells
/// how many bytes came meanwhile.
pub(crate) fn kill_twenty_times(scratch: &Scratch, proxy: &Proxy, to_fetch: u64, mut after_each: impl FnMut()) -> u64 {
    let mut random = Random::new(7);
    let begin = proxy.passed();
    for kill in 0..20 {
        let before = proxy.passed();
        let mut child = start(scratch, proxy);
        if kill % 4 == 0 {
            thread::sleep(Duration::from_micros(random.range(0..40_000) as u64));
        } else {
            let moment = before + random.range(0..to_fetch as usize / 20) as u64;
            wait_until("the moment to kill", || proxy.passed() >= moment);
        }
        assert!(child.try_wait().unwrap().is_none(), "it has ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        after_each();
    }
    proxy.passed() - begin
}

#[test]
fn killed_twenty_times() {
    const LENGTH: usize = 24 << 20;
    let (scratch, target, server) = published(LENGTH, LENGTH / 8);
    let old = scratch.read("old");
    let to_fetch = (LENGTH - old.len()) as u64;
    let proxy = Proxy::new(&server, Line { rate: Some(8 << 20), ..Line::default() });
    let (mut stood, mut asked_again) = (Vec::new(), 0);
    let killed = kill_twenty_times(&scratch, &proxy, to_fetch, || {
        assert!(scratch.read("old") == old, "the old file is untouched");
        asked_again += overlap(&proxy.take_ranges(), &stood);
        stood = standing(&scratch, &target);
    });
    let done = scratch.json(&["patch", "old", "new.gosync"]);
    assert!(scratch.read("old") == target);
    assert_eq!(scratch.names(), ["new", "new.gosync", "old"]);

    let fetched = done["fetched_bytes"].as_u64().unwrap();
    assert_eq!(done["kept_bytes"], BLOCK * stood.len());
    assert!(asked_again < to_fetch / 20, "{asked_again} bytes were asked for again");
    // What was under way when it was killed: six connections, at most as far behind as
    // the line carries in 60 ms.
    let all = killed + fetched;
    assert!(all < to_fetch * 21 / 20 + (20 << 19), "{all} bytes instead of {to_fetch}, of which {killed} were killed");
    assert!(fetched < to_fetch * 3 / 4, "{fetched} bytes in the last run");
}

/// A patch that waits for a server which has stopped in the middle of an answer.
fn hanging() -> (Scratch, Vec<u8>, Proxy, Child, Serving) {
    let (scratch, target, server) = published(4 << 20, 2 << 20);
    let proxy = Proxy::new(&server, Line { stalls_after: Some(1 << 20), ..Line::default() });
    let child = start(&scratch, &proxy);
    wait_until("half of it", || standing(&scratch, &target).len() * BLOCK > (2 << 20) + (3 << 18));
    (scratch, target, proxy, child, server)
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let mut kill = std::process::Command::new("kill");
    assert!(kill.args([name, &child.id().to_string()]).status().unwrap().success());
}

#[cfg(target_os = "linux")]
fn has_thread(child: &Child, name: &str) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
    let names = threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).any(|thread| thread == name)
}

/// The second run finishes, and does not fetch again what the first one got.
fn assert_resumable(scratch: &Scratch, target: &[u8]) {
    assert_eq!(scratch.names(), LEFT);
    assert!(scratch.read("old") == target[..target.len() / 2], "the old file is untouched");
    let stands = standing(scratch, target).len() * BLOCK;
    assert!(stands > target.len() / 2, "something was fetched");
    let done = scratch.json(&["patch", "old", "new.gosync"]);
    assert_eq!((&done["kept_bytes"], &done["fetched_bytes"]), (&stands.into(), &(target.len() - stands).into()));
    assert!(scratch.read("old") == target);
    assert_eq!(scratch.names(), ["new", "new.gosync", "old"], "nothing is left");
}

#[test]
fn a_run_that_is_killed_while_another_waits() {
    let (scratch, target, _proxy, mut killed, _server) = hanging();
    let busy = scratch.run(&["patch", "old", "new.gosync"]);
    busy.assert_failed(1, "another process is writing it");
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_resumable(&scratch, &target);
}

#[cfg(unix)]
#[test]
fn interrupted_while_the_server_hangs() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut fastest = Duration::MAX;
        // A machine that is busy with other tests may need another try.
        for _ in 0..5 {
            let (scratch, target, _proxy, child, _server) = hanging();
            let start = Instant::now();
            signal(&child, name);
            let output = child.wait_with_output().unwrap();
            fastest = fastest.min(start.elapsed());
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(code), "{stderr}");
            assert!(stderr.ends_with("interrupted; what was fetched is kept: run the same command again to go on\n"));
            let stdout = String::from_utf8(output.stdout).unwrap();
            let event: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
            assert_eq!((&event["event"], &event["exit_code"]), (&"interrupted".into(), &code.into()));
            assert_eq!(event["resumable"], true);
            assert_resumable(&scratch, &target);
            if fastest < Duration::from_millis(1500) {
                break;
            }
        }
        assert!(fastest < Duration::from_millis(1500), "it took {fastest:?}");
    }
}

#[cfg(unix)]
#[test]
fn interrupted_twice() {
    for _ in 0..5 {
        let (scratch, target, _proxy, child, _server) = hanging();
        signal(&child, "-INT");
        thread::sleep(Duration::from_millis(100));
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        assert_resumable(&scratch, &target);
        // On a busy machine the second may come too late.
        if !String::from_utf8(output.stderr).unwrap().contains("interrupted") {
            return;
        }
    }
    panic!("the second signal did not end it at once");
}

#[cfg(unix)]
#[test]
fn interrupted_while_bytes_flow() {
    let (scratch, target, server) = published(4 << 20, 2 << 20);
    let proxy = Proxy::new(&server, Line { rate: Some(1 << 19), ..Line::default() });
    let child = start(&scratch, &proxy);
    wait_until("a part of it", || standing(&scratch, &target).len() * BLOCK > (2 << 20) + (1 << 19));
    signal(&child, "-TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
    assert_resumable(&scratch, &target);

    // Nothing is left of what is not worth it.
    scratch.write("old", b"");
    let stalled = Proxy::new(&server, Line { stalls_after: Some(0), ..Line::default() });
    let child = start(&scratch, &stalled);
    wait_until("a request", || stalled.passed() > 0);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "interrupted\n");
    let done = scratch.json(&["patch", "old", "new.gosync"]);
    assert_eq!(done["fetched_bytes"], 4 << 20);
}

#[cfg(target_os = "linux")]
#[test]
fn interrupted_while_it_computes() {
    let scratch = Scratch::new();
    std::fs::File::create_new(scratch.path("holes")).unwrap().set_len(64 << 30).unwrap();
    let mut command = scratch.command(&["build", "holes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Before it listens the signal ends it as it ends everybody.
    wait_until("a thread that waits for signals", || has_thread(&child, "interrupt"));
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "interrupted\n");
    assert_eq!(scratch.names(), ["holes"]);
}

#[test]
fn cut_off() {
    let (scratch, target, server) = published(4 << 20, 2 << 20);
    let proxy = Proxy::new(&server, Line { breaks_after: Some(1 << 20), ..Line::default() });
    let run = scratch.run(&["patch", "old", "new.gosync", &format!("{}/new", proxy.url)]);
    run.assert_failed(4, "error: ");
    let hint = "hint: nothing was replaced, and what was fetched is kept; run the same command again when";
    assert!(run.stderr.contains(hint), "{}", run.stderr);
    assert_resumable(&scratch, &target);
}

#[test]
fn wrong_once() {
    let (scratch, target, server) = published(4 << 20, 0);
    let proxy = Proxy::new(&server, Line { flips_after: Some(1 << 20), ..Line::default() });
    let done = scratch.json(&["patch", "old", "new.gosync", &format!("{}/new", proxy.url)]);
    assert!(scratch.read("old") == target);
    assert_eq!(done["refetched_blocks"], 1);
    assert_eq!(done["fetched_bytes"], (4 << 20) + BLOCK);
}

#[test]
fn wrong_always() {
    let (scratch, target, server) = published(4 << 20, 2 << 20);
    let mut wrong = target.clone();
    wrong[3_000_000] ^= 1;
    wrong[3_500_000] ^= 1;
    scratch.write("new", &wrong);
    let proxy = Proxy::new(&server, Line::default());
    let run = scratch.run(&["patch", "old", "new.gosync", &format!("{}/new", proxy.url)]);
    run.assert_failed(3, "bytes 2998272..3002368, 3497984..3502080 are missing or wrong, also when fetched again");
    assert!(run.stderr.contains("what was right is kept: run the command again with another source"), "{}", run.stderr);
    // Another source may have the rest.
    scratch.write("new", &target);
    let stands = standing(&scratch, &target).len() * BLOCK;
    assert_eq!(stands, (4 << 20) - 2 * BLOCK);
    assert_resumable(&scratch, &target);
}

#[test]
fn the_target_changed_meanwhile() {
    let (scratch, target, proxy, mut killed, _server) = hanging();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let fetched = standing(&scratch, &target).len() * BLOCK - (2 << 20);
    drop(proxy);
    let newer = [b"a little more in front", &target[..]].concat();
    scratch.write("new", &newer);
    assert_eq!(scratch.run(&["build", "new", "--block-size", &BLOCK.to_string()]).code, 0);
    let done = scratch.json(&["patch", "old", "new.gosync"]);
    assert!(scratch.read("old") == newer);
    // A few blocks that were cut apart are lost.
    assert!(done["fetched_bytes"].as_u64().unwrap() < ((2 << 20) - fetched + 20 * BLOCK) as u64, "{done}, {fetched}");
    assert_eq!(done["kept_bytes"], 0);
    assert_eq!(scratch.names(), ["new", "new.gosync", "old"]);
}
