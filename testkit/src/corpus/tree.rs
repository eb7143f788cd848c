//! A tree of source code and the tar archive of it.

use super::words::word;
use crate::Random;

/// A file of a tree: its relative path, with `/` between the names, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeFile {
    /// The path, relative, at most 100 bytes.
    pub path: String,
    /// The contents.
    pub data: Vec<u8>,
}

/// `count` files in a few folders: the same licence at the top of each, then lines
/// of code that share words, indentation and whole phrases. Sizes are some 200 bytes
/// to some 20 kB, most of them small, as in real trees.
pub fn source_tree(seed: u64, count: usize) -> Vec<TreeFile> {
    let mut random = Random::new(seed);
    let mut files: Vec<TreeFile> = (0..count)
        .map(|number| {
            let folder = random.pick(&["src", "src/net", "src/store", "tests", "docs/guide"]);
            let path = format!("project-1.0/{folder}/{}_{number}.c", word(&mut random));
            // The product of two uniform numbers: many small files, a few large ones.
            let lines = 3 + random.below(25) * random.below(25);
            TreeFile { path, data: source_file(&mut random, lines) }
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// The next version of a tree: in one file of ten some lines are edited; one of
/// thirty is removed, and as many are added.
pub fn next_version(files: &[TreeFile], seed: u64) -> Vec<TreeFile> {
    let mut random = Random::new(seed);
    let mut next = Vec::with_capacity(files.len());
    for file in files {
        if random.one_in(30) {
            let path = file.path.replace(".c", "_next.c");
            let lines = 3 + random.below(200);
            next.push(TreeFile { path, data: source_file(&mut random, lines) });
        } else if random.one_in(10) {
            next.push(TreeFile { path: file.path.clone(), data: edit_lines(&mut random, &file.data) });
        } else {
            next.push(file.clone());
        }
    }
    next.sort_by(|one, other| one.path.cmp(&other.path));
    next
}

/// The files as a POSIX ustar archive (IEEE Std 1003.1, `pax`, "ustar Interchange
/// Format"), padded to records of 10,240 bytes as tar does.
///
/// # Panics
///
/// When a path has more than 100 bytes.
pub fn tar(files: &[TreeFile]) -> Vec<u8> {
    let mut archive = Vec::new();
    for file in files {
        archive.extend_from_slice(&tar_header(file));
        archive.extend_from_slice(&file.data);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize((archive.len() + 1024).next_multiple_of(10_240), 0);
    archive
}

/// The archive of [`source_tree`].
pub fn source_tree_tar(seed: u64, count: usize) -> Vec<u8> {
    tar(&source_tree(seed, count))
}

fn source_file(random: &mut Random, lines: usize) -> Vec<u8> {
    let mut source = LICENCE.to_string();
    let mut depth = 0;
    for _ in 0..lines {
        source.push_str(&source_line(random, &mut depth));
    }
    source.into_bytes()
}

fn source_line(random: &mut Random, depth: &mut usize) -> String {
    let indent = "    ".repeat(*depth);
    let (one, other) = (word(random), word(random));
    match random.below(8) {
        0 if *depth < 4 => {
            *depth += 1;
            format!("{indent}if ({one} != {other}) {{\n")
        }
        1 | 2 if *depth > 0 => {
            *depth -= 1;
            format!("{}}}\n", "    ".repeat(*depth))
        }
        3 => "\n".to_string(),
        4 => format!("{indent}/* {one} {other} {} */\n", word(random)),
        5 => format!("{indent}return {one}({});\n", random.below(10)),
        _ => format!("{indent}{one} = {other}_{}({one}, {});\n", word(random), random.below(1000)),
    }
}

fn edit_lines(random: &mut Random, data: &[u8]) -> Vec<u8> {
    let mut edited = Vec::with_capacity(data.len() + 100);
    let mut lines: Vec<&[u8]> = data.split_inclusive(|&byte| byte == b'\n').collect();
    for _ in 0..3 {
        lines.remove(random.below(lines.len()));
        if lines.is_empty() {
            break;
        }
    }
    let place = random.below(lines.len() + 1);
    for (number, line) in lines.iter().enumerate() {
        if number == place {
            edited.extend_from_slice(source_line(random, &mut 1).as_bytes());
        }
        edited.extend_from_slice(line);
    }
    edited
}

fn tar_header(file: &TreeFile) -> [u8; 512] {
    assert!(file.path.len() <= 100, "{} is too long for a ustar header", file.path);
    let mut header = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, file.path.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0001750\0");
    put(116, b"0001750\0");
    put(124, format!("{:011o}\0", file.data.len()).as_bytes());
    put(136, b"14524770400\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

const LICENCE: &str = "\
/*
 * Permission is hereby granted to everyone to read, run, change and share this
 * program for any purpose, without fee, provided that this notice stays where it is.
 * THE PROGRAM IS PROVIDED AS IT IS, WITHOUT WARRANTY OF ANY KIND.
 */
#include \"project.h\"

";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers;
    use std::process::Command;

    #[test]
    fn the_real_tar_reads_it_back() {
        let Some(tar_program) = peers::require("tar") else { return };
        let directory = tempfile::tempdir().unwrap();
        let files = source_tree(3, 40);
        std::fs::write(directory.path().join("tree.tar"), tar(&files)).unwrap();
        let status = Command::new(tar_program).args(["-xf", "tree.tar"]).current_dir(directory.path()).status();
        assert!(status.unwrap().success());
        for file in &files {
            assert!(std::fs::read(directory.path().join(&file.path)).unwrap() == file.data, "{}", file.path);
        }
    }

    #[test]
    fn archives_are_whole_records() {
        assert_eq!(tar(&[]), vec![0; 10_240]);
        for length in [0, 1, 511, 512, 513, 8192, 8193] {
            let file = TreeFile { path: "file".into(), data: vec![b'x'; length] };
            let archive = tar(std::slice::from_ref(&file));
            assert_eq!(archive.len() % 10_240, 0);
            assert_eq!(archive[512..512 + length], file.data);
            assert!(archive[archive.len() - 1024..].iter().all(|&byte| byte == 0), "two zero blocks end it");
        }
    }

    #[test]
    fn the_next_version_is_mostly_the_same() {
        let old = source_tree(3, 300);
        let next = next_version(&old, 4);
        let same = next.iter().filter(|file| old.contains(file)).count();
        assert!((200..300).contains(&same), "{same}");
        assert_eq!(next, next_version(&old, 4));
        let paths: std::collections::BTreeSet<&String> = next.iter().map(|file| &file.path).collect();
        assert_eq!(paths.len(), next.len(), "no path twice");
    }
}
