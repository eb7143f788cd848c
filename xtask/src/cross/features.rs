//! Every choice of features of the crates that have some.

use std::process::Command;

use anyhow::Context;
use serde_json::Value;

use crate::command::{self, cargo};
use crate::steps::Steps;

/// What turns the others on is no choice of its own.
const DEFAULT: &str = "default";

/// Lints each published crate that has features with each subset of them.
///
/// # Errors
///
/// When one does not compile, or has a lint.
pub(super) fn run(steps: &mut Steps) -> anyhow::Result<()> {
    let output = command::output(&mut cargo(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo tells nothing of the workspace")?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().context("a package has no name")?;
        let features = Features::of(package);
        let is_published = package["publish"].is_null();
        if is_published && !features.0.is_empty() {
            steps.run(&format!("features of {name}"), || {
                features.subsets().iter().try_for_each(|chosen| command::run(&mut lint(name, chosen)))
            })?;
        }
    }
    Ok(())
}

/// Clippy for the package alone, with these features only.
fn lint(package: &str, features: &[&str]) -> Command {
    let mut command = cargo(["clippy", "--quiet", "--no-default-features", "--package", package]);
    command.args(["--features", &features.join(","), "--", "-D", "warnings"]);
    command
}

/// The features of a package, and what each turns on.
struct Features<'a>(Vec<(&'a str, Vec<&'a str>)>);

impl<'a> Features<'a> {
    fn of(package: &'a Value) -> Self {
        let features = package["features"].as_object().into_iter().flatten();
        let feature = |(name, turns_on): (&'a String, &'a Value)| {
            let turns_on = turns_on.as_array().into_iter().flatten().filter_map(Value::as_str);
            (name.as_str(), turns_on.collect())
        };
        Self(features.map(feature).filter(|(name, _)| *name != DEFAULT).collect())
    }

    /// All subsets that differ, the empty one first: those that have what their members turn on.
    fn subsets(&self) -> Vec<Vec<&'a str>> {
        let chosen = |subset: usize| self.0.iter().enumerate().filter(move |(at, _)| subset >> at & 1 == 1);
        let subsets =
            (0..1 << self.0.len()).map(|subset| chosen(subset).map(|(_, feature)| feature).collect::<Vec<_>>());
        let subsets = subsets.map(|subset| {
            let names: Vec<&str> = subset.iter().map(|(name, _)| *name).collect();
            let is_ours = |name: &&&str| self.0.iter().any(|(other, _)| other == *name);
            let has_all =
                subset.iter().flat_map(|(_, turns_on)| turns_on).filter(is_ours).all(|name| names.contains(name));
            has_all.then_some(names)
        });
        subsets.flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subset_that_differs_once() {
        let package = serde_json::json!({ "features": {
            "default": ["http"], "http": ["dep:ureq"], "verifier": ["http", "ureq/verifier"], "ssh": [],
        } });
        let subsets = Features::of(&package).subsets();
        let expected: [&[&str]; 6] =
            [&[], &["http"], &["ssh"], &["http", "ssh"], &["http", "verifier"], &["http", "ssh", "verifier"]];
        assert_eq!(subsets, expected);
    }
}
