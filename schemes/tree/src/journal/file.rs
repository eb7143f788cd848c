//! The file that a journal is.

use std::io::{self, Read, Write};

use gosync_files::entry;

use super::codec::{encode, parse};
use crate::root::Root;
use crate::step::Step;

/// Its name in the folder that is worked in.
const NAME: &str = "journal";

/// Its name while it is written.
const BESIDE: &str = "journal.part";

/// Removes it, whole or not.
pub(super) fn remove(work: &Root) -> io::Result<()> {
    for name in [NAME, BESIDE] {
        match work.remove_file(name.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Writes down `steps` and has them on disk, where all that was made is already.
pub(crate) fn write(work: &Root, steps: &[Step]) -> io::Result<()> {
    let _ = work.remove_file(BESIDE.as_bytes());
    let mut file = work.create(BESIDE)?;
    file.write_all(&encode(steps))?;
    file.sync_all()?;
    work.rename(BESIDE.as_bytes(), work, NAME.as_bytes())?;
    entry::sync_directory(work.path())
}

/// What a run before this one has written down, if it was not done with it. What is damaged was
/// never begun.
pub(crate) fn read(work: &Root) -> io::Result<Option<Vec<Step>>> {
    if work.stat(NAME.as_bytes())?.is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    work.open_file(NAME.as_bytes())?.read_to_end(&mut bytes)?;
    Ok(parse(&bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extra::Extra;
    use crate::listing::entry::{Attributes, Time};
    use crate::root::{Stat, StatKind};

    fn steps() -> Vec<Step> {
        let modified = Time { seconds: -3, nanoseconds: 999 };
        let was = Stat { kind: StatKind::File, length: 5, modified, mode: 0o644, device: 1, inode: 1 << 40, names: 2 };
        let attributes = Attributes { mode: 0o750, modified };
        let extra = Extra { owner: Some((7, 1 << 31)), xattrs: Some(vec![(b"user.a".to_vec(), vec![0, 9])]) };
        vec![
            Step::Take { number: 3, path: b"a/a".to_vec(), attributes, was },
            Step::Remove { path: b"a/b".to_vec(), was },
            Step::Create { path: b"c".to_vec() },
            Step::Place { number: 7, path: b"c/d".to_vec(), was: None },
            Step::Place { number: 8, path: b"e".to_vec(), was: Some(Stat { kind: StatKind::Link, ..was }) },
            Step::Set { path: Vec::new(), attributes, extra, was: None },
            Step::Set { path: b"f".to_vec(), attributes, extra: Extra::default(), was: Some(was) },
        ]
    }

    #[test]
    fn comes_back_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let work = Root::open(directory.path()).unwrap();
        assert_eq!(read(&work).unwrap(), None);
        write(&work, &steps()).unwrap();
        assert_eq!(read(&work).unwrap(), Some(steps()));
        let path = directory.path().join(NAME);
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert_eq!(read(&work).unwrap(), None, "{at}");
            std::fs::write(&path, &bytes[..at]).unwrap();
            assert_eq!(read(&work).unwrap(), None, "{at}");
        }
    }
}
