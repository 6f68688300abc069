//! Where an installation calls on anybody's behalf: at addresses of some kind, and perhaps only at hosts on a list.

use std::str::FromStr;
use std::sync::Arc;

use url::{Host, Url};

use crate::{AddressPolicy, BaseUrl, DestinationError};

/// What the addresses of providers, of their proxies and of whoever gives out tokens for them may be.
#[derive(Debug, Clone)]
pub struct Egress {
    pub addresses: AddressPolicy,
    /// All hosts when absent.
    hosts: Option<AllowedHosts>,
}

/// The only hosts that are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHosts(Arc<[HostRule]>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostRule {
    Exactly(String),
    /// Every host below; with the dot before it.
    Below(String),
}

/// Which entries are none; reads as the rest of a sentence about the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "holds {}; each entry must be a host such as api.example.com or *.example.com, without a scheme, a port or a path",
    .0.iter().map(|entry| format!("{entry:?}")).collect::<Vec<_>>().join(" and ")
)]
pub struct AllowedHostsError(Vec<String>);

impl Egress {
    pub fn new(addresses: AddressPolicy, hosts: Option<AllowedHosts>) -> Self {
        Self { addresses, hosts }
    }

    /// Checks what can be checked without resolving the name.
    pub fn check(&self, url: &BaseUrl) -> Result<(), DestinationError> {
        url.check(self.addresses)?;
        match &self.hosts {
            Some(hosts) if !hosts.hold(url.host()) => Err(DestinationError::NotListed(url.host().to_owned())),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether whoever runs the installation has named the host.
    pub fn lists(&self, host: &str) -> bool {
        self.hosts.as_ref().is_some_and(|hosts| hosts.hold(host))
    }
}

impl From<AddressPolicy> for Egress {
    fn from(addresses: AddressPolicy) -> Self {
        Self::new(addresses, None)
    }
}

impl AllowedHosts {
    fn hold(&self, host: &str) -> bool {
        // A name may end with the dot of the root, and is the same name.
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.iter().any(|rule| match rule {
            HostRule::Exactly(name) => host == name,
            HostRule::Below(end) => host.strip_suffix(end.as_str()).is_some_and(|below| !below.is_empty()),
        })
    }
}

impl FromStr for AllowedHosts {
    type Err = AllowedHostsError;

    /// Reads a list with commas between its entries.
    fn from_str(text: &str) -> Result<Self, AllowedHostsError> {
        let (mut rules, mut wrong) = (Vec::new(), Vec::new());
        for entry in text.split(',').map(str::trim) {
            match rule(entry) {
                Some(rule) => rules.push(rule),
                None => wrong.push(entry.to_owned()),
            }
        }
        if wrong.is_empty() {
            Ok(Self(rules.into()))
        } else {
            Err(AllowedHostsError(wrong))
        }
    }
}

fn rule(entry: &str) -> Option<HostRule> {
    match entry.strip_prefix("*.") {
        Some(end) => {
            let (host, name) = host(end)?;
            matches!(host, Host::Domain(_)).then(|| HostRule::Below(format!(".{name}")))
        }
        None => host(entry).map(|(_, name)| HostRule::Exactly(name)),
    }
}

/// A host in the spelling that addresses have it in.
fn host(text: &str) -> Option<(Host, String)> {
    let bare_v6 = text.parse::<std::net::Ipv6Addr>().is_ok();
    let text = if bare_v6 { format!("[{text}]") } else { text.to_owned() };
    if text.contains(['/', '@', '?', '#', '*', '\\']) || text.ends_with(':') {
        return None;
    }
    let url = Url::parse(&format!("http://{text}/")).ok()?;
    // The port that stands for nothing is left out of an address again.
    let with_port = url.port().is_some() || text.ends_with(":80");
    let name = url.host_str()?.trim_end_matches('.').to_owned();
    let host = url.host()?.to_owned();
    (!with_port && !name.is_empty()).then_some((host, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_are_called_in_whatever_spelling() {
        let hosts = "api.openai.com, *.OpenAI.azure.com,10.1.2.3, ::1"
            .parse()
            .expect("a list");
        let egress = Egress::new(AddressPolicy::AllowPrivate, Some(hosts));
        let check = |address: &str| egress.check(&address.parse().expect("an address"));

        for address in [
            "https://api.openai.com/v1",
            "https://API.OpenAI.com:8443/v1",
            "https://api.openai.com./v1",
            "https://my.openai.azure.com",
            "https://a.b.openai.azure.com",
            "http://10.1.2.3:9000",
            "http://0x0a010203/",
            "http://[::1]:9000",
        ] {
            assert_eq!(check(address), Ok(()), "{address}");
        }
        for (address, host) in [
            ("https://openai.com", "openai.com"),
            ("https://openai.azure.com", "openai.azure.com"),
            ("https://evilopenai.azure.com", "evilopenai.azure.com"),
            ("https://api.openai.com.evil.example", "api.openai.com.evil.example"),
            ("http://10.1.2.4", "10.1.2.4"),
        ] {
            let refused = Err(DestinationError::NotListed(host.to_owned()));
            assert_eq!(check(address), refused, "{address}");
        }
    }

    #[test]
    fn a_listed_host_may_still_not_be_a_metadata_address() {
        let hosts = "169.254.169.254".parse().expect("a list");
        let egress = Egress::new(AddressPolicy::AllowPrivate, Some(hosts));

        let refused = egress.check(&"http://169.254.169.254".parse().expect("an address"));

        assert!(matches!(refused, Err(DestinationError::Forbidden(_))), "{refused:?}");
    }

    #[test]
    fn all_entries_that_are_no_hosts_are_told_at_once() {
        let text = "api.openai.com,https://a.example,b.example:443,*,c.example/v1,*.,, *.10.1.2.3";

        let error = text.parse::<AllowedHosts>().expect_err("most of it is wrong");

        let wrong = [
            "https://a.example",
            "b.example:443",
            "*",
            "c.example/v1",
            "*.",
            "",
            "*.10.1.2.3",
        ];
        assert_eq!(error, AllowedHostsError(wrong.map(str::to_owned).to_vec()));
    }
}
