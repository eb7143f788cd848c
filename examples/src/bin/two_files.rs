//! A scheme of one's own, on our own index: a directory of two files is one target.
//!
//! ```console
//! $ cargo run -p gosync-examples --bin two_files
//! ```
//!
//! A scheme is a way to see its thing as a flat target, a section with what that leaves out,
//! and a way back. The engine does the rest: layers, compressed payload, resume, repair.

#![allow(clippy::print_stdout, reason = "a program that shows something")]

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use gosync::publish::{Build, BuildOptions, PayloadOut, Section, SectionId, TargetName};
use gosync::update::{FileOptions, LayeredTarget, ReadAt, Seed, Seeds, Update, UpdateReport};
use gosync::{ErrorKind, LayeredIndex, Phase, Progress, ReadOptions};
use gosync_blocksources::FileSource;
use gosync_files::LocalFile;

const NAMES: [&str; 2] = ["program", "data"];

/// Where the second file begins. It is critical: without it, what was published is no directory.
const BORDER: SectionId = SectionId(1 << 31 | 0x7075);

/// The flat target: the files, one behind the other.
struct Pair([LocalFile; 2]);

impl ReadAt for Pair {
    fn size(&self) -> u64 {
        self.0[0].size() + self.0[1].size()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let border = self.0[0].size();
        let (head, tail) = buffer.split_at_mut(border.saturating_sub(offset).min(buffer.len() as u64) as usize);
        self.0[0].read_exact_at(offset.min(border), head)?;
        self.0[1].read_exact_at(offset.max(border) - border, tail)
    }
}

fn open(directory: &Path) -> io::Result<Pair> {
    Ok(Pair([LocalFile::open(&directory.join(NAMES[0]))?, LocalFile::open(&directory.join(NAMES[1]))?]))
}

fn build(directory: &Path, index: &Path, payload: &Path) -> Result<(), Box<dyn Error>> {
    let (target, options) = (&open(directory)?, &BuildOptions { compress: Some(3), ..Default::default() });
    let sections = vec![Section { id: BORDER, bytes: target.0[0].size().to_le_bytes().to_vec() }];
    let build = Build { target, called: "the directory", name: None, sections, options, progress: &() };
    let payload = PayloadOut { name: TargetName::new("payload")?, out: &mut File::create(payload)? };
    Ok(build.index(Some(payload))?.write(File::create(index)?)?)
}

/// Makes the flat target at `flat`, of which the directory `old` has most.
fn patch(
    index: &LayeredIndex,
    old: &Path,
    payload: &Path,
    flat: &Path,
    progress: &dyn Progress,
) -> Result<UpdateReport, gosync::update::Error> {
    let seed = |source| gosync::update::Error::Read { path: old.to_owned(), source };
    let seeds = Seeds::of(vec![Seed::opened(old, open(old).map_err(seed)?, None)]);
    let source = FileSource::open(payload)?;
    Update { target: &LayeredTarget::new(index), seeds: &seeds, source: &source, progress }
        .to_file(flat, &FileOptions::default())
}

/// The way back.
fn unfold(index: &LayeredIndex, flat: &Path, directory: &Path) -> Result<(), Box<dyn Error>> {
    let (border, _) = index.section(BORDER)?.ok_or("there is no border")?;
    let (program, data) = (fs::read(flat)?, u64::from_le_bytes(border.as_slice().try_into()?));
    let (program, data) = program.split_at_checked(usize::try_from(data)?).ok_or("the border is past the end")?;
    fs::write(directory.join(NAMES[0]), program)?;
    Ok(fs::write(directory.join(NAMES[1]), data)?)
}

/// Stops an update when something was fetched.
#[derive(Default)]
struct Impatient(AtomicBool);

impl Progress for Impatient {
    fn advance(&self, phase: Phase, _: u64) {
        self.0.fetch_or(phase == Phase::Fetch, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let work = tempfile::tempdir()?;
    let [old, new, made, at_index, payload, flat] =
        ["old", "new", "made", "index", "payload", "flat"].map(|name| work.path().join(name));
    for directory in [&old, &new, &made] {
        fs::create_dir(directory)?;
    }
    // What was the end of one file is the beginning of the other now, and something is new.
    let numbers: Vec<u8> = (0..2_000_000u32).flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_le_bytes()).collect();
    fs::write(old.join(NAMES[0]), &numbers[..1_000_000])?;
    fs::write(old.join(NAMES[1]), &numbers[1_000_000..2_000_000])?;
    fs::write(new.join(NAMES[0]), &numbers[..700_000])?;
    fs::write(new.join(NAMES[1]), &numbers[600_000..])?;

    build(&new, &at_index, &payload)?;
    assert!(LayeredIndex::read(File::open(&at_index)?, &ReadOptions::default()).is_err(), "the border is critical");
    let options = ReadOptions { sections: &[BORDER], ..Default::default() };
    let index = LayeredIndex::read(File::open(&at_index)?, &options)?;
    let found = gosync::update::compare(&LayeredTarget::new(&index), &Seeds::of(Vec::new()), &())?;
    assert_eq!(found.plan.cut().length(), index.length());

    let stopped = patch(&index, &old, &payload, &flat, &Impatient::default());
    assert!(stopped.is_err_and(|error| error.kind() == ErrorKind::Cancelled));
    let report = patch(&index, &old, &payload, &flat, &())?.report;
    assert!(report.kept > 0, "the second run goes on where the first one stopped");
    assert!(gosync::update::verify(&LayeredTarget::new(&index), &flat, &())?.is_good());

    unfold(&index, &flat, &made)?;
    for name in NAMES {
        assert_eq!(fs::read(made.join(name))?, fs::read(new.join(name))?);
    }
    println!("stopped, resumed and verified: {} of {} bytes fetched", report.fetched, index.length());
    Ok(())
}
