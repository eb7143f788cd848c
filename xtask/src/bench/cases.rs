//! What is run: each program's commands for each kind of work.

use std::path::{Path, PathBuf};

use gosync_rollsum::Tier;

use super::accounting::Invocation;
use super::corpora::Corpus;
use super::programs::Programs;

/// A kind of work, in the order in which it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Making what is published: an index, a signature, chunks.
    Build,
    /// Finding what of the new version is in the old one, with nothing written.
    Diff,
    /// Old version and index to new version, on this machine.
    Patch,
    /// The same from a web server.
    Http,
}

impl Work {
    pub(crate) const ALL: [Self; 4] = [Self::Build, Self::Diff, Self::Patch, Self::Http];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Diff => "diff",
            Self::Patch => "patch",
            Self::Http => "patch over HTTP",
        }
    }

    /// The case that the others are compared with.
    pub(crate) fn baseline(self) -> &'static str {
        match self {
            Self::Build | Self::Diff => "gosync, 2048, 1 thread",
            Self::Patch | Self::Http => "gosync, 2048",
        }
    }
}

/// Commands that do one piece of work.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) work: Work,
    /// The program, and what sets this case apart.
    pub(crate) label: String,
    /// One of ours, which is not said to be ahead of ours.
    pub(crate) is_ours: bool,
    pub(crate) invocations: Vec<Invocation>,
    /// Files of earlier cases, without which this one cannot be run.
    pub(crate) needs: Vec<PathBuf>,
    /// Files and folders that are removed before each run.
    pub(crate) removes: Vec<PathBuf>,
    /// A file that is copied to another place before each run.
    pub(crate) copies: Option<(PathBuf, PathBuf)>,
    /// A file that has to equal the target afterwards.
    pub(crate) output: Option<PathBuf>,
    pub(crate) moved: Moved,
}

/// How to learn the bytes that would go over a network.
#[derive(Clone, Debug)]
pub(crate) enum Moved {
    Unknown,
    /// The sizes of files, or of all files in a folder.
    Files(Vec<PathBuf>),
    /// The sum of these values of the last line of JSON in a file.
    Json(PathBuf, &'static [&'static str]),
    /// What `rsync --stats` printed to a file.
    RsyncStatistics(PathBuf),
    /// What the web server logged.
    Served,
}

/// Variants of ours: the name, the file name of the index, and how to build it.
const OURS: [(&str, &str, &[&str]); 4] = [
    ("gosync, 2048", "own-2048", &["--block-size", "2048"]),
    ("gosync, default", "own", &[]),
    ("go-sync's format, 2048", "legacy-2048", &["--format", "go-sync", "--block-size", "2048"]),
    ("go-sync's format, default", "legacy", &["--format", "go-sync"]),
];

/// rdiff's two kinds of signature.
const RDIFF: [(&str, &str, &[&str]); 2] =
    [("rdiff", "blake2", &[]), ("rdiff, MD4 and rollsum", "md4", &["-H", "md4", "-R", "rollsum"])];

/// The tiers that are worth a row beside the best one.
fn forced_tiers() -> impl Iterator<Item = Tier> {
    Tier::available().filter(|tier| [Tier::Portable, Tier::Avx2].contains(tier) && *tier != Tier::detect())
}

/// Adds the cases of a program, which is at a path.
type Adder<'a> = fn(&mut Cases<'a>, &Path);

/// Makes the cases of one corpus, in a folder that they may write to.
pub(crate) struct Cases<'a> {
    corpus: &'a Corpus,
    folder: &'a Path,
    url: Option<String>,
    cases: Vec<Case>,
}

/// What the new version is called in the folder that is served.
pub(crate) const SERVED: &str = "target";

impl<'a> Cases<'a> {
    /// Every case that the programs allow; those of HTTP where the folder is served at `url`.
    pub(crate) fn all(programs: &Programs, corpus: &'a Corpus, folder: &'a Path, url: Option<String>) -> Vec<Case> {
        let mut cases = Self { corpus, folder, url, cases: Vec::new() };
        let adders: [(&str, Adder<'a>); 9] = [
            ("gosync", Self::gosync),
            ("rdiff", Self::rdiff),
            ("fast_rsync", Self::fast_rsync),
            ("zsync", Self::zsync),
            ("zsync-rs", Self::zsync_rs),
            ("rsync", Self::rsync),
            ("xdelta3", Self::xdelta3),
            ("casync", Self::casync),
            ("bita", Self::bita),
        ];
        for (name, add) in adders {
            if let Some(path) = programs.find(name) {
                add(&mut cases, path);
            }
        }
        cases.cases
    }

    fn gosync(&mut self, program: &Path) {
        let Corpus { seed, target, .. } = self.corpus;
        let (json, out) = (self.file("json"), self.file("out"));
        for (label, name, options) in OURS {
            let index = self.file(&format!("{name}.gosync"));
            for (threads, counted) in [("1", "1 thread"), ("2", "2 threads")] {
                let run = |words: &[&str], files: &[&Path]| {
                    let words = [&["-q", "--json", "-p", threads], words].concat();
                    let run = Invocation::new(program, &words, files).stdout(&json);
                    if threads == "1" { run.pinned() } else { run }
                };
                let label = format!("{label}, {counted}");
                self.add(Work::Build, &label)
                    .ours()
                    .run(run(&[&["build"], options, &["-o"]].concat(), &[&index, target]))
                    .removes(&[&index])
                    .moved(Moved::Files(vec![index.clone()]));
                self.add(Work::Diff, &label)
                    .ours()
                    .run(run(&["diff"], &[seed, &index]))
                    .needs(&[&index])
                    .moved(Moved::Json(json.clone(), &["index_bytes", "missing_bytes"]));
            }
            for tier in forced_tiers().filter(|_| name.ends_with("2048")) {
                let label = format!("{label}, 1 thread, {tier} forced");
                let forced = ["-q", "--json", "-p", "1", "--tier", &tier.to_string()];
                let run = |words: &[&str], files: &[&Path]| {
                    Invocation::new(program, &[&forced, words].concat(), files).stdout(&json).pinned()
                };
                let built = self.file("forced.gosync");
                self.add(Work::Build, &label)
                    .ours()
                    .run(run(&[&["build"], options, &["-o"]].concat(), &[&built, target]))
                    .removes(&[&built])
                    .moved(Moved::Files(vec![built.clone()]));
                self.add(Work::Diff, &label)
                    .ours()
                    .run(run(&["diff"], &[seed, &index]))
                    .needs(&[&index])
                    .moved(Moved::Json(json.clone(), &["index_bytes", "missing_bytes"]));
            }
            let patch = |index: &Path, source: &Path| {
                Invocation::new(program, &["-q", "--json", "patch"], &[seed, index, source, &out]).stdout(&json)
            };
            self.add(Work::Patch, label)
                .ours()
                .run(patch(&index, target))
                .needs(&[&index])
                .output(&out)
                .moved(Moved::Json(json.clone(), &["index_bytes", "fetched_bytes"]));
            if let Some(url) = self.url.clone() {
                let (index_url, source) = (format!("{url}/{name}.gosync"), format!("{url}/{SERVED}"));
                self.add(Work::Http, label)
                    .ours()
                    .run(patch(index_url.as_ref(), source.as_ref()))
                    .needs(&[&index])
                    .output(&out)
                    .moved(Moved::Served);
            }
        }
    }

    fn rdiff(&mut self, program: &Path) {
        for (label, name, kind) in RDIFF {
            let signature = [&["-b", "2048"], kind, &["signature"]].concat();
            self.like_rdiff(program, label, &format!("rdiff-{name}"), &signature);
        }
    }

    fn fast_rsync(&mut self, program: &Path) {
        self.like_rdiff(program, "fast_rsync", "fast_rsync", &["signature"]);
    }

    /// The signature is of the old version, as its users have it.
    fn like_rdiff(&mut self, program: &Path, label: &str, name: &str, make_signature: &[&str]) {
        let Corpus { seed, target, .. } = self.corpus;
        let signature = self.file(&format!("{name}.signature"));
        let (delta, out) = (self.file("delta"), self.file("out"));
        let run = |words: &[&str], files: &[&Path]| Invocation::new(program, words, files);
        self.add(Work::Build, label)
            .run(run(make_signature, &[seed, &signature]).pinned())
            .removes(&[&signature])
            .moved(Moved::Files(vec![signature.clone()]));
        self.add(Work::Diff, label).run(run(&["delta"], &[&signature, target]).pinned()).needs(&[&signature]);
        self.add(Work::Patch, label)
            .run(run(&["delta"], &[&signature, target, &delta]))
            .run(run(&["patch"], &[seed, &delta, &out]))
            .needs(&[&signature])
            .removes(&[&delta])
            .output(&out)
            .moved(Moved::Files(vec![signature, delta]));
    }

    fn zsync(&mut self, program: &Path) {
        let maker = program.with_file_name("zsyncmake");
        self.like_zsync(&maker, &["-b", "2048", "-C", "-e"], program, &["-q"], "zsync");
    }

    fn zsync_rs(&mut self, folder: &Path) {
        self.like_zsync(&folder.join("zsyncmake"), &["-b", "2048"], &folder.join("zsync"), &[], "zsync-rs");
    }

    fn like_zsync(&mut self, maker: &Path, make: &[&str], client: &Path, sync: &[&str], label: &str) {
        let Corpus { seed, target, .. } = self.corpus;
        let (index, out) = (self.file(&format!("{label}.zsync")), self.file("out"));
        self.add(Work::Build, label)
            .run(Invocation::new(maker, &[make, &["-u", SERVED, "-o"]].concat(), &[&index, target]).pinned())
            .removes(&[&index])
            .moved(Moved::Files(vec![index.clone()]));
        if let Some(url) = &self.url {
            let url = format!("{url}/{label}.zsync");
            let files = ["-i".as_ref(), seed.as_path(), "-o".as_ref(), &out, url.as_ref()];
            let (run, part) = (Invocation::new(client, sync, &files), self.file("out.part"));
            self.add(Work::Http, label).run(run).needs(&[&index]).removes(&[&part]).output(&out).moved(Moved::Served);
        }
    }

    /// It has no index that could be kept: both ends work at once.
    fn rsync(&mut self, program: &Path) {
        let Corpus { seed, target, .. } = self.corpus;
        let (batch, script, statistics) = (self.file("batch"), self.file("batch.sh"), self.file("statistics"));
        let out = self.file("out");
        let run = |option: &str, destination: &Path| {
            let words = ["--no-whole-file", "--ignore-times", "-B", "2048", option];
            Invocation::new(program, &words, &[target, destination])
        };
        self.add(Work::Diff, "rsync")
            .run(run(&format!("--only-write-batch={}", batch.display()), seed).pinned())
            .removes(&[&batch, &script])
            .moved(Moved::Files(vec![batch.clone()]));
        self.add(Work::Patch, "rsync")
            .run(run("--stats", &out).stdout(&statistics))
            .copies(seed, &out)
            .output(&out)
            .moved(Moved::RsyncStatistics(statistics));
    }

    /// It has both versions at hand, which the others do not.
    fn xdelta3(&mut self, program: &Path) {
        let Corpus { seed, target, .. } = self.corpus;
        let (delta, out) = (self.file("delta"), self.file("out"));
        // Its window into the old version is 64 MiB unless it is told to see more.
        let window = seed.metadata().map_or(0, |seed| seed.len()).clamp(1 << 26, (1 << 31) - 1).to_string();
        let run = |words: &[&str], files: &[&Path]| {
            let words = [words, &["-f", "-B", &window, "-s"]].concat();
            Invocation::new(program, &words, &[&[seed.as_path()], files].concat())
        };
        self.add(Work::Diff, "xdelta3").run(run(&["-e", "-c"], &[target]).pinned());
        self.add(Work::Patch, "xdelta3")
            .run(run(&["-e"], &[target, &delta]))
            .run(run(&["-d"], &[&delta, &out]))
            .removes(&[&delta])
            .output(&out)
            .moved(Moved::Files(vec![delta]));
    }

    fn casync(&mut self, program: &Path) {
        let Corpus { seed, target, .. } = self.corpus;
        let (index, store, out) = (self.file("casync.caibx"), self.file("casync.castr"), self.file("out"));
        let with_store = format!("--store={}", store.display());
        let with_seed = format!("--seed={}", seed.display());
        self.add(Work::Build, "casync")
            .run(Invocation::new(program, &["make", &with_store], &[&index, target]).pinned())
            .removes(&[&index, &store])
            .moved(Moved::Files(vec![index.clone(), store]));
        self.add(Work::Patch, "casync")
            .run(Invocation::new(program, &["extract", &with_store, &with_seed], &[&index, &out]))
            .needs(&[&index])
            .output(&out);
    }

    fn bita(&mut self, program: &Path) {
        let Corpus { seed, target, .. } = self.corpus;
        let (archive, out) = (self.file("bita.cba"), self.file("out"));
        // Uncompressed, as the others are.
        let compress = ["compress", "--compression", "none", "-i"];
        self.add(Work::Build, "bita")
            .run(Invocation::new(program, &compress, &[target, &archive]).pinned())
            .removes(&[&archive])
            .moved(Moved::Files(vec![archive.clone()]));
        let clone = |from: &Path| Invocation::new(program, &["clone", "--seed"], &[seed, from, &out]);
        self.add(Work::Patch, "bita").run(clone(&archive)).needs(&[&archive]).output(&out);
        if let Some(url) = self.url.clone() {
            self.add(Work::Http, "bita")
                .run(clone(format!("{url}/bita.cba").as_ref()))
                .needs(&[&archive])
                .output(&out)
                .moved(Moved::Served);
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn add(&mut self, work: Work, label: &str) -> &mut Case {
        self.cases.push(Case {
            work,
            label: label.to_owned(),
            is_ours: false,
            invocations: Vec::new(),
            needs: Vec::new(),
            removes: Vec::new(),
            copies: None,
            output: None,
            moved: Moved::Unknown,
        });
        self.cases.last_mut().expect("a case was just added")
    }
}

/// How a case is put together.
impl Case {
    fn ours(&mut self) -> &mut Self {
        self.is_ours = true;
        self
    }

    fn run(&mut self, invocation: Invocation) -> &mut Self {
        self.invocations.push(invocation);
        self
    }

    fn needs(&mut self, files: &[&Path]) -> &mut Self {
        self.needs.extend(files.iter().map(|file| file.to_path_buf()));
        self
    }

    fn removes(&mut self, files: &[&Path]) -> &mut Self {
        self.removes.extend(files.iter().map(|file| file.to_path_buf()));
        self
    }

    fn copies(&mut self, from: &Path, to: &Path) -> &mut Self {
        self.copies = Some((from.to_owned(), to.to_owned()));
        self
    }

    fn output(&mut self, file: &Path) -> &mut Self {
        self.output = Some(file.to_owned());
        self.removes(&[file])
    }

    fn moved(&mut self, moved: Moved) -> &mut Self {
        self.moved = moved;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::programs::PEERS;

    fn cases(names: &[&'static str]) -> Vec<Case> {
        let corpus = Corpus { name: "x", seed: "/seed".into(), target: "/target".into() };
        let programs = Programs::fixed(names);
        Cases::all(&programs, &corpus, Path::new("/scratch"), Some("http://localhost".into()))
    }

    #[test]
    fn every_work_has_its_baseline_once_and_first() {
        let cases = cases(&[&["gosync"], PEERS].concat());
        for work in Work::ALL {
            let labels: Vec<_> = cases.iter().filter(|case| case.work == work).map(|case| &case.label).collect();
            assert_eq!(labels.iter().filter(|label| **label == work.baseline()).count(), 1, "{labels:?}");
            assert_eq!(labels[0], work.baseline());
        }
    }

    #[test]
    fn every_peer_has_cases() {
        for &peer in PEERS {
            let cases = cases(&[peer]);
            assert!(cases.len() >= 2 && cases.iter().all(|case| !case.is_ours), "{peer}");
            assert!(cases.iter().any(|case| case.output.is_some()), "{peer} makes the new version");
        }
    }

    #[test]
    fn what_is_needed_is_made_by_a_build() {
        let cases = cases(&[&["gosync"], PEERS].concat());
        let built: Vec<_> =
            cases.iter().filter(|case| case.work == Work::Build).flat_map(|case| &case.removes).collect();
        for case in &cases {
            assert!(case.needs.iter().all(|need| built.contains(&need)), "{case:?}");
            assert!(case.output.iter().all(|output| case.removes.contains(output)), "{case:?}");
        }
    }
}
