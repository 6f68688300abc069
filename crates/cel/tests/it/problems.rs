//! What does not compile: the words and the exact place.

use gatewright_cel::{Expression, Problem, limits};

use crate::world::declarations;

fn problem(source: &str) -> Problem {
    match Expression::compile_condition(source, &declarations()) {
        Ok(_) => panic!("{source} compiles"),
        Err(problem) => problem,
    }
}

#[track_caller]
fn check(rows: &[(&str, u32, u32, &str)]) {
    for (source, line, column, words) in rows {
        let found = problem(source);
        assert_eq!((found.line, found.column), (*line, *column), "{source}: {found}");
        assert!(found.message.contains(words), "{source}: {found}");
    }
}

#[test]
fn mistakes_of_writing_are_pointed_at() {
    check(&[
        ("", 1, 1, "found the end where a value should be"),
        ("1 +", 1, 4, "found the end where a value should be"),
        ("1 2", 1, 3, "found a number where an operator or the end should be"),
        ("(1", 1, 3, "found the end where `)` should be"),
        ("[1 2]", 1, 4, "`,` or `]`"),
        ("{1 2}", 1, 4, "`:`"),
        ("true ? 1", 1, 9, "`:`"),
        ("request.", 1, 9, "the name of a field"),
        ("request.model = 'x'", 1, 15, "`==` compares"),
        ("true & false", 1, 6, "`&&` is and"),
        ("'abc", 1, 1, "the text does not end"),
        ("'a\nb'", 1, 1, "the text does not end"),
        ("'''a", 1, 1, "it needs '''"),
        ("'ab\\q'", 1, 4, "\\q is no escape"),
        ("'\\ud800'", 1, 2, "\\u is no escape"),
        ("12abc", 1, 1, "`12abc` is no number"),
        ("0x", 1, 1, "is no number"),
        ("1.5u", 1, 1, "is no number"),
        ("9223372036854775808", 1, 1, "out of the range of int"),
        ("-9223372036854775809", 1, 1, "out of the range of int"),
        ("18446744073709551616u", 1, 1, "out of the range of 64 bits"),
        ("1e400", 1, 1, "out of the range of double"),
        ("if == 1", 1, 1, "`if` is a word of the language"),
        ("a{b: 1}", 1, 2, "messages cannot be made"),
        ("`a` == 1", 1, 1, "between backticks"),
        ("request.`a", 1, 9, "does not end"),
        ("true\n  && \u{1F600}", 2, 6, "has no meaning here"),
        (
            "'😀é' == request.modle",
            1,
            17,
            "`request` has no `modle`; did you mean `model`?",
        ),
    ]);
}

#[test]
fn unknown_names_are_told_with_the_nearest() {
    check(&[
        (
            "requst.model == 'x'",
            1,
            1,
            "there is no name `requst`; did you mean `request`?",
        ),
        (
            "zzz == 1",
            1,
            1,
            "there are request, key, metadata, targets, time, big, long",
        ),
        (
            "request.modle == 'x'",
            1,
            9,
            "`request` has no `modle`; did you mean `model`?",
        ),
        ("request.zzzzzz == 'x'", 1, 9, "there are model, user, tokens, headers"),
        (
            "request == null",
            1,
            1,
            "`request` is a group of names: use one of model, user, tokens, headers",
        ),
        (
            "targets[0].nam == 'x'",
            1,
            12,
            "`targets[0]` has no `nam`; did you mean `name`?",
        ),
        ("has(request.modle)", 1, 13, "did you mean `model`?"),
        (
            "request.model.startWith('a')",
            1,
            15,
            "there is no function `startWith`; did you mean `startsWith`?",
        ),
        ("key.tags.exist(t, t == 'a')", 1, 10, "did you mean `exists`?"),
        ("key.tags.exists(t, u == 'a')", 1, 20, "there is no name `u`"),
        ("[1].exists(t, true) && t == 1", 1, 24, "there is no name `t`"),
    ]);
}

#[test]
fn types_that_do_not_fit_are_pointed_at() {
    check(&[
        ("request.model == 1", 1, 15, "a string is never equal to an int"),
        ("request.model in [1, 2]", 1, 15, "a string is never equal to an int"),
        ("request.tokens == '5'", 1, 16, "an int is never equal to a string"),
        ("request.model == null", 1, 15, "a string is never null; has() tells"),
        (
            "request.tokens + 1.5 > 2.0",
            1,
            16,
            "convert one with int(), uint() or double()",
        ),
        (
            "request.tokens + 'a' == 'b'",
            1,
            16,
            "`+` does not take an int and a string",
        ),
        ("request.model < 5", 1, 15, "`<` does not take a string and an int"),
        ("key.tags < key.tags", 1, 10, "`<` does not take a list and a list"),
        ("request.model && true", 1, 1, "`&&` takes a bool, and this is a string"),
        ("true && request.tokens", 1, 9, "`&&` takes a bool, and this is an int"),
        ("!request.model", 1, 2, "`!` takes a bool"),
        ("-request.model == 'a'", 1, 1, "`-` does not take a string"),
        ("request.tokens ? true : false", 1, 1, "`?` takes a bool"),
        (
            "request.tokens.startsWith('a')",
            1,
            1,
            "`startsWith` does not take an int",
        ),
        (
            "request.model.startsWith(1)",
            1,
            26,
            "`startsWith` does not take an int",
        ),
        ("request.model.startsWith()", 1, 15, "`startsWith` takes 1 argument"),
        (
            "startsWith(request.model, 'a')",
            1,
            1,
            "`startsWith` follows what it works on",
        ),
        (
            "request.model.int() == 1",
            1,
            15,
            "`int` takes what it works on between its brackets",
        ),
        ("time.getHours(1, 2) == 1", 1, 6, "takes 0 or 1 argument"),
        (
            "(time - time).getHours('UTC') == 1",
            1,
            1,
            "`getHours` does not take a duration",
        ),
        ("request.model.size == 1", 1, 15, "a string has no field `size`"),
        (
            "request.headers[1] == 'x'",
            1,
            17,
            "the keys of this map are strings, and this is an int",
        ),
        (
            "key.tags['a'] == 'x'",
            1,
            10,
            "the place in a list is an int, and this is a string",
        ),
        ("1 in request.headers", 1, 3, "the keys of this map are strings"),
        (
            "'a' in request.model",
            1,
            5,
            "`in` looks into a list or a map, not a string",
        ),
        ("request.tokens.exists(x, true)", 1, 1, "an int has no elements"),
        (
            "key.tags.exists(t, t)",
            1,
            20,
            "the test is a bool, and this is a string",
        ),
        ("key.tags.exists(1, true)", 1, 17, "a name for the element"),
        (
            "key.tags.exists(t)",
            1,
            10,
            "this is how to use it: list.exists(x, x == 1)",
        ),
        ("has(request)", 1, 5, "`has` takes a field"),
        (
            "has(request.headers['a'])",
            1,
            5,
            "`in` tells whether a map has another key",
        ),
        ("{[]: 1} == {}", 1, 2, "a list cannot be a key of a map"),
        ("{'a': 1, 'a': 2}.size() == 1", 1, 1, "a map has a key twice"),
    ]);
}

#[test]
fn a_condition_has_to_be_a_bool() {
    check(&[
        ("request.model", 1, 1, "a condition is a bool, and this is a string"),
        ("1 + 1", 1, 1, "a condition is a bool, and this is an int"),
        ("true ? 'a' : 'b'", 1, 1, "this is a string"),
        ("  key.tags.map(t, t)", 1, 3, "this is a list"),
    ]);
    for source in ["metadata.enabled", "true ? true : metadata.x"] {
        assert!(
            Expression::compile_condition(source, &declarations()).is_ok(),
            "{source}"
        );
    }
    let number = |source| Expression::compile_number(source, &declarations());
    assert!(number("request.tokens * 2").is_ok());
    assert_eq!(number("request.model").map_err(|problem| problem.column), Err(1));
}

#[test]
fn constants_that_cannot_work_are_problems_of_the_text() {
    check(&[
        (
            "duration('5 minutes') > duration('1s')",
            1,
            1,
            "\"5 minutes\" is no duration like 90s",
        ),
        (
            "time > timestamp('tomorrow')",
            1,
            8,
            "\"tomorrow\" is no timestamp like",
        ),
        ("time.getHours('Mars/Base') > 1", 1, 15, "\"Mars/Base\" is no time zone"),
        (
            "time.getHours('Europe/Berlim') > 1",
            1,
            15,
            "did you mean `Europe/Berlin`?",
        ),
        ("time.getHours('+2:00') > 1", 1, 15, "\"+2:00\" is no time zone"),
        ("time.getHours('+24:00') > 1", 1, 15, "\"+24:00\" is no time zone"),
        ("int('x') == 1", 1, 1, "\"x\" is no int"),
        ("request.model.matches('(')", 1, 23, "unclosed group"),
        ("request.model.matches(request.model)", 1, 23, "has to be constant"),
        ("request.model.matches('(\\\\w{200}){200}')", 1, 23, "is too large"),
        ("request.model.matches('(?=a)')", 1, 23, "look-around"),
    ]);
}

#[test]
fn texts_are_bounded() {
    let long = format!("'{}' == ''", "a".repeat(limits::SOURCE_BYTES));
    assert!(problem(&long).message.contains("longer than"));

    let parts = format!("1 in [{}]", "1,".repeat(limits::NODES));
    assert!(problem(&parts).message.contains("more than"));

    for hostile in [
        format!("{}1{}", "(".repeat(4000), ")".repeat(4000)),
        format!("{}1", "[".repeat(4000)),
        format!("{}1", "{1:".repeat(3000)),
        format!("{}true", "!".repeat(4000)),
        format!("{}1", "-".repeat(4000)),
        format!("1{} == 1", "+1".repeat(900)),
        format!("metadata{} == 1", ".a".repeat(900)),
        format!("metadata{} == 1", "[0]".repeat(900)),
        format!("{}1", "true?1:".repeat(900)),
        format!("{}1", "f(".repeat(3000)),
        format!("{}1", "a.b(".repeat(2000)),
    ] {
        let start: String = hostile.chars().take(20).collect();
        assert!(problem(&hostile).message.contains("nests deeper"), "{start}");
    }

    // What the language asks every implementation to take.
    for fine in [
        format!("{}true{}", "(".repeat(32), ")".repeat(32)),
        format!("{}true{}", "[".repeat(32), "]".repeat(32)) + " != []",
        vec!["request.model == 'a'"; 200].join(" || "),
        vec!["request.tokens"; 33].join(" + ") + " > 1",
        format!("metadata{} == 1", ".a".repeat(32)),
        format!("metadata.a{} == 1", "[0]".repeat(32)),
    ] {
        assert!(Expression::compile_condition(&fine, &declarations()).is_ok(), "{fine}");
    }
}

#[test]
fn a_problem_prints_its_place() {
    assert_eq!(
        problem("true &&\n requst.x").to_string(),
        "line 2, column 2: there is no name `requst`; did you mean `request`?"
    );
}
