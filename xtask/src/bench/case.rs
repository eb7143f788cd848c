//! What is run: the commands of one piece of work, what they need, and what they make.

use std::path::{Path, PathBuf};

use super::accounting::Invocation;
use super::corpora::Corpus;
use super::programs::Programs;
use super::ways::Shell;

/// What the new version is called in the folder that is served.
pub(crate) const SERVED: &str = "target";

/// Commands that do one piece of work.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) work: &'static str,
    pub(crate) program: &'static str,
    /// The program, and what sets this case apart.
    pub(crate) label: String,
    /// Run once before all else, and not measured.
    pub(crate) preparations: Vec<Invocation>,
    pub(crate) invocations: Vec<Invocation>,
    /// Files of earlier cases, without which this one cannot be run.
    pub(crate) needs: Vec<PathBuf>,
    /// Files and folders that are removed before each run.
    pub(crate) removes: Vec<PathBuf>,
    /// A file or folder that is copied to another place before each run.
    pub(crate) copies: Option<(PathBuf, PathBuf)>,
    /// A file or folder that has to equal the target afterwards.
    pub(crate) output: Option<PathBuf>,
    pub(crate) moved: Moved,
    /// What the rate is the rate of.
    pub(crate) bytes: u64,
    /// Every case on this corpus with the same name here has to make the same.
    pub(crate) product: Option<(String, Product)>,
    /// An index, to whose size memory is bound.
    pub(crate) index: Option<PathBuf>,
    /// Whether what it cost is kept; what is not is run once, for what it makes.
    pub(crate) is_recorded: bool,
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

/// What has to be the same whatever the instructions and the number of threads.
#[derive(Clone, Debug)]
pub(crate) enum Product {
    File(PathBuf),
    /// These values of the last line of JSON in a file.
    Json(PathBuf, &'static [&'static str]),
}

/// The cases on one corpus, in a folder that they may write to and that is served.
pub(crate) struct Cases<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) corpus: &'a Corpus,
    folder: &'a Path,
    /// Where the folder is served, each with the round trip in milliseconds.
    pub(crate) urls: &'a [(u32, String)],
    /// Where one can log in to what has the new version, each with the round trip.
    pub(crate) shells: &'a [(u32, Shell)],
    all: Vec<Case>,
}

impl<'a> Cases<'a> {
    pub(crate) fn new(
        programs: &'a Programs,
        corpus: &'a Corpus,
        folder: &'a Path,
        urls: &'a [(u32, String)],
        shells: &'a [(u32, Shell)],
    ) -> Self {
        Self { programs, corpus, folder, urls, shells, all: Vec::new() }
    }

    pub(crate) fn into_all(self) -> Vec<Case> {
        self.all
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The new version in the folder that is served, so that indexes name it.
    pub(crate) fn target(&self) -> PathBuf {
        self.file(SERVED)
    }

    pub(crate) fn seed_bytes(&self) -> u64 {
        self.corpus.seed.metadata().map_or(0, |seed| seed.len())
    }

    pub(crate) fn target_bytes(&self) -> u64 {
        self.corpus.target.metadata().map_or(0, |target| target.len())
    }

    /// A case of `program`, which measures by the bytes of the new version unless told otherwise.
    pub(crate) fn add(&mut self, work: &'static str, program: &'static str, label: &str) -> &mut Case {
        let bytes = self.target_bytes();
        self.all.push(Case {
            work,
            program,
            label: label.to_owned(),
            preparations: Vec::new(),
            invocations: Vec::new(),
            needs: Vec::new(),
            removes: Vec::new(),
            copies: None,
            output: None,
            moved: Moved::Unknown,
            bytes,
            product: None,
            index: None,
            is_recorded: true,
        });
        self.all.last_mut().expect("a case was just added")
    }

    /// Runs those cases that are `meant` for what they make, and does not record them.
    pub(crate) fn check_only(&mut self, meant: impl Fn(&Case) -> bool) {
        self.all.iter_mut().filter(|case| meant(case)).for_each(|case| case.is_recorded = false);
    }
}

/// How a case is put together.
impl Case {
    pub(crate) fn prepare(&mut self, invocation: Invocation) -> &mut Self {
        self.preparations.push(invocation);
        self
    }

    pub(crate) fn run(&mut self, invocation: Invocation) -> &mut Self {
        self.invocations.push(invocation);
        self
    }

    pub(crate) fn needs(&mut self, files: &[&Path]) -> &mut Self {
        self.needs.extend(files.iter().map(|file| file.to_path_buf()));
        self
    }

    pub(crate) fn removes(&mut self, files: &[&Path]) -> &mut Self {
        self.removes.extend(files.iter().map(|file| file.to_path_buf()));
        self
    }

    pub(crate) fn copies(&mut self, from: &Path, to: &Path) -> &mut Self {
        self.copies = Some((from.to_owned(), to.to_owned()));
        self
    }

    pub(crate) fn output(&mut self, file: &Path) -> &mut Self {
        self.output = Some(file.to_owned());
        self.removes(&[file])
    }

    pub(crate) fn moved(&mut self, moved: Moved) -> &mut Self {
        self.moved = moved;
        self
    }

    /// What it makes and leaves, which counts as what would be moved.
    pub(crate) fn makes(&mut self, file: &Path) -> &mut Self {
        self.removes(&[file]).moved(Moved::Files(vec![file.to_owned()]))
    }

    pub(crate) fn bytes(&mut self, bytes: u64) -> &mut Self {
        self.bytes = bytes;
        self
    }

    pub(crate) fn product(&mut self, name: &str, product: Product) -> &mut Self {
        self.product = Some((name.to_owned(), product));
        self
    }

    pub(crate) fn bound_by(&mut self, index: &Path) -> &mut Self {
        self.index = Some(index.to_owned());
        self
    }
}
