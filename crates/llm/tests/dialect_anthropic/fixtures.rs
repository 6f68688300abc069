//! The fixtures of this dialect, by the names that all dialects give to theirs.

macro_rules! fixtures {
    ($folder:literal, $ending:literal, $($name:literal)*) => {
        &[$(($name, include_str!(concat!("../golden/dialects/anthropic/", $folder, "/", $name, $ending)))),*]
    };
}

pub(crate) type Fixtures = &'static [(&'static str, &'static str)];

#[rustfmt::skip]
pub(crate) const REQUESTS: Fixtures = fixtures!(
    "requests", ".json",
    "basic" "stream" "tools" "parallel-tools" "forced-tool" "image" "document" "system" "structured" "reasoning" "cached"
);

#[rustfmt::skip]
pub(crate) const ANSWERS: Fixtures = fixtures!(
    "answers", ".json",
    "basic" "tools" "parallel-tools" "structured" "reasoning" "cached" "refusal" "length" "error-before"
);

#[rustfmt::skip]
pub(crate) const STREAMS: Fixtures = fixtures!(
    "streams", ".sse",
    "basic" "tools" "parallel-tools" "structured" "reasoning" "cached" "refusal" "length" "error-midstream" "stall" "cut"
);

pub(crate) fn fixture(fixtures: Fixtures, name: &str) -> &'static str {
    let (_, text) = fixtures.iter().find(|(known, _)| *known == name).expect(name);
    text
}
