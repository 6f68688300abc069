use proptest::prelude::*;

use super::reader::plain_prefix;
use super::*;

fn check_document(text: &[u8]) -> Result<(), SyntaxError> {
    let mut members = Members::of_document(text)?;
    while members.next_member()?.is_some() {}
    Ok(())
}

#[test]
fn what_is_wrong_and_where_is_said() {
    let check = |text: &str, at: usize, problem: &str| {
        let error = check_document(text.as_bytes()).expect_err(text);
        assert_eq!((error.at, error.problem), (at, problem), "{text}");
    };

    check("", 0, "the text ends too early");
    check("[]", 0, "a JSON object was expected");
    check("{", 1, "the text ends too early");
    check("{} x", 3, "nothing may follow the object");
    check("{'a':1}", 1, "a key in double quotes was expected");
    check("{\"a\" 1}", 5, "':' was expected");
    check("{\"a\":}", 5, "a value was expected");
    check("{\"a\":01}", 6, "',' or '}' was expected");
    check("{\"a\":1.}", 7, "a digit was expected");
    check("{\"a\":tru}", 5, "a value was expected");
    check("{\"a\":1,}", 7, "a key in double quotes was expected");
    check("{\"a\":[1 2]}", 8, "',' or ']' was expected");
    check("{\"a\":{\"b\":1 2}}", 12, "',' or '}' was expected");
    check("{\"a\":[1,]}", 8, "a value was expected");
    check(
        "{\"a\":\"\n\"}",
        6,
        "a control character in a string must be written as an escape",
    );
    check("{\"a\":\"\\x\"}", 7, "it is not an escape that JSON knows");
    check(
        "{\"a\":\"\\u12g4\"}",
        10,
        "'\\u' must be followed by four hexadecimal digits",
    );
    check("{\"a\":\"abc", 9, "the text ends too early");
}

#[test]
fn nesting_is_allowed_to_128_levels() {
    let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let long = format!("{{\"a\":{}", "[{\"b\":".repeat(1_000_000));

    assert_eq!(check_document(nested(128).as_bytes()), Ok(()));
    let too_deep = SyntaxError {
        at: 5 + 127,
        problem: "it is nested deeper than 128 levels",
    };
    assert_eq!(check_document(nested(129).as_bytes()), Err(too_deep));
    assert!(check_document(long.as_bytes()).is_err());
}

#[test]
fn members_carry_their_places_and_resolved_keys() {
    let text = br#" {"a" : 1 , "mod\u0065l":"x"}"#;

    let mut members = Members::of_document(text).expect("an object");
    let first = members.next_key().expect("valid").expect("a key");
    let one = members.slot().pass().expect("a value");
    let second = members.next_key().expect("valid").expect("a key");
    let x = members.slot().pass().expect("a value");

    assert_eq!(
        (&*first.text, one.text, first.start, first.comma_before),
        (&b"a"[..], &b"1"[..], 2, None)
    );
    assert_eq!(
        (&*second.text, x.start, second.comma_before),
        (&b"model"[..], 25, Some(10))
    );
    assert!(members.next_key().expect("valid").is_none());
}

#[test]
fn what_is_looked_into_is_checked_like_what_is_passed_over() {
    let look = |text: &str| -> Result<Vec<String>, SyntaxError> {
        let mut names = Vec::new();
        let mut members = Members::of_document(text.as_bytes())?;
        members.next_key()?;
        members.slot().elements(|element| {
            element.members(|name, value| {
                names.push(String::from_utf8_lossy(name).into_owned());
                if name == b"deep" {
                    return value.members(|name, _| {
                        names.push(String::from_utf8_lossy(name).into_owned());
                        Ok(())
                    });
                }
                Ok(())
            })
        })?;
        while members.next_member()?.is_some() {}
        Ok(names)
    };

    let names = look(r#"{"a" : [ {} , 1, [ ], {"b":[1,{"c":2}] , "deep" : {"d":"}"} },{"deep":3} ] ,"z":0}"#);
    assert_eq!(names, Ok(["b", "deep", "d", "deep"].map(str::to_owned).into()));
    for wrong in [
        r#"{"a":[{"b":1]}"#,
        r#"{"a":[{"b" 1}]}"#,
        r#"{"a":[{"b":tru}]}"#,
        r#"{"a":[{"b":1} {"b":1}]}"#,
        r#"{"a":[{"b":1},]}"#,
        r#"{"a":[{"b":1,}]}"#,
        r#"{"a":[{"deep":{"d":1}"#,
        r#"{"a":}"#,
    ] {
        assert!(look(wrong).is_err(), "{wrong}");
        assert!(check_document(wrong.as_bytes()).is_err(), "{wrong}");
    }
    let too_deep = look(&format!(r#"{{"a":[{{"deep":{}}}]}}"#, r#"{"d":"#.repeat(126)));
    assert_eq!(
        too_deep.map_err(|error| error.problem),
        Err("it is nested deeper than 128 levels")
    );
}

#[test]
fn elements_are_given_one_by_one() {
    let text = br#"{"a":[ 1, "x,]" ,{"b":[2]} ],"b":[ ]}"#;

    let mut members = Members::of_document(text).expect("an object");
    let first = members.next_member().expect("valid").expect("a member").value;
    let second = members.next_member().expect("valid").expect("a member").value;

    let elements: Vec<&[u8]> = first.elements().map(|element| element.text).collect();
    assert_eq!(elements, [&b"1"[..], br#""x,]""#, br#"{"b":[2]}"#]);
    assert_eq!(
        (second.elements().count(), second.is_empty(), first.is_empty()),
        (0, true, false)
    );
}

#[test]
fn the_first_special_byte_is_found_wherever_it_is() {
    for special in [b'"', b'\\', 0, 0x1f, b'\n'] {
        for place in 0..40 {
            let mut text = [b"a\x7f\x80\xff!#[]".as_slice(); 6].concat();
            text[place] = special;
            assert_eq!(plain_prefix(&text), place, "{special}");
        }
    }
    assert_eq!(plain_prefix(" !#[]\u{7f}é漢".as_bytes()), " !#[]\u{7f}é漢".len());
}

proptest! {
    #[test]
    fn it_agrees_with_serde_json(text in r#"[\[\]{}:,"\\ aeu0-9.tf+-]{0,24}"#) {
        let text = format!("{{\"k\":{text}}}");

        let ours = check_document(text.as_bytes()).is_ok();
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();

        prop_assert_eq!(ours, theirs, "{}", text);
    }

    #[test]
    fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = check_document(&text);
        let _ = check_document(&[b"{\"a\":", text.as_slice()].concat());
    }
}
