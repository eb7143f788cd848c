//! Outputs that take no more.

use std::io::{self, Write};
use std::path::Path;

use gosync_files::LocalFile;
use gosync_patcher::{Patch, PatchError};

use crate::case::{Case, Random, names, write};
use crate::source::{MemorySource, NoSource};

#[test]
fn a_stream_that_takes_no_more() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(data.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(data.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let case = Case::random(15, 20 << 20, 4096, [1, 2, 1]);
    let source = MemorySource::new(&case.target);
    let error = case.with(&source, &(), |patch: Patch<'_>| patch.write_to_stream(&mut Full(3 << 20))).unwrap_err();
    assert!(matches!(error, PatchError::Stream(source) if source.kind() == io::ErrorKind::StorageFull));
}

/// A file system of some bytes, for as long as it lives.
#[cfg(target_os = "linux")]
struct TinyDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl TinyDisk {
    fn mount(size: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(directory.path());
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then(|| Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

#[cfg(target_os = "linux")]
impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let Some(disk) = TinyDisk::mount("2m") else {
        eprintln!("SKIPPED a_full_disk: no file system can be mounted here");
        return;
    };
    let path = disk.path().join("target");
    std::fs::write(&path, "old").unwrap();
    let target = Random(16).bytes(8 << 20);
    let copied = Case::copied(target.clone(), 4096, 0);
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(elsewhere.path(), &copied.seeds[0]).unwrap();
    let seed_file = LocalFile::open(elsewhere.path()).unwrap();

    let fetched = Case::fetched(target, 4096);
    let source = MemorySource { threads: 2, ..MemorySource::new(&fetched.target) };
    let errors = [
        fetched.with(&source, &(), |patch| write(patch, &path)).unwrap_err(),
        copied.with(&NoSource, &(), |patch| write(patch, &path)).unwrap_err(),
        copied.with_seeds(&[&seed_file], &NoSource, &(), |patch| write(patch, &path)).unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().ends_with(".target.gosync-part"), "{error}");
        assert!(matches!(error, PatchError::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names(disk.path()), ["target"]);
    }
}
