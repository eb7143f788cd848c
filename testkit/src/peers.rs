//! The real programs that tests compare with.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Set to `1`, it turns the absence of a program from a skip into a failure.
pub const REQUIRE_PEERS: &str = "GOSYNC_REQUIRE_PEERS";

/// Where `program` is, on `PATH` or where servers are kept (`/usr/sbin` and the like,
/// which are not on everyone's `PATH`).
///
/// Where there is none: `None`, said loudly, for the caller to skip its test.
///
/// # Panics
///
/// Where there is none and [`REQUIRE_PEERS`] is set to `1`.
pub fn require(program: &str) -> Option<PathBuf> {
    let found = find(program, &env::var_os("PATH").unwrap_or_default());
    if found.is_none() {
        missing(program, env::var_os(REQUIRE_PEERS).is_some_and(|value| value == "1"));
    }
    found
}

fn find(program: &str, path: &OsStr) -> Option<PathBuf> {
    let servers = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(path).chain(servers).map(|folder| folder.join(&name)).find(|candidate| is_program(candidate))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[expect(clippy::print_stderr, reason = "a test that did not run must not look like one that passed")]
fn missing(program: &str, required: bool) {
    assert!(!required, "{program} is not installed, and {REQUIRE_PEERS} is set; `cargo xtask test` installs it");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    eprintln!("\nSKIPPED: {test} needs {program}, which is not installed; `cargo xtask test` installs it\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn finds_programs_only() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gosync-peer");
        std::fs::write(&path, "").unwrap();
        let search = env::join_paths([Path::new("/nonexistent"), directory.path()]).unwrap();
        assert_eq!(find("gosync-peer", &search), None, "not executable");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find("gosync-peer", &search), Some(path));
        assert_eq!(find("gosync-peer", OsStr::new("")), None);
    }

    #[test]
    fn missing_is_a_skip_or_a_failure() {
        missing("gosync-peer", false);
        assert!(std::panic::catch_unwind(|| missing("gosync-peer", true)).is_err());
    }
}
