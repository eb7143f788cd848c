//! Outputs that take no more.

use std::io::{self, Write};
use std::path::Path;

use gosync_files::LocalFile;
use gosync_patcher::{Patch, PatchError, StageError, StagedFile};

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
fn what_surely_does_not_fit_is_known_before() {
    use gosync_chunks::ReadAt;
    let Some(disk) = TinyDisk::mount("4m") else {
        eprintln!("SKIPPED what_surely_does_not_fit_is_known_before: no file system can be mounted here");
        return;
    };
    let path = disk.path().join("target");
    let target = Random(17).bytes(5 << 20);
    let small = Case::fetched(target[..3 << 20].to_vec(), 4096);
    let (fetched, copied) = (Case::fetched(target.clone(), 4096), Case::copied(target, 4096, 0));
    let elsewhere = tempfile::tempdir().unwrap();
    let holes = elsewhere.path().join("holes");
    std::fs::File::create(&holes).unwrap().set_len(5 << 20).unwrap();
    let holes = LocalFile::open(&holes).unwrap();

    let staged = StagedFile::create(&path).unwrap();
    let check = |case: &Case, seed: &dyn ReadAt| staged.check_room(&case.plan, &[seed], 0);
    for error in [check(&fetched, &holes), check(&copied, &copied.seeds[0])].map(Result::unwrap_err) {
        let expected = |needed: u64, free: u64| needed == 5 << 20 && (3 << 20..=4 << 20).contains(&free);
        assert!(matches!(error, StageError::NoRoom { needed, free, .. } if expected(needed, free)), "{error:?}");
    }
    check(&copied, &holes).expect("holes take no room");
    // What stands there already has its room.
    staged.file().set_len(3 << 20).unwrap();
    gosync_files::write_all_at(staged.file(), &vec![1; 2 << 20], 0).unwrap();
    check(&small, &holes).expect("two thirds of it are there");
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
