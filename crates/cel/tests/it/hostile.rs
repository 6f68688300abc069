//! Whatever is written and whatever is given, there is an answer.

use gatewright_cel::Expression;
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use proptest::strategy::Just;
use proptest::{collection, sample};

use crate::world::{World, declarations};

const WORDS: [&str; 60] = [
    "request",
    "key",
    "metadata",
    "time",
    "big",
    "long",
    ".model",
    ".headers",
    ".tags",
    ".tokens",
    ".a",
    "['x-tier']",
    "[0]",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "?",
    "==",
    "!=",
    "<",
    ">=",
    "in",
    "&&",
    "||",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "1",
    "0",
    "9223372036854775807",
    "2u",
    "1.5",
    "1e300",
    "'a'",
    "b'\\377'",
    "r'\\d'",
    "true",
    "null",
    "x",
    ".exists(x, ",
    ".all(x, ",
    ".map(x, ",
    ".filter(x, ",
    ".size()",
    ".split('')",
    ".matches('a+')",
    "size(",
    "int(",
    "string(",
    "duration('1h')",
    "has(",
    "type(",
];

fn evaluate(source: &str) {
    if let Ok(expression) = Expression::compile(source, &declarations()) {
        let world = World::new();
        match expression.evaluate(&world) {
            Ok(value) => drop(format!("{value:?}")),
            Err(failed) => drop(failed.to_string()),
        }
    }
}

/// Expressions that mostly compile, so that evaluation is reached.
fn expression() -> impl Strategy<Value = String> {
    let leaf = sample::select(vec![
        "1",
        "0",
        "-1",
        "9223372036854775807",
        "2u",
        "0.0",
        "1e308",
        "'a'",
        "'é😀'",
        "''",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "b'x'",
        "x",
        "request.model",
        "request.tokens",
        "request.headers",
        "key.tags",
        "metadata",
        "metadata.number",
        "metadata.customer",
        "metadata.none",
        "time",
        "duration('1h')",
        "big",
        "long",
        "targets",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let binary = sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||",
        ]);
        let function = sample::select(vec![
            "size",
            "int",
            "uint",
            "double",
            "string",
            "bytes",
            "bool",
            "timestamp",
            "duration",
            "type",
            "dyn",
            "!",
            "-",
        ]);
        let method = sample::select(vec![
            "startsWith",
            "contains",
            "split",
            "join",
            "substring",
            "indexOf",
            "getHours",
            "size",
            "trim",
            "lowerAscii",
        ]);
        let macros = sample::select(vec!["all", "exists", "exists_one", "filter", "map"]);
        prop_oneof![
            (inner.clone(), binary, inner.clone()).prop_map(|(a, sign, b)| format!("(dyn({a}) {sign} dyn({b}))")),
            (function, inner.clone()).prop_map(|(name, a)| format!("{name}(dyn({a}))")),
            (inner.clone(), method, inner.clone()).prop_map(|(a, name, b)| format!("dyn({a}).{name}(dyn({b}))")),
            (inner.clone(), macros, inner.clone()).prop_map(|(a, name, b)| format!("dyn({a}).{name}(x, dyn({b}))")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("dyn({a})[dyn({b})]")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("(dyn({a}) ? {b} : {c})")),
            collection::vec(inner.clone(), 0..3).prop_map(|parts| format!("[{}]", parts.join(", "))),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{{dyn({a}): {b}}}")),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_compiled_or_refused(source in any::<String>()) {
        evaluate(&source);
    }

    #[test]
    fn any_words_are_compiled_or_refused(words in collection::vec(sample::select(WORDS.to_vec()), 0..30)) {
        evaluate(&words.concat());
        evaluate(&words.join(" "));
    }

    #[test]
    fn what_compiles_ends(source in expression(), wrapped in prop_oneof![Just(true), Just(false)]) {
        let source = if wrapped { format!("[1].map(x, {source})") } else { source };
        evaluate(&source);
    }
}
