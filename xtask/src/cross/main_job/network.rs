//! Over HTTP, in both directions.

use std::fs;
use std::net::TcpListener;

use anyhow::ensure;

use super::ground::{Check, Ground};
use crate::cross::program::Program;

pub(super) const CHECKS: &[Check] = &[
    ("its client, and the server here", client),
    ("its server, and the client here", server),
    ("its client and its server", client_and_server),
    ("a compressed payload over HTTP", compressed),
    ("zsync over HTTP", zsync),
    ("a server that is not there", nobody_listens),
    ("a file that the server does not have", not_found),
    ("a source that is not what the index says", another_source),
];

fn client(ground: &Ground<'_>) -> anyhow::Result<()> {
    patch(ground, ground.guest(), ground.host())
}

fn server(ground: &Ground<'_>) -> anyhow::Result<()> {
    patch(ground, ground.host(), ground.guest())
}

fn client_and_server(ground: &Ground<'_>) -> anyhow::Result<()> {
    patch(ground, ground.guest(), ground.guest())
}

/// `client` patches with what `server` serves.
fn patch(ground: &Ground<'_>, client: &Program, server: &Program) -> anyhow::Result<()> {
    let new = ground.published()?;
    let serving = ground.serve(server)?;
    let index = format!("{}/new.gosync", serving.url);
    let foretold = ground.json(client, &["diff", "old", &index])?;
    let done = ground.json(client, &["patch", "old", &index])?;
    ensure!(done["requests"].as_u64() > Some(0), "{done}");
    ensure!(done["fetched_bytes"] == foretold["missing_bytes"], "{foretold} foretold, and {done} done");
    ground.holds("old", &new)
}

fn compressed(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.versions()?;
    ground.succeed(ground.guest(), &["build", "new", "--compress"])?;
    let serving = ground.serve(ground.guest())?;
    fs::remove_file(ground.path("new"))?;
    ground.succeed(ground.guest(), &["patch", "old", &format!("{}/new.gosync", serving.url)])?;
    ground.holds("old", &new)
}

fn zsync(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.versions()?;
    ground.succeed(ground.guest(), &["zsyncmake", "new", "-o", "new.zsync"])?;
    let serving = ground.serve(ground.host())?;
    let control = format!("{}/new.zsync", serving.url);
    ground.succeed(ground.guest(), &["zsync", "-i", "old", "-o", "out", &control])?;
    ground.holds("out", &new)
}

fn nobody_listens(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.published()?;
    let old = ground.read("old")?;
    // A port that was free just now.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let source = format!("http://{address}/new");
    ground.fail(ground.guest(), &["patch", "old", "new.gosync", &source, "--retries", "0"], 4, "error: ")?;
    ground.holds("old", &old)
}

fn not_found(ground: &Ground<'_>) -> anyhow::Result<()> {
    ground.published()?;
    let old = ground.read("old")?;
    let serving = ground.serve(ground.host())?;
    ground.fail(ground.guest(), &["patch", "old", "new.gosync", &format!("{}/absent", serving.url)], 4, "404")?;
    ground.holds("old", &old)
}

fn another_source(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.published()?;
    let old = ground.read("old")?;
    ground.write("another", &new.iter().map(|byte| byte ^ 1).collect::<Vec<_>>())?;
    ground.fail(ground.guest(), &["patch", "old", "new.gosync", "another"], 3, "error: ")?;
    ground.holds("old", &old)
}
