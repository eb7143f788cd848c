//! A table of people, as a dump of JSON and as a database, before and after a day of changes.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use gosync_testkit::Random;

use super::versions::{Corpus, write_once};
use crate::command::find;

/// Bytes that a record takes, about.
const RECORD: u64 = 180;
const CHANGED: usize = 4000;
const CAME: usize = 400;
const WENT: usize = 400;

/// A line of JSON for each record.
///
/// # Errors
///
/// When the files cannot be written.
pub(super) fn json(name: &'static str, folder: &Path, length: u64) -> anyhow::Result<Corpus> {
    let (seed, target) = (folder.join("json.seed"), folder.join("json.target"));
    let records = records(length);
    write_once(&seed, |out| records.iter().try_for_each(|record| writeln!(out, "{}", record.json())))?;
    let (changed, gone) = changes(records);
    let left = || changed.iter().filter(|record| !gone.contains(&record.number));
    write_once(&target, |out| left().try_for_each(|record| writeln!(out, "{}", record.json())))?;
    Ok(Corpus { name, seed, target })
}

/// A table with an index on one column.
///
/// # Errors
///
/// Without `sqlite3`, or where files cannot be written.
pub(super) fn sqlite(name: &'static str, folder: &Path, length: u64) -> anyhow::Result<Corpus> {
    let (seed, target) = (folder.join("sqlite.seed"), folder.join("sqlite.target"));
    if seed.exists() && target.exists() {
        return Ok(Corpus { name, seed, target });
    }
    let part = folder.join("sqlite.part");
    let _ = fs::remove_file(&part);
    let before = records(length);
    query(&part, |sql| {
        writeln!(sql, "CREATE TABLE people(number INTEGER PRIMARY KEY, name, mail, city, balance, seen, note);")?;
        writeln!(sql, "CREATE INDEX cities ON people(city);")?;
        before.iter().try_for_each(|record| writeln!(sql, "INSERT INTO people VALUES({});", record.sql()))
    })?;
    fs::copy(&part, &seed)?;
    let numbers: Vec<(u64, u64)> = before.iter().map(|record| (record.number, record.balance)).collect();
    let (after, gone) = changes(before);
    query(&part, |sql| {
        for record in after {
            match numbers.binary_search_by_key(&record.number, |known| known.0) {
                Err(_) => writeln!(sql, "INSERT INTO people VALUES({});", record.sql())?,
                Ok(_) if gone.contains(&record.number) => {
                    writeln!(sql, "DELETE FROM people WHERE number = {};", record.number)?;
                }
                Ok(at) if numbers[at].1 != record.balance => writeln!(
                    sql,
                    "UPDATE people SET balance = {}, seen = {} WHERE number = {};",
                    record.balance, record.seen, record.number
                )?,
                Ok(_) => {}
            }
        }
        Ok(())
    })?;
    fs::rename(part, &target)?;
    Ok(Corpus { name, seed, target })
}

struct Record {
    number: u64,
    name: String,
    city: &'static str,
    balance: u64,
    seen: u64,
    note: String,
}

impl Record {
    fn new(number: u64, random: &mut Random) -> Self {
        let name = format!("{}{}", random.pick(&NAMES), random.below(100_000));
        let note: Vec<&str> = (0..random.range(4..12)).map(|_| *random.pick(&WORDS)).collect();
        let (city, balance, seen) = (*random.pick(&CITIES), random.below(10_000_000), random.below(90_000_000));
        Self { number, name, city, balance: balance as u64, seen: 1_600_000_000 + seen as u64, note: note.join(" ") }
    }

    fn json(&self) -> String {
        let Self { number, name, city, balance, seen, note } = self;
        format!(
            "{{\"number\":{number},\"name\":\"{name}\",\"mail\":\"{name}@example.org\",\"city\":\"{city}\",\
             \"balance\":{balance},\"seen\":{seen},\"note\":\"{note}\"}}"
        )
    }

    fn sql(&self) -> String {
        let Self { number, name, city, balance, seen, note } = self;
        format!("{number},'{name}','{name}@example.org','{city}',{balance},{seen},'{note}'")
    }
}

fn records(length: u64) -> Vec<Record> {
    let mut random = Random::new(1);
    (0..length / RECORD).map(|at| Record::new(10 * at, &mut random)).collect()
}

/// The records after the changes, and the numbers of those that have to go.
fn changes(mut records: Vec<Record>) -> (Vec<Record>, Vec<u64>) {
    let mut random = Random::new(2);
    for _ in 0..CHANGED {
        let at = random.below(records.len());
        records[at].balance += 1 + random.below(1000) as u64;
        records[at].seen += 100_000;
    }
    let gone = (0..WENT).map(|_| records[random.below(records.len())].number).collect();
    for _ in 0..CAME {
        let number = records[random.below(records.len())].number + 1;
        if let Err(at) = records.binary_search_by_key(&number, |record| record.number) {
            records.insert(at, Record::new(number, &mut random));
        }
    }
    (records, gone)
}

/// Runs SQL on the database at `path`, in one transaction.
fn query(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let program = find("sqlite3").context("there is no sqlite3 to make it with")?;
    let mut child = Command::new(program).arg(path).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let mut sql = io::BufWriter::new(child.stdin.take().context("a pipe was asked for")?);
    writeln!(sql, "BEGIN;")?;
    write(&mut sql)?;
    writeln!(sql, "COMMIT;")?;
    sql.flush()?;
    drop(sql);
    if !child.wait()?.success() {
        bail!("sqlite3 failed on {}", path.display());
    }
    Ok(())
}

const NAMES: [&str; 8] = ["ada", "bela", "carl", "dora", "emil", "fritz", "grete", "hugo"];
const CITIES: [&str; 8] = ["Aachen", "Berlin", "Chemnitz", "Dresden", "Essen", "Freiburg", "Goslar", "Hannover"];
const WORDS: [&str; 12] = [
    "paid",
    "late",
    "invoice",
    "moved",
    "called",
    "again",
    "wants",
    "refund",
    "newsletter",
    "closed",
    "premium",
    "trial",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_records_stay() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = json("json", folder.path(), 4 << 20).unwrap();
        let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
        let (old, new) = (lines(&corpus.seed), lines(&corpus.target));
        assert_eq!(old.len() as u64, (4 << 20) / RECORD);
        let known: std::collections::HashSet<&String> = old.iter().collect();
        let kept = new.iter().filter(|line| known.contains(line)).count();
        assert!(kept > old.len() / 2 && kept < new.len(), "{kept} of {}", new.len());
        assert!(new.iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    }
}
