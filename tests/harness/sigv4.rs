//! Checks signatures of AWS, version 4, as AWS would: from the request as it arrived, with the key that it should have
//! been signed with.

use ring::hmac;
use sha2::{Digest as _, Sha256};

use crate::upstream::Seen;

/// What a request should have been signed with, and for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub access_key_id: &'a str,
    pub secret_access_key: &'a str,
    pub region: &'a str,
    pub service: &'a str,
}

/// Says what is wrong with a request's signature. Only for addresses without a query.
pub fn verify(seen: &Seen, expected: Expected<'_>) -> Result<(), String> {
    let authorization = seen.headers.get("authorization").ok_or("no authorization")?;
    let rest = authorization
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or_else(|| format!("another scheme: {authorization}"))?;
    let part = |name: &str| {
        let mut parts = rest.split(',').map(str::trim);
        let found = parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        found.ok_or_else(|| format!("no {name} in {authorization}"))
    };
    let (credential, signed, signature) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    let time = seen.headers.get("x-amz-date").ok_or("no x-amz-date")?;
    let day = time.get(..8).ok_or("no day in x-amz-date")?;
    let scope = format!("{day}/{}/{}/aws4_request", expected.region, expected.service);
    let wanted = format!("{}/{scope}", expected.access_key_id);
    if credential != wanted {
        return Err(format!("signed as {credential} and not as {wanted}"));
    }
    if !signed.split(';').any(|name| name == "host") {
        return Err(format!("the host is not signed: {signed}"));
    }

    let mut headers = String::new();
    for name in signed.split(';') {
        let value = seen
            .headers
            .get(name)
            .ok_or_else(|| format!("{name} is signed and not sent"))?;
        headers.push_str(&format!("{name}:{}\n", value.trim()));
    }
    let canonical = format!(
        "{}\n{}\n\n{headers}\n{signed}\n{}",
        seen.method,
        // What an address escapes is escaped once more.
        seen.target.replace('%', "%25").replace(':', "%3A").replace('@', "%40"),
        hex(&Sha256::digest(&seen.body))
    );
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let mut key = format!("AWS4{}", expected.secret_access_key).into_bytes();
    for part in [day, expected.region, expected.service, "aws4_request", &to_sign] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes());
        key = tag.as_ref().to_vec();
    }
    match hex(&key) == signature {
        true => Ok(()),
        false => Err(format!("another key, or another request: {canonical}")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
