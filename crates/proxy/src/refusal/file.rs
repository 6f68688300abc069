//! A file that a caller named by its address and that could not be had. Told by its host alone: the rest of an address
//! may be a secret.

use std::time::Duration;

use url::Url;

/// Which file, and what is wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct FileRefusal {
    host: Option<Box<str>>,
    problem: FileProblem,
}

#[derive(Debug, Clone)]
pub(crate) enum FileProblem {
    NotAnAddress,
    /// It holds a name or a password.
    Extras,
    PlainHttp,
    /// It is in a network that strangers have no business with.
    Forbidden,
    UnknownHost,
    /// It leads on more often than this.
    Redirects(usize),
    Status(u16),
    /// It is not what the request takes it for.
    Wrong(String),
    TooLarge {
        limit_bytes: usize,
    },
    /// With it, the request is.
    AllTooLarge {
        limit_bytes: usize,
    },
    Late(Duration),
    Unreachable,
    /// There is no room for it.
    GatewayFull,
}

impl FileRefusal {
    pub(crate) fn new(address: &str, problem: FileProblem) -> Self {
        let url = Url::parse(address).ok();
        Self {
            host: url.and_then(|url| url.host_str().map(Box::from)),
            problem,
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self.status() {
            413 => "request_too_large",
            502 => "file_unavailable",
            503 => "overloaded",
            _ => "invalid_request",
        }
    }

    pub(super) fn status(&self) -> u16 {
        match &self.problem {
            FileProblem::Status(408 | 429 | 500..) | FileProblem::Late(_) | FileProblem::Unreachable => 502,
            FileProblem::NotAnAddress
            | FileProblem::Extras
            | FileProblem::PlainHttp
            | FileProblem::Forbidden
            | FileProblem::UnknownHost
            | FileProblem::Redirects(_)
            | FileProblem::Status(_)
            | FileProblem::Wrong(_) => 400,
            FileProblem::TooLarge { .. } | FileProblem::AllTooLarge { .. } => 413,
            FileProblem::GatewayFull => 503,
        }
    }

    pub(super) fn message(&self) -> String {
        let problem = match &self.problem {
            FileProblem::NotAnAddress => "is at no valid https address".to_owned(),
            FileProblem::Extras => "is at an address with a user name or a password, which is not allowed".to_owned(),
            FileProblem::PlainHttp => "is at an http address; only https is allowed".to_owned(),
            FileProblem::Forbidden => "is in a network from which no files may be read".to_owned(),
            FileProblem::UnknownHost => "could not be read: there is no such host".to_owned(),
            FileProblem::Redirects(most) => format!("could not be read: it is redirected more than {most} times"),
            FileProblem::Status(status) => format!("could not be read: the host answered with status {status}"),
            FileProblem::Wrong(problem) => problem.clone(),
            FileProblem::TooLarge { limit_bytes } => format!("is larger than the limit of {limit_bytes} bytes"),
            FileProblem::AllTooLarge { limit_bytes } => {
                format!("does not fit into the request: in base64, all files may take {limit_bytes} bytes")
            }
            FileProblem::Late(patience) => {
                format!(
                    "could not be read: the host took longer than {} seconds",
                    patience.as_secs()
                )
            }
            FileProblem::Unreachable => "could not be read: the host cannot be reached, or broke off".to_owned(),
            FileProblem::GatewayFull => "could not be read: the gateway is at its limit; try again shortly".to_owned(),
        };
        let advice = match self.status() {
            400 | 502 => " Give another address, or send the file itself in base64.",
            _ => "",
        };
        let host = self.host.as_deref().unwrap_or("an unknown host");
        format!("The provider wants files themselves, and the one at `{host}` {problem}.{advice}")
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match &self.problem {
            FileProblem::GatewayFull => Some(Duration::from_secs(1)),
            FileProblem::NotAnAddress
            | FileProblem::Extras
            | FileProblem::PlainHttp
            | FileProblem::Forbidden
            | FileProblem::UnknownHost
            | FileProblem::Redirects(_)
            | FileProblem::Status(_)
            | FileProblem::Wrong(_)
            | FileProblem::TooLarge { .. }
            | FileProblem::AllTooLarge { .. }
            | FileProblem::Late(_)
            | FileProblem::Unreachable => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_host_and_no_more_of_the_address() {
        let refusal = FileRefusal::new(
            "https://u:pw@files.example.com/a/b.png?token=secret#x",
            FileProblem::Status(404),
        );

        assert_eq!(
            refusal.message(),
            "The provider wants files themselves, and the one at `files.example.com` could not be read: the host \
             answered with status 404. Give another address, or send the file itself in base64."
        );
    }

    #[test]
    fn what_may_work_later_is_told_from_what_never_will() {
        let check = |problem, status, code| {
            let refusal = FileRefusal::new("https://a.example", problem);
            assert_eq!((refusal.status(), refusal.code()), (status, code), "{refusal:?}");
        };

        for status in [204, 304, 401, 403, 404, 410] {
            check(FileProblem::Status(status), 400, "invalid_request");
        }
        for status in [408, 429, 500, 503] {
            check(FileProblem::Status(status), 502, "file_unavailable");
        }
        check(FileProblem::Forbidden, 400, "invalid_request");
        check(FileProblem::Late(Duration::from_secs(1)), 502, "file_unavailable");
        check(FileProblem::TooLarge { limit_bytes: 1 }, 413, "request_too_large");
        check(FileProblem::GatewayFull, 503, "overloaded");
    }
}
