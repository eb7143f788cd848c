//! Which package may depend on which.
//!
//! The parts are worth picking alone only as long as they do not know each other, so
//! an arrow that points the wrong way fails here. Dev-dependencies may point anywhere.

use std::collections::BTreeSet;
use std::fs;

use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::root;

/// Whom a package may know.
enum Knows {
    These(&'static [&'static str]),
    /// All on the floors below its own.
    AllBelow,
}

use Knows::{AllBelow, These};

/// The house, as ARCHITECTURE.md shows it: each package that is published, its floor, and
/// whom it may know.
const HOUSE: [(usize, &str, Knows); 23] = [
    (0, "gosync-chunks", These(&[])),
    (0, "gosync-rollsum", These(&[])),
    (1, "gosync-work", These(&[])),
    (1, "gosync-files", These(&["gosync-chunks"])),
    (2, "gosync-sums", These(&["gosync-chunks", "gosync-files", "gosync-rollsum", "gosync-work"])),
    (3, "gosync-index", These(&["gosync-chunks", "gosync-rollsum"])),
    (3, "gosync-comparer", These(&["gosync-chunks", "gosync-files", "gosync-rollsum", "gosync-work"])),
    (3, "gosync-blocksources", These(&["gosync-chunks", "gosync-files", "gosync-work"])),
    (3, "gosync-patcher", These(&["gosync-chunks", "gosync-files", "gosync-sums", "gosync-work"])),
    (3, "gosync-server", These(&["gosync-chunks", "gosync-files"])),
    (4, "gosync-layers", AllBelow),
    (4, "gosync-payloads", AllBelow),
    (4, "gosync-packed", These(&["gosync-chunks", "gosync-files", "gosync-work"])),
    (5, "gosync-publish", AllBelow),
    (5, "gosync-update", AllBelow),
    (6, "gosync", AllBelow),
    (6, "gosync-tree", AllBelow),
    (6, "gosync-unpack", AllBelow),
    (6, "gosync-zsync", AllBelow),
    (6, "gosync-librsync", AllBelow),
    // Files and directories, of another machine.
    (7, "gosync-remote", AllBelow),
    (8, "gosync-cli", AllBelow),
    // Above the command, which it carries.
    (9, "gosync-python", AllBelow),
];
/// For tests and chores; nothing that is published may need them.
const UNPUBLISHED: [&str; 3] = ["gosync-examples", "gosync-testkit", "xtask"];
/// What the static server runs on, which nothing else may need.
const SERVERS_ONLY: &str = "hyper-util";
/// For programs, not for libraries.
const PROGRAMS_ONLY: [&str; 6] = ["anyhow", "clap", "ctrlc", "indicatif", "signal-hook", "tracing-subscriber"];
/// The programs.
const PROGRAMS: [&str; 2] = ["gosync-cli", "xtask"];

/// The files that everyone gets with a package.
const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// What the rules are about: the packages of the workspace and their arrows.
#[derive(Clone, Debug, Default)]
struct Graph {
    packages: Vec<Package>,
    /// External crates that the root manifest lists, and whether with a reason.
    listed: Vec<(String, bool)>,
}

#[derive(Clone, Debug)]
struct Package {
    name: String,
    is_published: bool,
    readme: Option<String>,
    /// Whether it brings the texts of its licences, and says where its source is.
    has_licences: bool,
    has_repository: bool,
    /// Dependencies that take one version only, which users of a library could not resolve beside
    /// another that does.
    pinned: Vec<String>,
    /// Normal and build dependencies.
    needs: BTreeSet<String>,
    /// Dev-dependencies.
    tests_with: BTreeSet<String>,
}

/// Every breach of the rules, in words.
fn breaches(graph: &Graph) -> Vec<String> {
    let members: BTreeSet<&str> = graph.packages.iter().map(|package| package.name.as_str()).collect();
    let mut breaches = Vec::new();
    for package in &graph.packages {
        let name = package.name.as_str();
        let mut breach = |what: String| breaches.push(format!("{name} {what}"));

        for needed in package.needs.iter().map(String::as_str) {
            match room(name) {
                Some((_, _, These(known))) if members.contains(needed) && !known.contains(&needed) => {
                    breach(format!("must not know {needed}, but depends on it"));
                }
                Some((floor, ..)) if floor_of(needed).is_some_and(|other| other >= *floor) => {
                    breach(format!("depends on {needed}, which is not below its floor"));
                }
                _ => {}
            }
            if package.is_published && UNPUBLISHED.contains(&needed) {
                breach(format!("is published, but depends on {needed}, which is not"));
            }
            if needed == "bincode" && name != "gosync-layers" {
                breach("depends on bincode, which is for the header of our own format only".into());
            }
            if needed == SERVERS_ONLY && name != "gosync-server" {
                breach(format!("depends on {needed}, which is for the server only"));
            }
            if PROGRAMS_ONLY.contains(&needed) && !PROGRAMS.contains(&name) {
                breach(format!("is a library, but depends on {needed}, which is for programs"));
            }
        }
        if package.is_published && room(name).is_none() {
            breach("has no floor in the house".into());
        }
        for external in package.needs.union(&package.tests_with) {
            if !members.contains(external.as_str()) && !graph.listed.iter().any(|(listed, _)| listed == external) {
                breach(format!("depends on {external}, which [workspace.dependencies] does not list"));
            }
        }
        if package.is_published && !package.has_licences {
            breach(format!("is published, but has not {}: link them to those in the root", LICENCES.join(" and ")));
        }
        if package.is_published && !package.has_repository {
            breach("is published, but does not say where its repository is".into());
        }
        for pinned in package.pinned.iter().filter(|_| package.is_published) {
            breach(format!("takes one version of {pinned} only, which its users may not be able to"));
        }
        match package.readme.as_deref() {
            None if package.is_published => breach("is published, but has no README.md".into()),
            Some(text) if package.is_published && text.lines().count() < 5 => {
                breach("is published, but its README.md says next to nothing".into());
            }
            _ => {}
        }
    }
    for (dependency, _) in graph.listed.iter().filter(|(_, has_reason)| !has_reason) {
        breaches.push(format!("[workspace.dependencies] gives no reason for {dependency}"));
    }
    breaches
}

fn room(package: &str) -> Option<&'static (usize, &'static str, Knows)> {
    HOUSE.iter().find(|(_, name, _)| *name == package)
}

fn floor_of(package: &str) -> Option<usize> {
    room(package).map(|(floor, ..)| *floor)
}

/// The external crates in `[workspace.dependencies]`, and whether a comment on the same
/// line, or alone on the line above, says why. The manifest keeps to one line each.
fn listed_dependencies(manifest: &str) -> Vec<(String, bool)> {
    let mut lines = manifest.lines().skip_while(|line| line.trim() != "[workspace.dependencies]").skip(1);
    let mut listed = Vec::new();
    let mut above = "";
    for line in lines.by_ref().take_while(|line| !line.starts_with('[')) {
        if let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            let (value, comment) = split_comment(value);
            if !value.contains("path =") {
                let reason = comment.or(above.strip_prefix('#')).unwrap_or_default();
                let name =
                    value.split_once("package = \"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or(name);
                listed.push((name.trim().to_owned(), !reason.trim().is_empty()));
            }
        }
        above = line;
    }
    listed
}

/// Cuts a comment off a TOML value; a `#` within quotes begins none.
fn split_comment(value: &str) -> (&str, Option<&str>) {
    let mut is_quoted = false;
    for (at, character) in value.char_indices() {
        match character {
            '"' => is_quoted = !is_quoted,
            '#' if !is_quoted => return (&value[..at], Some(&value[at + 1..])),
            _ => {}
        }
    }
    (value, None)
}

fn workspace() -> Graph {
    let manifest = root().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(&manifest).no_deps().exec().expect("cargo reads the workspace");
    let packages = metadata.packages.iter().map(|package| {
        let folder = package.manifest_path.parent().expect("a manifest is in a folder");
        let names = |is_test: bool| {
            package
                .dependencies
                .iter()
                .filter(|dependency| (dependency.kind == DependencyKind::Development) == is_test)
                .map(|dependency| dependency.name.clone())
                .collect()
        };
        Package {
            name: package.name.to_string(),
            is_published: package.publish.as_ref().is_none_or(|registries| !registries.is_empty()),
            readme: fs::read_to_string(folder.join("README.md")).ok(),
            has_licences: LICENCES.iter().all(|name| {
                let root = fs::read(root().join(name)).expect("the licence is there");
                fs::read(folder.join(name)).is_ok_and(|text| text == root)
            }),
            has_repository: package.repository.is_some(),
            pinned: package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .filter(|dependency| dependency.req.to_string().starts_with('='))
                .map(|dependency| dependency.name.clone())
                .collect(),
            needs: names(false),
            tests_with: names(true),
        }
    });
    Graph {
        packages: packages.collect(),
        listed: listed_dependencies(&fs::read_to_string(manifest).expect("the manifest is there")),
    }
}

#[test]
fn every_arrow_points_the_right_way() {
    let graph = workspace();
    for name in HOUSE.iter().map(|(_, name, _)| name).chain(&UNPUBLISHED).chain(&PROGRAMS) {
        assert!(graph.packages.iter().any(|package| package.name == *name), "a rule is about {name}, which is no more");
    }
    for (floor, name, knows) in &HOUSE {
        let These(known) = knows else { continue };
        let is_above = |known: &&str| floor_of(known).is_none_or(|other| other >= *floor);
        assert!(!known.iter().any(is_above), "{name} may know what is above it");
    }
    assert!(graph.listed.len() > 20, "the manifest was not understood: {:?}", graph.listed);
    let breaches = breaches(&graph);
    assert!(breaches.is_empty(), "see ARCHITECTURE.md:\n{}", breaches.join("\n"));
}

/// A small workspace without a breach.
fn sound() -> Graph {
    let package = |name: &str, needs: &[&str]| Package {
        name: name.into(),
        is_published: !UNPUBLISHED.contains(&name),
        readme: Some("line\n".repeat(9)),
        has_licences: true,
        has_repository: true,
        pinned: Vec::new(),
        needs: needs.iter().map(ToString::to_string).collect(),
        tests_with: BTreeSet::new(),
    };
    Graph {
        packages: vec![
            package("gosync-rollsum", &[]),
            package("gosync-chunks", &["rayon"]),
            package("gosync-index", &["gosync-chunks", "gosync-rollsum", "rayon"]),
            package("gosync-files", &["gosync-chunks"]),
            package("gosync-patcher", &["gosync-chunks", "gosync-files"]),
            package("gosync-layers", &["gosync-index", "bincode"]),
            package("gosync", &["gosync-layers", "gosync-patcher"]),
            package("gosync-cli", &["gosync", "anyhow", "clap", "indicatif"]),
            package("gosync-testkit", &["gosync-chunks"]),
            package("xtask", &["anyhow"]),
        ],
        listed: ["rayon", "bincode", "anyhow", "clap", "indicatif", "hyper-util"]
            .map(|name| (name.to_owned(), true))
            .to_vec(),
    }
}

#[test]
fn a_sound_workspace_has_no_breach() {
    assert_eq!(breaches(&sound()), [""; 0]);
}

#[test]
fn every_wrong_arrow_is_one_breach() {
    for (from, to, word) in [
        ("gosync-rollsum", "gosync-chunks", "must not know"),
        ("gosync-chunks", "gosync-rollsum", "must not know"),
        ("gosync-chunks", "gosync-index", "must not know"),
        ("gosync-index", "gosync-patcher", "must not know"),
        ("gosync-files", "gosync-patcher", "must not know"),
        ("gosync-files", "gosync-rollsum", "must not know"),
        ("gosync-index", "gosync-files", "must not know"),
        ("gosync-patcher", "gosync", "must not know"),
        ("gosync", "gosync-testkit", "is published"),
        ("gosync-cli", "xtask", "is published"),
        ("gosync-cli", "bincode", "bincode"),
        ("gosync-testkit", "bincode", "bincode"),
        ("gosync-index", "hyper-util", "for the server only"),
        ("gosync-index", "clap", "for programs"),
        ("gosync-patcher", "indicatif", "for programs"),
        ("gosync-chunks", "anyhow", "for programs"),
        ("gosync", "anyhow", "for programs"),
        ("gosync", "gosync-cli", "not below its floor"),
        ("gosync", "serde", "does not list"),
    ] {
        let mut graph = sound();
        let package = graph.packages.iter_mut().find(|package| package.name == from).unwrap();
        package.needs.insert(to.into());
        let breaches = breaches(&graph);
        assert_eq!(breaches.len(), 1, "{from} -> {to}: {breaches:?}");
        assert!(breaches[0].starts_with(from) && breaches[0].contains(word), "{}", breaches[0]);
    }
}

#[test]
fn tests_may_use_what_they_like() {
    let mut graph = sound();
    for package in &mut graph.packages {
        package.tests_with = ["gosync-testkit", "gosync-index", "bincode", "anyhow"].map(String::from).into();
    }
    assert_eq!(breaches(&graph), [""; 0]);
}

#[test]
fn what_is_published_has_a_floor() {
    let mut graph = sound();
    graph.packages[2].name = "gosync-other".into();
    let breaches = breaches(&graph);
    assert!(breaches.iter().any(|breach| breach == "gosync-other has no floor in the house"), "{breaches:?}");
}

#[test]
fn readmes_are_for_what_is_published() {
    for (readme, expected) in [(None, 1), (Some("# x\n".to_owned()), 1), (Some("line\n".repeat(5)), 0)] {
        let mut graph = sound();
        graph.packages[0].readme.clone_from(&readme);
        graph.packages[9].readme.clone_from(&readme);
        assert_eq!(breaches(&graph).len(), expected, "{readme:?}");
    }
}

#[test]
fn what_users_get_is_complete() {
    let mut graph = sound();
    for package in &mut graph.packages {
        (package.has_licences, package.has_repository) = (false, false);
        package.pinned = vec!["rayon".into()];
    }
    let published = graph.packages.iter().filter(|package| package.is_published).count();
    assert_eq!(breaches(&graph).len(), 3 * published);
}

#[test]
fn dependencies_give_their_reason() {
    let manifest = "\
[workspace.package]
license = \"MIT\"

[workspace.dependencies]
# Ours.
ours = { path = \"ours\", version = \"1\" }

# These have reasons.

one = \"1\" # because
# because
two = \"=2\"
three = { version = \"3\", features = [\"#\"] }
four = \"4\" #
five = { package = \"cinq\", version = \"5\" }

[profile.dev]
opt-level = 1
";
    let expected = [("one", true), ("two", true), ("three", false), ("four", false), ("cinq", false)];
    assert_eq!(listed_dependencies(manifest), expected.map(|(name, has_reason)| (name.to_owned(), has_reason)));

    let mut graph = sound();
    graph.listed[1].1 = false;
    assert_eq!(breaches(&graph), ["[workspace.dependencies] gives no reason for bincode"]);
}
