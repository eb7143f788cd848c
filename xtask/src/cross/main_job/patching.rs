//! The command makes the new version of an old one, and checks it.

use std::fs;

use anyhow::ensure;

use super::ground::{Check, Ground};

pub(super) const CHECKS: &[Check] = &[
    ("patch to a new file", to_a_new_file),
    ("patch in place, twice", in_place),
    ("patch over a file that is no seed", over_another),
    ("patch with go-sync's index", with_go_sync),
    ("patch from a compressed payload", compressed),
    ("patch with two seeds", two_seeds),
    ("patch to standard output", to_standard_output),
    ("patch without a seed", without_a_seed),
    ("verify the right file and a wrong one", verify),
    ("a signed index, and the wrong key", signed),
    ("rdiff's patch", rdiff),
    ("zsync to a new file, and once more", zsync),
    ("zsync over its own seed", zsync_in_place),
];

fn to_a_new_file(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.published()?;
    let foretold = ground.json(ground.guest(), &["diff", "old", "new.gosync"])?;
    let done = ground.json(ground.guest(), &["patch", "old", "new.gosync", "-o", "out"])?;
    ensure!(done["fetched_bytes"] == foretold["missing_bytes"], "{foretold} foretold, and {done} done");
    ensure!(done["matched_bytes"].as_u64() > Some(new.len() as u64 / 2), "{done}");
    ground.holds("out", &new)
}

fn in_place(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.published()?;
    ground.succeed(ground.guest(), &["patch", "old", "new.gosync"])?;
    ground.holds("old", &new)?;
    ensure!(ground.names()? == ["new", "new.gosync", "old"], "there is {:?}", ground.names()?);
    let again = ground.json(ground.guest(), &["patch", "old", "new.gosync"])?;
    ensure!(again["fetched_bytes"] == 0, "{again}");
    ground.holds("old", &new)
}

fn over_another(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.published()?;
    ground.write("out", b"something else")?;
    ground.succeed(ground.guest(), &["patch", "old", "new.gosync", "-o", "out"])?;
    ground.holds("out", &new)
}

fn with_go_sync(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.versions()?;
    ground.succeed(ground.host(), &["build", "new", "--format", "go-sync"])?;
    ground.succeed(ground.guest(), &["patch", "old", "new.gosync"])?;
    ground.holds("old", &new)
}

fn compressed(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.versions()?;
    ground.succeed(ground.host(), &["build", "new", "--compress"])?;
    fs::remove_file(ground.path("new"))?;
    ground.succeed(ground.guest(), &["patch", "old", "new.gosync"])?;
    ground.holds("old", &new)
}

fn two_seeds(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.published()?;
    ground.write("front", &new[..new.len() / 3])?;
    ground.write("back", &new[new.len() / 4..])?;
    let arguments = ["patch", "front", "new.gosync", "--seed", "back", "-o", "out"];
    let done = ground.json(ground.guest(), &arguments)?;
    ensure!(done["fetched_bytes"].as_u64() < Some(4096), "{done}");
    ground.holds("out", &new)
}

fn to_standard_output(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.published()?;
    let run = ground.succeed(ground.guest(), &["patch", "old", "new.gosync", "-o", "-"])?;
    ensure!(run.stdout == new, "{} bytes, not {}", run.stdout.len(), new.len());
    Ok(())
}

fn without_a_seed(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.published()?;
    ground.succeed(ground.guest(), &["patch", "absent", "new.gosync"])?;
    ground.holds("absent", &new)
}

fn verify(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.published()?;
    ground.succeed(ground.guest(), &["verify", "new", "new.gosync"])?;
    ground.fail(ground.guest(), &["verify", "old", "new.gosync"], 3, "")
}

/// With the keys of the tests' vectors.
fn signed(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.versions()?;
    for name in ["minisign.pub", "minisign.key"] {
        fs::copy(crate::command::root().join("schemes/gosync/tests/vectors").join(name), ground.path(name))?;
    }
    ground.succeed(ground.guest(), &["build", "new", "--sign", "minisign.key"])?;
    for program in [ground.host(), ground.guest()] {
        ground.succeed(program, &["verify", "new", "new.gosync", "--public-key", "minisign.pub"])?;
    }
    ground.write("new.gosync", &[&ground.read("new.gosync")?[..], b"!"].concat())?;
    ground.fail(ground.guest(), &["verify", "new", "new.gosync", "--public-key", "minisign.pub"], 3, "")
}

fn rdiff(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.versions()?;
    ground.succeed(ground.host(), &["rdiff", "signature", "old", "sums"])?;
    ground.succeed(ground.host(), &["rdiff", "delta", "sums", "new", "delta"])?;
    ground.succeed(ground.guest(), &["rdiff", "patch", "old", "delta", "out"])?;
    ground.holds("out", &new)
}

fn zsync(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.versions()?;
    ground.succeed(ground.host(), &["zsyncmake", "new", "-o", "new.zsync"])?;
    for _ in 0..2 {
        ground.succeed(ground.guest(), &["zsync", "-i", "old", "-o", "out", "new.zsync"])?;
        ground.holds("out", &new)?;
    }
    Ok(())
}

fn zsync_in_place(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.versions()?;
    ground.succeed(ground.host(), &["zsyncmake", "new", "-o", "new.zsync"])?;
    let done = ground.json(ground.guest(), &["zsync", "-i", "old", "-o", "old", "new.zsync"])?;
    ensure!(done["matched_bytes"].as_u64() > Some(new.len() as u64 / 2), "{done}");
    ground.holds("old", &new)
}
