//! Where a call comes from. Whoever calls can write any header, so of those that proxies write only what the proxies wrote
//! that we were told to trust is believed: the last entries, one for each.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};

/// The caller's address behind so many proxies of ours; `None` when it cannot be told.
pub(super) fn address(request: &HttpRequest, trusted_hops: usize) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    behind(request.headers(), peer, trusted_hops)
}

fn behind(headers: &HeaderMap, peer: IpAddr, trusted_hops: usize) -> Option<IpAddr> {
    let Some(from_the_right) = trusted_hops.checked_sub(1) else {
        return Some(peer);
    };
    let x_forwarded_for = entries(headers, &X_FORWARDED_FOR).map(|all| nth_back(&all, from_the_right, plain));
    let forwarded = entries(headers, &FORWARDED).map(|all| nth_back(&all, from_the_right, forwarded_for));
    match (x_forwarded_for, forwarded) {
        (Some(address), None) | (None, Some(address)) => address,
        // One of them is the caller's own, and which one cannot be told.
        (Some(one), Some(other)) => one.filter(|_| one == other),
        (None, None) => None,
    }
}

/// The entries of all headers of this name, in order; `None` without any.
fn entries<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<Vec<&'h [u8]>> {
    let mut values = headers.get_all(name).peekable();
    values.peek()?;
    Some(
        values
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .collect(),
    )
}

fn nth_back(entries: &[&[u8]], from_the_right: usize, read: fn(&str) -> Option<IpAddr>) -> Option<IpAddr> {
    let entry = entries.iter().rev().nth(from_the_right)?;
    read(std::str::from_utf8(entry).ok()?.trim()).map(|address| address.to_canonical())
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn plain(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

/// `for=…` of an element of a `Forwarded` header.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let value = value.trim();
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    plain(unquoted.unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn told(headers: &[(HeaderName, &str)], trusted_hops: usize) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_str(value).expect("a header's value"));
        }
        let peer = "10.0.0.9".parse().expect("an address");
        behind(&map, peer, trusted_hops).map(|address| address.to_string())
    }

    #[test]
    fn without_trusted_proxies_only_the_socket_counts() {
        let spoofed = [(X_FORWARDED_FOR, "192.0.2.1"), (FORWARDED, "for=192.0.2.1")];

        assert_eq!(told(&spoofed, 0).as_deref(), Some("10.0.0.9"));
    }

    #[test]
    fn what_stands_left_of_the_trusted_entries_counts_for_nothing() {
        for (headers, hops, expected) in [
            (&[(X_FORWARDED_FOR, "192.0.2.1")] as &[_], 1, Some("192.0.2.1")),
            (&[(X_FORWARDED_FOR, "203.0.113.66, 192.0.2.1")], 1, Some("192.0.2.1")),
            (
                &[(X_FORWARDED_FOR, "203.0.113.66, 192.0.2.1, 10.0.0.1")],
                2,
                Some("192.0.2.1"),
            ),
            (
                &[(X_FORWARDED_FOR, "203.0.113.66"), (X_FORWARDED_FOR, "192.0.2.1")],
                1,
                Some("192.0.2.1"),
            ),
            (&[(X_FORWARDED_FOR, "192.0.2.1:4711")], 1, Some("192.0.2.1")),
            (&[(X_FORWARDED_FOR, "[2001:db8::1]:4711")], 1, Some("2001:db8::1")),
            (&[(X_FORWARDED_FOR, "::ffff:192.0.2.1")], 1, Some("192.0.2.1")),
            (
                &[(FORWARDED, "for=203.0.113.66, For=\"[2001:db8::1]:80\";proto=https")],
                1,
                Some("2001:db8::1"),
            ),
            // Fewer entries than proxies: somebody came past one.
            (&[(X_FORWARDED_FOR, "192.0.2.1")], 2, None),
            (&[], 1, None),
            (&[(X_FORWARDED_FOR, "unknown")], 1, None),
            (&[(X_FORWARDED_FOR, "")], 1, None),
            (&[(FORWARDED, "for=_hidden")], 1, None),
            // One is the proxy's and one the caller's.
            (
                &[(X_FORWARDED_FOR, "192.0.2.1"), (FORWARDED, "for=203.0.113.66")],
                1,
                None,
            ),
            (
                &[(X_FORWARDED_FOR, "192.0.2.1"), (FORWARDED, "for=192.0.2.1")],
                1,
                Some("192.0.2.1"),
            ),
        ] {
            assert_eq!(told(headers, hops).as_deref(), expected, "{headers:?} behind {hops}");
        }
    }
}
