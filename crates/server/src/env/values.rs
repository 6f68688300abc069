//! How single values of the environment are read, and how their mistakes are gathered.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use gatewright_contract::{AddressPolicy, AllowedHosts, AllowedHostsError};
use gatewright_types::HumanDuration;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{Mistake, Strings, TOKEN, Traces, URL, VARIABLES};

/// Variables closer than this to a known name are taken for misspelt.
const LETTERS_APART: usize = 2;
const MOST_WORKERS: usize = 1024;
const SMALLEST_BODY_LIMIT: usize = 1024;
const MOST_HOPS: usize = 16;
const LARGEST_BODY_LIMIT: usize = 1 << 30;
/// Budgets and sums of a month are compared with its requests.
const SHORTEST_RETENTION: HumanDuration = HumanDuration::from_millis(62 * 86_400_000);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// Reads values one after the other and remembers what was wrong with them.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    strings: &'a Strings,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(strings: &'a Strings) -> Self {
        Self {
            strings,
            mistakes: Vec::new(),
        }
    }

    /// A value's text. One that is empty counts as not set.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<&'a str> {
        let value = self.strings.values.get(name)?;
        match value.to_str() {
            Some(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            None => {
                self.mistake(name, "is not valid UTF-8");
                None
            }
        }
    }

    /// A value, if it is set and right.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.text(name)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.mistake(name, message);
                None
            }
        }
    }

    pub(super) fn value<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
        usual: T,
    ) -> T {
        self.optional(name, parse).unwrap_or(usual)
    }

    pub(crate) fn mistake(&mut self, name: &str, message: impl Into<String>) {
        self.mistakes.push(Mistake {
            name: name.to_owned(),
            message: message.into(),
        });
    }

    /// Names that look like a known one but are none.
    pub(super) fn report_misspelt(&mut self, strings: &Strings) {
        let known =
            |name: &str| name == URL || name == TOKEN || VARIABLES.iter().any(|(variable, ..)| *variable == name);
        for name in strings
            .names()
            .filter(|name| name.starts_with("GATEWRIGHT_") && !known(name))
        {
            let distance = |variable: &str| strsim::damerau_levenshtein(variable, name);
            let nearest = VARIABLES
                .iter()
                .map(|(variable, ..)| *variable)
                .min_by_key(|variable| distance(variable));
            if let Some(nearest) = nearest.filter(|nearest| distance(nearest) <= LETTERS_APART) {
                self.mistake(name, format!("is unknown; did you mean {nearest}?"));
            }
        }
    }

    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes
    }
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("is {text:?}; it must be an address and a port like 127.0.0.1:8080"))
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text))
}

pub(super) fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    url.filter(|url| url.query().is_none() && url.fragment().is_none())
        .ok_or_else(|| format!("is {text:?}; it must be an address like https://gateway.example.com"))
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!(
            "is {text:?}; it must be a filter like info or info,gatewright_proxy=debug: {error}"
        )),
    }
}

pub(super) fn usage_retention(text: &str) -> Result<Duration, String> {
    let time: HumanDuration = text.parse().map_err(|error| format!("is {text:?}: {error}"))?;
    match time >= SHORTEST_RETENTION {
        true => Ok(time.get()),
        false => Err(format!(
            "is {text:?}; it must be {SHORTEST_RETENTION} at least, for ever when it is not set"
        )),
    }
}

pub(super) fn pause(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<HumanDuration>().map(HumanDuration::get).ok();
    duration
        .filter(|duration| *duration >= SHORTEST_PAUSE)
        .ok_or_else(|| format!("is {text:?}; it must be a duration of 100ms or more, like 10s"))
}

pub(super) fn size(text: &str) -> Result<usize, String> {
    let size = text
        .parse()
        .ok()
        .filter(|size| (SMALLEST_BODY_LIMIT..=LARGEST_BODY_LIMIT).contains(size));
    size.ok_or_else(|| {
        format!("is {text:?}; it must be a number of bytes from {SMALLEST_BODY_LIMIT} to {LARGEST_BODY_LIMIT}")
    })
}

pub(super) fn hops(text: &str) -> Result<usize, String> {
    let hops = text.parse().ok().filter(|hops| *hops <= MOST_HOPS);
    hops.ok_or_else(|| format!("is {text:?}; it must be a number from 0 to {MOST_HOPS}"))
}

pub(super) fn room(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("is {text:?}; it must be a number of bytes; 0 keeps nothing"))
}

pub(super) fn workers(text: &str) -> Result<NonZeroUsize, String> {
    let workers = text
        .parse()
        .ok()
        .filter(|workers: &NonZeroUsize| workers.get() <= MOST_WORKERS);
    workers.ok_or_else(|| format!("is {text:?}; it must be a number from 1 to {MOST_WORKERS}"))
}

pub(super) fn requests(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| format!("is {text:?}; it must be a number of requests, 1 or more"))
}

pub(super) fn address_policy(text: &str) -> Result<AddressPolicy, String> {
    match text {
        "true" => Ok(AddressPolicy::AllowPrivate),
        "false" => Ok(AddressPolicy::PublicOnly),
        _ => Err(format!("is {text:?}; it must be true or false")),
    }
}

pub(super) fn hosts(text: &str) -> Result<AllowedHosts, String> {
    text.parse().map_err(|error: AllowedHostsError| error.to_string())
}

pub(super) fn traces(reader: &mut Reader<'_>) -> Traces {
    let endpoint = |text: &str| match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
        Ok(_) | Err(_) => Err(format!("is {text:?}; it must be an address like http://127.0.0.1:4318")),
    };
    let general = reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let own = reader.optional("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint);
    let disabled = reader
        .text("OTEL_SDK_DISABLED")
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    match general.or(own) {
        Some(()) if !disabled => Traces::Exported,
        Some(()) | None => Traces::Off,
    }
}
