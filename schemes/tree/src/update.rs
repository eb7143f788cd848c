//! Bringing a directory about.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gosync_chunks::{Progress, Transfer};
use gosync_files::{LocalFile, entry};
use gosync_layers::format::LayeredIndex;
use gosync_patcher::{Report, StagedFile};
use gosync_update::{Comparison, Error as UpdateError, Estimate, Seed, Seeds, Target, Update, estimate};
use hashbrown::HashMap;

use crate::changes::{Changes, FileCounts, PathChange};
use crate::contents::Contents;
use crate::error::Error;
use crate::excludes::Excludes;
use crate::extra::{Refusals, Unset};
use crate::flat::{Flat, Opens};
use crate::journal::{self, Kept, NEW};
use crate::listing::entry::{Attributes, Content, Kind};
use crate::listing::path::WORK;
use crate::names::check_names;
use crate::packed::close::{ClosedFiles, Closing, prepare};
use crate::packed::recipes::Recipes;
use crate::packed::reopened::Spools;
use crate::packed::seeds::SeedOpener;
use crate::platform;
use crate::published::{Candidates, Opened, Published, TreeSource, stage};
use crate::root::{Root, StatKind};
use crate::scan::{Scan, ScanOptions};
use crate::section::TreeInfo;
use crate::stage::{Origin, Stage, set};
use crate::target::Known;
use crate::verify::{Differences, differences};
use crate::wanted::{Holders, Wanted};
use crate::wishes::PlanOptions;
use crate::work::{LOCK, cached, cached_recipes, folding, open_work, remember};

/// How to bring a directory about.
#[derive(Clone, Copy, Debug, Default)]
pub struct TreeOptions {
    /// Removes what is not in the new version, but for what was left out of that.
    pub delete: bool,
    /// Reads every file, and does not go by length and time.
    pub checksum: bool,
    /// Gives files to the users and groups that were recorded: by name, or else by number.
    pub owner: bool,
    /// Sets the extended attributes that were recorded.
    pub xattrs: bool,
    /// Where a file of a seed is what is wanted, its mode and time included, makes one more name of
    /// that file, and no copy.
    pub link: bool,
}

/// Everything that is needed to bring a directory about.
pub struct TreeUpdate<'a> {
    /// Its index.
    pub index: &'a LayeredIndex,
    /// What the index says of it.
    pub info: &'a TreeInfo,
    /// What was published of it.
    pub source: TreeSource<'a>,
    /// More directories and files that may have parts of it.
    pub seeds: &'a [PathBuf],
    /// How.
    pub options: TreeOptions,
    /// Told of progress, and asked whether to stop.
    pub progress: &'a dyn Progress,
}

/// What an update of a directory did.
#[derive(Debug)]
pub struct TreeReport {
    /// Whether anything was: a directory, a link or a mode count as files do.
    pub changed: bool,
    /// What became of how many files.
    pub counts: FileCounts,
    /// What was left as it is, since it was changed meanwhile.
    pub kept: Vec<Kept>,
    /// How many paths do not have what was asked for, since this user may not set that, or the file
    /// system has no such thing.
    pub unset: Unset,
    /// Whether an earlier run that was killed was gone on with first.
    pub was_rolled_forward: bool,
    /// The packed files that were made of what is in them.
    pub closed: ClosedFiles,
    /// What fetching took, of the listing and of files.
    pub work: Report,
    /// What reading sums took, after the index was opened.
    pub index: Transfer,
    /// Bytes of all files.
    pub output_bytes: u64,
    /// The same, where packed files are opened, which is how they are compared.
    pub opened_bytes: u64,
    /// Those of these that were here.
    pub matched_bytes: u64,
}

/// What an update of a directory would do.
pub struct TreeForecast {
    /// What would become of how many files.
    pub counts: FileCounts,
    /// Each file and directory that would not stay as it is.
    pub paths: Vec<PathChange>,
    /// Bytes of all files.
    pub output_bytes: u64,
    /// Those that would have to be fetched, of packed files opened.
    pub missing_bytes: u64,
    /// In how many pieces these are.
    pub missing_ranges: usize,
    /// Bytes that were searched for parts of changed files.
    pub seed_bytes: u64,
    /// The packed files that would be made of what is in them.
    pub closed: ClosedFiles,
    /// Bytes of all files, where packed ones are opened, which is how they are compared.
    pub opened_bytes: u64,
    /// What fetching these would cost.
    pub cost: Result<Estimate, UpdateError>,
    /// What reading the index took, with the listing.
    pub index: Transfer,
}

impl TreeUpdate<'_> {
    /// Makes the directory at `output` what was published. Where nothing is there, it takes its
    /// name when it is complete.
    ///
    /// What is new is made in the folder `.gosync` of the directory; then what is to be done is
    /// written down there, and done. After a kill, the next run does what was written down, or
    /// goes on with what was fetched. What somebody changes meanwhile is left as it is, and
    /// reported.
    ///
    /// # Errors
    ///
    /// When something cannot be read or written, the source does not deliver, what comes is not
    /// what was published, or the listing cannot be brought about on this system.
    pub fn to_directory(&self, output: &Path) -> Result<TreeReport, UpdateError> {
        if output.is_dir() {
            return Ok(self.in_place(output)?.0);
        }
        if fs::symlink_metadata(output).is_ok() {
            return Err(Error::write(output)(io::ErrorKind::NotADirectory.into()).into());
        }
        let name = output.file_name().ok_or_else(|| Error::write(output)(io::ErrorKind::InvalidFilename.into()))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".gosync-part");
        let part = output.with_file_name(hidden);
        match fs::create_dir(&part) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(Error::write(&part)(error).into()),
            _ => {}
        }
        // A run before this one may have left another version there.
        let options = TreeOptions { delete: true, ..self.options };
        let (mut report, attributes) = TreeUpdate { options, ..*self }.in_place(&part)?;
        report.changed = true;
        let finish = || {
            let root = Root::open(&part)?;
            root.remove_own(WORK)?;
            set(&root.open_to_set(b"", StatKind::Directory)?, &attributes)?;
            platform::sync_directory(&root.handle()?)
        };
        let place = || {
            // On Windows no directory is renamed that is open, so it is closed by then.
            finish()?;
            fs::rename(&part, output)?;
            let above = output.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
            entry::sync_directory(above)
        };
        place().map_err(Error::write(output))?;
        Ok(report)
    }

    /// What [`to_directory`](Self::to_directory) would do, and cost. Nothing is written beside
    /// temporary files.
    ///
    /// # Errors
    ///
    /// As there. That the cost cannot be told is none.
    pub fn compare(&self, directory: &Path) -> Result<TreeForecast, UpdateError> {
        let published = self.published();
        let (own, candidates) = self.look_at(directory, self.options.checksum)?;
        let temporary = tempfile::tempdir().map_err(Error::write(&std::env::temp_dir()))?;
        let staged = || Ok(StagedFile::create(&temporary.path().join("flat"))?);
        let (opened, _) = published.open(candidates, staged)?;
        let changes = Changes::plan(&opened.listing, &own, &self.plan_options())?;
        let (trees, files) = self.seeds()?;
        let trees: Vec<Arc<Scan>> = std::iter::once(own).chain(trees).collect();
        let wanted = Wanted::of(&changes, &opened, &trees);
        let closed = ClosedFiles::of(&wanted.recipes(&opened)?);
        let target = wanted.target(self.index);
        let seeds = self.flat_seeds(&trees, files, &opened, &wanted)?;
        let found = gosync_update::compare(&target, &seeds, self.progress)?;
        let mut index = opened.index;
        index += opened.work.transfer;
        index += found.index_transfer;
        Ok(TreeForecast {
            counts: changes.counts,
            paths: changes.paths,
            output_bytes: self.info.bytes,
            missing_bytes: found.plan.fetched_bytes(),
            missing_ranges: found.plan.fetch_ranges().len(),
            seed_bytes: found.statistics.seed_bytes,
            closed,
            opened_bytes: self.info.opened_bytes(),
            cost: self.cost(&target, &found, &wanted),
            index,
        })
    }

    /// Compares the directory with what was published: all contents, links and modes, but no times.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or the listing cannot be got.
    pub fn verify(&self, directory: &Path) -> Result<Differences, UpdateError> {
        let (own, candidates) = self.look_at(directory, true)?;
        let temporary = tempfile::tempdir().map_err(Error::write(&std::env::temp_dir()))?;
        let staged = || Ok(StagedFile::create(&temporary.path().join("flat"))?);
        let (opened, _) = self.published().open(candidates, staged)?;
        Ok(differences(&opened.listing, &own))
    }

    fn plan_options(&self) -> PlanOptions {
        let TreeOptions { delete, owner, xattrs, .. } = self.options;
        PlanOptions { delete, owner, xattrs }
    }

    fn published(&self) -> Published<'_> {
        Published { index: self.index, info: self.info, source: self.source, progress: self.progress }
    }

    /// Looks at a directory, and gives listings that may be much like the new one. One that does
    /// not exist is empty.
    fn look_at(&self, directory: &Path, checksum: bool) -> Result<(Arc<Scan>, Candidates), UpdateError> {
        let nothing;
        let directory = match directory.exists() {
            true => directory,
            false => {
                nothing = tempfile::tempdir().map_err(Error::write(&std::env::temp_dir()))?;
                nothing.path()
            }
        };
        let root = Root::open(directory).map_err(Error::read(directory))?;
        let (cached, recipes) = (cached(&root), cached_recipes(&root));
        let known = cached.as_ref().filter(|_| !checksum).map(|(listing, _)| listing);
        let TreeOptions { owner, xattrs, .. } = self.options;
        let excludes = Excludes::new(&self.info.excludes)?;
        let options = ScanOptions { excludes: &excludes, known, owner, xattrs, progress: self.progress };
        let own = Arc::new(Scan::of(root, &options)?);
        let listings = std::iter::once(own.listing.encode()).chain(cached.map(|(_, bytes)| bytes));
        let listings = listings.collect();
        Ok((own, Candidates { listings, recipes }))
    }

    /// The other directories and files that may have parts.
    fn seeds(&self) -> Result<(Vec<Arc<Scan>>, Vec<LocalFile>), UpdateError> {
        let (mut trees, mut files) = (Vec::new(), Vec::new());
        for path in self.seeds {
            if path.is_dir() {
                trees.push(self.look_at(path, self.options.checksum)?.0);
            } else if path.exists() {
                files.push(LocalFile::open(path).map_err(Error::read(path))?);
            }
        }
        Ok((trees, files))
    }

    /// All that is here, as it is searched for blocks. Packed files are opened too, where new ones are
    /// wanted.
    fn flat_seeds(
        &self,
        trees: &[Arc<Scan>],
        files: Vec<LocalFile>,
        opened: &Opened,
        wanted: &Wanted,
    ) -> Result<Seeds, UpdateError> {
        let unit = self.published().unit();
        let packed = wanted.needed.iter().map(|&number| &opened.contents.places[number]);
        let packed = packed.filter(|place| place.packed.is_some()).map(|place| place.length);
        let (spools, is_packed) = (Spools::default(), packed.clone().next().is_some());
        let mut opener = is_packed.then(|| SeedOpener::new(packed.sum(), &spools, self.progress));
        let mut seeds = Vec::new();
        for tree in trees {
            let Some(contents) = Contents::of(&tree.listing, 0, unit, &Recipes::default()) else { continue };
            let opens: Arc<dyn Opens> = tree.clone();
            let mut pieces = Flat::pieces(&opens, &contents);
            if let Some(opener) = &mut opener {
                pieces.extend(opener.pieces(tree, &opened.listing, contents.length, unit)?);
            }
            let length = pieces.last().map_or(0, |piece| piece.range.end);
            if length > 0 {
                seeds.push(Seed::opened(tree.root.path(), Flat::new(length, Arc::new([]), pieces), None));
            }
        }
        for file in files {
            if let Some(opener) = &mut opener
                && let Some(plain) = opener.open_file(&file)?
            {
                seeds.push(Seed::opened(file.path(), plain, None));
            }
            seeds.push(Seed::plain(file));
        }
        Ok(Seeds::of(seeds))
    }

    fn cost(&self, target: &dyn Target, found: &Comparison, wanted: &Wanted) -> Result<Estimate, UpdateError> {
        match self.source {
            TreeSource::Payload { location, options, .. } => estimate(target, found, location, options),
            TreeSource::Flat { location, .. } => Ok(Estimate {
                location: location.clone(),
                bytes: found.plan.fetched_bytes(),
                requests: u64::from(!found.plan.fetch_ranges().is_empty()),
                seconds: None,
            }),
            TreeSource::Files { tree, .. } => {
                let ranges = found.plan.fetch_ranges();
                let is_asked = |known: &&Known| {
                    let next = ranges.partition_point(|range| range.end <= known.range.start);
                    ranges.get(next).is_some_and(|range| range.start < known.range.end)
                };
                let files = wanted.known.iter().filter(is_asked).count() as u64;
                let is_far = matches!(tree, gosync_blocksources::Location::Url(_));
                Ok(Estimate {
                    location: tree.clone(),
                    bytes: found.plan.fetched_bytes(),
                    requests: if is_far { files } else { 0 },
                    seconds: None,
                })
            }
        }
    }

    /// Makes an existing directory what was published, and tells what it itself then has.
    fn in_place(&self, directory: &Path) -> Result<(TreeReport, Attributes), UpdateError> {
        let root = Root::open(directory).map_err(Error::write(directory))?;
        let work = open_work(&root).map_err(Error::write(&directory.join(WORK)))?;
        let refusals = Refusals::default();
        let lock = work.lock(LOCK).map_err(Error::write(&work.path().join(LOCK)))?;
        let Some(_lock) = lock else { return Err(Error::Busy { path: directory.to_owned() }.into()) };
        let mut kept = Vec::new();
        let unfinished = journal::read(&work).map_err(Error::write(work.path()))?;
        match &unfinished {
            Some(steps) => kept = journal::carry_out(&root, &work, steps, &refusals)?,
            // A run may have been killed before it wrote a journal, or just after it removed it.
            None => journal::discard(&work).map_err(Error::write(work.path()))?,
        }
        let (own, candidates) = self.look_at(directory, self.options.checksum)?;
        let published = self.published();
        let resume = || Ok(StagedFile::resume(&work.path().join("flat"), published.id())?);
        let (opened, staged) = published.open(candidates, resume)?;
        check_names(&opened.listing, folding(&work))?;
        let changes = Changes::plan(&opened.listing, &own, &self.plan_options())?;
        let mut report = TreeReport {
            changed: unfinished.is_some() || !changes.is_empty(),
            counts: changes.counts,
            kept: Vec::new(),
            unset: changes.unset,
            was_rolled_forward: unfinished.is_some(),
            closed: ClosedFiles::default(),
            work: opened.work,
            index: opened.index,
            output_bytes: self.info.bytes,
            opened_bytes: self.info.opened_bytes(),
            matched_bytes: self.info.opened_bytes(),
        };
        if !changes.is_empty() {
            self.stage(&changes, &opened, &own, (&work, &refusals), staged, &mut report)?;
            journal::write(&work, &changes.steps).map_err(Error::write(work.path()))?;
            kept.extend(journal::carry_out(&own.root, &work, &changes.steps, &refusals)?);
        }
        let (listing, recipes) = opened.bytes.split_at(opened.bytes.len() - opened.recipes.bytes().len());
        remember(&work, listing, recipes, &self.info.section().bytes).map_err(Error::write(work.path()))?;
        report.kept = kept;
        report.unset += refusals.counted();
        let Kind::Directory(attributes) = opened.listing.entries()[0].kind else {
            return Err(Error::WrongListing.into());
        };
        Ok((report, attributes))
    }

    /// Makes all that is new in the folder that is worked in.
    fn stage(
        &self,
        changes: &Changes,
        opened: &Opened,
        own: &Arc<Scan>,
        (work, refusals): (&Root, &Refusals),
        mut staged: Option<StagedFile>,
        report: &mut TreeReport,
    ) -> Result<(), UpdateError> {
        let published = self.published();
        let (trees, files) = self.seeds()?;
        let trees: Vec<Arc<Scan>> = std::iter::once(own.clone()).chain(trees).collect();
        let wanted = Wanted::of(changes, opened, &trees);
        if !wanted.ranges.is_empty() {
            let file = match staged.take() {
                Some(staged) => staged,
                None => StagedFile::resume(&work.path().join("flat"), published.id())?,
            };
            let target = wanted.target(self.index);
            let seeds = self.flat_seeds(&trees, files, opened, &wanted)?;
            let source = published.contents(opened)?;
            let update = Update { target: &target, seeds: &seeds, source: &*source, progress: self.progress };
            let (done, file) = stage(&update, file)?;
            report.index += done.comparison.index_transfer;
            report.matched_bytes = report.opened_bytes.saturating_sub(done.report.fetched);
            report.work.copied += done.report.copied;
            report.work.repeated += done.report.repeated;
            report.work.fetched += done.report.fetched;
            report.work.kept += done.report.kept;
            report.work.refetched_blocks += done.report.refetched_blocks;
            report.work.transfer += done.report.transfer;
            staged = Some(file);
        }
        let fetched = staged.as_ref().filter(|_| !wanted.ranges.is_empty()).map(|staged| staged.reader());
        let fetched = fetched.transpose().map_err(Error::read(work.path()))?;
        let new = work.own_directory(NEW).map_err(Error::write(work.path()))?;
        let holders = Holders::of(&trees);
        let closings = self.closings(&wanted, opened, report);
        let made = closings.and_then(|closings| {
            let origin = |content: &Content| match holders.find(content) {
                Some((tree, entry)) => Some(Origin::File(trees[tree].clone(), entry)),
                None => {
                    let number = opened.contents.number(content)?;
                    Some(match closings.get(&number) {
                        Some(closing) => Origin::Opened(closing.clone()),
                        None => Origin::Fetched(opened.contents.places[number].range()),
                    })
                }
            };
            let stage = Stage {
                root: &own.root,
                new: &new,
                fetched: fetched.as_ref(),
                origin: &origin,
                closed_bytes: closings.values().map(|closing| closing.recipe.packed_len()).sum(),
                link: self.options.link,
                refusals,
                progress: self.progress,
            };
            stage.make(changes).map_err(UpdateError::from)
        });
        if let Err(error) = &made {
            // A full disk is not to stay full.
            let _ = work.remove_own(NEW);
            if let Some(staged) = staged.filter(|_| error.is_resumable()) {
                staged.keep();
            }
        }
        made
    }
    /// What packed files are made of, by the numbers of their contents.
    fn closings(
        &self,
        wanted: &Wanted,
        opened: &Opened,
        report: &mut TreeReport,
    ) -> Result<HashMap<usize, Arc<Closing>>, UpdateError> {
        let published = self.published();
        let mut closings = HashMap::new();
        for &number in &wanted.needed {
            let place = &opened.contents.places[number];
            if let Some(recipe) = place.recipe(&opened.recipes)? {
                let open = |entry| published.file(opened, entry);
                let (closing, transfer) = prepare(opened, place, recipe, &open)?;
                report.work.transfer += transfer;
                report.closed.add(&closing);
                closings.insert(number, Arc::new(closing));
            }
        }
        Ok(closings)
    }
}
