//! Two versions of a directory: what npm, a distribution and a wheel unpack to, and the files of a
//! machine with its disk.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use gosync_testkit::corpus::{self, edit};

use super::packages;
use super::versions::Corpus;
use crate::bench::disk;
use crate::command::{find as find_program, run};

/// What a folder of an application's dependencies has: each package in an old and a new release.
const MODULES: [(&str, &str, &str); 24] = [
    ("@ant-design/icons", "5.2.6", "5.3.7"),
    ("@ant-design/icons-svg", "4.3.1", "4.4.2"),
    ("@babel/runtime", "7.23.6", "7.24.8"),
    ("@emotion/react", "11.11.1", "11.13.0"),
    ("@fluentui/react", "8.114.0", "8.120.0"),
    ("@mui/icons-material", "5.15.0", "5.16.7"),
    ("@mui/material", "5.15.0", "5.16.7"),
    ("@types/node", "20.10.5", "20.14.12"),
    ("antd", "5.12.0", "5.18.0"),
    ("caniuse-lite", "1.0.30001570", "1.0.30001643"),
    ("core-js", "3.34.0", "3.37.1"),
    ("date-fns", "3.0.6", "3.6.0"),
    ("es-abstract", "1.22.3", "1.23.3"),
    ("eslint", "8.56.0", "8.57.0"),
    ("lodash", "4.17.20", "4.17.21"),
    ("lodash-es", "4.17.20", "4.17.21"),
    ("moment", "2.29.4", "2.30.1"),
    ("ramda", "0.29.1", "0.30.1"),
    ("react-dom", "18.2.0", "18.3.1"),
    ("react-icons", "4.12.0", "5.2.1"),
    ("rxjs", "7.8.0", "7.8.1"),
    ("three", "0.160.0", "0.167.0"),
    ("typescript", "5.3.3", "5.5.4"),
    ("webpack", "5.89.0", "5.93.0"),
];

/// Releases of Debian's package of Linux's sources.
const LINUX: [&str; 2] = ["6.1.170-3", "6.1.192-3"];

/// What unpacks one of them where `$1` says. Without drivers it has still more files than most.
const UNPACK_LINUX: &str = "apt-get download -q \"linux-source-6.1=$0\" && \
    dpkg-deb --fsys-tarfile linux-source-6.1_*.deb | tar -xO ./usr/src/linux-source-6.1.tar.xz | \
    tar -xJ --no-same-owner --strip-components=1 --exclude='linux-source-6.1/drivers' -C \"$1\"";

const SIDES: [&str; 2] = ["old", "new"];

/// Islands of data in the disk, whose rest is a hole.
const ISLANDS: u64 = 64;
const ISLAND: usize = 2 << 20;
const DISK: u64 = 8 << 30;
const SMALL_FILES: u64 = 10_000;

/// All that are trees.
#[cfg(test)]
pub(super) const NAMES: [&str; 7] = ["modules", "linux", "scipy-files", "disk", "unchanged", "one-line", "moved"];

/// The trees that make up the corpus `name`, if trees do. They are made unless they are there.
pub(super) fn find(name: &'static str, cache: &Path) -> Option<anyhow::Result<Corpus>> {
    let make: fn(&Path, &Path) -> anyhow::Result<()> = match name {
        "modules" => modules,
        "linux" => linux,
        "scipy-files" => wheel,
        "disk" => disk,
        "unchanged" => return Some(edited(name, cache, |_| Ok(()))),
        "one-line" => return Some(edited(name, cache, add_line)),
        "moved" => return Some(edited(name, cache, move_some)),
        _ => return None,
    };
    let made = || {
        let folder = once(name, cache, |folder| {
            SIDES.iter().try_for_each(|side| fs::create_dir(folder.join(side)))?;
            make(folder, cache)?;
            run(Command::new("chmod").args(["-R", "u=rwX,go=rX"]).args(SIDES.map(|side| folder.join(side))))?;
            date(&folder.join("old"), &folder.join("new"))
        })?;
        Ok(Corpus { name, seed: folder.join("old"), target: folder.join("new") })
    };
    Some(made())
}

/// The folder of a corpus, which `make` fills unless it is there.
fn once(name: &str, cache: &Path, make: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<PathBuf> {
    let trees = cache.join("trees");
    let (folder, part) = (trees.join(name), trees.join(format!("{name}.part")));
    if !folder.exists() {
        disk::remove(&part)?;
        fs::create_dir_all(&part).with_context(|| format!("cannot make {}", part.display()))?;
        make(&part)?;
        fs::rename(&part, &folder)?;
    }
    Ok(folder)
}

/// The new version of `modules`, and what `edit` makes of it.
fn edited(name: &'static str, cache: &Path, edit: fn(&Path) -> anyhow::Result<()>) -> anyhow::Result<Corpus> {
    let seed = find("modules", cache).context("it is a tree")??.target;
    let folder = once(name, cache, |folder| {
        let new = folder.join("new");
        run(Command::new("cp").arg("-a").args([&seed, &new]))?;
        edit(&new)
    })?;
    Ok(Corpus { name, seed, target: folder.join("new") })
}

fn add_line(tree: &Path) -> anyhow::Result<()> {
    let path = tree.join("lodash/lodash.js");
    let mut text = fs::read_to_string(&path)?;
    let middle = text.len() / 2 + text[text.len() / 2..].find('\n').context("it has lines")?;
    text.insert_str(middle, "\n// One more line.");
    Ok(fs::write(&path, text)?)
}

fn move_some(tree: &Path) -> anyhow::Result<()> {
    fs::rename(tree.join("rxjs"), tree.join("rxjs-7"))?;
    fs::rename(tree.join("typescript/lib/typescript.js"), tree.join("typescript/typescript.js"))?;
    fs::copy(tree.join("typescript/lib/tsc.js"), tree.join("webpack/tsc.js")).map(drop)?;
    Ok(())
}

fn modules(folder: &Path, cache: &Path) -> anyhow::Result<()> {
    let npm = find_program("npm").context("there is no npm to fetch it with")?;
    let packs = cache.join("packages/npm");
    fs::create_dir_all(&packs)?;
    for (number, side) in SIDES.iter().enumerate() {
        let release = |module: &(&str, &str, &str)| [module.1, module.2][number].to_owned();
        // As npm calls what it packs.
        let file = |module: &(&str, &str, &str)| {
            packs.join(format!("{}-{}.tgz", module.0.trim_start_matches('@').replace('/', "-"), release(module)))
        };
        let missing = MODULES.iter().filter(|module| !file(module).exists());
        let missing: Vec<String> = missing.map(|module| format!("{}@{}", module.0, release(module))).collect();
        if !missing.is_empty() {
            let mut pack = Command::new(&npm);
            run(pack.args(["pack", "--silent", "--pack-destination", "."]).args(missing).current_dir(&packs))?;
        }
        for module in &MODULES {
            let place = folder.join(side).join(module.0);
            fs::create_dir_all(&place)?;
            let mut tar = Command::new("tar");
            tar.args(["-xz", "--no-same-owner", "--strip-components=1", "--warning=no-unknown-keyword", "-f"]);
            run(tar.arg(file(module)).arg("-C").arg(&place))?;
        }
    }
    Ok(())
}

fn linux(folder: &Path, _: &Path) -> anyhow::Result<()> {
    for (side, version) in SIDES.iter().zip(LINUX) {
        let fetched = folder.join(format!("{side}.deb"));
        fs::create_dir(&fetched)?;
        run(Command::new("sh").args(["-ec", UNPACK_LINUX, version]).arg(folder.join(side)).current_dir(&fetched))?;
        fs::remove_dir_all(&fetched)?;
    }
    Ok(())
}

fn wheel(folder: &Path, cache: &Path) -> anyhow::Result<()> {
    let (old, new) = packages::find("scipy").context("it is a package")?;
    for (side, release) in SIDES.iter().zip([old, new]) {
        let tar = release.provide(&cache.join("packages"))?;
        run(Command::new("tar").args(["-x", "--no-same-owner", "-f"]).arg(tar).arg("-C").arg(folder.join(side)))?;
    }
    Ok(())
}

/// A disk of which little has data, and files beside it: some bytes of four islands change, an island
/// comes, and every hundredth file is another one.
fn disk(folder: &Path, _: &Path) -> anyhow::Result<()> {
    for (is_new, side) in [false, true].into_iter().zip(SIDES) {
        let image = File::create(folder.join(side).join("disk.img"))?;
        image.set_len(DISK)?;
        for number in 0..ISLANDS + u64::from(is_new) {
            let mut data = corpus::random(number, ISLAND);
            if is_new && number.is_multiple_of(ISLANDS / 4) {
                data = edit::scatter(&data, number, 10);
            }
            write_all_at(&image, &data, number * (DISK / (ISLANDS + 1)))?;
        }
        for number in 0..SMALL_FILES {
            let path = folder.join(side).join(format!("etc/{}/{number}.conf", number % 100));
            fs::create_dir_all(path.parent().context("it is in a folder")?)?;
            let seed = if is_new && number.is_multiple_of(100) { number + SMALL_FILES } else { number };
            fs::write(path, corpus::text(seed, 1000 + number as usize % 1000))?;
        }
    }
    Ok(())
}

fn write_all_at(file: &File, data: &[u8], at: u64) -> std::io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};
    let mut file = file;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(data)
}

/// Dates all files: what is the same in both versions is as old in both, as where an installer
/// leaves alone what did not change.
fn date(old: &Path, new: &Path) -> anyhow::Result<()> {
    let time = |seconds| FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let (first, second) = (time(1_700_000_000), time(1_710_000_000));
    disk::walk(new, &mut |path, metadata| {
        let before = old.join(path.strip_prefix(new).unwrap_or(path));
        let is_file = metadata.is_file();
        let is_same = is_file && before.is_file() && disk::have_equal_bytes(path, &before)?;
        if !metadata.is_symlink() {
            File::open(path)?.set_times(if is_same || !is_file { first } else { second })?;
        }
        Ok(())
    })?;
    disk::walk(old, &mut |path, metadata| {
        if metadata.is_symlink() { Ok(()) } else { File::open(path)?.set_times(first) }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_change_is_as_old_in_both() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for side in SIDES {
            fs::create_dir_all(at(side).join("d")).unwrap();
            fs::write(at(side).join("d/same"), "same").unwrap();
            fs::write(at(side).join("other"), side).unwrap();
        }
        date(&at("old"), &at("new")).unwrap();
        let modified = |path: &str| at(path).metadata().unwrap().modified().unwrap();
        assert_eq!(modified("old/d/same"), modified("new/d/same"));
        assert_eq!(modified("old/d"), modified("new/d"));
        assert!(modified("old/other") < modified("new/other"));
    }
}
