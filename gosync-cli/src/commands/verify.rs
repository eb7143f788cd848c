//! `gosync verify`.

use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;

use super::{open, open_control, source_options};
use crate::args;
use crate::console::Console;
use crate::failure;
use crate::progress::Bars;
use crate::table::{counted, grouped, seconds, size};

pub(crate) fn run(args: &args::Verify, console: &Console) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let options = source_options(&args.network, console)?;
    let (verdict, is_good) = match open(&args.index, &args.trust, &options, console) {
        Ok((opened, _)) => {
            let verdict = gosync::verify(&args.file, &opened.index, &Bars::new(console))?;
            let is_good = verdict.is_good();
            (verdict, is_good)
        }
        Err(error) => {
            let opened = open_control(&args.index, error, &args.trust, &options)?;
            let (verdict, wrong) = gosync_zsync::verify(&args.file, &opened.control, &Bars::new(console))?;
            let is_good = verdict.is_good() && wrong.is_none();
            (verdict, is_good)
        }
    };
    let time = start.elapsed();
    let file = args.file.display();

    // The wrong ranges are the data; what they mean is a message.
    for range in &verdict.wrong {
        console.data(range)?;
    }
    console.event(&json!({
        "event": "done",
        "ok": is_good,
        "file_bytes": verdict.length,
        "target_bytes": verdict.expected_length,
        "wrong_bytes": verdict.wrong_bytes(),
        "wrong_ranges": verdict.wrong.iter().map(|range| [range.start, range.end]).collect::<Vec<_>>(),
        "seconds": time.as_secs_f64(),
    }))?;
    if is_good {
        console.message(format_args!("{file}: {} verified in {}", size(verdict.length), seconds(time)));
        return Ok(ExitCode::SUCCESS);
    }
    let expected = verdict.expected_length;
    if verdict.length != expected {
        console.error(format_args!(
            "error: {file} has {} bytes, not the {} of the index",
            grouped(verdict.length),
            grouped(expected)
        ));
    }
    if verdict.wrong.is_empty() {
        console.error(format_args!("error: {file} does not have the hash that the index gives"));
    } else {
        console.error(format_args!("error: {file} has {}", counted(verdict.wrong_bytes(), "wrong byte")));
    }
    console.error("hint: `gosync patch` fetches only what is wrong");
    Ok(ExitCode::from(failure::CORRUPT))
}
