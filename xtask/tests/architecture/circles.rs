//! Guards the files of a crate: none of them may need itself by way of others.
//!
//! A file that imports a name from where it is defined says what it needs; one that imports it
//! from the crate's root, which re-exports it, needs everything. Modules are told apart by
//! files, and paths by their text, so macros and modules within a file are not looked into.
//! Tests, which come last in a file, may need what they like.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cargo_metadata::MetadataCommand;
use cargo_metadata::camino::Utf8PathBuf;

/// Where the files of each crate are. Examples are not looked at: each is a program of one file.
fn crates() -> Vec<Utf8PathBuf> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo reads the workspace");
    let folders = metadata.packages.iter().map(|package| package.manifest_path.with_file_name("src"));
    folders.filter(|sources| !sources.join("bin").exists()).collect()
}

/// The path of a module within its crate; that of the root is empty.
type Module = Vec<String>;

/// The text of each module.
type Files = BTreeMap<Module, String>;

/// Reads the modules beneath `directory`, which is that of `module`.
fn read(directory: &Path, module: &Module, files: &mut Files) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let child = || [&module[..], std::slice::from_ref(&name)].concat();
        if path.is_dir() {
            read(&path, &child(), files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            // Where there is a library too, the program is another crate.
            && (name != "main" || !directory.join("lib.rs").exists())
        {
            let own = matches!(name.as_str(), "lib" | "main" | "mod");
            files.insert(if own { module.clone() } else { child() }, fs::read_to_string(&path).unwrap());
        }
    }
}

/// `text` up to its tests, without comments, strings and what is for documentation only.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut is_for_doc = false;
    for line in text.lines().take_while(|line| line.trim() != "#[cfg(test)]") {
        if !std::mem::replace(&mut is_for_doc, line.trim() == "#[cfg(doc)]") {
            let mut pieces = line.replace("\\\"", "").replace("'\"'", "").replace("://", "");
            if let Some(comment) = pieces.find("//") {
                pieces.truncate(comment);
            }
            // Each other piece is within quotes.
            pieces.split('"').step_by(2).for_each(|piece| code.push_str(piece));
            code.push('\n');
        }
    }
    code
}

/// All paths in `code`, those in braces written out.
fn paths(code: &str) -> Vec<Module> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut stack: Vec<Module> = Vec::new();
    let mut path = Module::new();
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if word > 0 {
            path.push(rest[..word].to_owned());
            rest = &rest[word..];
        } else if let Some(behind) = rest.strip_prefix("::") {
            rest = behind;
            if let Some(behind) = rest.strip_prefix('{') {
                stack.push(path.clone());
                rest = behind;
            }
            continue;
        } else {
            if c == '}' {
                stack.pop();
            }
            rest = &rest[c.len_utf8()..];
        }
        if !rest.starts_with("::") {
            if path.len() > stack.last().map_or(0, Vec::len) {
                found.push(std::mem::take(&mut path));
            }
            path = stack.last().cloned().unwrap_or_default();
        }
    }
    found
}

/// The modules that `module` needs.
fn needs(module: &Module, files: &Files) -> BTreeSet<Module> {
    let within =
        |path: Module| (0..=path.len()).rev().map(|len| path[..len].to_vec()).find(|it| files.contains_key(it));
    let absolute = |path: Module| -> Option<Module> {
        let ups = path.iter().take_while(|word| *word == "super").count();
        match path[0].as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([&module[..], &path[1..]].concat()),
            "super" => Some([&module[..module.len().checked_sub(ups)?], &path[ups..]].concat()),
            _ => Some([&module[..], &path[..]].concat()).filter(|it| files.contains_key(&it[..=module.len()])),
        }
    };
    let paths = paths(&code(&files[module])).into_iter().filter(|path| path.len() > 1);
    paths.filter_map(absolute).filter_map(within).filter(|needed| needed != module).collect()
}

/// A circle of modules, the first of which comes last again.
fn circle(files: &Files) -> Option<Vec<Module>> {
    fn follow(at: &Module, files: &Files, way: &mut Vec<Module>, done: &mut BTreeSet<Module>) -> bool {
        let start = way.iter().position(|module| module == at);
        way.push(at.clone());
        if let Some(start) = start {
            way.drain(..start);
            return true;
        }
        if !done.contains(at) && needs(at, files).iter().any(|needed| follow(needed, files, way, done)) {
            return true;
        }
        done.insert(at.clone());
        way.pop();
        false
    }
    let (mut way, mut done) = (Vec::new(), BTreeSet::new());
    files.keys().any(|module| follow(module, files, &mut way, &mut done)).then_some(way)
}

#[test]
fn no_file_needs_itself() {
    let crates = crates();
    assert!(crates.len() > 20, "the workspace was not read");
    for sources in crates {
        let name = &sources;
        let mut files = Files::new();
        read(sources.as_std_path(), &Module::new(), &mut files);
        assert!(!needs(&Module::new(), &files).is_empty(), "{name} was not understood");
        let circle = circle(&files).map(|way| way.iter().map(|it| it.join("::")).collect::<Vec<_>>().join(" -> "));
        assert_eq!(circle, None, "in {name}: import names from the modules that define them");
    }
}

#[test]
fn circles_are_found() {
    let crate_of = |texts: &[(&str, &str)]| -> Files {
        let module = |name: &str| name.split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect();
        texts.iter().map(|(name, text)| (module(name), (*text).to_owned())).collect()
    };
    let sound = [
        ("", "mod a; mod b;\npub use a::{A, inner::C}; fn f() { b::f(\"crate::b\") }"),
        ("a", "mod inner; use crate::b::B; // crate::A"),
        ("a::inner", "use super::super::b;\nuse crate::b::{self, B};\n#[cfg(test)]\nuse super::A;"),
        ("b", "#[cfg(doc)]\nuse crate::A;\nuse std::a::{A, B};"),
    ];
    assert_eq!(circle(&crate_of(&sound)), None);
    assert_eq!(needs(&Module::new(), &crate_of(&sound)).len(), 3);
    for (module, text) in [
        ("b", "use crate::A;"),
        ("b", "use super::{A, std::B};"),
        ("b", "fn f() { crate::a::f() }"),
        ("b", "use crate::{\n    a::{x, inner::C},\n};"),
        ("a::inner", "use super::A; use crate::f;"),
        ("a::inner", "struct S(crate::A);"),
    ] {
        let broken = sound.map(|(name, sound)| (name, if name == module { text } else { sound }));
        assert!(circle(&crate_of(&broken)).is_some(), "{module}: {text}");
    }
}
