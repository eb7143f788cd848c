//! Pages of the manual, and what shells complete.

use std::process::{Command, Stdio};

use gosync_testkit::peers::require;

use crate::support::{Scratch, names};

/// What belongs to each page: its name, its command and what it says of that.
const PAGES: [(&str, &str, &[&str]); 5] = [
    ("gosync.1", "gosync [OPTIONS] <COMMAND>", &["gosync\\-patch(1)", ".SH \"EXIT STATUS\"", ".SH \"GLOBAL OPTIONS\""]),
    (
        "gosync-patch.1",
        "gosync patch [OPTIONS] <SEED> <INDEX> [SOURCE] [OUTPUT]",
        &["\\-\\-dry\\-run", ".SH NETWORK", ".SH \"GLOBAL OPTIONS\"", ".SH EXAMPLES", "\\fBgosync\\fR(1)"],
    ),
    ("gosync-index-merge.1", "gosync index merge", &["\\fBgosync\\-index\\fR(1)", ".SH EXAMPLES"]),
    ("rdiff-delta.1", "rdiff delta [OPTIONS] <SIGNATURE> [NEWFILE] [DELTA]", &["\\fBrdiff\\fR(1)"]),
    ("zsync.1", "zsync [OPTIONS] <URL|FILE>", &[".SH EXAMPLES", ".SH NETWORK"]),
];

#[test]
fn every_command_has_a_page() {
    let scratch = Scratch::new();
    let done = scratch.json(&["man", "--dir", "share/man1"]);
    let written = names(&scratch.path("share/man1"));
    assert_eq!(done["pages"], written.len());
    for (name, usage, said) in PAGES {
        let page = String::from_utf8(scratch.read(&format!("share/man1/{name}"))).unwrap();
        let plain = page.replace("\\fB", "").replace("\\fR", "").replace("\\-", "-");
        assert!(plain.contains(usage), "{name}: {page}");
        let title = format!(".TH {} 1 \"\" \"gosync {}\"\n", name.trim_end_matches(".1"), env!("CARGO_PKG_VERSION"));
        assert!(page.starts_with(&title), "{page}");
        for said in said {
            assert!(page.contains(said), "{said} is not in {name}:\n{page}");
        }
        // What every command has is behind what it has itself.
        let place = |heading: &str| page.find(heading).unwrap_or_else(|| panic!("{heading} is not in {name}"));
        assert!(place(".SH OPTIONS") < place(".SH \"GLOBAL OPTIONS\""), "{name}");
        assert!(place("\\-\\-json") > place(".SH \"GLOBAL OPTIONS\""), "{name}");
    }
    assert!(!written.iter().any(|name| name.contains("help")), "{written:?}");
    assert_eq!(scratch.run(&["man"]).stdout, scratch.read("share/man1/gosync.1"));
    scratch.write("taken", b"");
    scratch.run(&["man", "--dir", "taken/man1"]).assert_failed(1, "taken/man1");
}

#[test]
fn shells_are_told_of_all_commands() {
    let scratch = Scratch::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = scratch.run(&["completions", shell]);
        let script = String::from_utf8(run.stdout).unwrap();
        assert_eq!(run.code, 0, "{}", run.stderr);
        for word in ["patch", "zsyncmake", "dry-run", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(scratch.run(&["completions", "tcsh"]).code, 2);
}

/// bash itself, where it is.
#[test]
fn bash_completes_what_was_begun() {
    let Some(bash) = require("bash") else { return };
    let scratch = Scratch::new();
    scratch.write("completions.bash", &scratch.run(&["completions", "bash"]).stdout);
    for (words, wanted) in [("gosync pat", "patch"), ("gosync patch --dry", "--dry-run"), ("gosync --col", "--color")] {
        let (before, current) = words.rsplit_once(' ').unwrap();
        let count = words.split(' ').count() - 1;
        let script = format!(
            "source completions.bash; COMP_WORDS=({words}); COMP_CWORD={count}; \
             _gosync gosync '{current}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let mut command = Command::new(&bash);
        let output = command.args(["-c", &script]).current_dir(scratch.path("")).stdin(Stdio::null()).output().unwrap();
        let replied = String::from_utf8(output.stdout).unwrap();
        assert!(replied.lines().any(|line| line == wanted), "{words}: {replied}");
    }
}
