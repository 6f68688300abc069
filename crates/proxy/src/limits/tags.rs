//! A request's tags: what its key says, else the header `x-gw-tags: project=apollo, tier=free`, else the labels of its
//! body, as far as the organization knows tags of these names.

use std::collections::BTreeMap;

use gatewright_llm::{BadRequest, Request};
use gatewright_routing::Headers;
use gatewright_types::api::TagRule;
use gatewright_types::{DisplayName, TagName, nearest};

use crate::refusal::Refusal;

const TAGS: &str = "x-gw-tags";
/// Of what somebody sent, no more is said again.
const LONGEST_REPEATED: usize = 64;

pub(crate) type Tags = BTreeMap<TagName, DisplayName>;

/// Where a request says what its tags are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) rules: &'a [TagRule],
    pub(super) of_key: Option<&'a Tags>,
    pub(super) headers: &'a Headers,
    /// Absent where its body says nothing of tags.
    pub(super) request: Option<&'a Request>,
}

impl Sources<'_> {
    /// The tags of a request that a model is to answer: with all that the organization requires.
    pub(super) fn all(self) -> Result<Tags, Refusal> {
        let tags = self.told()?;
        let required = self.rules.iter().filter(|rule| rule.required);
        match required.into_iter().find(|rule| !tags.contains_key(&rule.name)) {
            Some(rule) => Err(missing(rule)),
            None => Ok(tags),
        }
    }

    /// What is said of them.
    pub(super) fn told(self) -> Result<Tags, Refusal> {
        let mut tags = self.in_header()?;
        for rule in self.rules {
            let label = || self.request?.metadata(rule.name.as_str());
            if !tags.contains_key(&rule.name)
                && let Some(label) = label()
            {
                tags.insert(rule.name.clone(), value(rule, &label, "metadata")?);
            }
        }
        if let Some(of_key) = self.of_key {
            tags.extend(of_key.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        Ok(tags)
    }

    fn in_header(self) -> Result<Tags, Refusal> {
        let mut tags = Tags::new();
        let headers = self.headers.iter().filter(|(name, _)| *name == TAGS);
        let pairs = headers.flat_map(|(_, text)| text.split(','));
        for pair in pairs.map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, text)) = pair.split_once('=').map(|(name, text)| (name.trim(), text.trim())) else {
                return Err(refuse(format!(
                    "{TAGS}: {:?} is no tag; write name=value, several divided by commas",
                    short(pair)
                )));
            };
            let rule = self.rules.iter().find(|rule| rule.name.as_str() == name);
            let rule = rule.ok_or_else(|| self.unknown(name))?;
            let value = value(rule, text, TAGS)?;
            if tags.insert(rule.name.clone(), value).is_some() {
                return Err(refuse(format!("{TAGS}: `{name}` is said twice; say it once")));
            }
        }
        Ok(tags)
    }

    fn unknown(self, name: &str) -> Refusal {
        let known = self.rules.iter().map(|rule| rule.name.as_str());
        let shown = short(name);
        refuse(match nearest(&shown, known.clone()) {
            Some(near) => format!("{TAGS}: the organization has no tag {shown:?}; did you mean `{near}`?"),
            None if self.rules.is_empty() => {
                format!(
                    "{TAGS}: the organization has no tag {shown:?}, nor any other; an administrator can declare tags"
                )
            }
            None => format!(
                "{TAGS}: the organization has no tag {shown:?}; it has {}",
                known.collect::<Vec<_>>().join(", ")
            ),
        })
    }
}

fn value(rule: &TagRule, text: &str, place: &str) -> Result<DisplayName, Refusal> {
    let name = &rule.name;
    let value: DisplayName = text
        .parse()
        .map_err(|error| refuse(format!("{place}: the value of the tag `{name}` {error}")))?;
    match &rule.values {
        Some(values) if !values.contains(&value) => Err(refuse(format!(
            "{place}: the tag `{name}` cannot be {:?}; it is {}",
            short(text),
            listed(values)
        ))),
        Some(_) | None => Ok(value),
    }
}

fn missing(rule: &TagRule) -> Refusal {
    let name = &rule.name;
    let values = rule
        .values
        .as_deref()
        .map(|values| format!(", VALUE being {}", listed(values)));
    refuse(format!(
        "the organization requires the tag `{name}`: send the header `{TAGS}: {name}=VALUE`{}",
        values.unwrap_or_default()
    ))
}

fn listed(values: &[DisplayName]) -> String {
    let values: Vec<_> = values.iter().map(DisplayName::as_str).collect();
    values.join(" or ")
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_REPEATED).collect()
}

fn refuse(message: String) -> Refusal {
    Refusal::BadRequest(BadRequest::new(message))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gatewright_llm::dialect::PathFacts;
    use gatewright_types::api::Dialect;

    use super::*;

    fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().expect(text)
    }

    fn rule(tag: &str, required: bool, values: Option<&[&str]>) -> TagRule {
        TagRule {
            name: name(tag),
            required,
            values: values.map(|values| values.iter().map(|value| name(value)).collect()),
        }
    }

    fn read(rules: &[TagRule], of_key: &[(&str, &str)], header: &[&str], metadata: &str) -> Result<String, String> {
        let of_key: Tags = of_key.iter().map(|(tag, value)| (name(tag), name(value))).collect();
        let headers: Headers = header.iter().map(|text| (TAGS, *text)).collect();
        let body = format!(r#"{{"model":"m","messages":[{{}}],"metadata":{metadata}}}"#);
        let request = Request::parse(Dialect::OpenaiChat, Bytes::from(body), PathFacts::default()).expect("a request");
        let sources = Sources {
            rules,
            of_key: Some(&of_key),
            headers: &headers,
            request: Some(&request),
        };
        let tags = sources.all().map_err(|refusal| refusal.message().into_owned())?;
        let tags: Vec<_> = tags.iter().map(|(tag, value)| format!("{tag}={value}")).collect();
        Ok(tags.join(" "))
    }

    #[test]
    fn a_key_goes_before_the_header_and_the_header_before_the_body() {
        let rules = ["project", "tier", "stage"].map(|tag| rule(tag, false, None));
        let body = r#"{"project":"body","tier":"body","stage":"body","other":"x","level":1}"#;

        let tags = read(
            &rules,
            &[("project", "key")],
            &["project=header, tier = a b ,", "stage=c"],
            body,
        );
        assert_eq!(tags.as_deref(), Ok("project=key stage=c tier=a b"));
        assert_eq!(
            read(&rules, &[], &[], body).as_deref(),
            Ok("project=body stage=body tier=body")
        );
        assert_eq!(read(&[], &[], &[], body).as_deref(), Ok(""));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        let rules = [
            rule("project", true, Some(&["apollo", "gemini"])),
            rule("tier", false, None),
        ];
        let check = |header: &[&str], body: &str, expected: &[&str]| {
            let told = read(&rules, &[], header, body).expect_err("a refusal");
            for expected in expected {
                assert!(told.contains(expected), "{told}");
            }
        };

        check(
            &[],
            "{}",
            &[
                "requires the tag `project`",
                "x-gw-tags: project=VALUE",
                "apollo or gemini",
            ],
        );
        check(
            &["project=mercury"],
            "{}",
            &["`project` cannot be \"mercury\"", "apollo or gemini"],
        );
        check(&[], r#"{"project":"mercury"}"#, &["metadata: the tag `project`"]);
        check(
            &["projekt=apollo"],
            "{}",
            &["no tag \"projekt\"; did you mean `project`?"],
        );
        check(&["zzz=1"], "{}", &["it has project, tier"]);
        check(&["project"], "{}", &["write name=value"]);
        check(&["project=apollo,project=gemini"], "{}", &["said twice"]);
        check(
            &["project=apollo,tier="],
            "{}",
            &["the value of the tag `tier` must have 1 to 80"],
        );
        check(
            &["project=apollo"],
            r#"{"tier":"a\u0007b"}"#,
            &["`tier` must not hold control characters"],
        );
        assert_eq!(
            read(&rules, &[("project", "apollo")], &[], "{}").as_deref(),
            Ok("project=apollo")
        );
    }
}
