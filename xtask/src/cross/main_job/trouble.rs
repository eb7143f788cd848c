//! Runs that are killed or interrupted, and files that others have.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, ensure};
use gosync_testkit::corpus;
use serde_json::Value;

use super::ground::{Check, Ground, Running, Serving, wait_until};

pub(super) const CHECKS: &[Check] = &[
    ("killed, and resumed", killed),
    ("killed, and another index", another_index),
    ("another run that writes the same file", busy),
    ("a target that is read-only", read_only),
];

pub(super) const ON_WINDOWS: &[Check] =
    &[("Ctrl-C, and resumed", interrupted), ("a target that another program holds open", held)];

const BLOCK: usize = 4096;
const PART: &str = ".old.gosync-part";

/// A new version of which half is missing, with its index.
fn published(ground: &Ground<'_>) -> anyhow::Result<Vec<u8>> {
    let new = corpus::random(1, 4 << 20);
    ground.write("new", &new)?;
    ground.write("old", &new[..new.len() / 2])?;
    ground.succeed(ground.host(), &["build", "new", "--block-size", &BLOCK.to_string()])?;
    Ok(new)
}

/// The arguments of a patch that takes some ten seconds.
fn slow_patch(serving: &Serving) -> Vec<String> {
    let source = format!("{}/new", serving.url);
    ["patch", "old", "new.gosync", &source, "--limit-rate", "200KB"].map(str::to_owned).into()
}

/// Starts a patch that takes some ten seconds, and waits for a part of what it fetches.
fn start(ground: &Ground<'_>, serving: &Serving, new: &[u8]) -> anyhow::Result<Running> {
    let arguments = slow_patch(serving);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = ground.command(ground.guest(), &arguments);
    let running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    wait_for_a_part(ground, new)?;
    Ok(running)
}

fn wait_for_a_part(ground: &Ground<'_>, new: &[u8]) -> anyhow::Result<()> {
    wait_until("a part of it", || standing(ground, new) > new.len() / 2 + 16 * BLOCK)
}

/// How many bytes of the new version stand in the file on its way.
fn standing(ground: &Ground<'_>, new: &[u8]) -> usize {
    let part = fs::read(ground.path(PART)).unwrap_or_default();
    new.chunks(BLOCK).zip(part.chunks(BLOCK)).filter(|(new, part)| new == part).count() * BLOCK
}

/// What was fetched before is not fetched again, and nothing is left over.
fn resume(ground: &Ground<'_>, new: &[u8]) -> anyhow::Result<()> {
    ground.holds("old", &new[..new.len() / 2])?;
    let standing = standing(ground, new);
    let done = ground.json(ground.guest(), &["patch", "old", "new.gosync"])?;
    let fetched = done["fetched_bytes"].as_u64().context("it does not say how much it fetched")?;
    ensure!(fetched <= (new.len() - standing) as u64, "{standing} bytes were there, and yet {done}");
    ground.holds("old", new)?;
    ensure!(ground.names()? == ["new", "new.gosync", "old"], "there is {:?}", ground.names()?);
    Ok(())
}

fn killed(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = published(ground)?;
    let serving = ground.serve(ground.host())?;
    drop(start(ground, &serving, &new)?);
    resume(ground, &new)
}

fn another_index(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = published(ground)?;
    let serving = ground.serve(ground.host())?;
    drop(start(ground, &serving, &new)?);
    let newer = [b"something in front of it", &new[..]].concat();
    ground.write("new", &newer)?;
    ground.succeed(ground.host(), &["build", "new", "--block-size", &BLOCK.to_string()])?;
    ground.succeed(ground.guest(), &["patch", "old", "new.gosync"])?;
    ground.holds("old", &newer)?;
    ensure!(ground.names()? == ["new", "new.gosync", "old"], "there is {:?}", ground.names()?);
    Ok(())
}

fn busy(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = published(ground)?;
    let serving = ground.serve(ground.host())?;
    let running = start(ground, &serving, &new)?;
    ground.fail(ground.guest(), &["patch", "old", "new.gosync"], 1, "another process is writing it")?;
    drop(running);
    resume(ground, &new)
}

fn read_only(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = ground.published()?;
    let path = ground.path("old");
    let mut permissions = fs::metadata(&path)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions)?;
    ground.succeed(ground.guest(), &["patch", "old", "new.gosync"])?;
    ground.holds("old", &new)?;
    ensure!(fs::metadata(&path)?.permissions().readonly(), "it is read-only no more");
    Ok(())
}

fn interrupted(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = published(ground)?;
    let serving = ground.serve(ground.host())?;
    let mut command = ground.helper()?;
    let program = format!("Z:{}", ground.guest().path.display()).replace('/', "\\");
    command.args(["interrupt", &program]).args(slow_patch(&serving)).arg("--json");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running(command.spawn()?);
    wait_for_a_part(ground, &new)?;
    // The helper waits for the end of its input.
    drop(running.0.stdin.take());
    let run = running.wait()?;
    run.expect(130, "interrupted; what was fetched is kept: run the same command again to go on")?;
    let stdout = String::from_utf8_lossy(&run.stdout).into_owned();
    let event: Value = serde_json::from_str(stdout.lines().last().context("it printed no JSON")?)?;
    ensure!(event["event"] == "interrupted" && event["resumable"] == true, "{event}");
    resume(ground, &new)
}

/// Found out before anything is fetched, and at the end too, where nothing that was fetched is lost.
fn held(ground: &Ground<'_>) -> anyhow::Result<()> {
    let new = published(ground)?;
    let old = &new[..new.len() / 2];
    ground.write("seed", old)?;
    let refused = "open in another program";

    let holder = Holder::of(ground, "old")?;
    ground.fail(ground.guest(), &["patch", "seed", "new.gosync", "-o", "old"], 1, refused)?;
    holder.let_go()?;
    ground.holds("old", old)?;
    ensure!(!ground.path(PART).exists(), "something was fetched");

    let serving = ground.serve(ground.host())?;
    let source = format!("{}/new", serving.url);
    let arguments = ["patch", "seed", "new.gosync", &source, "-o", "old", "--limit-rate", "1MB"];
    let mut command = ground.witnessed(&arguments)?;
    let running = Running(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?);
    wait_for_a_part(ground, &new)?;
    let holder = Holder::of(ground, "old")?;
    ground.with_end(running.wait()?)?.expect(1, refused)?;
    holder.let_go()?;
    ground.holds("old", old)?;
    let done = ground.json(ground.guest(), &["patch", "seed", "new.gosync", "-o", "old"])?;
    ensure!(done["fetched_bytes"] == 0, "what was fetched is gone: {done}");
    ground.holds("old", &new)
}

/// A program that keeps a file open and shares it with nobody.
struct Holder(Running);

impl Holder {
    fn of(ground: &Ground<'_>, file: &str) -> anyhow::Result<Self> {
        let mut command = ground.helper()?;
        command.args(["hold", file]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = Running(command.spawn()?);
        let mut line = String::new();
        BufReader::new(holder.0.stdout.take().context("it has no output")?).read_line(&mut line)?;
        ensure!(line.trim() == "held", "the helper said {line:?}");
        Ok(Self(holder))
    }

    fn let_go(mut self) -> anyhow::Result<()> {
        drop(self.0.0.stdin.take());
        self.0.wait().map(drop)
    }
}
