//! What to measure, and with how much patience.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;

use super::programs::PEERS;
use super::rounds::Effort;
use super::sections::{ALL, Pace, Section};

/// What to measure.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct BenchOptions {
    /// Measures these only [default: all]: local, large, scan, slow, network, wire, trees, librsync,
    /// zsync
    #[arg(value_name = "SECTION")]
    sections: Vec<String>,
    /// A smoke test: small files, one round, and results beneath the target folder
    #[arg(long, conflicts_with = "full")]
    pub(crate) quick: bool,
    /// Larger files, more rounds, and time for the slowest
    #[arg(long)]
    full: bool,
    /// Measures on this corpus only, and keeps what is known of the others; may be given several times
    #[arg(long, value_name = "CORPUS")]
    only: Vec<String>,
    /// Compares with these peers only, separated by commas, or with none; what is known of the others stays
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    peers: Option<Vec<String>>,
    /// Length of the corpora made by code [default: 64, quick 16, full 256]
    #[arg(long, value_name = "MIB")]
    size: Option<u64>,
    /// Installs nothing
    #[arg(long)]
    pub(crate) no_install: bool,
    /// Measures this executable of ours instead of building one
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) gosync: Option<PathBuf>,
    /// Measures nothing: writes BENCHMARKS.md from what is known
    #[arg(long)]
    pub(crate) render: bool,
}

impl BenchOptions {
    pub(crate) fn sections(&self) -> anyhow::Result<Vec<&'static Section>> {
        let names = select(&ALL.map(|section| section.name), &self.sections, "section")?;
        let is_asked = |section: &&Section| self.sections.is_empty() || names.contains(&section.name);
        Ok(ALL.into_iter().filter(is_asked).collect())
    }

    /// Whether a section is asked for by its name.
    pub(crate) fn is_named(&self, section: &Section) -> bool {
        self.sections.iter().any(|name| name == section.name)
    }

    /// The corpora of a section that are asked for.
    pub(crate) fn corpora(&self, section: &Section) -> anyhow::Result<Vec<&'static str>> {
        let known: Vec<&str> = ALL.iter().flat_map(|section| section.corpora).copied().collect();
        let asked = select(&known, &self.only, "corpus")?;
        let is_asked = |name: &&'static str| self.only.is_empty() || asked.contains(name);
        Ok(section.corpora.iter().copied().filter(is_asked).collect())
    }

    pub(crate) fn peers(&self) -> anyhow::Result<Vec<&'static str>> {
        match &self.peers {
            None => Ok(PEERS.to_vec()),
            Some(names) if names.iter().map(String::as_str).eq(["none"]) => Ok(Vec::new()),
            Some(names) => select(PEERS, names, "peer"),
        }
    }

    /// Whether only some rows of a section are measured.
    pub(crate) fn is_part(&self) -> bool {
        !self.only.is_empty() || self.peers.is_some()
    }

    /// Bytes of the corpora made by code.
    pub(crate) fn length(&self) -> u64 {
        let default = if self.quick {
            16
        } else if self.full {
            256
        } else {
            64
        };
        self.size.unwrap_or(default).max(1) << 20
    }

    pub(crate) fn effort(&self, pace: Pace) -> Effort {
        let (rounds, budget, limit) = match (pace, self.quick, self.full) {
            (Pace::Once, true, _) => (0, 0, 20),
            (Pace::Once, _, false) => (0, 0, 150),
            (Pace::Once, _, true) => (0, 0, 900),
            (_, true, _) => (1, 3, 20),
            (Pace::Rounds, _, false) => (3, 4, 45),
            (Pace::Slow, _, false) => (2, 7, 150),
            (_, _, true) => (5, 120, 900),
        };
        Effort { rounds, budget: Duration::from_secs(budget), limit: Duration::from_secs(limit) }
    }

    /// The command that measures `section` in the same way again.
    pub(crate) fn command(&self, section: &str) -> String {
        let mut words = vec![format!("cargo xtask bench {section}")];
        words.extend(self.quick.then(|| "--quick".to_owned()));
        words.extend(self.full.then(|| "--full".to_owned()));
        words.extend(self.only.iter().map(|name| format!("--only {name}")));
        words.extend(self.peers.iter().map(|names| format!("--peers {}", names.join(","))));
        words.extend(self.size.map(|size| format!("--size {size}")));
        words.join(" ")
    }
}

/// Those of `all` that have one of `names`.
fn select(all: &[&'static str], names: &[String], what: &str) -> anyhow::Result<Vec<&'static str>> {
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
        bail!("there is no {what} \"{unknown}\"; there are {}", all.join(", "));
    }
    Ok(all.iter().copied().filter(|name| names.contains(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn selections() {
        let options = BenchOptions { only: names(&["zeros", "random"]), ..BenchOptions::default() };
        let sections = options.sections().unwrap();
        let local = sections.iter().find(|section| section.name == "local").unwrap();
        assert_eq!(options.corpora(local).unwrap(), ["random", "zeros"]);
        assert_eq!(options.peers().unwrap(), PEERS);
        assert!(options.is_part() && !BenchOptions::default().is_part());
        let options = BenchOptions { peers: Some(names(&["none"])), ..BenchOptions::default() };
        assert_eq!(options.corpora(local).unwrap(), local.corpora);
        assert!(options.peers().unwrap().is_empty());
        let options = BenchOptions { sections: names(&["wire"]), ..BenchOptions::default() };
        assert_eq!(options.sections().unwrap().iter().map(|section| section.name).collect::<Vec<_>>(), ["wire"]);
        let error = BenchOptions { peers: Some(names(&["rdif"])), ..BenchOptions::default() }.peers().unwrap_err();
        assert!(error.to_string().starts_with("there is no peer \"rdif\"; there are rdiff, "), "{error}");
        assert!(BenchOptions { sections: names(&["wires"]), ..BenchOptions::default() }.sections().is_err());
        assert!(BenchOptions { only: names(&["none"]), ..BenchOptions::default() }.corpora(local).is_err());
    }

    #[test]
    fn the_command_repeats_itself() {
        assert_eq!(BenchOptions::default().command("wire"), "cargo xtask bench wire");
        let options = BenchOptions {
            quick: true,
            only: names(&["zeros"]),
            peers: Some(names(&["rdiff", "zsync"])),
            size: Some(8),
            no_install: true,
            ..BenchOptions::default()
        };
        let command = "cargo xtask bench local --quick --only zeros --peers rdiff,zsync --size 8";
        assert_eq!(options.command("local"), command);
    }
}
