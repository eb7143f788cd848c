//! librsync over a socket: one end has the old version of a file, the other the new one.
//!
//! ```console
//! $ cargo run -p gosync-examples --bin librsync_sockets
//! ```
//!
//! What goes over the line are rdiff's signatures and deltas, so either end may be another
//! program that has librsync.

#![allow(clippy::print_stdout, reason = "a program that shows something")]

use std::error::Error;
use std::io::{BufReader, BufWriter, Cursor, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use gosync_librsync::{DeltaReport, Signature, delta, patch, signature};

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let old: Vec<u8> = (0..1_000_000u32).flat_map(|number| number.to_le_bytes()).collect();
    let mut new = old.clone();
    new.splice(2_000_000..2_000_000, *b"a few bytes that are new");

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let sent = new.clone();
    let server = thread::spawn(move || answer(&listener.accept()?.0, &sent));

    let made = ask(&TcpStream::connect(address)?, &old)?;
    let report = server.join().map_err(|_| "the server panicked")??;
    // Neither format says what comes out, so a program that is careful sends a hash too.
    assert_eq!(made, new);
    println!("{} bytes from a delta of {}", made.len(), report.delta_bytes);
    Ok(())
}

/// Has the new version: reads a signature to its end, and answers with a delta.
fn answer(line: &TcpStream, new: &[u8]) -> Result<DeltaReport, Failure> {
    let signature = Signature::read(BufReader::new(line))?;
    let mut out = BufWriter::new(line);
    let report = delta(&signature, new, &mut out, &Default::default())?;
    out.flush()?;
    drop(out);
    line.shutdown(Shutdown::Write)?;
    Ok(report)
}

/// Has the old version: sends its signature, and applies the delta as it comes.
fn ask(line: &TcpStream, old: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut out = BufWriter::new(line);
    signature(old, &mut out, &Default::default())?;
    out.flush()?;
    drop(out);
    line.shutdown(Shutdown::Write)?;
    let mut made = Vec::new();
    patch(Cursor::new(old), BufReader::new(line), &mut made, &Default::default())?;
    Ok(made)
}
