//! The mark by which a caller tells the sandbox how to behave, anywhere in the last user message:
//! `[[sandbox delay=2s chunks=20 chunk_delay=50ms status=500 cut=3 stall=3 malformed=3 tokens=100]]`. A key the sandbox
//! does not know is an error: a test that asks for a fault must not pass because the fault was misspelt.

use std::time::Duration;

use gatewright_types::HumanDuration;

const BEGIN: &str = "[[sandbox";
const END: &str = "]]";
const KEYS: &str = "delay, chunks, chunk_delay, status, cut, stall, malformed and tokens";
const MOST_CHUNKS: usize = 10_000;
const MOST_TOKENS: usize = 100_000;
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Before the answer begins.
    pub(super) delay: Duration,
    /// An error with this status instead of an answer.
    pub(super) status: Option<u16>,
    /// In how many parts the answer comes; the answer is made long enough.
    pub(super) chunks: Option<usize>,
    /// Between two parts.
    pub(super) chunk_delay: Duration,
    /// How many tokens the answer has.
    pub(super) tokens: Option<usize>,
    /// After how many parts the connection breaks.
    pub(super) cut: Option<usize>,
    /// After how many parts nothing more comes.
    pub(super) stall: Option<usize>,
    /// After how many parts something comes that is no JSON.
    pub(super) malformed: Option<usize>,
}

impl Mark {
    /// The text without its mark, and the mark.
    pub(super) fn take_from(text: String) -> Result<(String, Self), String> {
        let Some(start) = begin_of(&text) else {
            return Ok((text, Self::default()));
        };
        let (before, marked) = text.split_at(start);
        let Some((mark, after)) = marked.split_once(END) else {
            return Err(format!("the sandbox mark is not closed; end it with '{END}'"));
        };
        let settings = mark.strip_prefix(BEGIN).unwrap_or_default();
        Ok((format!("{before}{after}"), Self::read(settings)?))
    }

    fn read(settings: &str) -> Result<Self, String> {
        let mut mark = Self::default();
        for setting in settings.split_whitespace() {
            let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
            match key {
                "delay" => mark.delay = duration(key, value)?,
                "chunk_delay" => mark.chunk_delay = duration(key, value)?,
                "chunks" => mark.chunks = Some(number(key, value, 1..=MOST_CHUNKS)?),
                "tokens" => mark.tokens = Some(number(key, value, 0..=MOST_TOKENS)?),
                "cut" => mark.cut = Some(number(key, value, 0..=MOST_CHUNKS)?),
                "stall" => mark.stall = Some(number(key, value, 0..=MOST_CHUNKS)?),
                "malformed" => mark.malformed = Some(number(key, value, 0..=MOST_CHUNKS)?),
                "status" => mark.status = u16::try_from(number(key, value, 400..=599)?).ok(),
                _ => return Err(format!("the sandbox mark has no key '{key}'; the keys are {KEYS}")),
            }
        }
        Ok(mark)
    }
}

/// Where a mark begins; `[[sandboxes` is none.
fn begin_of(text: &str) -> Option<usize> {
    let is_mark = |(at, begin): &(usize, &str)| {
        let after = text.get(at + begin.len()..).unwrap_or_default();
        after.is_empty() || after.starts_with(char::is_whitespace) || after.starts_with(END)
    };
    text.match_indices(BEGIN).find(is_mark).map(|(at, _)| at)
}

fn number(key: &str, value: &str, allowed: std::ops::RangeInclusive<usize>) -> Result<usize, String> {
    let (least, most) = (allowed.start(), allowed.end());
    let wrong = || format!("{key} of the sandbox mark must be a number from {least} to {most}, not '{value}'");
    value
        .parse()
        .ok()
        .filter(|number| allowed.contains(number))
        .ok_or_else(wrong)
}

fn duration(key: &str, value: &str) -> Result<Duration, String> {
    let wrong =
        || format!("{key} of the sandbox mark must be a duration like 250ms or 2s, of at most 1h, not '{value}'");
    let duration: HumanDuration = value.parse().map_err(|_| wrong())?;
    if duration.get() > LONGEST_WAIT {
        Err(wrong())
    } else {
        Ok(duration.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> Result<(String, Mark), String> {
        Mark::take_from(text.to_owned())
    }

    #[test]
    fn a_mark_is_taken_out_of_the_text() {
        let all = "[[sandbox delay=2s chunks=20 chunk_delay=50ms status=429 cut=3 stall=4 malformed=5 tokens=100]]";
        let expected = Mark {
            delay: Duration::from_secs(2),
            status: Some(429),
            chunks: Some(20),
            chunk_delay: Duration::from_millis(50),
            tokens: Some(100),
            cut: Some(3),
            stall: Some(4),
            malformed: Some(5),
        };

        assert_eq!(
            taken(&format!("Hello {all}there")),
            Ok(("Hello there".into(), expected))
        );
        assert_eq!(taken("a [[sandbox]] b"), Ok(("a  b".into(), Mark::default())));
        assert_eq!(
            taken("two [[sandboxes]]"),
            Ok(("two [[sandboxes]]".into(), Mark::default()))
        );
    }

    #[test]
    fn a_wrong_mark_is_named() {
        let check = |mark: &str, message: &str| assert_eq!(taken(mark), Err(message.to_owned()), "{mark}");

        check(
            "[[sandbox dealy=2s]]",
            "the sandbox mark has no key 'dealy'; the keys are delay, chunks, chunk_delay, status, cut, stall, malformed and tokens",
        );
        check("[[sandbox cut=3", "the sandbox mark is not closed; end it with ']]'");
        check(
            "[[sandbox status=200]]",
            "status of the sandbox mark must be a number from 400 to 599, not '200'",
        );
        check(
            "[[sandbox chunks=0]]",
            "chunks of the sandbox mark must be a number from 1 to 10000, not '0'",
        );
        check(
            "[[sandbox cut]]",
            "cut of the sandbox mark must be a number from 0 to 10000, not ''",
        );
        check(
            "[[sandbox delay=2]]",
            "delay of the sandbox mark must be a duration like 250ms or 2s, of at most 1h, not '2'",
        );
        check(
            "[[sandbox chunk_delay=2h]]",
            "chunk_delay of the sandbox mark must be a duration like 250ms or 2s, of at most 1h, not '2h'",
        );
    }
}
