//! A scheme of one's own: a folder of two files is one target.
//!
//! ```console
//! $ cargo run -p gosync-examples --bin own_scheme
//! ```
//!
//! A scheme says how its thing is seen as flat bytes, how these are compared, and how they come
//! back. Fetching, resume and verification are the engine's. This one compares with the index
//! and the comparer; `LayeredTarget` has layers, and is ready-made.

#![allow(clippy::print_stdout, reason = "a program that shows something")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

use gosync::Progress;
use gosync::update::{Comparison, Error as UpdateError, FileOptions, Seed, Seeds, Target, Update, Verified};
use gosync_blocksources::FileSource;
use gosync_chunks::{ErrorKind, FileHash, Phase, ReadAt};
use gosync_comparer::{CompareOptions, compare};
use gosync_files::LocalFile;
use gosync_index::BlockIndex;
use gosync_patcher::{TargetId, verify};
use gosync_rollsum::RollingSum;
use gosync_sums::{Rolling, SumOptions, Summed, Xxh3, sum_target};

const SUM: RollingSum = RollingSum::RabinKarp;
const NAMES: [&str; 2] = ["program", "data"];

/// The flat bytes: one file behind the other.
struct Pair([LocalFile; 2]);

impl Pair {
    fn open(folder: &Path) -> io::Result<Self> {
        let [program, data] = NAMES.map(|name| LocalFile::open(&folder.join(name)));
        Ok(Self([program?, data?]))
    }
}

impl ReadAt for Pair {
    fn size(&self) -> u64 {
        self.0.iter().map(ReadAt::size).sum()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let first = self.0[0].size();
        let (head, tail) = buffer.split_at_mut(first.saturating_sub(offset).min(buffer.len() as u64) as usize);
        if !head.is_empty() {
            self.0[0].read_exact_at(offset, head)?;
        }
        self.0[1].read_exact_at(offset.max(first) - first, tail)
    }
}

/// What is published of it: the sums, the hash, and where the first file ends.
struct PairTarget {
    summed: Summed,
    border: u64,
}

impl PairTarget {
    fn build(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let pair = Pair::open(folder)?;
        let options = SumOptions { block_size: 1024, file_hash: true };
        let hasher = Arc::new(Xxh3::truncated(16, 0).ok_or("no such length")?);
        Ok(Self { summed: sum_target(&pair, &options, &Rolling(SUM), hasher, &())?, border: pair.0[0].size() })
    }

    /// The way back: the flat bytes become two files again.
    fn unfold(&self, flat: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
        let bytes = fs::read(flat)?;
        let (program, data) = bytes.split_at(usize::try_from(self.border)?);
        fs::write(folder.join(NAMES[0]), program)?;
        fs::write(folder.join(NAMES[1]), data)?;
        Ok(())
    }
}

impl Target for PairTarget {
    fn id(&self) -> TargetId {
        TargetId::of(self.summed.signature.sums(), self.summed.file_hash)
    }

    fn length(&self) -> u64 {
        self.summed.signature.layout().length()
    }

    fn compare(&self, seeds: &[&dyn ReadAt], progress: &dyn Progress) -> Result<Comparison, UpdateError> {
        let signature = &self.summed.signature;
        let lookup = BlockIndex::build(signature);
        let found = compare(signature, &lookup, seeds, &CompareOptions::new(SUM), progress)?;
        Ok(Comparison::flat(found, signature.sums()))
    }

    fn verify(&self, path: &Path, data: &dyn ReadAt, progress: &dyn Progress) -> Result<Verified, UpdateError> {
        let verdict = verify(data, self.summed.signature.sums(), self.summed.file_hash, progress);
        Ok(verdict.map_err(|error| UpdateError::of_verify(path, error))?.into())
    }

    fn file_hash(&self) -> Option<FileHash> {
        self.summed.file_hash
    }
}

/// Wishes to stop as soon as something was fetched.
#[derive(Default)]
struct Impatient(AtomicBool);

impl Progress for Impatient {
    fn advance(&self, phase: Phase, _: u64) {
        if phase == Phase::Fetch {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let work = tempfile::tempdir()?;
    let [old, new, made] = ["old", "new", "made"].map(|name| work.path().join(name));
    for folder in [&old, &new, &made] {
        fs::create_dir(folder)?;
    }
    let numbers: Vec<u8> = (0..500_000u32).flat_map(u32::to_le_bytes).collect();
    fs::write(old.join(NAMES[0]), &numbers[..1_000_000])?;
    fs::write(old.join(NAMES[1]), &numbers[1_000_000..])?;
    // Some of one file went to the other, and much is new.
    let fresh: Vec<u8> = numbers.iter().map(|byte| byte ^ 0x55).collect();
    fs::write(new.join(NAMES[0]), [&numbers[..700_000], &fresh].concat())?;
    fs::write(new.join(NAMES[1]), &numbers[600_000..])?;

    // The publisher, who puts the flat bytes on some server, and the sums beside them:
    let target = PairTarget::build(&new)?;
    let (payload, flat) = (work.path().join("payload"), work.path().join("flat"));
    fs::write(&payload, [fs::read(new.join(NAMES[0]))?, fs::read(new.join(NAMES[1]))?].concat())?;

    // The user, who stops a first time:
    let seeds = Seeds::of(vec![Seed::opened(&old, Pair::open(&old)?, None)]);
    let source = FileSource::open(&payload)?;
    let impatient = Impatient::default();
    let update = Update { target: &target, seeds: &seeds, source: &source, progress: &impatient };
    let found = update.compare()?;
    let stopped = update.to_file(&flat, &FileOptions::default()).err().ok_or("it was not stopped")?;
    assert_eq!(stopped.kind(), ErrorKind::Cancelled);
    let report = Update { progress: &(), ..update }.to_file(&flat, &FileOptions::default())?.report;
    assert!(report.kept > 0, "the second run goes on where the first one stopped");
    assert!(gosync::update::verify(&target, &flat, &())?.is_good());

    target.unfold(&flat, &made)?;
    for name in NAMES {
        assert_eq!(fs::read(made.join(name))?, fs::read(new.join(name))?);
    }
    println!("stopped, resumed and verified: {} of {} bytes were missing", found.plan.fetched_bytes(), target.length());
    Ok(())
}
