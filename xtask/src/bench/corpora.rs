//! What is measured on: an old version and a new one, of every kind that matters.
//!
//! They are made once, beneath the target folder, and never committed: real ones from the
//! packages of other projects, the others by code from a seed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use gosync_testkit::corpus::{self, edit, slow};
pub(crate) use versions::Corpus;
use versions::write_once;

mod dumps;
mod image;
mod packages;
mod trees;
mod versions;

/// Data is made in pieces of so many bytes: a multiple of the longest pattern's length
/// (insertions every 100,000 bytes), of a record's and of a period's.
const PIECE: usize = 6_400_000;
const INSERTION_EVERY: usize = 100_000;
const EDIT_EVERY: usize = 20_000;
const PERIOD: usize = 1000;
const ISLAND: usize = 64 << 10;
const SEA: u64 = 8 << 20;
/// One block in so many is replaced.
const BLOCK_IN: usize = 10;
const BLOCK: usize = 16 << 10;
/// What ends the name of a corpus that is so many times as long as others.
const LARGE: (&str, u64) = ("-large", 16);
const CHANGES: u64 = 1000;
/// What begins the name of a corpus that is of one of [`slow::KINDS`].
const SLOW: &str = "slow-";

/// Every corpus: its name, and what it is.
pub(crate) const CORPORA: &[(&str, &str)] = &[
    ("typescript", "TypeScript 5.3.3 and 5.4.5, as their unpacked tar archives"),
    ("scipy", "SciPy 1.13.0 and 1.13.1, wheels unpacked into tar archives"),
    ("random", "random bytes with nothing in common: the worst case of an honest scan"),
    ("identical", "random bytes, and the same again"),
    ("shifted", "random bytes, and the same with one byte put in front"),
    ("insertions", "random bytes, and the same with a byte inserted every 100,000"),
    ("scattered", "random bytes, and the same with one byte in 20,000 changed"),
    ("zeros", "zeros, and a thousand zeros more"),
    ("periodic", "the same 1,000 bytes again and again, out of phase"),
    ("two-letters", "a and b at random, with nothing in common: weak sums of rsync's kind crowd together"),
    ("records", "records of 64 bytes that are alike, with few in common"),
    ("counters", "ascending 32-bit numbers, from 0 and from 2^28: nothing in common, all alike"),
    ("sparse", "a hole with islands of 64 KiB, elsewhere in the other version"),
    ("ranges", "random bytes, and the same with every tenth 16 KiB replaced"),
    ("pyarrow", "PyArrow 16.0.0 and 16.1.0, wheels unpacked into tar archives"),
    ("unrelated", "TypeScript 5.4.5 and SciPy 1.13.1, which have nothing in common"),
    ("json", "a table dumped as lines of JSON; 4,000 records changed, 400 came and 400 went"),
    ("sqlite", "the same as an SQLite database, changed by SQL"),
    ("ext4", "an ext4 image of each TypeScript package's files"),
    ("slow-ones-64", "zeros with a one in 64 places"),
    ("slow-ones-256", "zeros with a one in 256 places"),
    ("slow-ones-1024", "zeros with a one in 1,024 places"),
    ("slow-ff", "FF with an FE in 256 places"),
    ("slow-short-runs", "runs of zeros and ones, of some 50 bytes"),
    ("slow-long-runs", "runs of any byte, of some 500 bytes"),
    ("slow-ramp", "bytes that count, with a step left out every 255"),
    ("slow-nearly-zeros", "zeros with a one every 2,000 to 4,000 bytes"),
    ("slow-spikes", "zeros with a one every 1,000 bytes, out of phase"),
    ("slow-period-2", "the same 2 bytes again and again, out of phase"),
    ("slow-period-7", "the same 7 bytes again and again, out of phase"),
    ("slow-period-4096", "the same 4,096 bytes again and again, out of phase"),
    ("slow-repeated-text", "pieces of one text in another order"),
    ("slow-numbered", "records of 512 bytes that are equal but for their numbers"),
    ("random-large", "random bytes with nothing in common"),
    ("identical-large", "random bytes, and the same again"),
    ("changes-large", "random bytes, and the same with 1,000 bytes changed here and there"),
    ("modules", "a `node_modules` of 24 packages, and newer releases of all of them"),
    ("linux", "Linux's sources without drivers, as Debian's 6.1.170-3 and 6.1.192-3 have them"),
    ("scipy-files", "SciPy 1.13.0 and 1.13.1, wheels unpacked"),
    (
        "disk",
        "a sparse disk of 8 GiB with 128 MiB in it and 10,000 small files; 40 bytes of it, an island and 100 files changed",
    ),
    ("unchanged", "the new version of `modules`, and the same again"),
    ("one-line", "the new version of `modules`, and the same with one line more in one file"),
    ("moved", "the new version of `modules`; then a directory is renamed, a file moved and one copied"),
];

/// What the corpus `name` is.
pub(crate) fn about(name: &str) -> &'static str {
    CORPORA.iter().find(|corpus| corpus.0 == name).map_or("", |corpus| corpus.1)
}

/// Makes the corpus `name` with `length` bytes, or fetches it, unless it is there already.
///
/// # Errors
///
/// When it cannot be had, which is a reason to go on without it.
pub(crate) fn provide(name: &'static str, cache: &Path, length: u64) -> anyhow::Result<Corpus> {
    let corpus = find_or_make(name, cache, length)?;
    for path in [&corpus.seed, &corpus.target] {
        // Nobody measures processor time of trees so closely.
        if path.is_file() {
            read_from_disk(path).with_context(|| format!("cannot read {}", path.display()))?;
        }
    }
    Ok(corpus)
}

/// Has the page cache hold the file as it does where a file was read and not just written: what
/// is written in small pieces lies there in small pages, which take up to three times as long
/// to read, and how many there are changes from run to run.
fn read_from_disk(path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    file.sync_all()?;
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    io::copy(&mut file, &mut io::sink()).map(drop)
}

fn find_or_make(name: &'static str, cache: &Path, length: u64) -> anyhow::Result<Corpus> {
    if let Some(corpus) = trees::find(name, cache) {
        return corpus;
    }
    if let Some((old, new)) = packages::find(name) {
        let folder = cache.join("packages");
        return Ok(Corpus { name, seed: old.provide(&folder)?, target: new.provide(&folder)? });
    }
    let length = if name.ends_with(LARGE.0) { LARGE.1 * length } else { length };
    let folder = cache.join(format!("{}-mib", length >> 20));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    match name {
        "json" => return dumps::json(name, &folder, length),
        "sqlite" => return dumps::sqlite(name, &folder, length),
        "ext4" => return image::ext4(name, &cache.join("packages")),
        _ => {}
    }
    made(name, &folder, length).with_context(|| format!("cannot make the corpus in {}", folder.display()))
}

fn made(name: &'static str, folder: &Path, length: u64) -> io::Result<Corpus> {
    let file = |side: &str, piece: &dyn Fn(u64, usize) -> Vec<u8>| {
        let path = folder.join(format!("{name}.{side}"));
        write_once(&path, |out| pieces(length, |number, length| out.write_all(&piece(number, length))))?;
        io::Result::Ok(path)
    };
    // What is edited is the same in every corpus of edits, and so is written once.
    let base = |number: u64, length: usize| corpus::random(number, length);
    let shared = || {
        let path = folder.join("base");
        write_once(&path, |out| pieces(length, |number, length| out.write_all(&base(number, length))))?;
        io::Result::Ok(path)
    };
    let corpus = |seed: PathBuf, target: PathBuf| Corpus { name, seed, target };
    Ok(match name.trim_end_matches(LARGE.0) {
        "random" => corpus(file("seed", &|number, length| corpus::random(number + (1 << 32), length))?, shared()?),
        "identical" => corpus(shared()?, shared()?),
        "shifted" => corpus(
            file("seed", &|number, length| {
                let piece = base(number, length);
                if number == 0 { edit::shift_by_one(&piece) } else { piece }
            })?,
            shared()?,
        ),
        "insertions" => corpus(
            file("seed", &|number, length| edit::insert_every(&base(number, length), number, INSERTION_EVERY, 1))?,
            shared()?,
        ),
        "scattered" => corpus(
            file("seed", &|number, length| edit::scatter(&base(number, length), number, length / EDIT_EVERY))?,
            shared()?,
        ),
        "changes" => {
            let count = length.div_ceil(PIECE as u64);
            let changes = |number: u64| ((number + 1) * CHANGES / count - number * CHANGES / count) as usize;
            let piece = |number, length| edit::scatter(&base(number, length), number, changes(number));
            corpus(file("seed", &piece)?, shared()?)
        }
        "ranges" => corpus(
            file("seed", &|number, length| {
                let mut piece = base(number, length);
                for (at, block) in piece.chunks_mut(BLOCK).enumerate() {
                    if (number as usize * PIECE.div_ceil(BLOCK) + at).is_multiple_of(BLOCK_IN) {
                        block.copy_from_slice(&corpus::random((number << 32) + at as u64, block.len()));
                    }
                }
                piece
            })?,
            shared()?,
        ),
        "zeros" => corpus(
            file("seed", &|_, length| corpus::zeros(length))?,
            file("target", &|number, length| corpus::zeros(length + if number == 0 { 1000 } else { 0 }))?,
        ),
        "periodic" => {
            let piece = |_, length| corpus::periodic(1, PERIOD, length);
            let out_of_phase = |number, length| piece(number, length)[if number == 0 { 333 } else { 0 }..].to_vec();
            corpus(file("seed", &out_of_phase)?, file("target", &piece)?)
        }
        "two-letters" => corpus(
            file("seed", &|number, length| corpus::two_letters(number + (1 << 32), length))?,
            file("target", &|number, length| corpus::two_letters(number, length))?,
        ),
        "records" => corpus(
            file("seed", &|number, length| corpus::records64(number + (1 << 32), length))?,
            file("target", &|number, length| corpus::records64(number, length))?,
        ),
        "counters" => corpus(
            file("seed", &|number, length| counters(1 << 28, number, length))?,
            file("target", &|n, l| counters(0, n, l))?,
        ),
        "sparse" => {
            let islands = (length / SEA).max(1) as usize;
            let sparse = |side: &str, seed| {
                let path = folder.join(format!("{name}.{side}"));
                let part = folder.join(format!("{name}.{side}.part"));
                if !path.exists() {
                    fs::remove_file(&part).or_else(ignore_missing)?;
                    corpus::write_sparse(&part, seed, length, islands, ISLAND)?;
                    fs::rename(&part, &path)?;
                }
                io::Result::Ok(path)
            };
            // Island i of the one has the bytes of island i + 1 of the other.
            corpus(sparse("seed", 2)?, sparse("target", 1)?)
        }
        other => {
            let kind = other.strip_prefix(SLOW).and_then(|name| slow::KINDS.iter().find(|kind| kind.0 == name));
            let Some(&(_, make)) = kind else {
                return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no corpus \"{name}\"")));
            };
            corpus(
                file("seed", &|number, length| make(2 * number + 2, length))?,
                file("target", &|number, length| make(2 * number + 1, length))?,
            )
        }
    })
}

/// 32-bit numbers that ascend through all pieces.
fn counters(from: u32, number: u64, length: usize) -> Vec<u8> {
    let first = from.wrapping_add((number * (PIECE / 4) as u64) as u32);
    (0..length.div_ceil(4) as u32).flat_map(|at| first.wrapping_add(at).to_le_bytes()).take(length).collect()
}

/// Calls `write` with the number and the length of each piece of `length` bytes.
fn pieces(length: u64, mut write: impl FnMut(u64, usize) -> io::Result<()>) -> io::Result<()> {
    let piece = PIECE as u64;
    (0..length.div_ceil(piece)).try_for_each(|number| write(number, piece.min(length - number * piece) as usize))
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(name: &'static str, length: u64) -> (Vec<u8>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let corpus = provide(name, folder.path(), length).unwrap();
        let read = |path: &Path| fs::read(path).unwrap();
        let pair = (read(&corpus.seed), read(&corpus.target));
        // Once more, from what is there.
        let again = provide(name, folder.path(), length).unwrap();
        assert!(pair == (read(&again.seed), read(&again.target)), "{name}");
        pair
    }

    #[test]
    fn every_made_corpus_is_what_it_says() {
        let length = PIECE as u64 + 300_000;
        let is_fetched = |name: &str| packages::find(name).is_some() || trees::NAMES.contains(&name);
        let is_made = |name: &str| !is_fetched(name) && !["sqlite", "ext4"].contains(&name);
        // Large ones are the others, and one more.
        let is_small = |name: &str| !name.ends_with(LARGE.0);
        for &(name, about) in CORPORA.iter().filter(|(name, _)| is_made(name) && is_small(name)) {
            assert!(!about.is_empty());
            if name == "json" {
                continue;
            }
            let (seed, target) = both(name, length);
            assert!(target.len().abs_diff(length as usize) <= 1000, "{name}: {}", target.len());
            assert_eq!(seed == target, name == "identical", "{name}");
            match name {
                "shifted" => assert!(seed[1..] == target),
                "insertions" => assert_eq!(seed.len() - target.len(), target.len() / INSERTION_EVERY),
                "scattered" => {
                    let changed = seed.iter().zip(&target).filter(|(old, new)| old != new).count();
                    assert_eq!(changed, target.len() / EDIT_EVERY);
                }
                "periodic" => assert!(seed[..PIECE] == target[333..333 + PIECE]),
                "counters" => assert_eq!(target[PIECE..PIECE + 4], (PIECE as u32 / 4).to_le_bytes()),
                _ => {}
            }
        }
    }

    #[test]
    fn unknown_corpora_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(provide("none", folder.path(), 1000).is_err());
    }
}
