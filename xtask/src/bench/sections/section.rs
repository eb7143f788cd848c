//! What a section is, and how its cases run ours.

use std::path::Path;

use gosync_rollsum::Tier;

use crate::bench::accounting::Invocation;
use crate::bench::case::Cases;
use crate::bench::labels::{forced, one_thread};
use crate::bench::results::Results;

/// A section.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) corpora: &'static [&'static str],
    /// Round trips, in milliseconds, to the web server that serves the files; none is no server.
    pub(crate) round_trips: &'static [u32],
    pub(crate) pace: Pace,
    /// Adds what is run on a corpus.
    pub(crate) cases: fn(&mut Cases<'_>),
    /// What it says, from its heading on.
    pub(crate) text: fn(&Results) -> String,
}

/// How much of the effort a section asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Times: several rounds of what is quick.
    Rounds,
    /// Times on large files: rounds of what takes a few seconds.
    Slow,
    /// Bytes, which are the same each time: once, with patience.
    Once,
}

/// Ours with `options` before the command in `words`; on one core if it is to use one thread.
pub(super) fn gosync(program: &Path, options: &[&str], words: &[&str], files: &[&Path]) -> Invocation {
    let run = Invocation::new(program, &[options, words].concat(), files);
    if options.windows(2).any(|pair| pair == ["-p", "1"]) { run.pinned() } else { run }
}

/// The name and the options of each variant of ours: the threads, and the tiers below the best.
pub(super) fn variants(label: &str) -> Vec<(String, Vec<String>)> {
    let options = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let threads = [(one_thread(label), options(&["-p", "1"])), (format!("{label}, 2 threads"), options(&["-p", "2"]))];
    let lesser = Tier::available().filter(|tier| *tier != Tier::detect());
    let forced = lesser.map(|tier| {
        let name = tier.to_string();
        (forced(label, &name), options(&["-p", "1", "--tier", &name]))
    });
    threads.into_iter().chain(forced).collect()
}
