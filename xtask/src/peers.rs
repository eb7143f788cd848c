//! The real programs that tests and benchmarks compare with: what is needed, and how to get it.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::command;
use crate::packages::{self, make_environment};

/// A program that tests or benchmarks run.
struct Peer {
    /// The Debian package that has it, or, with [`PYTHON`] before it, that of Python.
    package: &'static str,
    program: &'static str,
    why: &'static str,
}

/// What marks a package of Python's index, which Debian does not have.
const PYTHON: &str = "pip:";

const PEERS: &[Peer] = &[
    Peer {
        package: "nginx-light",
        program: "nginx",
        why: "an HTTP server that is not ours, with ranges, multi-ranges and keep-alive",
    },
    Peer { package: "openssh-server", program: "sshd", why: "a machine to log in to, for files over SFTP" },
    Peer { package: "openssh-client", program: "ssh", why: "makes the connections of the SSH source" },
    Peer { package: "pip:moto[server]==5.2.1", program: "moto_server", why: "an S3 server" },
    Peer { package: "minisign", program: "minisign", why: "makes keys and signatures, and verifies ours" },
    Peer { package: "zsync", program: "zsync", why: "the sync over HTTP that ours descends from" },
    Peer { package: "rdiff", program: "rdiff", why: "librsync, whose bytes ours have to be" },
    Peer { package: "tar", program: "tar", why: "unpacks the archives that testkit makes" },
    Peer { package: "g++", program: "c++", why: "compiles libFuzzer, which the fuzz targets are linted with" },
];

/// What only benchmarks run; those that cargo installs are in `bench::programs`.
const BENCHMARK_PEERS: &[Peer] = &[
    Peer { package: "rsync", program: "rsync", why: "the sync with both ends at work" },
    Peer { package: "xdelta3", program: "xdelta3", why: "deltas with both versions at hand" },
    Peer { package: "casync", program: "casync", why: "pieces cut by content, in a store" },
    Peer { package: "zstd", program: "zstd", why: "deltas with both versions at hand, by a compressor" },
    Peer { package: "sqlite3", program: "sqlite3", why: "makes a database to measure on" },
    Peer { package: "e2fsprogs", program: "mkfs.ext4", why: "makes an image to measure on" },
];

/// Tries to install what the benchmarks need, of the programs `wanted`, and the servers.
/// What is missing afterwards is for them to tell.
pub(crate) fn install_for_benchmarks(wanted: &[&str]) {
    let wanted = BENCHMARK_PEERS.iter().filter(|peer| wanted.contains(&peer.program));
    let missing: Vec<&Peer> = PEERS.iter().chain(wanted).filter(|peer| find(peer.program).is_none()).collect();
    // One by one when not all can be had: a system may lack one package and have the rest.
    if !missing.is_empty() && !self::install(&missing) && missing.len() > 1 {
        for peer in missing {
            install(&[peer]);
        }
    }
}

/// Sees to it that the peers are there, and tells whether tests may rely on them: they
/// may where all are found, and have to where this is an automatic run.
pub(crate) fn provide(install: bool) -> bool {
    let mut missing = missing();
    if !missing.is_empty() && install && self::install(&missing) {
        missing = self::missing();
    }
    for peer in PEERS {
        match find(peer.program) {
            Some(path) => eprintln!("{:12} {} ({})", peer.program, path.display(), peer.why),
            None => eprintln!("{:12} MISSING ({})", peer.program, peer.why),
        }
    }
    if !missing.is_empty() {
        eprintln!("Tests that need a missing program are skipped, or fail in an automatic run.");
        for (how, is_python) in [("on Debian: sudo apt-get install", false), ("anywhere: pip install", true)] {
            let packages = missing.iter().map(|peer| peer.package);
            let packages: Vec<&str> = packages.filter(|package| package.starts_with(PYTHON) == is_python).collect();
            if !packages.is_empty() {
                eprintln!("To install {how} {}", packages.join(" ").replace(PYTHON, ""));
            }
        }
    }
    missing.is_empty() || is_automatic()
}

fn missing() -> Vec<&'static Peer> {
    PEERS.iter().filter(|peer| find(peer.program).is_none()).collect()
}

fn is_automatic() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// Tries to install; a failure is told, and left to the tests to complain about.
fn install(peers: &[&Peer]) -> bool {
    let (python, debian): (Vec<&Peer>, Vec<&Peer>) = peers.iter().partition(|peer| peer.package.starts_with(PYTHON));
    let names: Vec<&str> = debian.iter().map(|peer| peer.package).collect();
    let has_debian = debian.is_empty() || packages::install(&names);
    let has_python = python.is_empty() || pip_install(&python);
    has_debian && has_python
}

/// `PATH`, and behind it the folder of what Python's index has.
pub(crate) fn path() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(env::split_paths(&path).chain([python().join("bin")])).unwrap_or(path)
}

fn python() -> PathBuf {
    command::root().join("target/peers/python")
}

fn find(program: &str) -> Option<PathBuf> {
    command::find(program).or_else(|| Some(python().join("bin").join(program)).filter(|path| path.is_file()))
}

/// Into an environment of its own.
fn pip_install(peers: &[&Peer]) -> bool {
    let installed = make_environment(&python(), peers.iter().filter_map(|peer| peer.package.strip_prefix(PYTHON)));
    if let Err(error) = &installed {
        eprintln!("{error}");
    }
    installed.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_once_with_a_reason() {
        let peers: Vec<&Peer> = PEERS.iter().chain(BENCHMARK_PEERS).collect();
        for (at, peer) in peers.iter().enumerate() {
            assert!(!peer.why.is_empty() && !peer.package.is_empty());
            assert!(peers[at + 1..].iter().all(|other| other.program != peer.program), "{} twice", peer.program);
        }
    }
}
