//! What of a tree is left out.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::Error;
use crate::listing::path::WORK;
use crate::platform;
use crate::root::Root;

/// The files in a tree that have patterns of what to leave out, in the directory that each is in.
pub const IGNORE_FILE: &str = ".gosyncignore";

/// Bytes of such a file, at most.
const LONGEST_FILE: u64 = 1 << 20;

/// Patterns in the syntax of gitignore, relative to the root of a tree.
#[derive(Clone, Debug)]
pub(crate) struct Excludes {
    matcher: Gitignore,
    /// Those that were given, which count for more than those in files.
    given: String,
    /// Those of files so far; `None` where such files are of no interest.
    found: Option<Found>,
}

/// Patterns of files, each as it is from the root.
#[derive(Clone, Debug, Default)]
struct Found {
    /// Of the directories above.
    above: String,
    /// Of all files, by their directories.
    all: Arc<Mutex<BTreeMap<Vec<u8>, String>>>,
}

impl Excludes {
    /// Those in `patterns`, line by line.
    pub(crate) fn new(patterns: &str) -> Result<Self, Error> {
        Ok(Self { matcher: matcher(patterns)?, given: patterns.to_owned(), found: None })
    }

    /// The same, and those of files with patterns that are met.
    pub(crate) fn with_files(patterns: &str) -> Result<Self, Error> {
        Ok(Self { found: Some(Found::default()), ..Self::new(patterns)? })
    }

    /// All patterns, those of files first.
    pub(crate) fn patterns(&self) -> String {
        let Some(found) = &self.found else { return self.given.clone() };
        let all = found.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().map(String::as_str).chain([&*self.given]).collect()
    }

    /// Those for what is in `directory`, which is at `path`: with those of a file there.
    pub(crate) fn beneath(&self, directory: &Root, path: &[u8]) -> Result<Self, Error> {
        let Some(Found { above, all }) = &self.found else { return Ok(self.clone()) };
        let Ok(file) = directory.open_file(IGNORE_FILE.as_bytes()) else { return Ok(self.clone()) };
        let place = directory.at(IGNORE_FILE.as_bytes());
        let mut text = String::new();
        file.take(LONGEST_FILE).read_to_string(&mut text).map_err(Error::read(&place))?;
        let own: String = text.lines().filter_map(|line| from_root(line, path)).collect();
        let above = above.clone() + &own;
        let matcher = matcher(&(above.clone() + &self.given))?;
        all.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_vec(), own);
        Ok(Self { matcher, given: self.given.clone(), found: Some(Found { above, all: all.clone() }) })
    }

    /// Whether what is at `path` is left out. What is in a directory that is left out is not
    /// asked for.
    pub(crate) fn has(&self, path: &[u8], is_directory: bool) -> bool {
        path.eq_ignore_ascii_case(WORK.as_bytes())
            || (!self.matcher.is_empty()
                && platform::path_of(path).is_some_and(|path| self.matcher.matched(path, is_directory).is_ignore()))
    }
}

fn matcher(patterns: &str) -> Result<Gitignore, Error> {
    let mut builder = GitignoreBuilder::new("");
    builder.allow_unclosed_class(false);
    for line in patterns.lines() {
        let bad = |error: ignore::Error| Error::Pattern { pattern: line.to_owned(), why: error.to_string() };
        builder.add_line(None, line).map_err(bad)?;
    }
    builder.build().map_err(|error| Error::Pattern { pattern: String::new(), why: error.to_string() })
}

/// The pattern `line` of a file in `directory` as it is in the root; `None` where it is none.
fn from_root(line: &str, directory: &[u8]) -> Option<String> {
    let line = line.trim_end_matches('\r');
    if line.trim().is_empty() || line.starts_with('#') {
        return None;
    }
    if directory.is_empty() {
        return Some(format!("{line}\n"));
    }
    let (sign, pattern) = line.strip_prefix('!').map_or(("", line), |pattern| ("!", pattern));
    // A slash before the end binds it to the directory; otherwise it is for all beneath that.
    let bound = pattern.trim_end().trim_end_matches('/').contains('/');
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
    let pattern = pattern.strip_prefix('\\').filter(|rest| rest.starts_with(['!', '#'])).unwrap_or(pattern);
    let directory = std::str::from_utf8(directory).ok()?;
    let escaped: String = directory
        .chars()
        .flat_map(|c| matches!(c, '*' | '?' | '[' | ']' | '\\' | '{' | '}').then_some('\\').into_iter().chain([c]))
        .collect();
    Some(format!("{sign}/{escaped}/{}{pattern}\n", if bound { "" } else { "**/" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_git() {
        let excludes = Excludes::new("# a comment\n*.log\n/target\nbuild/\n!keep.log\na/**/z\n").unwrap();
        for (path, is_directory) in [
            ("x.log", false),
            ("a/b/y.log", false),
            ("target", true),
            ("b/build", true),
            ("a/b/c/z", false),
            (".gosync", true),
        ] {
            assert!(excludes.has(path.as_bytes(), is_directory), "{path}");
        }
        for (path, is_directory) in
            [("keep.log", false), ("b/target", true), ("build", false), ("z", false), ("a", true)]
        {
            assert!(!excludes.has(path.as_bytes(), is_directory), "{path}");
        }
        assert!(Excludes::new("a[").is_err());
    }

    #[test]
    fn patterns_of_a_directory_are_for_what_is_in_it() {
        let lines = ["*.o", "/top", "sub/x", "!keep.o", "\\#odd", "dir/", "# a comment", ""];
        let patterns: String = lines.iter().filter_map(|line| from_root(line, b"a[1]/b")).collect();
        let excludes = Excludes::new(&patterns).unwrap();
        for path in ["a[1]/b/x.o", "a[1]/b/c/y.o", "a[1]/b/top", "a[1]/b/sub/x", "a[1]/b/c/#odd"] {
            assert!(excludes.has(path.as_bytes(), false), "{path} of {patterns}");
        }
        for path in ["x.o", "a1/b/x.o", "a[1]/x.o", "a[1]/b/c/top", "a[1]/b/c/sub/x", "a[1]/b/c/keep.o", "a[1]/b/dir"] {
            assert!(!excludes.has(path.as_bytes(), false), "{path} of {patterns}");
        }
        assert!(excludes.has(b"a[1]/b/c/dir", true));
        assert_eq!(from_root("*.o\r", b""), Some("*.o\n".into()));
    }
}
