//! What both commands make has the same bytes, and they say the same of it.

use anyhow::ensure;
use gosync_testkit::corpus;

use super::ground::{Check, Ground};

pub(super) const CHECKS: &[Check] = &[
    ("a layered index", layered_index),
    ("an index with blocks of one size", one_block_size),
    ("a compressed payload", compressed),
    ("go-sync's index", go_sync),
    ("the parts of an index, and all of them together", parts),
    ("zsync's control file", zsync),
    ("the control file of zsyncmake 0.6.2", zsyncmake),
    ("librsync's signatures", signatures),
    ("librsync's deltas", deltas),
    ("indexes of an empty file and of one byte", short_files),
    ("an index of a file with holes", holes),
    ("an index made with one thread and with five", threads),
    ("what diff foretells", diff),
    ("what inspect shows", inspect),
    ("the page that diff writes", report),
];

fn layered_index(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.versions()?;
    ground.same_bytes(&["build", "new"], &["new.gosync"])
}

fn one_block_size(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.versions()?;
    ground.same_bytes(&["build", "new", "--block-size", "4096", "-o", "index"], &["index"])
}

fn compressed(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.versions()?;
    ground.same_bytes(&["build", "new", "--compress"], &["new.gosync", "new.gosync-payload"])
}

fn go_sync(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.versions()?;
    ground.same_bytes(&["build", "new", "--format", "go-sync"], &["new.gosync"])
}

fn parts(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.versions()?;
    ground.same_bytes(&["build", "new", "--part", "1/2", "-o", "one"], &["one"])?;
    ground.same_bytes(&["build", "new", "--part", "2/2", "-o", "two"], &["two"])?;
    ground.same_bytes(&["index", "merge", "two", "one", "-o", "index"], &["index"])?;
    ground.succeed(ground.host(), &["build", "new"])?;
    ground.holds("index", &ground.read("new.gosync")?)
}

fn zsync(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.versions()?;
    ground.same_bytes(&["build", "new", "--format", "zsync"], &["new.zsync"])
}

fn zsyncmake(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.versions()?;
    ground.same_bytes(&["zsyncmake", "--compat", "0.6.2", "-u", "there/new", "-o", "control", "new"], &["control"])
}

fn signatures(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.versions()?;
    for (hash, rollsum) in [("blake2", "rabinkarp"), ("blake2", "rollsum"), ("md4", "rabinkarp"), ("md4", "rollsum")] {
        ground.same_bytes(&["rdiff", "--force", "-H", hash, "-R", rollsum, "signature", "old", "sums"], &["sums"])?;
    }
    Ok(())
}

fn deltas(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.versions()?;
    for hash in ["blake2", "md4"] {
        ground.succeed(ground.host(), &["rdiff", "--force", "-H", hash, "signature", "old", "sums"])?;
        ground.same_bytes(&["rdiff", "--force", "delta", "sums", "new", "delta"], &["delta"])?;
    }
    Ok(())
}

fn short_files(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.write("empty", b"")?;
    ground.write("one", b"1")?;
    ground.same_bytes(&["build", "empty"], &["empty.gosync"])?;
    ground.same_bytes(&["build", "one"], &["one.gosync"])
}

fn holes(ground: &Ground<'_>) -> anyhow::Result<()> {
    corpus::write_sparse(&ground.path("new"), 1, 64 << 20, 3, 100_000)?;
    ground.same_bytes(&["build", "new"], &["new.gosync"])
}

fn threads(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.versions()?;
    ground.same_bytes(&["build", "new", "-p", "1"], &["new.gosync"])?;
    let one = ground.read("new.gosync")?;
    ground.same_bytes(&["build", "new", "-p", "5"], &["new.gosync"])?;
    ground.holds("new.gosync", &one)
}

fn diff(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.published()?;
    same_events(ground, &["diff", "old", "new.gosync"])
}

fn inspect(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.published()?;
    same_events(ground, &["inspect", "new.gosync"])?;
    ground.succeed(ground.host(), &["build", "new", "--format", "zsync"])?;
    same_events(ground, &["inspect", "new.zsync"])
}

/// Both say the same, but for how long it took.
fn same_events(ground: &Ground<'_>, arguments: &[&str]) -> anyhow::Result<()> {
    let [guest, host] = [ground.guest(), ground.host()].map(|program| {
        let mut event = ground.json(program, arguments)?;
        event.as_object_mut().map(|fields| fields.remove("seconds"));
        anyhow::Ok(event)
    });
    let (guest, host) = (guest?, host?);
    ensure!(guest == host, "it says {guest}, and here {host}");
    Ok(())
}

fn report(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.published()?;
    ground.same_bytes(&["diff", "old", "new.gosync", "--report", "page.html"], &["page.html"])
}
