//! What of a tree is left out.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::Error;
use crate::listing::path::WORK;
use crate::platform;

/// The file in a tree's root that has patterns.
pub const IGNORE_FILE: &str = ".gosyncignore";

/// Patterns in the syntax of gitignore, relative to the root of a tree.
#[derive(Clone, Debug)]
pub(crate) struct Excludes {
    matcher: Gitignore,
}

impl Excludes {
    /// Those in `patterns`, line by line.
    pub(crate) fn new(patterns: &str) -> Result<Self, Error> {
        let mut builder = GitignoreBuilder::new("");
        builder.allow_unclosed_class(false);
        for line in patterns.lines() {
            let bad = |error: ignore::Error| Error::Pattern { pattern: line.to_owned(), why: error.to_string() };
            builder.add_line(None, line).map_err(bad)?;
        }
        let matcher =
            builder.build().map_err(|error| Error::Pattern { pattern: String::new(), why: error.to_string() })?;
        Ok(Self { matcher })
    }

    /// Whether what is at `path` is left out. What is in a directory that is left out is not
    /// asked for.
    pub(crate) fn has(&self, path: &[u8], is_directory: bool) -> bool {
        path.eq_ignore_ascii_case(WORK.as_bytes())
            || (!self.matcher.is_empty()
                && platform::path_of(path).is_some_and(|path| self.matcher.matched(path, is_directory).is_ignore()))
    }
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
}
