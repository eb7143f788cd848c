//! The program; all of it is in the library, for other programs to run too.

use std::process::ExitCode;

fn main() -> ExitCode {
    gosync_cli::main(std::env::args_os())
}
