//! Small programs that show the crates: they are in `src/bin`. This library has nothing but the
//! examples of the repository's README, so that they are compiled.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
