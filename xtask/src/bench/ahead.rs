//! Every figure by which a peer does better than the best of ours.

use super::report::{BYTES, CPU, MEMORY, Measure, WALL, median};
use super::results::{Measured, Results, Row};
use super::table::{Table, figure};

/// A peer that takes less than this share of what ours takes is ahead; above it is noise.
const AHEAD: f64 = 0.995;

const TEXT: &str = "\
A peer's median as a share of that of ours that does best there, wherever it is less. fast_rsync has all of a file
in memory, and xdelta3 has both versions at hand. What explains most of it:

- *memory*: gosync holds what it read of the index, half of that again to look blocks up, and about a mebibyte for
  each thread.
- *processor time on the wire*: gosync searches the old version once for each layer of the index, and reads it anew
  each time.
- *bytes of rsync's diff*: its batch file has the differences, and no index.
- *bytes of zsyncmake*: its control files have shorter sums, and no tree of hashes.

";

/// The section.
pub(crate) fn text(results: &Results) -> String {
    let heading = "## Where a peer is ahead\n\n";
    let mut table = Table::new(["peer", "work", "in", "of ours, by corpus"]).left(4);
    for (name, section) in results.sections() {
        for work in section.works() {
            for case in section.cases(work) {
                for measure in [CPU, WALL, MEMORY, BYTES] {
                    let corpora = section.corpora(work);
                    let shares: Vec<(&str, f64)> = corpora
                        .into_iter()
                        .filter_map(|corpus| {
                            let row = section.find(corpus, work, case).filter(|row| is_peer(row))?;
                            Some((corpus, median(row, measure)? / best(section, corpus, work, measure)?))
                        })
                        .collect();
                    if let Some(shares) = ahead(&shares) {
                        table.row([case, &format!("{name}: {work}"), measure.0, &shares]);
                    }
                }
            }
        }
    }
    if table.is_empty() {
        format!("{heading}Nowhere in these runs.\n")
    } else {
        heading.to_owned() + TEXT + &table.render()
    }
}

/// Where a peer is ahead, of its shares of what ours takes: each by name, or how they range where
/// it is ahead everywhere.
pub(crate) fn ahead(shares: &[(&str, f64)]) -> Option<String> {
    let mut less: Vec<(&str, f64)> = shares.iter().copied().filter(|(_, share)| *share < AHEAD).collect();
    if less.len() > 1 && less.len() == shares.len() {
        less.sort_by(|one, other| one.1.total_cmp(&other.1));
        let (least, most) = (figure(less[0].1), figure(less[less.len() - 1].1));
        let range = if least == most { least } else { format!("{least} to {most}") };
        return Some(format!("{range} everywhere"));
    }
    let named: Vec<String> = less.iter().map(|(name, share)| format!("{name} {}", figure(*share))).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

/// The least that any of ours takes, but for those that are there to be compared with themselves.
fn best(section: &Measured, corpus: &str, work: &str, measure: Measure) -> Option<f64> {
    let is_meant = |row: &&Row| row.is_ours() && row.corpus == corpus && row.work == work && !row.case.contains("flat");
    section.rows.iter().filter(is_meant).filter_map(|row| median(row, measure)).min_by(f64::total_cmp)
}

/// What only copies, or has both versions, is no peer where bytes are counted.
fn is_peer(row: &Row) -> bool {
    !row.is_ours() && !["cp", "zstd"].contains(&row.program.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(program: &str, case: &str, cpu: f64, peak: u64) -> Row {
        let [corpus, work, program, case] = ["random", "diff", program, case].map(str::to_owned);
        let (cpu, wall) = (vec![cpu], vec![2.0 * cpu]);
        Row { corpus, work, program, case, cpu, wall, peak: Some(peak), moved: Some(1000), ..Row::default() }
    }

    fn results(rows: Vec<Row>) -> Results {
        let mut results = Results::default();
        results.keep("local", Measured { rows, ..Measured::default() }, false);
        results
    }

    #[test]
    fn says_where_a_peer_is_ahead_and_where_not() {
        let slower = results(vec![row("gosync", "gosync", 1.0, 10), row("rdiff", "rdiff", 4.0, 20)]);
        assert!(text(&slower).contains("Nowhere in these runs."));
        let faster = text(&results(vec![row("gosync", "gosync", 1.0, 10), row("rdiff", "rdiff", 0.5, 5)]));
        for measure in ["CPU", "wall", "memory"] {
            assert!(faster.contains(&format!("| rdiff | local: diff | {measure} | random 0.50 |")), "{faster}");
        }
        assert!(!faster.contains("| bytes |"), "equal is not ahead");
        let own = vec![row("gosync", "gosync", 1.0, 10), row("gosync", "gosync, default", 0.5, 5)];
        assert!(text(&results(own)).contains("Nowhere in these runs."), "ours is no peer");
    }

    #[test]
    fn shares_are_named_unless_all_are_ahead() {
        assert_eq!(ahead(&[("a", 0.5), ("b", 0.25)]).as_deref(), Some("0.25 to 0.50 everywhere"));
        assert_eq!(ahead(&[("a", 0.5), ("b", 1.25)]).as_deref(), Some("a 0.50"));
        assert_eq!(ahead(&[("a", 0.5)]).as_deref(), Some("a 0.50"));
        assert_eq!(ahead(&[("a", 0.999)]), None);
        assert_eq!(ahead(&[]), None);
    }
}
