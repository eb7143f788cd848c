//! Running other programs in the workspace.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, bail};

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace")
}

/// The cargo that runs this program, in the workspace, with `arguments`.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    cargo_at(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// The cargo at `program`, in the workspace, with `arguments`.
pub(crate) fn cargo_at<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).args(arguments);
    // The cargo that runs this told it about this package; build scripts that are told the
    // same think that all has changed, and what depends on them is built anew each time.
    let about_this = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(about_this)) {
        command.env_remove(name);
    }
    command
}

/// Shows `command` and runs it; what it prints is seen at once.
///
/// # Errors
///
/// When it cannot be started or fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = show(command);
    eprintln!("$ {shown}");
    let status = command.status().with_context(|| format!("cannot run `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs `command` unseen and returns what it printed.
///
/// # Errors
///
/// When it cannot be started.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Output> {
    command.output().with_context(|| format!("cannot run `{}`", show(command)))
}

/// Shows `command`, runs it, and returns what it wrote to its standard output; the rest is seen at
/// once.
///
/// # Errors
///
/// When it cannot be started or fails.
pub(crate) fn output_shown(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let shown = show(command);
    eprintln!("$ {shown}");
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})", output.status);
    }
    Ok(output.stdout)
}

/// Whether `command` can be started and succeeds, unseen.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Where `program` is, on `PATH` or where servers are kept.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&path).chain(servers).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

/// Makes sure that cargo has the subcommand `name`, which the package `cargo-<name>` brings.
///
/// # Errors
///
/// When it is missing and cannot be built.
pub(crate) fn ensure_subcommand(name: &str) -> anyhow::Result<()> {
    if succeeds(&mut cargo([name, "--version"])) {
        return Ok(());
    }
    run(&mut cargo(["install", &format!("cargo-{name}"), "--locked"]))
}

/// The command as one would type it, with the variables set for it before it.
fn show(command: &Command) -> String {
    let variables =
        command.get_envs().filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), quote(value?))));
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args()).map(quote);
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quote(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.is_empty() || word.contains([' ', '"', '$', '*']) { format!("'{word}'") } else { word.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_one_would_type() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["doc", "--workspace"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(show(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --workspace");
    }

    #[test]
    fn failures_name_the_command() {
        let error = run(&mut cargo(["no-such-subcommand"])).unwrap_err().to_string();
        assert!(error.starts_with("`cargo no-such-subcommand` failed ("), "{error}");
        let error = run(&mut Command::new("no-such-program-at-all")).unwrap_err().to_string();
        assert_eq!(error, "cannot run `no-such-program-at-all`");
    }

    #[test]
    fn finds_what_is_there() {
        assert!(find("cargo").is_some());
        assert_eq!(find("no-such-program-at-all"), None);
        assert!(root().join("deny.toml").is_file());
    }
}
