//! What a caller wants of the cache, by its headers.

use std::time::Duration;

use gatewright_llm::BadRequest;
use gatewright_types::CacheNamespace;

use crate::refusal::Refusal;

/// The headers as they were sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// All of [`Sent::CONTROL`], in their order.
    pub(crate) control: Vec<Box<str>>,
    pub(crate) namespace: Option<Box<str>>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) looking: Looking,
    pub(super) storing: Storing,
    /// Older answers do not count.
    pub(super) max_age: Option<Duration>,
    /// How long the answer may be kept, where that is shorter than the model says.
    pub(super) ttl: Option<Duration>,
    pub(super) namespace: Option<CacheNamespace>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looking {
    #[default]
    Usual,
    /// The provider is asked, whatever is kept.
    Not,
    /// Nobody is asked.
    Only,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storing {
    #[default]
    Usual,
    Not,
}

impl Sent {
    pub(crate) const CONTROL: &str = "x-gw-cache-control";
    pub(crate) const NAMESPACE: &str = "x-gw-cache-namespace";

    pub(super) fn read(&self) -> Result<Control, Refusal> {
        let mut control = Control::default();
        let words = self.control.iter().flat_map(|header| header.split(','));
        for word in words.map(str::trim).filter(|word| !word.is_empty()) {
            control.read(word)?;
        }
        if let Some(name) = &self.namespace {
            let namespace = name.parse();
            control.namespace =
                Some(namespace.map_err(|error| refuse(format!("{}: {name:?} {error}", Sent::NAMESPACE)))?);
        }
        Ok(control)
    }
}

impl Control {
    fn read(&mut self, word: &str) -> Result<(), Refusal> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (word, None),
        };
        match (name.to_ascii_lowercase().as_str(), value.map(seconds)) {
            ("no-store", None) => self.storing = Storing::Not,
            ("no-cache", None) => return self.looks(Looking::Not),
            ("only-if-cached", None) => return self.looks(Looking::Only),
            ("max-age", Some(Some(seconds))) => self.max_age = Some(seconds),
            ("ttl", Some(Some(seconds))) => self.ttl = Some(seconds),
            _ => {
                return Err(refuse(format!(
                    "{}: {word:?} is not known; it may be no-store, no-cache, only-if-cached, max-age=SECONDS or \
                     ttl=SECONDS, several divided by commas",
                    Sent::CONTROL
                )));
            }
        }
        Ok(())
    }

    fn looks(&mut self, looking: Looking) -> Result<(), Refusal> {
        let before = std::mem::replace(&mut self.looking, looking);
        if before == Looking::Usual || before == looking {
            return Ok(());
        }
        Err(refuse(format!(
            "{}: no-cache and only-if-cached together leave nobody to answer; send one of them",
            Sent::CONTROL
        )))
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: Option<u32> = text.parse().ok().filter(|_| digits);
    seconds.map(|seconds| Duration::from_secs(seconds.into()))
}

fn refuse(message: String) -> Refusal {
    Refusal::BadRequest(BadRequest::new(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(control: &[&str], namespace: Option<&str>) -> Result<Control, String> {
        let sent = Sent {
            control: control.iter().map(|text| (*text).into()).collect(),
            namespace: namespace.map(Into::into),
        };
        sent.read().map_err(|refusal| refusal.message().into_owned())
    }

    #[test]
    fn wishes_are_divided_by_commas_or_headers() {
        let control = read(&["no-store, MAX-AGE=60", "ttl = 5,only-if-cached,"], Some("docs")).expect("wishes");

        let expected = Control {
            looking: Looking::Only,
            storing: Storing::Not,
            max_age: Some(Duration::from_secs(60)),
            ttl: Some(Duration::from_secs(5)),
            namespace: Some("docs".parse().expect("a namespace")),
        };
        assert_eq!(control, expected);
        assert_eq!(read(&[], None), Ok(Control::default()));
        assert_eq!(
            read(&["no-cache, no-cache"], None).map(|control| control.looking),
            Ok(Looking::Not)
        );
    }

    #[test]
    fn what_is_no_wish_is_told_with_what_is_one() {
        for word in [
            "no-stroe",
            "max-age",
            "max-age=",
            "max-age=1.5",
            "max-age=-1",
            "ttl=1h",
            "no-store=1",
            "ttl=99999999999",
        ] {
            let told = read(&[word], None).expect_err(word);
            assert!(
                told.contains(&format!("{word:?}")) && told.contains("only-if-cached"),
                "{told}"
            );
        }
        let told = read(&["no-cache", "only-if-cached"], None).expect_err("nobody to answer");
        assert!(told.contains("nobody to answer"), "{told}");
        let told = read(&[], Some("a b")).expect_err("no namespace");
        assert!(
            told.contains("x-gw-cache-namespace") && told.contains("letters, digits"),
            "{told}"
        );
    }
}
