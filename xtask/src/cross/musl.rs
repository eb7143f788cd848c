//! The command as one static file, which needs nothing else of a Linux.

use std::fs;
use std::process::Command;

use anyhow::{Context, ensure};

use super::targets::{self, MUSL};
use crate::command;

/// GCC's unwinder asks the C library for this function, which musl lacks; -1 is "ask otherwise".
const FIND_OBJECT: &str = "int _dl_find_object(void *address, void *found) { return -1; }\n";

/// Cargo for this target, with GCC's unwinder under the name that Rust's library links.
///
/// # Errors
///
/// When there is no GCC.
pub(super) fn cargo(verb: &str) -> anyhow::Result<Command> {
    let folder = targets::folder().join("musl");
    fs::create_dir_all(&folder)?;
    let printed = command::output(Command::new("gcc").arg("-print-file-name=libgcc_eh.a"))?;
    let unwinder = String::from_utf8(printed.stdout)?;
    let library = folder.join("libunwind.a");
    fs::copy(unwinder.trim(), &library).with_context(|| format!("cannot copy {unwinder}"))?;
    fs::write(folder.join("find_object.c"), FIND_OBJECT)?;
    let object = folder.join("find_object.o");
    command::run(Command::new("gcc").args(["-O1", "-c", "-o"]).arg(&object).arg(folder.join("find_object.c")))?;
    command::run(Command::new("ar").arg("r").arg(&library).arg(object))?;

    let mut command = MUSL.cargo(verb);
    let folder = folder.display();
    command.env(
        MUSL.variable("RUSTFLAGS"),
        format!("-Clink-self-contained=no -Crelocation-model=static -Lnative={folder}"),
    );
    Ok(command)
}

/// Nothing is loaded when it starts.
///
/// # Errors
///
/// When something is.
pub(super) fn check_static() -> anyhow::Result<()> {
    let program = MUSL.program("gosync");
    let printed = command::output(Command::new("ldd").arg(&program))?;
    let printed = [printed.stdout, printed.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    ensure!(printed.contains("not a dynamic executable"), "{} loads {printed}", program.display());
    eprintln!("{}: {}, {} bytes", program.display(), printed.trim(), fs::metadata(&program)?.len());
    Ok(())
}
