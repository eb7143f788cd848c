//! librsync's formats, held against real files and real programs.

mod golden;
mod rdiff;
mod support;
