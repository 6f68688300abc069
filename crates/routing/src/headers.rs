//! A request's headers as rules read them: by names in lower case, and without what proves who calls.

use gatewright_cel::{Mapping, Value};

/// What may not end up in a condition, and by way of its trace before people's eyes.
const SECRETS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    "x-amz-security-token",
];

/// Room for what most requests send.
const USUAL_BYTES: usize = 512;
const USUAL_COUNT: usize = 16;

/// All of them in one text: a request has a dozen, and most are never asked for.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    text: String,
    /// Where in the text each name and each value ends.
    ends: Vec<(usize, usize)>,
}

impl Headers {
    /// The first value of a name in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        let places = starts.zip(&self.ends);
        places.filter_map(|(start, (name_end, end))| {
            Some((self.text.get(start..*name_end)?, self.text.get(*name_end..*end)?))
        })
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut collected = Self {
            text: String::with_capacity(USUAL_BYTES),
            ends: Vec::with_capacity(USUAL_COUNT),
        };
        for (name, value) in headers {
            let name = name.as_ref();
            if SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name)) {
                continue;
            }
            let start = collected.text.len();
            collected.text.push_str(name);
            if let Some(name) = collected.text.get_mut(start..) {
                name.make_ascii_lowercase();
            }
            let name_end = collected.text.len();
            collected.text.push_str(value.as_ref());
            collected.ends.push((name_end, collected.text.len()));
        }
        collected
    }
}

impl Mapping for Headers {
    fn length(&self) -> usize {
        self.ends.len()
    }

    fn find(&self, key: &str) -> Option<Value<'_>> {
        self.get(key).map(Value::from)
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.iter().map(|(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_by_their_names_in_lower_case_and_secrets_are_not_there() {
        let headers = Headers::from_iter([
            ("X-Tier", "free"),
            ("Authorization", "Bearer gw-secret"),
            ("x-empty", ""),
            ("x-tier", "second"),
        ]);

        assert_eq!(headers.get("x-tier"), Some("free"));
        assert_eq!(headers.get("x-empty"), Some(""));
        assert_eq!(headers.get("authorization"), None);
        assert_eq!(headers.iter().count(), 3);
        assert!(!headers.text.contains("gw-secret"));
    }
}
