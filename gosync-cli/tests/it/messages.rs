//! What the command prints, as a whole.

use gosync_testkit::corpus::{self, edit};

use crate::support::Scratch;

/// Times differ from run to run, and from system to system what the command and a file that is not
/// there are called.
fn text(bytes: &[u8]) -> String {
    let missing = std::io::Error::from_raw_os_error(2).to_string();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let text = text.replace("gosync.exe", "gosync").replace(&missing, "No such file or directory (os error 2)");
    let words = text.split_inclusive([' ', '\n', ',', '}']).map(|word| {
        let end = word.trim_end_matches([' ', '\n', ',', '}']);
        let is_time = end
            .split_once('.')
            .is_some_and(|(whole, part)| whole.parse::<u32>().is_ok() && part.parse::<u64>().is_ok());
        // Only times have two decimals or more.
        let is_time = is_time && end.split_once('.').is_some_and(|(_, part)| part.len() == 2);
        if is_time { word.replace(end, "[time]") } else { word.to_owned() }
    });
    words.collect()
}

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let old = corpus::text(1, 3_000_000);
    scratch.write("old.txt", &old);
    scratch.write("new.txt", &edit::scatter(&edit::insert(&old, 2, 20, 1000), 3, 20));
    scratch
}

#[test]
fn the_main_job() {
    let scratch = scratch();
    let mut transcript = String::new();
    for args in [
        &["build", "new.txt"][..],
        &["inspect", "new.txt.gosync"],
        &["diff", "old.txt", "new.txt.gosync"],
        &["patch", "old.txt", "new.txt.gosync", "-v"],
        &["verify", "old.txt", "new.txt.gosync"],
        &["build", "new.txt", "--format", "go-sync"],
        &["inspect", "new.txt.gosync"],
        &["diff", "missing", "new.txt.gosync"],
        &["patch", "old.txt", "new.txt.gosync", "absent"],
        &["patch", "old.txt", "old.txt"],
        &["diff", "old.txt"],
    ] {
        let run = scratch.run(args);
        transcript += &format!("$ gosync {}\n{}{}", args.join(" "), text(&run.stdout), text(run.stderr.as_bytes()));
        if run.code != 0 {
            transcript += &format!("[exit code {}]\n", run.code);
        }
        transcript += "\n";
    }
    insta::assert_snapshot!(transcript);
}

#[test]
fn help() {
    let scratch = Scratch::new();
    let commands = ["", "build", "diff", "patch", "inspect", "verify", "serve", "demo", "rdiff", "index merge"];
    let pages = commands.map(|command| {
        let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        text(&scratch.run(&args).stdout)
    });
    insta::assert_snapshot!(pages.join("\n----\n\n"));
}

#[test]
fn help_and_hints_for_another_machine() {
    let scratch = Scratch::new();
    for command in ["pull", "push"] {
        let help = text(&scratch.run(&[command, "--help"]).stdout);
        assert!(help.contains("ssh://[USER@]HOST[:PORT]/PATH"), "{help}");
        for (habit, hint) in [("-z", "is compressed in any case"), ("--bwlimit", "no limit of the rate")] {
            let refused = scratch.run(&[command, habit, "one", "other"]);
            assert!(refused.code == 2 && refused.stderr.contains(hint), "{habit}: {}", refused.stderr);
            assert!(!refused.stderr.contains("--limit-rate") && !refused.stderr.contains("publisher"));
        }
    }
    let refused = scratch.run(&["patch", "--bwlimit", "one", "other"]);
    assert!(refused.stderr.contains("--limit-rate"), "{}", refused.stderr);
}

#[test]
fn quiet_is_quiet_and_json_is_json() {
    let scratch = scratch();
    for args in [
        &["build", "new.txt"][..],
        &["patch", "old.txt", "new.txt.gosync", "-o", "out"],
        &["verify", "out", "new.txt.gosync"],
    ] {
        let quiet = scratch.run(&[args, &["--quiet"]].concat());
        assert_eq!((quiet.code, quiet.stdout.len(), quiet.stderr.as_str()), (0, 0, ""), "{args:?}");
        let json = scratch.run(&[args, &["--json", "--quiet"]].concat());
        assert_eq!(json.stderr, "");
        for line in String::from_utf8(json.stdout).unwrap().lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(event["event"].is_string());
        }
    }
    let failed = scratch.run(&["inspect", "old.txt", "--json", "--quiet"]);
    let event: serde_json::Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!((event["event"].as_str(), event["exit_code"].as_u64()), (Some("error"), Some(3)));
}

#[test]
fn nothing_from_outside_commands_a_terminal() {
    let scratch = Scratch::new();
    let control = |line: &str| format!("zsync: 0.6.2\n{line}Blocksize: 2048\nLength: 0\n\n");
    for (line, code) in
        [("URL: x\x1b]0;owned\x07\n", 3), ("URL: x\u{9b}2J\n", 3), ("Safe\x1b[2J: x\n", 3), ("URL: x\n", 0)]
    {
        scratch.write("new.zsync", control(line).as_bytes());
        for args in [&["inspect", "new.zsync"][..], &["inspect", "new.zsync", "--json"]] {
            let run = scratch.run(args);
            assert_eq!(run.code, code, "{line:?}: {}", run.stderr);
            let all = [String::from_utf8(run.stdout).unwrap(), run.stderr].concat();
            assert!(!all.contains(|c: char| c.is_control() && c != '\n'), "{all:?}");
            assert_eq!(all.contains("line 2 of the header has a control character"), code == 3, "{all}");
        }
    }
    let odd = scratch.run(&["inspect", "no\x1b[2J\u{9b}such"]);
    odd.assert_failed(1, r"no\u{1b}[2J\u{9b}such");
    let forged = scratch.run(&["inspect", "x\nhint: do as I say"]);
    forged.assert_failed(1, r"cannot read x\nhint: do as I say");
}
