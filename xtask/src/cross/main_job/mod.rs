//! The main job, done by a command of another target, beside the same command of this machine.

mod bytes;
pub(super) mod ground;
mod names;
mod network;
mod patching;
mod trees;
mod trouble;

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use ground::{Check, Checked, Ground};

/// Makes every check in a folder of its own beneath `folder`, and lists them.
///
/// # Errors
///
/// When one fails, after all were made.
pub(super) fn run(checked: &Checked<'_>, folder: &Path) -> anyhow::Result<()> {
    let mut checks: Vec<Check> =
        [bytes::CHECKS, patching::CHECKS, trees::CHECKS, network::CHECKS, names::CHECKS, trouble::CHECKS].concat();
    if checked.helper.is_some() {
        checks.extend(names::ON_WINDOWS.iter().chain(trouble::ON_WINDOWS));
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let mut failed = 0;
    for (number, (name, check)) in checks.iter().enumerate() {
        let at = folder.join(format!("{:02}", number + 1));
        fs::create_dir_all(&at).with_context(|| format!("cannot make {}", at.display()))?;
        match check(&Ground::new(checked, &at)) {
            Ok(()) => {
                eprintln!("{:3}  ok      {name}", number + 1);
                fs::remove_dir_all(&at)?;
            }
            Err(error) => {
                eprintln!("{:3}  FAILED  {name}: {error:#}", number + 1);
                failed += 1;
            }
        }
    }
    eprintln!("{} of {} checks passed", checks.len() - failed, checks.len());
    if failed == 0 { Ok(()) } else { bail!("{failed} of {} checks failed", checks.len()) }
}
