//! Files that the real programs make, and zlib itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use gosync_chunks::ReadAt;
use gosync_packed::{Encoder, Options, Strategy, close, open};
use gosync_testkit::Random;
use gosync_testkit::peers;

use crate::zip::round_trip;

/// Bytes like text, like records, like noise and like nothing by turns.
pub(crate) fn mixed(seed: u64, len: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let words: Vec<Vec<u8>> =
        (0..300).map(|_| (0..random.range(2..12)).map(|_| b'a' + random.below(26) as u8).collect()).collect();
    let mut bytes = Vec::new();
    while bytes.len() < len {
        match random.below(12) {
            0 => bytes.extend((0..random.below(3000)).map(|_| random.byte())),
            1 => bytes.extend(vec![random.byte(); random.below(2000)]),
            2 => (0..random.below(200)).for_each(|at| bytes.extend([at as u8, 0, random.below(3) as u8, 0])),
            3 if bytes.len() > 100 => {
                let start = random.below(bytes.len() - 50);
                let end = (start + random.below(5000)).min(bytes.len());
                bytes.extend_from_within(start..end);
            }
            _ => (0..random.below(400)).for_each(|_| {
                bytes.extend(&words[random.below(300).min(random.below(300))]);
                bytes.push(b' ');
            }),
        }
    }
    bytes.truncate(len);
    bytes
}

fn run(program: &Path, directory: &Path, arguments: &[&str]) {
    let output = Command::new(program).current_dir(directory).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program:?} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Every level, size of memory and strategy, on data of lengths around those of windows and
/// blocks: the same bytes as zlib's.
#[test]
fn zlib_makes_the_same() {
    let Some(python) = peers::require("python3") else { return };
    let directory = tempfile::tempdir().unwrap();
    let script = "
import sys, zlib
for line in open('jobs'):
    name, level, memory, strategy, out = line.split()
    packer = zlib.compressobj(int(level), zlib.DEFLATED, -15, int(memory), int(strategy))
    data = open(name, 'rb').read()
    open(out, 'wb').write(packer.compress(data) + packer.flush())
";
    let strategies = [Strategy::Default, Strategy::Filtered, Strategy::HuffmanOnly, Strategy::Runs, Strategy::Fixed];
    let mut jobs = Vec::new();
    let lengths =
        [0, 1, 2, 3, 5, 261, 262, 263, 16_383, 32_506, 32_768, 65_273, 65_274, 65_275, 65_536, 98_304, 300_000];
    for (at, len) in lengths.into_iter().enumerate() {
        let mut data = mixed(at as u64, len);
        if len == 16_383 {
            // Matches beyond the end, where there are zeros, and is too far for three bytes.
            data[..4].copy_from_slice(b"#&%\0");
            data[16_380..].copy_from_slice(b"#&%");
        }
        fs::write(directory.path().join(len.to_string()), &data).unwrap();
        for level in 1..=9 {
            jobs.push((len, level, 8, 0));
            // The others with all levels, by turns.
            jobs.push((len, level, 1 + (at + usize::from(level)) % 9, at % 5));
            jobs.push((len, level, 9, (at + usize::from(level)) % 5));
        }
    }
    let line = |(at, (len, level, memory, strategy)): (usize, &(usize, u8, usize, usize))| {
        format!("{len} {level} {memory} {strategy} out{at}\n")
    };
    fs::write(directory.path().join("jobs"), jobs.iter().enumerate().map(line).collect::<String>()).unwrap();
    run(&python, directory.path(), &["-c", script]);
    for (at, (len, level, memory, strategy)) in jobs.into_iter().enumerate() {
        let encoder = Encoder::zlib(level).with_memory(memory as u8).with_strategy(strategies[strategy]);
        let plain = fs::File::open(directory.path().join(len.to_string())).unwrap();
        let mut ours = Vec::new();
        std::io::Read::read_to_end(&mut encoder.deflate(plain), &mut ours).unwrap();
        let theirs = fs::read(directory.path().join(format!("out{at}"))).unwrap();
        assert!(ours == theirs, "{encoder}, {len} bytes: {} and {} bytes", ours.len(), theirs.len());
    }
}

/// GNU gzip and Node at all levels, on data of lengths around those of windows, where they end
/// in ways of their own.
#[test]
fn gzip_and_node_make_the_same() {
    let lengths = [0, 1, 2, 5, 100, 32_768, 65_273, 65_274, 65_275, 65_400, 65_535, 65_536, 65_537, 98_100, 250_000];
    let directory = tempfile::tempdir().unwrap();
    let names = lengths.map(|len| len.to_string());
    for (seed, name) in names.iter().enumerate() {
        fs::write(directory.path().join(name), mixed(seed as u64 + 50, name.parse().unwrap())).unwrap();
    }
    let same = |encoder: Encoder, name: &str, theirs: &[u8]| {
        let mut ours = Vec::new();
        let plain = fs::File::open(directory.path().join(name)).unwrap();
        std::io::Read::read_to_end(&mut encoder.deflate(plain), &mut ours).unwrap();
        assert!(ours == theirs, "{encoder}, {name} bytes: {} and {} bytes", ours.len(), theirs.len());
    };
    if let Some(gzip) = peers::require("gzip") {
        for level in 1..=9 {
            let level_option = format!("-{level}");
            let options = ["-n", "-k", "-f", level_option.as_str()];
            run(&gzip, directory.path(), &[&options[..], &names.each_ref().map(String::as_str)].concat());
            for name in &names {
                let theirs = fs::read(directory.path().join(format!("{name}.gz"))).unwrap();
                same(Encoder::gzip(level), name, &theirs[10..theirs.len() - 8]);
            }
        }
    }
    if let Some(node) = peers::require("node") {
        let script = "
const zlib = require('zlib'), fs = require('fs');
for (const name of process.argv.slice(1)) {
    for (let level = 1; level <= 9; level++) {
        fs.writeFileSync(`${name}.${level}`, zlib.deflateRawSync(fs.readFileSync(name), {level}));
    }
}
";
        run(&node, directory.path(), &[&["-e", script][..], &names.each_ref().map(String::as_str)].concat());
        for level in 1..=9 {
            for name in &names {
                let theirs = fs::read(directory.path().join(format!("{name}.{level}"))).unwrap();
                same(Encoder::chromium(level), name, &theirs);
            }
        }
    }
}

#[test]
fn python_zips_at_all_levels() {
    let Some(python) = peers::require("python3") else { return };
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("data"), mixed(7, 400_000)).unwrap();
    let script = "
import zipfile
data = open('data', 'rb').read()
class Pipe:
    # Cannot seek, so that descriptors follow the members.
    def __init__(self): self.file = open('piped.zip', 'wb')
    def write(self, bytes): return self.file.write(bytes)
    def flush(self): self.file.flush()
for out in 'seekable.zip', Pipe():
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as packer:
        for level in range(1, 10):
            packer.writestr(f'member {level}', data[level * 1000:], compresslevel=level)
        packer.writestr('stored', b'as it is', compress_type=zipfile.ZIP_STORED)
        packer.writestr('empty', b'')
        with packer.open('zip64', 'w', force_zip64=True) as member:
            member.write(data[:100])
        packer.comment = b'a comment'
";
    run(&python, directory.path(), &["-c", script]);
    for name in ["seekable.zip", "piped.zip"] {
        let packed = fs::read(directory.path().join(name)).unwrap();
        let opened = open(&packed, &Options::default(), &()).unwrap();
        let recipe = opened.recipe();
        assert_eq!(recipe.streams().len(), 11, "{name}");
        // Another level may make the same of these.
        let exact = recipe.streams().iter().filter(|stream| stream.corrections() == 0);
        assert_eq!(exact.count(), 11, "{name}");
        round_trip(&packed);
        // As a program that unpacks itself, with something behind.
        let longer = [b"#!/bin/sh\n", &packed[..]].concat();
        assert_eq!(round_trip(&longer).0, 11, "{name} behind a program");
    }
}

#[test]
fn wheels_in_a_tar_in_gzip_are_opened() {
    let Some(python) = peers::require("python3") else { return };
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("data"), mixed(3, 150_000)).unwrap();
    let script = "
import gzip, tarfile, zipfile
with zipfile.ZipFile('one.whl', 'w', zipfile.ZIP_DEFLATED) as packer:
    packer.write('data'); packer.write('data', 'again')
with zipfile.ZipFile('two.zip', 'w', zipfile.ZIP_STORED) as packer:
    packer.write('one.whl')
with tarfile.open('all.tar', 'w') as packer:
    packer.add('data'); packer.add('one.whl'); packer.add('two.zip')
with gzip.GzipFile('all.tar.gz', 'wb', 6, mtime=0) as packer:
    packer.write(open('all.tar', 'rb').read())
";
    run(&python, directory.path(), &["-c", script]);
    let packed = fs::read(directory.path().join("all.tar.gz")).unwrap();
    let opened = open(&packed, &Options::default(), &()).unwrap();
    let outer = &opened.recipe().streams()[0];
    assert_eq!(outer.inner.len(), 4, "two members of a wheel, twice");
    assert!(opened.size() > 5 * 150_000);
    round_trip(&packed);
    // Only one deep.
    let options = Options { nested: 1, ..Options::default() };
    let opened = open(&packed, &options, &()).unwrap();
    assert_eq!(opened.recipe().streams()[0].inner, []);
    let mut closed = Vec::new();
    close(opened.recipe(), &opened, &mut closed).unwrap();
    assert!(closed == packed);
    assert_eq!(round_trip(&fs::read(directory.path().join("two.zip")).unwrap()).0, 2);
}

/// Streams that none of our encoders makes: flushed ones, and one that is only stored.
#[test]
fn streams_of_others_are_corrected() {
    let Some(python) = peers::require("python3") else { return };
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("data"), mixed(11, 300_000)).unwrap();
    let script = "
import zlib
data = open('data', 'rb').read()
def put(name, stream):
    open(name, 'wb').write(b'\\x1f\\x8b\\x08\\0\\0\\0\\0\\0\\0\\x03' + stream + bytes(8))
flushed = zlib.compressobj(6, zlib.DEFLATED, -15)
put('flushed', b''.join(flushed.compress(data[at:at + 9999]) + flushed.flush(zlib.Z_SYNC_FLUSH)
    for at in range(0, len(data), 9999)) + flushed.flush())
full = zlib.compressobj(9, zlib.DEFLATED, -15)
put('full', full.compress(data[:99999]) + full.flush(zlib.Z_FULL_FLUSH) + full.compress(data[99999:]) + full.flush())
stored = zlib.compressobj(0, zlib.DEFLATED, -15)
put('stored', stored.compress(data[:99999]) + stored.flush())
";
    run(&python, directory.path(), &["-c", script]);
    for (name, most) in [("flushed", 20), ("full", 50)] {
        let packed = fs::read(directory.path().join(name)).unwrap();
        assert_eq!(round_trip(&packed).0, 1, "{name}");
        let opened = open(&packed, &Options::default(), &()).unwrap();
        let corrections = opened.recipe().streams()[0].corrections();
        assert!((1..packed.len() / most).contains(&corrections), "{name}: {corrections} of {} bytes", packed.len());
    }
    // What is only stored lies there as it is.
    assert_eq!(round_trip(&fs::read(directory.path().join("stored")).unwrap()).0, 0);
}

#[test]
fn java_archives_are_opened() {
    let Some(jar) = peers::require("jar") else { return };
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("in")).unwrap();
    for at in 0..20 {
        fs::write(directory.path().join(format!("in/file {at}")), mixed(at, 20_000)).unwrap();
    }
    run(&jar, directory.path(), &["cf", "out.jar", "in"]);
    let (streams, flat) = round_trip(&fs::read(directory.path().join("out.jar")).unwrap());
    // The manifest too, and folders of some versions.
    assert!(streams >= 21, "{streams}");
    assert!(flat > 20 * 20_000);
}

#[test]
fn info_zip_is_opened() {
    let Some(zip) = peers::require("zip") else { return };
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("short"), mixed(1, 9_000)).unwrap();
    run(&zip, directory.path(), &["-q", "out.zip", "short"]);
    round_trip(&fs::read(directory.path().join("out.zip")).unwrap());
}
