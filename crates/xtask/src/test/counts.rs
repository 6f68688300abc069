//! How many tests passed and failed, read from what test runners write: nextest's JUnit file and libtest's closing
//! lines. A text without a count is no count: silence must not pass for success.

use std::ops::AddAssign;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The totals stand on the file's outermost element; a test that could not be run or ran out of time is an error there.
pub(crate) fn of_junit(document: &str) -> Option<Counts> {
    let start = document.find("<testsuites")?;
    let element = document.get(start..)?.split('>').next()?;
    let failed = attribute(element, "failures")? + attribute(element, "errors")?;
    let passed = attribute(element, "tests")?.checked_sub(failed)?;
    Some(Counts { passed, failed })
}

fn attribute(element: &str, name: &str) -> Option<u64> {
    let after = element.split_once(&format!(" {name}=\""))?.1;
    after.split('"').next()?.parse().ok()
}

/// The sum over the `test result:` lines of any number of test programs.
pub(crate) fn of_libtest(output: &str) -> Option<Counts> {
    let results = output
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("test result: "));
    results.map(result_line).try_fold(None::<Counts>, |sum, counts| {
        let mut sum = sum.unwrap_or_default();
        sum += counts?;
        Some(Some(sum))
    })?
}

/// `ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.02s`
fn result_line(line: &str) -> Option<Counts> {
    let number = |word: &str| {
        let before = line.split_once(&format!(" {word};"))?.0;
        before.rsplit(' ').next()?.parse().ok()
    };
    Some(Counts {
        passed: number("passed")?,
        failed: number("failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junit_totals_count_errors_as_failures() {
        let document = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="12" failures="2" errors="1" uuid="u" time="0.4">
    <testsuite name="gatewright-llm" tests="12" failures="2" errors="1"></testsuite>
</testsuites>"#;

        assert_eq!(of_junit(document), Some(Counts { passed: 9, failed: 3 }));
    }

    #[test]
    fn a_file_without_totals_has_no_count() {
        for document in [
            "",
            "<testsuites>",
            "<testsuites tests=\"many\" failures=\"0\" errors=\"0\">",
        ] {
            assert_eq!(of_junit(document), None, "{document}");
        }
    }

    #[test]
    fn libtest_results_add_up_over_programs() {
        let output = "\
running 6 tests
test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s
noise
test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 3 filtered out; finished in 1.50s
";

        assert_eq!(of_libtest(output), Some(Counts { passed: 12, failed: 2 }));
    }

    #[test]
    fn a_program_that_said_nothing_has_no_count() {
        assert_eq!(of_libtest("thread 'main' overflowed its stack\n"), None);
        assert_eq!(of_libtest("test result: who knows\n"), None);
    }
}
