//! What the files of a publication are called. They are all in one folder.

use gosync_chunks::{FileHash, TargetName};
use gosync_publish::{CONTENT_SUFFIX, HASH_LEN, PAYLOAD_SUFFIX};

use super::error::PublicationError;
use crate::pointer::POINTER_SUFFIX;

/// The end of the name of an index.
pub const INDEX_SUFFIX: &str = ".gosync";

/// The end of the name of the list of versions.
pub const VERSIONS_SUFFIX: &str = ".gosync-versions";

/// The most bytes of a name: what is added to it is 66 bytes at most, and file systems take 255.
const LONGEST: usize = 180;

/// All ends of names of files that belong to one version.
pub(super) const SUFFIXES: [&str; 4] = [INDEX_SUFFIX, ".gosync.minisig", CONTENT_SUFFIX, PAYLOAD_SUFFIX];

/// The names of one version of something.
pub(super) struct Names<'a> {
    name: &'a TargetName,
    serial: u64,
}

impl<'a> Names<'a> {
    pub(super) fn new(name: &'a TargetName, serial: u64) -> Result<Self, PublicationError> {
        match name.as_str().len() {
            0..=LONGEST => Ok(Self { name, serial }),
            _ => Err(PublicationError::LongName { name: name.as_str().into(), most: LONGEST }),
        }
    }

    pub(super) fn pointer(&self) -> String {
        format!("{}{POINTER_SUFFIX}", self.name)
    }

    pub(super) fn versions(&self) -> String {
        format!("{}{VERSIONS_SUFFIX}", self.name)
    }

    /// The name of the content with this hash.
    pub(super) fn content(&self, hash: FileHash, is_compressed: bool) -> TargetName {
        self.of(hash, if is_compressed { PAYLOAD_SUFFIX } else { CONTENT_SUFFIX })
    }

    /// The name of the index whose head has this hash.
    pub(super) fn index(&self, head: FileHash) -> TargetName {
        self.of(head, INDEX_SUFFIX)
    }

    fn of(&self, hash: FileHash, suffix: &str) -> TargetName {
        let hash = &hash.to_string()[..HASH_LEN];
        let name = format!("{}-{}-{hash}{suffix}", self.name, self.serial);
        TargetName::new(name).expect("what is added to a plain name leaves it plain")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_fits() {
        let name = TargetName::new("n".repeat(LONGEST)).unwrap();
        let names = Names::new(&name, u64::MAX).unwrap();
        let longest = names.content(FileHash([0xff; 32]), true);
        // With what a staged file has around it.
        assert!(longest.as_str().len() + ".".len() + ".gosync-part".len() <= 255, "{longest}");
        assert!(names.index(FileHash([0; 32])).as_str().len() + ".minisig".len() <= 255);
        assert!(Names::new(&TargetName::new("n".repeat(LONGEST + 1)).unwrap(), 1).is_err());
    }
}
