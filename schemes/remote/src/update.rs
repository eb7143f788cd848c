//! The side that is pushed to.

use std::io;
use std::path::Path;
use std::sync::Arc;

use gosync_blocksources::Location;
use gosync_chunks::Progress;
use gosync_files::LocalFile;
use gosync_patcher::{StagedFile, hidden_path};
use gosync_tree::{TreeBuild, TreeOptions, TreeSource, TreeUpdate, has_unfinished};
use gosync_update::{Error, FileOptions, LayeredTarget, Seed, Seeds, Update, compare};

use crate::error::ServeError;
use crate::far::{Far, far};
use crate::message::Kind;
use crate::offered::Refusal;
use crate::place::{Place, Spot, There};
use crate::request::{Offer, Pushed, Reason, State, Wish};
use crate::session::{Line, Said, Session};
use crate::working::while_working;

/// Brings what is offered about, and tells the other side what became of it.
pub(crate) fn accept(line: Line, offer: &Offer, place: &Place) -> Result<(), ServeError> {
    let session = Arc::new(Session::new(line).map_err(io::Error::other)?);
    let tell = || session.say(Kind::Working, &[]).is_ok();
    let done = while_working(&tell, |progress| {
        let spot = place.spot(&offer.wish.path)?;
        if is_same(&offer.wish, &spot, progress)? {
            return Ok(None);
        }
        let far = match session.want().map_err(Error::from)? {
            Said::Opened(opened, came) => far(session.clone(), &opened, came)?,
            _ => return Err(Refusal { reason: Reason::Violation, why: "it does not say what it has".into() }),
        };
        let pushed = match &far.tree {
            Some(_) => directory(&far, &spot, offer, progress)?,
            None => file(&far, &spot, offer.dry_run, progress)?,
        };
        Ok(Some(pushed))
    });
    let told = match &done {
        Ok(None) => session.say(Kind::Same, &[]),
        Ok(Some(pushed)) => session.say(Kind::Report, &pushed.encode()),
        Err(Refusal { reason, why }) => session.refuse(*reason, why),
    };
    match done {
        Err(Refusal { why, .. }) if told.is_ok() => Err(ServeError::Refused(why)),
        Err(Refusal { why, .. }) => Err(ServeError::Io(io::Error::other(why))),
        Ok(_) => told.map_err(|error| ServeError::Io(io::Error::other(error))),
    }
}

/// Whether what is there is what is offered, as far as that is believed.
fn is_same(wish: &Wish, spot: &Spot, progress: &dyn Progress) -> Result<bool, Refusal> {
    match &spot.there {
        There::Nothing => Ok(false),
        There::File(file) => {
            let metadata = file.metadata()?;
            let is_it =
                |state: State| metadata.len() == state.length && metadata.modified().ok() == Some(state.modified);
            Ok(!wish.checksum && wish.file.is_some_and(is_it))
        }
        There::Directory(_) if wish.listing.is_none() || has_unfinished(spot.at()) => Ok(false),
        There::Directory(directory) => {
            let tree = TreeBuild::scan_opened(directory.try_clone()?, spot.at(), &wish.tree_options(), progress)?;
            Ok(wish.listing == Some(tree.info().listing_hash))
        }
    }
}

fn directory(far: &Far, spot: &Spot, offer: &Offer, progress: &dyn Progress) -> Result<Pushed, Refusal> {
    if let There::File(_) = spot.there {
        return Err(io::Error::other("a file is there, and a directory is pushed").into());
    }
    let Offer { wish: Wish { checksum, owner, xattrs, .. }, delete, dry_run } = *offer;
    let Some(info) = &far.tree else { unreachable!("it is a directory") };
    let location = Location::Path("the other side".into());
    let listing = far.listing.as_deref();
    let update = TreeUpdate {
        index: &far.index,
        info,
        source: TreeSource::Flat { source: &*far.source, location: &location, listing },
        seeds: &[],
        options: TreeOptions { delete, checksum, owner, xattrs, link: false },
        progress,
    };
    if dry_run {
        let forecast = update.compare(spot.at())?;
        let matched_bytes = forecast.output_bytes.saturating_sub(forecast.missing_bytes);
        return Ok(Pushed {
            changed: !forecast.paths.is_empty(),
            is_directory: true,
            output_bytes: forecast.output_bytes,
            matched_bytes,
            files: counted(&forecast.counts),
            kept: 0,
        });
    }
    let (at, _held) = spot.directory()?;
    let report = update.to_directory(&at)?;
    Ok(Pushed {
        changed: report.changed,
        is_directory: true,
        output_bytes: report.output_bytes,
        matched_bytes: report.matched_bytes,
        files: counted(&report.counts),
        kept: report.kept.len() as u64,
    })
}

fn counted(counts: &gosync_tree::FileCounts) -> [u64; 5] {
    let gosync_tree::FileCounts { unchanged, changed, added, removed, moved } = *counts;
    [unchanged, changed, added, removed, moved]
}

fn file(far: &Far, spot: &Spot, is_dry_run: bool, progress: &dyn Progress) -> Result<Pushed, Refusal> {
    let old = match &spot.there {
        There::Directory(_) => {
            return Err(io::Error::other("a directory is there, and a file is pushed").into());
        }
        There::File(file) => Some(LocalFile::new(spot.at(), file.try_clone()?)?),
        There::Nothing => None,
    };
    let target = LayeredTarget::new(&far.index);
    let seeds = Seeds::of(old.into_iter().map(Seed::plain).collect());
    if is_dry_run {
        let found = compare(&target, &seeds, progress)?;
        let (output_bytes, matched_bytes) = (found.plan.wanted_bytes(), found.plan.matched_bytes());
        let changed = matched_bytes < output_bytes;
        return Ok(Pushed { changed, output_bytes, matched_bytes, ..Pushed::default() });
    }
    let update = Update { target: &target, seeds: &seeds, source: &*far.source, progress };
    let report = match spot.is_beneath() {
        true => replace(&update, spot.at())?,
        false => update.to_file(spot.at(), &FileOptions::default())?,
    };
    let (changed, output_bytes) = (report.changed, report.output_bytes());
    Ok(Pushed { changed, output_bytes, matched_bytes: report.matched_bytes(), ..Pushed::default() })
}

/// Makes what is at `path`, be it a link, the target.
fn replace(update: &Update<'_>, path: &Path) -> Result<gosync_update::UpdateReport, Error> {
    let mut staged = StagedFile::resume_at(path, &hidden_path(path, ".gosync-part"))?;
    match update.stage(&mut staged) {
        Ok(mut report) => {
            report.notes.extend(staged.commit()?);
            Ok(report)
        }
        Err(error) => {
            if staged.has_fetched() && error.is_resumable() {
                staged.keep();
            }
            Err(error)
        }
    }
}
