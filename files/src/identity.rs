//! Whether two names lead to one file: what is read must not be what is written.

use std::io;
use std::path::{Path, PathBuf};

use crate::entry::directory_of;
use crate::platform;

/// What is to be written is one of the files that are read for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is to be written, but is the same file as {}, which is needed; give another output", output.display(), input.display())]
pub struct SameFile {
    /// The file that is to be written, as it was given.
    pub output: PathBuf,
    /// The file that is needed, as it was given.
    pub input: PathBuf,
}

/// Whether both paths lead to one file or block device, through whatever links, or would once
/// there is one: a name that is not taken yet is the same in the same directory.
///
/// Other devices, pipes and the like are not looked at: writing to them takes nothing away.
pub fn is_same(one: &Path, other: &Path) -> bool {
    match (platform::is_same(one, other), is_missing(one) && is_missing(other)) {
        (Ok(is_same), _) => is_same,
        (Err(_), true) => {
            one.file_name().is_some()
                && one.file_name() == other.file_name()
                && platform::is_same(directory_of(one), directory_of(other)).unwrap_or(false)
        }
        (Err(_), false) => false,
    }
}

/// Refuses to write `output` where it is one of the `inputs`.
///
/// # Errors
///
/// When it is; the error has both.
pub fn keep_apart<P: AsRef<Path>>(output: &Path, inputs: impl IntoIterator<Item = P>) -> Result<(), SameFile> {
    match inputs.into_iter().find(|input| is_same(output, input.as_ref())) {
        Some(input) => Err(SameFile { output: output.to_owned(), input: input.as_ref().to_owned() }),
        None => Ok(()),
    }
}

fn is_missing(path: &Path) -> bool {
    std::fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn names_of_one_file() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("file"), "same").unwrap();
        fs::write(at("other"), "same").unwrap();
        fs::hard_link(at("file"), at("linked")).unwrap();
        for (name, is_one) in [("file", true), ("sub/../file", true), ("linked", true), ("other", false), ("no", false)]
        {
            assert_eq!(is_same(&at("file"), &at(name)), is_one, "{name}");
            assert_eq!(is_same(&at(name), &at("file")), is_one, "{name}");
        }
        let refused = keep_apart(&at("linked"), [at("other"), at("file")]).unwrap_err();
        assert_eq!(refused, SameFile { output: at("linked"), input: at("file") });
        let message = refused.to_string();
        assert!(["linked", "file", "give another output"].iter().all(|word| message.contains(word)), "{message}");
        assert_eq!(keep_apart(&at("file"), [at("other")]), Ok(()));
    }

    #[test]
    fn names_that_are_not_taken_yet() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        assert!(is_same(&at("new"), &at("sub/../new")) && is_same(Path::new("no-such"), Path::new("./no-such")));
        assert!(!is_same(&at("new"), &at("sub/new")) && !is_same(&at("new"), &at("old")));
        assert!(!is_same(&at("none/new"), &at("none/new")), "nothing can be written there");
    }
}
