//! The targets: what each needs on this machine, and how it is built for.

use std::path::PathBuf;
use std::process::Command;

use crate::command::{self, root};

/// What code is built for.
pub(super) struct Target {
    /// What one calls it on the command line.
    pub(super) name: &'static str,
    pub(super) triple: &'static str,
    /// Debian's packages that build for it, and run what was built.
    pub(super) packages: &'static [&'static str],
    pub(super) linker: &'static str,
    /// Options of the compiler.
    pub(super) flags: &'static str,
    /// What runs its programs, where this machine cannot.
    pub(super) runner: &'static [&'static str],
}

pub(super) const AARCH64: Target = Target {
    name: "aarch64",
    triple: "aarch64-unknown-linux-gnu",
    packages: &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user"],
    linker: "aarch64-linux-gnu-gcc",
    flags: "",
    runner: &["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
};

/// Big-endian.
pub(super) const S390X: Target = Target {
    name: "s390x",
    triple: "s390x-unknown-linux-gnu",
    packages: &["gcc-s390x-linux-gnu", "libc6-dev-s390x-cross", "qemu-user"],
    linker: "s390x-linux-gnu-gcc",
    flags: "",
    runner: &["qemu-s390x", "-L", "/usr/s390x-linux-gnu"],
};

/// Of 32 bits.
pub(super) const I686: Target = Target {
    name: "i686",
    triple: "i686-unknown-linux-gnu",
    packages: &["gcc-i686-linux-gnu", "libc6-dev-i386-cross"],
    linker: "i686-linux-gnu-gcc",
    // Its programs run on this machine, once they find the libraries.
    flags: "-Clink-arg=-Wl,--dynamic-linker=/usr/i686-linux-gnu/lib/ld-linux.so.2,-rpath=/usr/i686-linux-gnu/lib",
    runner: &[],
};

pub(super) const MUSL: Target = Target {
    name: "musl",
    triple: "x86_64-unknown-linux-musl",
    packages: &["musl-tools"],
    linker: "musl-gcc",
    flags: "",
    runner: &[],
};

pub(super) const WINDOWS: Target = Target {
    name: "windows",
    triple: "x86_64-pc-windows-gnu",
    packages: &["gcc-mingw-w64-x86-64", "wine", "wine64"],
    linker: "x86_64-w64-mingw32-gcc",
    flags: "",
    runner: &["wine"],
};

/// Type checked only: nothing here links for it or runs it.
pub(super) const WASI: Target =
    Target { name: "wasi", triple: "wasm32-wasip1", packages: &[], linker: "", flags: "", runner: &[] };

/// The same.
pub(super) const MACOS: Target =
    Target { name: "macos", triple: "aarch64-apple-darwin", packages: &[], linker: "", flags: "", runner: &[] };

/// What all is built in.
pub(super) fn folder() -> PathBuf {
    root().join("target/cross")
}

impl Target {
    /// Debian's cargo with the subcommand `verb`, for this target and with the standard library
    /// built for it.
    pub(super) fn cargo(&self, verb: &str) -> Command {
        let mut command = command::cargo_at("/usr/bin/cargo", [verb]);
        command.args(["--profile", "cross", "-Zbuild-std=std,panic_unwind", "--target", self.triple]);
        command.envs([("RUSTC", "/usr/bin/rustc"), ("RUSTDOC", "/usr/bin/rustdoc")]);
        // What lets a stable compiler build its own library.
        command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", folder());
        if !self.linker.is_empty() {
            command.env(self.variable("LINKER"), self.linker);
        }
        if !self.flags.is_empty() {
            command.env(self.variable("RUSTFLAGS"), self.flags);
        }
        command
    }

    /// The variable by which cargo takes `what` for this target.
    pub(super) fn variable(&self, what: &str) -> String {
        format!("CARGO_TARGET_{}_{what}", self.triple.replace('-', "_").to_uppercase())
    }

    /// Where the program `name` is, once built.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        folder().join(self.triple).join("cross").join(name)
    }
}
