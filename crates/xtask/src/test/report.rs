//! The result of a whole run: a row per stage, and the one line that CI reads. A stage that could not run counts as one
//! failure, so that a broken machine is never green.

use std::fmt;
use std::time::Duration;

use anyhow::Error;

use super::counts::Counts;
use crate::progress::Took;

#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    stage: &'static str,
    took: Duration,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    /// A preparation, which has nothing to count.
    Done,
    Ran(Counts),
    CouldNotRun(Error),
}

impl Report {
    pub(crate) fn done(&mut self, stage: &'static str, took: Duration) {
        self.rows.push(Row {
            stage,
            took,
            outcome: Outcome::Done,
        });
    }

    pub(crate) fn ran(&mut self, stage: &'static str, took: Duration, counts: Counts) {
        self.rows.push(Row {
            stage,
            took,
            outcome: Outcome::Ran(counts),
        });
    }

    pub(crate) fn could_not_run(&mut self, stage: &'static str, took: Duration, problem: Error) {
        self.rows.push(Row {
            stage,
            took,
            outcome: Outcome::CouldNotRun(problem),
        });
    }

    pub(crate) fn total(&self) -> Counts {
        let mut total = Counts::default();
        for row in &self.rows {
            total += match &row.outcome {
                Outcome::Done => Counts::default(),
                Outcome::Ran(counts) => *counts,
                Outcome::CouldNotRun(_) => Counts { passed: 0, failed: 1 },
            };
        }
        total
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{:<16} {:>12} {:>8} {:>8}",
            "stage", "time", "passed", "failed"
        )?;
        for Row { stage, took, outcome } in &self.rows {
            write!(formatter, "{stage:<16} {:>12}", Took(*took).to_string())?;
            match outcome {
                Outcome::Done => writeln!(formatter)?,
                Outcome::Ran(Counts { passed, failed }) => writeln!(formatter, " {passed:>8} {failed:>8}")?,
                Outcome::CouldNotRun(problem) => writeln!(formatter, " could not run: {problem:#}")?,
            }
        }
        let Counts { passed, failed } = self.total();
        write!(formatter, "\n{passed} passed, {failed} failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_sum_and_a_stage_that_could_not_run_is_a_failure() {
        let mut report = Report::default();
        report.done("compile", Duration::from_secs(70));
        report.ran("unit", Duration::from_secs(3), Counts { passed: 40, failed: 1 });
        report.could_not_run("solo", Duration::from_millis(1), anyhow::anyhow!("no binary"));

        assert_eq!(
            report.to_string(),
            "\
stage                    time   passed   failed
compile            1 min 10 s
unit                    3.0 s       40        1
solo                    0.0 s could not run: no binary

40 passed, 2 failed"
        );
    }
}
