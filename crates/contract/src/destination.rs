//! Which addresses a provider may have: the guard against a base URL that makes the gateway call its own network.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

/// Whether providers on private networks are allowed. Link-local and metadata addresses never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Loopback and private addresses are fine: somebody's own machine or network.
    AllowPrivate,
    /// Only addresses of the public internet.
    PublicOnly,
}

/// Why an address is no provider's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    #[error("must be an absolute http or https URL")]
    NotHttp,
    #[error("must not hold a user name, a password, a query or a fragment")]
    Extras,
    #[error("plain http is only for private addresses: use https")]
    PlainHttp,
    #[error("points at an address that providers may not have: {0}")]
    Forbidden(IpAddr),
    #[error("points at a private address, which this installation does not allow")]
    Private,
    #[error(
        "points at {0}, which is none of the hosts that this installation calls: its operator has to add it to GATEWRIGHT_EGRESS_HOSTS"
    )]
    NotListed(String),
}

/// A provider's base address without its final slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    base: Url,
    /// Where chat requests go, ready made: reading an address costs more than most of what a request needs.
    chat: Url,
}

impl AddressPolicy {
    /// Decides on an address a name resolved to, or that was written out.
    pub fn check(self, address: IpAddr) -> Result<(), DestinationError> {
        let address = canonical(address);
        if is_never_allowed(address) {
            return Err(DestinationError::Forbidden(address));
        }
        match self {
            Self::PublicOnly if is_private(address) => Err(DestinationError::Private),
            Self::PublicOnly | Self::AllowPrivate => Ok(()),
        }
    }

    /// Decides on the address of a file that a caller names, as far as it can be without resolving the name. Unlike a
    /// provider's, it may have a query, and strangers are only asked over https.
    pub fn check_file(self, url: &Url) -> Result<(), DestinationError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(DestinationError::NotHttp);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(DestinationError::Extras);
        }
        self.check_host(url)?;
        match self {
            Self::PublicOnly if url.scheme() == "http" => Err(DestinationError::PlainHttp),
            Self::PublicOnly | Self::AllowPrivate => Ok(()),
        }
    }

    fn check_host(self, url: &Url) -> Result<(), DestinationError> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.check(address.into()),
            Some(Host::Ipv6(address)) => self.check(address.into()),
            Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => {
                self.check(Ipv4Addr::LOCALHOST.into())
            }
            Some(Host::Domain(_)) => Ok(()),
            None => Err(DestinationError::NotHttp),
        }
    }
}

impl BaseUrl {
    /// Checks what can be checked without resolving the name.
    pub fn check(&self, policy: AddressPolicy) -> Result<(), DestinationError> {
        policy.check_host(&self.base)?;
        match self.base.host() {
            Some(Host::Domain(_)) if self.base.scheme() == "http" && policy == AddressPolicy::PublicOnly => {
                Err(DestinationError::PlainHttp)
            }
            Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) | None => Ok(()),
        }
    }

    /// The address of an endpoint below the base.
    pub fn join(&self, path: &str) -> String {
        format!("{}/{}", self.as_str(), path.trim_start_matches('/'))
    }

    pub fn chat_completions(&self) -> &Url {
        &self.chat
    }

    pub fn as_str(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// Whether there is more to it than scheme, host and port.
    pub fn has_path(&self) -> bool {
        self.base.path() != "/"
    }
}

impl FromStr for BaseUrl {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        let url = Url::parse(text).map_err(|_| DestinationError::NotHttp)?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(DestinationError::NotHttp);
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(DestinationError::Extras);
        }
        let chat = format!("{}/chat/completions", url.as_str().trim_end_matches('/'));
        let chat = Url::parse(&chat).map_err(|_| DestinationError::NotHttp)?;
        Ok(Self { base: url, chat })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.segments() {
            // NAT64 and 6to4 carry an IPv4 address that the network unwraps.
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
                IpAddr::V4(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)))
            }
            _ => v6.to_canonical(),
        },
        IpAddr::V4(_) => address,
    }
}

fn is_never_allowed(address: IpAddr) -> bool {
    const CLOUD_METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    const CLOUD_METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
    match address {
        IpAddr::V4(v4) => {
            v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.octets().first() == Some(&0)
                || CLOUD_METADATA_V4.contains(&v4)
        }
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local() || v6.is_multicast() || v6.is_unspecified() || v6 == CLOUD_METADATA_V6
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let benchmarking = a == 198 && (18..20).contains(&b);
            v4.is_private()
                || v4.is_loopback()
                || v4.is_documentation()
                || shared
                || benchmarking
                || a >= 240
                || v4.octets().starts_with(&[192, 0, 0])
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let site_local = segments.first().is_some_and(|first| first & 0xffc0 == 0xfec0);
            // NAT64 of a network's own, and an IPv4 address in a form that nobody uses any more.
            let translated = segments.starts_with(&[0x64, 0xff9b, 1]) || segments.starts_with(&[0; 6]);
            v6.is_loopback()
                || v6.is_unique_local()
                || site_local
                || translated
                || segments.starts_with(&[0x2001, 0xdb8])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_addresses_are_refused_under_every_policy_and_in_every_spelling() {
        let spellings = [
            "http://169.254.169.254/latest",
            "http://[::ffff:169.254.169.254]/",
            "http://0xa9fea9fe/",
            "http://2852039166/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[fd00:ec2::254]/",
            "http://[fe80::1]/",
            "http://100.100.100.200/",
            "http://0.0.0.0/",
        ];
        for text in spellings {
            let url: BaseUrl = text.parse().expect(text);
            let refused = url.check(AddressPolicy::AllowPrivate);
            assert!(
                matches!(refused, Err(DestinationError::Forbidden(_))),
                "{text}: {refused:?}"
            );
        }
    }

    #[test]
    fn private_addresses_depend_on_the_policy() {
        for text in [
            "http://127.0.0.1:9001/v1",
            "http://localhost/v1",
            "https://10.1.2.3",
            "https://[fd12::1]/",
            "http://[::1]/",
        ] {
            let url: BaseUrl = text.parse().expect(text);
            assert_eq!(url.check(AddressPolicy::AllowPrivate), Ok(()), "{text}");
            assert_eq!(
                url.check(AddressPolicy::PublicOnly),
                Err(DestinationError::Private),
                "{text}"
            );
        }
    }

    #[test]
    fn files_of_strangers_are_only_asked_for_over_https() {
        let check = |policy: AddressPolicy, text: &str, expected| {
            let url: Url = text.parse().expect(text);
            assert_eq!(policy.check_file(&url), expected, "{text}");
        };
        let (public, private) = (AddressPolicy::PublicOnly, AddressPolicy::AllowPrivate);

        check(public, "https://files.example.com/a.png?sig=x#top", Ok(()));
        check(
            public,
            "http://files.example.com/a.png",
            Err(DestinationError::PlainHttp),
        );
        check(public, "http://93.184.216.34/a.png", Err(DestinationError::PlainHttp));
        check(public, "https://10.0.0.1/a.png", Err(DestinationError::Private));
        check(public, "https://a.localhost/a.png", Err(DestinationError::Private));
        check(public, "https://[::127.0.0.1]/a.png", Err(DestinationError::Private));
        check(
            public,
            "https://[64:ff9b:1::7f00:1]/a.png",
            Err(DestinationError::Private),
        );
        check(private, "http://files.example.com/a.png", Ok(()));
        check(private, "http://127.0.0.1:9000/a.png", Ok(()));
        for policy in [public, private] {
            check(
                policy,
                "https://u:p@files.example.com/a.png",
                Err(DestinationError::Extras),
            );
            check(policy, "ftp://files.example.com/a.png", Err(DestinationError::NotHttp));
            check(policy, "file:///etc/passwd", Err(DestinationError::NotHttp));
            let metadata: Url = "https://169.254.169.254/latest".parse().expect("an address");
            assert!(matches!(
                policy.check_file(&metadata),
                Err(DestinationError::Forbidden(_))
            ));
        }
    }

    #[test]
    fn what_is_no_plain_http_address_is_refused() {
        for text in [
            "",
            "ftp://x",
            "file:///etc/passwd",
            "/v1",
            "https://user:pw@x/v1",
            "https://x/v1?key=1",
            "https://x/#a",
        ] {
            assert!(text.parse::<BaseUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn endpoints_join_below_the_base_whatever_its_slash() {
        for text in ["https://api.example.com/v1", "https://api.example.com/v1/"] {
            let url: BaseUrl = text.parse().expect(text);
            assert_eq!(
                url.join("chat/completions"),
                "https://api.example.com/v1/chat/completions"
            );
        }
    }
}
