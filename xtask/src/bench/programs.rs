//! The programs that are measured: ours, freshly built, and every peer that installs by name.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::command::{self, cargo, find, output, root};
use crate::peers;

/// Every peer that this can run.
pub(crate) const PEERS: &[&str] =
    &["rdiff", "zsync", "rsync", "xdelta3", "casync", "bita", "fast_rsync", "zsync-rs", "zstd"];

const BITA: &str = "0.15.0";
const FAST_RSYNC: &str = "0.2.0";
const ZSYNC_RS: &str = "0.3.0";

/// The programs that are there.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    found: Vec<Program>,
    /// Peers that are not there.
    pub(crate) missing: Vec<&'static str>,
}

/// A program, or a suite of programs of one version.
#[derive(Debug)]
struct Program {
    name: &'static str,
    version: String,
    /// The folder of a suite's programs, or the program.
    path: PathBuf,
}

impl Programs {
    /// Builds ours unless it is `given`, and finds or installs those of `wanted` peers that can be had.
    ///
    /// # Errors
    ///
    /// When ours cannot be built; a missing peer is told and left out.
    pub(crate) fn provide(
        given: Option<&Path>,
        wanted: &[&'static str],
        cache: &Path,
        install: bool,
    ) -> anyhow::Result<Self> {
        let mut programs = Self::default();
        let gosync = copy_ours(given, cache)?;
        programs.add("gosync", version(&gosync, "--version"), gosync);
        if install {
            peers::install_for_benchmarks(wanted);
        }
        for &name in wanted {
            match provide_peer(name, cache, install) {
                Ok((path, version)) => programs.add(name, version, path),
                Err(error) => {
                    eprintln!("SKIPPED: {name}: {error:#}");
                    programs.missing.push(name);
                }
            }
        }
        for Program { name, version, path } in &programs.found {
            eprintln!("{name:12} {version} ({})", path.display());
        }
        Ok(programs)
    }

    /// Where `name` is, if it is there.
    pub(crate) fn find(&self, name: &str) -> Option<&Path> {
        self.found.iter().find(|program| program.name == name).map(|program| program.path.as_path())
    }

    /// Names and versions of all of them, ours first.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.found.iter().map(|program| (program.name, program.version.as_str()))
    }

    /// Programs that are nowhere.
    #[cfg(test)]
    pub(crate) fn fixed(names: &[&'static str]) -> Self {
        let mut programs = Self::default();
        names.iter().for_each(|name| programs.add(name, "1".into(), Path::new("/").join(name)));
        programs
    }

    fn add(&mut self, name: &'static str, version: String, path: PathBuf) {
        self.found.push(Program { name, version, path });
    }
}

/// Where cargo puts what it builds, and beneath it what this keeps.
pub(crate) fn target_folder() -> anyhow::Result<PathBuf> {
    let this = env::current_exe().context("cannot find this program")?;
    Ok(this.ancestors().nth(2).context("this program is not in cargo's target folder")?.to_owned())
}

/// A copy of ours, which stays when it is built anew meanwhile.
fn copy_ours(given: Option<&Path>, cache: &Path) -> anyhow::Result<PathBuf> {
    let (target, name) = (target_folder()?, format!("gosync{}", env::consts::EXE_SUFFIX));
    let built = target.join("release").join(&name);
    if given.is_none() {
        command::run(cargo(["build", "--release", "--package", "gosync-cli", "--target-dir"]).arg(&target))?;
    }
    copy_program(given.unwrap_or(&built), &cache.join("programs"), &name)
}

/// A copy of `program` in `folder`, beside which an earlier one may still run.
pub(crate) fn copy_program(program: &Path, folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let (copy, part) = (folder.join(name), folder.join(format!("{name}.part")));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::copy(program, &part)
        .and_then(|_| fs::rename(&part, &copy))
        .with_context(|| format!("cannot copy {} to {}", program.display(), copy.display()))?;
    Ok(copy)
}

fn provide_peer(name: &str, cache: &Path, install: bool) -> anyhow::Result<(PathBuf, String)> {
    match name {
        "bita" => {
            let folder = cargo_install("bita", BITA, cache, install)?;
            Ok((folder.join("bita"), BITA.to_owned()))
        }
        "zsync-rs" => Ok((cargo_install("zsync-rs", ZSYNC_RS, cache, install)?, ZSYNC_RS.to_owned())),
        "fast_rsync" => Ok((build_driver(cache, install)?, FAST_RSYNC.to_owned())),
        _ => {
            let path = find(name).context("not installed")?;
            let option = if ["zsync", "xdelta3"].contains(&name) { "-V" } else { "--version" };
            let version = version(&path, option);
            Ok((path, version))
        }
    }
}

/// Where the programs of the package are, of a folder of its own, since two packages have
/// programs of the same name.
fn cargo_install(package: &str, version: &str, cache: &Path, install: bool) -> anyhow::Result<PathBuf> {
    let folder = cache.join("programs").join(format!("{package}-{version}"));
    let programs = folder.join("bin");
    if !programs.is_dir() {
        anyhow::ensure!(install, "not installed");
        let install = |more: &[&str]| {
            let mut command = cargo(["install", package, "--version", version, "--root"]);
            command::run(command.arg(&folder).args(more))
        };
        // A mirror of the registry may lack the very versions that the package was tested with.
        install(&["--locked"]).or_else(|error| {
            eprintln!("{error}; trying without --locked");
            install(&[])
        })?;
    }
    Ok(programs)
}

/// fast_rsync is a library. What runs it is a package of its own, made here, so that the
/// workspace does not depend on it.
fn build_driver(cache: &Path, install: bool) -> anyhow::Result<PathBuf> {
    let folder = cache.join("programs").join(format!("fast_rsync-{FAST_RSYNC}"));
    let program = folder.join("target/release/driver");
    if !program.is_file() {
        anyhow::ensure!(install, "not built");
        fs::create_dir_all(folder.join("src")).with_context(|| format!("cannot make {}", folder.display()))?;
        let manifest = format!(
            "[package]\nname = \"driver\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nfast_rsync = \"={FAST_RSYNC}\"\n\n[workspace]\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/main.rs"), DRIVER)?;
        command::run(cargo(["build", "--release", "--target-dir"]).arg(folder.join("target")).current_dir(&folder))?;
    }
    Ok(program)
}

/// Runs fast_rsync as rdiff is run: `signature OLD SIGNATURE`, `delta SIGNATURE NEW [DELTA]`,
/// `patch OLD DELTA NEW`.
const DRIVER: &str = r#"use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};

use fast_rsync::{Signature, SignatureOptions, apply, diff};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["signature", old, signature] => {
            let options = SignatureOptions { block_size: 2048, crypto_hash_size: 16 };
            fs::write(signature, Signature::calculate(&fs::read(old)?, options).serialized())?;
        }
        ["delta", signature, new] => delta(signature, new, io::sink())?,
        ["delta", signature, new, out] => delta(signature, new, File::create(out)?)?,
        ["patch", old, delta, new] => {
            let mut out = BufWriter::new(File::create(new)?);
            apply(&fs::read(old)?, &fs::read(delta)?, &mut out)?;
            out.flush()?;
        }
        _ => return Err("signature OLD SIGNATURE | delta SIGNATURE NEW [DELTA] | patch OLD DELTA NEW".into()),
    }
    Ok(())
}

fn delta(signature: &str, new: &str, out: impl Write) -> Result<(), Box<dyn Error>> {
    let signature = Signature::deserialize(fs::read(signature)?)?;
    let mut out = BufWriter::new(out);
    diff(&signature.index(), &fs::read(new)?, &mut out)?;
    Ok(out.flush()?)
}
"#;

/// The version that `program option` tells.
fn version(program: &Path, option: &str) -> String {
    let Ok(said) = output(Command::new(program).arg(option).current_dir(root())) else { return "unknown".into() };
    let said = [said.stdout, said.stderr].concat();
    first_version(&String::from_utf8_lossy(&said)).unwrap_or("unknown").to_owned()
}

/// The first number with a point in it, or the first number.
fn first_version(said: &str) -> Option<&str> {
    let words = said.split_whitespace().map(|word| word.trim_matches(['(', ')', ',', 'v']));
    let mut numbers = words.filter(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    numbers.clone().find(|word| word.contains('.')).or_else(|| numbers.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_only_what_was_added() {
        let mut programs = Programs::default();
        programs.add("rdiff", "1".into(), "/rdiff".into());
        assert_eq!(programs.find("rdiff"), Some(Path::new("/rdiff")));
        assert_eq!(programs.find("zsync"), None);
        assert_eq!(programs.all().count(), 1);
    }

    #[test]
    fn nothing_is_installed_unasked() {
        let cache = tempfile::tempdir().unwrap();
        for peer in ["bita", "zsync-rs", "fast_rsync"] {
            assert!(provide_peer(peer, cache.path(), false).is_err(), "{peer}");
        }
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
    }

    #[test]
    fn versions_are_found() {
        let shown = |said| first_version(said).unwrap();
        assert_eq!(shown("rdiff (librsync 2.3.2)\nCopyright (C) 1997"), "2.3.2");
        assert_eq!(shown("zsync v0.6.2 (compiled Jan 16 2023 22:02:35)"), "0.6.2");
        assert_eq!(shown("rsync  version 3.5.0  protocol version 32"), "3.5.0");
        assert_eq!(shown("casync 2"), "2");
        assert_eq!(shown("*** zstd command line interface 64-bits v1.5.4, by Yann Collet ***"), "1.5.4");
        assert!(version(Path::new(env!("CARGO")), "--version").starts_with("1."));
        assert_eq!(version(Path::new("/nonexistent"), "--version"), "unknown");
    }
}
