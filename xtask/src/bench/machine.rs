//! What it was measured on.

use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::command::{output, root};

/// Extensions that matter to sums and hashes.
const EXTENSIONS: [&str; 12] = [
    "sse2",
    "ssse3",
    "sse4_1",
    "sse4_2",
    "avx2",
    "avx512f",
    "avx512bw",
    "avx512_vbmi2",
    "sha_ni",
    "asimd",
    "sha2",
    "sve",
];

/// A machine, and when it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) extensions: Vec<String>,
    pub(crate) memory_bytes: u64,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    pub(crate) commit: String,
    /// Programs that wanted a core, on average, in the minute before.
    pub(crate) load: f64,
}

impl Machine {
    /// This machine, now. What cannot be found out is "unknown".
    pub(crate) fn look() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        Self {
            date: said("date", &["-u", "+%Y-%m-%d"]),
            processor: field(&cpu, "model name").unwrap_or("unknown").to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            extensions: extensions(&cpu),
            memory_bytes: memory(&read("/proc/meminfo")),
            kernel: said("uname", &["-sr"]),
            rustc: said("rustc", &["--version"]),
            commit: commit(),
            load: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        }
    }

    /// Whether the two are alike but for when they were looked at.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let of = |machine: &Self| Self { date: String::new(), commit: String::new(), load: 0.0, ..machine.clone() };
        of(self) == of(other)
    }

    /// Whether others were at work, so that times are not to be trusted.
    pub(crate) fn is_busy(&self) -> bool {
        self.load > 0.5
    }
}

fn commit() -> String {
    let commit = said("git", &["rev-parse", "--short", "HEAD"]);
    // What this writes itself is no change of what is measured.
    let changes = said("git", &["status", "--porcelain", "--", ".", ":!BENCHMARKS.md", ":!benchmarks"]);
    if changes.is_empty() || changes == "unknown" { commit } else { format!("{commit} with changes") }
}

fn said(program: &str, arguments: &[&str]) -> String {
    match output(Command::new(program).args(arguments).current_dir(root())) {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => "unknown".into(),
    }
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}

fn extensions(cpu: &str) -> Vec<String> {
    let flags = field(cpu, "flags").or_else(|| field(cpu, "Features")).unwrap_or_default();
    EXTENSIONS.into_iter().filter(|name| flags.split(' ').any(|flag| flag == *name)).map(str::to_owned).collect()
}

fn memory(text: &str) -> u64 {
    let kib = field(text, "MemTotal").and_then(|value| value.strip_suffix(" kB"));
    kib.and_then(|value| value.parse::<u64>().ok()).unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_tells() {
        let cpu =
            "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu sse2 avx2 avx512_other\n\nmodel name\t: other\n";
        assert_eq!(field(cpu, "model name"), Some("Some CPU"));
        assert_eq!(extensions(cpu), ["sse2", "avx2"]);
        assert_eq!(extensions("Features\t: fp asimd\n"), ["asimd"]);
        assert_eq!(memory("MemTotal:       1024 kB\nMemFree: 1 kB\n"), 1 << 20);
        assert_eq!(memory(""), 0);
    }
}
