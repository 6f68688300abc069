//! What expressions evaluate to: one table for each part of the language. A row is an expression that must be true, or
//! one with the words of its failure.

use std::borrow::Cow;
use std::cell::RefCell;

use gatewright_cel::{Expression, Failed, Names, Value, limits};

use crate::world::{World, declarations};

fn compile(source: &str) -> Expression {
    Expression::compile(source, &declarations()).unwrap_or_else(|problem| panic!("{source}: {problem}"))
}

fn is_true(sources: &[&str]) {
    let world = World::new();
    for source in sources {
        assert_eq!(compile(source).condition(&world), Ok(true), "{source}");
    }
}

fn fails(rows: &[(&str, &str)]) {
    let world = World::new();
    for (source, words) in rows {
        let expression = compile(source);
        match expression.evaluate(&world) {
            Err(failed) => assert!(failed.to_string().contains(words), "{source}: {failed}"),
            Ok(value) => panic!("{source} is {value:?}"),
        }
    }
}

#[test]
fn literals_are_what_they_say() {
    is_true(&[
        "0x1F == 31",
        "0xffu == 255u",
        "-9223372036854775808 < -9223372036854775807",
        "18446744073709551615u > 9223372036854775807",
        "1e3 == 1000.0 && .5 == 0.5 && 1.5e-1 == 0.15 && 2E+2 == 200.0",
        r#""a\tb\x41\101\u00e9\U0001F600" == 'a	bAAé😀'"#,
        r#"r"\d" == "\\d" && R'\' == '\\'"#,
        "\"\"\"two\n\"lines\" here\"\"\" == 'two\\n\"lines\" here'",
        "'''it's''' == \"it's\"",
        r#"b"\377" != b"ÿ" && b"abc" == b'abc' && br"\n".size() == 2 && size(b"ÿ") == 2"#,
        r#""\?\`\'\"\a\b\f\n\r\v".size() == 10"#,
        "[1, 2, 3,][2] == 3 && [] == []",
        "{'a': 1, 'b': 2,}['b'] == 2 && {} == {} && {1: 'x', true: 'y', 2u: 'z'}[2] == 'z'",
        "true != false && null == null",
        "1 == 1 // the rest is a comment",
        "// first\n 1\r\n\t==\u{c}1",
    ]);
}

#[test]
fn operators_bind_as_the_language_says() {
    is_true(&[
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9",
        "10 - 3 - 2 == 5 && 100 / 10 / 5 == 2 && 17 % 10 % 4 == 3",
        "true || false && false",
        "!(true && false) && !false",
        "!!true && - -1 == 1 && --1 == 1",
        "1 + 1 == 2 == true",
        "1 < 2 && 2 in [1, 2] && !(3 in [1, 2])",
        "false ? 1 == 2 : true ? true : false",
        "(true ? 1 : 2) + 1 == 2",
        "true ? true : 1 / 0 == 1",
        "-request.tokens == -1200 && -(1) == -1 && -1.5 == 0.0 - 1.5",
        ".request.tokens == 1200",
    ]);
}

#[test]
fn numbers_compare_by_value_and_never_wrap() {
    is_true(&[
        "1 == 1u && 1u == 1.0 && 1 == 1.0 && 1 != 1.5",
        "-1 < 0u && 1u > -1.0 && 9223372036854775807 < 9223372036854775808u",
        "9007199254740993 > 9007199254740992.0 && 9007199254740992 == 9007199254740992.0",
        "1 in [1u, 2.0] && 2u in {1: 'a', 2: 'b'}",
        "-7 / 2 == -3 && -7 % 2 == -1 && 7u / 2u == 3u",
        "double('NaN') != double('NaN') && !(double('NaN') < 1) && !(double('NaN') >= 1)",
        "1.0 / 0.0 == double('inf')",
    ]);
    fails(&[
        ("9223372036854775807 + 1", "out of the range of int"),
        ("-9223372036854775808 - 1", "out of the range of int"),
        ("-(-9223372036854775808)", "out of the range of int"),
        ("9223372036854775807 * 2", "out of the range of int"),
        ("-9223372036854775808 / -1", "out of the range of int"),
        ("-9223372036854775808 % -1", "out of the range of int"),
        ("0u - 1u", "out of the range of uint"),
        ("18446744073709551615u + 1u", "out of the range of uint"),
        ("1 / 0", "division by zero"),
        ("1u % 0u", "division by zero"),
    ]);
}

#[test]
fn logic_makes_up_for_failures_on_either_side() {
    is_true(&[
        "true || 1 / 0 == 1",
        "1 / 0 == 1 || true",
        "!(false && 1 / 0 == 1)",
        "!(1 / 0 == 1 && false)",
        "request.headers['no'] == 'x' || request.model == 'gpt-4o'",
        "metadata.tier || true",
        "[0, 2].exists(x, 4 / x == 2)",
        "!([0, 2].all(x, 4 / x == 3))",
    ]);
    fails(&[
        ("1 / 0 == 1 || false", "division by zero"),
        ("true && 1 / 0 == 1", "division by zero"),
        ("metadata.tier && true", "a condition is a bool, not a string"),
        ("[0, 2].exists(x, 4 / x == 3)", "division by zero"),
        ("[0, 2].all(x, 4 / x == 2)", "division by zero"),
        ("[0, 2].exists_one(x, 4 / x == 2)", "division by zero"),
        ("(1 / 0 == 1) ? true : true", "division by zero"),
    ]);
}

#[test]
fn names_fields_and_keys_are_found_or_missing() {
    is_true(&[
        "request.model == 'gpt-4o' && request['model'] == 'gpt-4o'",
        "request.headers['x-tier'] == 'free' && request.headers.`x-tier` == 'free'",
        "'x-tier' in request.headers && !('x-no' in request.headers)",
        "has(request.headers.accept) && !has(request.headers.no) && has(request.headers.`x-tier`)",
        "has(request.model) && !has(request.user)",
        "metadata.customer.name == 'Ann' && has(metadata.customer.name) && !has(metadata.customer.age)",
        "metadata.list[1] == 2.0 && metadata['list'].size() == 3",
        "targets[0].name == 'east' && has(targets[1].weight) && !has(targets[0].weight)",
        "{'a': {'b': 1}}.a.b == 1",
        "key.tags[0] == 'batch' && key.tags[1u] == 'eu'",
        "metadata.customer == {'name': 'Ann'} && metadata.list == [1, 2u, 'x']",
        "size(request.headers) == 2",
    ]);
    fails(&[
        ("request.user == 'x'", "`request.user` is missing"),
        ("request.headers['x-no'] == 'x'", "`request.headers['x-no']` is missing"),
        ("metadata.customer.age > 3", "`metadata.customer.age` is missing"),
        ("key.tags[7] == 'x'", "`key.tags[7]` is missing"),
        ("key.tags[-1] == 'x'", "`key.tags[-1]` is missing"),
        ("metadata.tier.deep == 1", "a string has no fields"),
        ("has(metadata.tier.deep)", "a string has no fields"),
        ("metadata.list['a'] == 1", "the place in a list is an int"),
        ("targets[0].weight == 1", "`targets[0].weight` is missing"),
        ("metadata.number + 1 == 2", "`+` does not take a double and an int"),
        ("metadata.tier < 1", "`<` does not take a string and an int"),
        ("1 in metadata.tier", "`in` does not take an int and a string"),
        ("{metadata.tier: 1, 'free': 2}.size()", "a map has a key twice"),
    ]);
}

#[test]
fn macros_go_over_lists_and_keys() {
    is_true(&[
        "key.tags.exists(t, t == 'batch') && key.tags.all(t, size(t) > 1)",
        "key.tags.exists_one(t, t.startsWith('b')) && ![1, 1].exists_one(x, x == 1)",
        "[1, 2, 3, 4].filter(x, x % 2 == 0) == [2, 4]",
        "[1, 2, 3].map(x, x * x) == [1, 4, 9]",
        "[1, 2, 3].map(x, x > 1, x * 10) == [20, 30]",
        "[].all(x, false) && ![].exists(x, true)",
        "request.headers.exists(k, k.startsWith('x-') && request.headers[k] == 'free')",
        "{'a': 1, 'b': 2}.all(k, k in ['a', 'b'])",
        "[[1], [2, 3]].map(l, l.map(x, x + l[0])) == [[2], [4, 5]]",
        "[1, 2].exists(x, [2, 3].exists(y, x == y))",
        "[1].all(request, request == 1)",
        "[1].map(x, [2].map(x, x)[0] + x) == [3]",
        "key.tags.map(t, t + '!') == ['batch!', 'eu!'] && key.tags.filter(t, t != 'eu').size() == 1",
        "[1, 2] + [3] == [1, 2, 3] && key.tags + ['x'] == ['batch', 'eu', 'x']",
    ]);
    fails(&[
        ("metadata.tier.all(x, true)", "a string has no elements"),
        ("[0].map(x, 1 / x)", "division by zero"),
        ("metadata.list.filter(x, x)", "a condition is a bool, not a double"),
    ]);
}

#[test]
fn strings_are_sequences_of_characters() {
    is_true(&[
        "size('naïve 😀') == 7 && 'é'.size() == 1",
        "'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b') && ''.contains('')",
        "'gpt-4o-mini'.matches('^gpt-4o') && matches('abc', 'b') && !'abc'.matches('^b')",
        "'É'.matches('(?i)é') && 'x1'.matches(r'^\\w\\d$')",
        "'AbÉ'.lowerAscii() == 'abÉ' && 'aBé'.upperAscii() == 'ABé'",
        "'  x '.trim() == 'x' && request.model.trim() == 'gpt-4o'",
        "'a,b,,c'.split(',') == ['a', 'b', '', 'c'] && 'aé'.split('') == ['a', 'é']",
        "['a', 'b'].join('-') == 'a-b' && ['a', 'b'].join() == 'ab' && key.tags.join(',') == 'batch,eu'",
        "'hello'.replace('l', 'L') == 'heLLo' && 'ab'.replace('', '-') == '-a-b-'",
        "'tacocat'.substring(4) == 'cat' && 'naïve'.substring(2, 3) == 'ï' && 'a'.substring(1) == ''",
        "'naïve'.indexOf('v') == 3 && 'a'.indexOf('b') == -1",
        "'a' + 'b' == 'ab' && b'a' + b'b' == b'ab' && request.model + '!' == 'gpt-4o!'",
        "'a' < 'b' && 'Z' < 'a' && 'é' > 'z' && b'a' < b'b' && false < true",
    ]);
    fails(&[
        (
            "request.model.substring(7)",
            "no part from 7 to the end of a text of 6 characters",
        ),
        ("request.model.substring(3, 2)", "no part from 3 to 2"),
        ("metadata.list.join('')", "`join` does not take a double"),
        ("metadata.number.startsWith('a')", "`startsWith` does not take a double"),
    ]);
}

#[test]
fn conversions_keep_the_value_or_fail() {
    is_true(&[
        "int('42') == 42 && int(3.9) == 3 && int(-3.9) == -3 && int(7u) == 7 && int(timestamp('1970-01-01T00:01:00Z')) == 60",
        "uint(7) == 7u && uint('7') == 7u && uint(7.9) == 7u",
        "double('1.5') == 1.5 && double(2) == 2.0 && double(2u) == 2.0",
        "string(1) == '1' && string(1u) == '1' && string(1.5) == '1.5' && string(true) == 'true' && string(b'a') == 'a'",
        "bytes('é') == b'é' && bool('true') && !bool('0')",
        "string(timestamp('2026-01-02T03:04:05.5+01:00')) == '2026-01-02T02:04:05.500Z'",
        "string(duration('1h30m1.5s')) == '5401.500s' || string(duration('1h30m1.5s')) == '5401.5s'",
        "type(1) == int && type('a') == string && type(type(1)) == type && type([]) == list && type(null) == null_type",
        "type(time) == google.protobuf.Timestamp && type(duration('1s')) != int",
        "dyn(1) == 1 && dyn('a') != 1",
    ]);
    fails(&[
        ("int(metadata.tier)", "\"free\" is no int"),
        ("uint(-request.tokens)", "-1200 is out of the range of uint"),
        ("int(metadata.number * 1e30)", "out of the range of int"),
        ("bool(metadata.tier)", "\"free\" is no bool"),
        ("timestamp(metadata.tier)", "\"free\" is no timestamp"),
        ("duration(metadata.tier)", "\"free\" is no duration"),
        ("int(metadata.list)", "`int` does not take a list"),
    ]);
}

#[test]
fn times_have_parts_and_add_up() {
    is_true(&[
        "time == timestamp('2026-03-01T23:30:15.250Z') && time < timestamp('2026-03-02T00:00:00Z')",
        "time.getFullYear() == 2026 && time.getMonth() == 2 && time.getDate() == 1 && time.getDayOfMonth() == 0",
        "time.getDayOfWeek() == 0 && time.getDayOfYear() == 59",
        "time.getHours() == 23 && time.getMinutes() == 30 && time.getSeconds() == 15 && time.getMilliseconds() == 250",
        "time.getHours('+02:00') == 1 && time.getDayOfWeek('+02:00') == 1 && time.getHours('-05:30') == 18",
        "time.getHours('UTC') == 23 && time.getMinutes('05:45') == 15",
        "time + duration('30m') > timestamp('2026-03-02T00:00:00Z') && duration('1s') + time == time + duration('1s')",
        "time - timestamp('2026-03-01T23:30:15Z') == duration('250ms') && time - duration('250ms') < time",
        "duration('1h') + duration('-30m') == duration('30m') && duration('1.5h') - duration('1h') == duration('1800s')",
        "duration('90m').getHours() == 1 && duration('90m').getMinutes() == 90 && duration('1m1ms').getMilliseconds() == 1",
        "duration('1us') > duration('999ns') && duration('0') == duration('0s')",
        "timestamp(0) == timestamp('1970-01-01T00:00:00Z')",
    ]);
    fails(&[
        ("time + duration('100000000h')", "between the years 1 and 9999"),
        ("time.getHours(metadata.tier)", "\"free\" is no time zone"),
        (
            "dyn(time - time).getHours('UTC') + request.tokens",
            "`getHours` does not take a duration",
        ),
    ]);
}

#[test]
fn zones_change_their_offset_when_their_places_do() {
    let world = World::new();
    for (time, zone, local) in [
        // Both sides of a change that is written down.
        ("2024-03-31T00:59:59Z", "Europe/Berlin", "01:59"),
        ("2024-03-31T01:00:00Z", "Europe/Berlin", "03:00"),
        ("2024-10-27T00:59:59Z", "Europe/Berlin", "02:59"),
        ("2024-10-27T01:00:00Z", "Europe/Berlin", "02:00"),
        ("2007-03-11T06:59:59Z", "America/New_York", "01:59"),
        ("2007-03-11T07:00:00Z", "America/New_York", "03:00"),
        ("1900-01-01T12:00:00Z", "Europe/Paris", "12:09"),
        // Those of the rules for later years.
        ("2080-03-31T00:59:59Z", "Europe/Berlin", "01:59"),
        ("2080-03-31T01:00:00Z", "Europe/Berlin", "03:00"),
        ("2080-10-27T01:00:00Z", "Europe/Berlin", "02:00"),
        ("2050-01-01T00:00:00Z", "Australia/Sydney", "11:00"),
        ("2050-07-01T00:00:00Z", "Australia/Sydney", "10:00"),
        ("2050-04-02T15:59:59Z", "Australia/Sydney", "02:59"),
        ("2050-04-02T16:00:00Z", "Australia/Sydney", "02:00"),
        ("2050-01-01T00:00:00Z", "Australia/Lord_Howe", "11:00"),
        ("2050-07-01T00:00:00Z", "Australia/Lord_Howe", "10:30"),
        ("2050-07-01T00:00:00Z", "Europe/Dublin", "01:00"),
        ("2050-01-01T00:00:00Z", "Europe/Dublin", "00:00"),
        // Without summer.
        ("2050-07-01T00:00:00Z", "Asia/Kolkata", "05:30"),
        ("2050-07-01T00:00:00Z", "America/Phoenix", "17:00"),
        ("2050-07-01T00:00:00Z", "Etc/GMT+5", "19:00"),
        ("2050-07-01T00:00:00Z", "asia/tokyo", "09:00"),
    ] {
        let (hours, minutes) = local.split_once(':').expect("it has minutes");
        let source = format!(
            "timestamp('{time}').getHours('{zone}') == int('{hours}') \
             && timestamp('{time}').getMinutes('{zone}') == int('{minutes}')"
        );
        assert_eq!(compile(&source).condition(&world), Ok(true), "{time} {zone} {local}");
    }
}

#[test]
fn an_evaluation_ends_after_its_steps() {
    let world = World::new();
    let nested = |levels: usize| {
        let open = "big.exists(x, ".repeat(levels);
        format!("{open}false{}", ")".repeat(levels))
    };
    assert_eq!(compile(&nested(1)).condition(&world), Ok(false));

    let doubling = format!("['ab']{}.size() == 1", ".map(x, [x, x])".repeat(30));
    let growing = format!("big{} != []", ".map(x, big.map(y, y))".repeat(2));
    let copies = format!(
        "['{0}'].map(x, x + x){1} == []",
        "y".repeat(5000),
        ".map(x, x + x)".repeat(20)
    );
    let same = format!("[1]{0} == [1]{0}", ".map(x, [x, x])".repeat(20));
    for source in [
        nested(4),
        format!("false || {}", nested(4)),
        format!("{} || true", nested(4)),
        doubling,
        growing,
        copies,
        same,
        "long.contains('x') || [1].exists(x, long.replace('a', long) != long)".to_owned(),
        "long.split('').size() > 0".to_owned(),
        "long.split('').size() > 0 || true".to_owned(),
        "long.matches('(a|b)*(a|c)*(a|d)*(a|e)*$')".to_owned(),
        "big.map(x, long).join('').size() > 0".to_owned(),
    ] {
        assert_eq!(compile(&source).condition(&world), Err(Failed::Cost), "{source}");
    }
}

#[test]
fn the_deepest_expressions_evaluate() {
    let world = World::new();
    let deep = limits::DEPTH - 4;
    for source in [
        format!("{}true{}", "[1].exists(x, ".repeat(deep), ")".repeat(deep)),
        format!("{}true", "!".repeat(deep)),
        format!("1{} > 0", " + 1".repeat(deep)),
        format!("{}true", "true ? true : ".repeat(deep)),
        format!("{}1{} != []", "[".repeat(deep), "]".repeat(deep)),
        format!("metadata.tier{}.size() > 1", ".trim()".repeat(deep - 2)),
    ] {
        assert_eq!(compile(&source).condition(&world), Ok(true), "{source}");
    }
}

#[test]
fn what_is_read_is_known_before_and_lent() {
    let expression = compile("has(request.user) || request.headers['a'] == key.tags[0]");
    for (path, read) in [
        ("request", true),
        ("request.headers", true),
        ("request.user", true),
        ("request.model", false),
        ("req", false),
        ("key", true),
        ("key.tags", true),
        ("metadata", false),
    ] {
        assert_eq!(expression.reads(path), read, "{path}");
    }

    let world = World::new();
    let model = compile("true ? request.model : 'x'");
    let Ok(Value::String(Cow::Borrowed(text))) = model.evaluate(&world) else {
        panic!("the model is not borrowed");
    };
    assert!(std::ptr::eq(text, world.model.as_str()));
}

/// A caller that remembers what it was asked for.
struct Recorded {
    world: World,
    asked: RefCell<Vec<String>>,
}

impl Names for Recorded {
    fn find<'a>(&'a self, path: &str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(path.to_owned());
        self.world.find(path)
    }
}

#[test]
fn only_what_is_needed_is_asked_for() {
    let recorded = Recorded {
        world: World::new(),
        asked: RefCell::default(),
    };
    let expression = compile("request.model == 'gpt-4o' || key.tags.exists(t, t == 'x') || metadata.tier == 'y'");

    assert_eq!(expression.condition(&recorded), Ok(true));

    assert_eq!(*recorded.asked.borrow(), ["request.model"]);
}

#[test]
fn expressions_are_equal_by_their_text() {
    assert_eq!(compile("1 == 1"), compile("1 == 1"));
    assert_ne!(compile("1 == 1"), compile("1==1"));
    assert_eq!(compile("1 == 1").clone().source(), "1 == 1");
}
