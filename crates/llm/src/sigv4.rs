//! AWS Signature Version 4: the headers that prove to AWS who sends a request. A pure function of the request, the
//! credentials and the time.

use std::fmt;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Bytes that SHA-256 works on at a time.
const BLOCK: usize = 64;

/// Whose request it is.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    pub access_key_id: &'a str,
    pub secret_access_key: &'a str,
    /// For credentials that expire.
    pub session_token: Option<&'a str>,
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    pub host: &'a str,
    /// As it is sent, percent-encoded: AWS encodes it once more before it checks the signature, and so is done here.
    pub path: &'a str,
    /// As it is sent, percent-encoded and without `?`.
    pub query: &'a str,
    /// Those of the request's headers that are to be signed. Proxies on the way may change others. `host` and the
    /// headers of the signature itself are added here.
    pub headers: &'a [(&'a str, &'a str)],
    /// [`body_hash`] of the body.
    pub body_hash: &'a str,
    pub region: &'a str,
    pub service: &'a str,
}

/// A header to add to the request.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    pub name: &'static str,
    pub value: String,
}

/// The SHA-256 of a body, in hexadecimal.
pub fn body_hash(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// The headers that sign a request: `x-amz-date`, `authorization` and, with a session token, `x-amz-security-token`.
pub fn sign(request: &Request<'_>, credentials: &Credentials<'_>, now: DateTime<Utc>) -> Vec<Header> {
    let time = now.format("%Y%m%dT%H%M%SZ").to_string();
    let date = now.format("%Y%m%d").to_string();
    let headers = canonical_headers(request, credentials, &time);
    let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let signed_headers = names.join(";");
    let canonical = canonical_request(request, &headers, &signed_headers);

    let (region, service) = (request.region, request.service);
    let scope = format!("{date}/{region}/{service}/aws4_request");
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", body_hash(canonical.as_bytes()));
    let steps = [date.as_str(), region, service, "aws4_request"];
    let first = format!("AWS4{}", credentials.secret_access_key).into_bytes();
    let key = steps
        .iter()
        .fold(first, |key, step| hmac(&key, step.as_bytes()).to_vec());
    let signature = hex::encode(hmac(&key, to_sign.as_bytes()));

    let id = credentials.access_key_id;
    let authorization =
        format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed_headers}, Signature={signature}");
    let mut added = vec![Header {
        name: "x-amz-date",
        value: time,
    }];
    added.extend(credentials.session_token.map(|token| Header {
        name: "x-amz-security-token",
        value: token.into(),
    }));
    added.push(Header {
        name: "authorization",
        value: authorization,
    });
    added
}

fn canonical_request(request: &Request<'_>, headers: &[(String, String)], signed_headers: &str) -> String {
    let mut lines = String::new();
    for (name, value) in headers {
        lines.push_str(name);
        lines.push(':');
        lines.push_str(value);
        lines.push('\n');
    }
    let (method, body_hash) = (request.method, request.body_hash);
    let path = canonical_path(request.path);
    let query = canonical_query(request.query);
    format!("{method}\n{path}\n{query}\n{lines}\n{signed_headers}\n{body_hash}")
}

fn canonical_path(path: &str) -> String {
    if path.is_empty() {
        return "/".into();
    }
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
    }
    encoded
}

fn canonical_query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// By name, once each: several values of one name are joined.
fn canonical_headers(request: &Request<'_>, credentials: &Credentials<'_>, time: &str) -> Vec<(String, String)> {
    let own = [("host", request.host), ("x-amz-date", time)];
    let token = credentials.session_token.map(|token| ("x-amz-security-token", token));
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in own.iter().chain(&token).chain(request.headers) {
        let name = name.to_ascii_lowercase();
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        match headers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => {
                known.push(',');
                known.push_str(&value);
            }
            None => headers.push((name, value)),
        }
    }
    headers.sort_unstable();
    headers
}

/// HMAC with SHA-256, as RFC 2104 has it.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    let hashed: [u8; 32];
    let key = if key.len() > BLOCK {
        hashed = Sha256::digest(key).into();
        &hashed[..]
    } else {
        key
    };
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
