//! What somebody probably meant by a name that nobody knows.

/// How much alike two names must be for one to be proposed for the other.
const LIKENESS: f64 = 0.6;

/// The one of the known names that is most like a wrong one, where one is like it at all.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (likeness(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// Jaro-Winkler knows cut and swapped beginnings of long names, Damerau-Levenshtein the typing mistakes of short ones.
fn likeness(one: &str, other: &str) -> f64 {
    strsim::jaro_winkler(one, other).max(strsim::normalized_damerau_levenshtein(one, other))
}
