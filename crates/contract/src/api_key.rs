//! The form of secrets that callers and programs hold: minting with a checksum, and the digest under which they are
//! known everywhere else. Secrets have entropy enough that a plain SHA-256 is safe; passwords are another matter.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::Secret;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_CHARACTERS: usize = 40;
const CHECKSUM_CHARACTERS: usize = 6;

/// SHA-256 of a whole secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// Why a text cannot serve as a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretShapeError {
    #[error("must have 20 to 512 characters")]
    Length,
    #[error("may hold only visible ASCII characters")]
    Characters,
    #[error("its checksum is wrong: it was mistyped or cut")]
    Checksum,
}

/// A secret with what may be known of it.
#[derive(Debug)]
pub struct ApiKey {
    pub secret: Secret,
    pub digest: Digest,
    /// The last four characters.
    pub hint: String,
}

impl Digest {
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl ApiKey {
    /// Mints `<prefix>-` and 46 characters, the last six of which are a checksum.
    pub fn mint(prefix: &str) -> Self {
        Self::known(mint_secret(prefix))
    }

    /// Takes a secret from elsewhere. One that looks minted has to have a right checksum.
    pub fn import(text: &str) -> Result<Self, SecretShapeError> {
        if !(20..=512).contains(&text.len()) {
            return Err(SecretShapeError::Length);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SecretShapeError::Characters);
        }
        if looks_minted(text) && !checksum_holds(text) {
            return Err(SecretShapeError::Checksum);
        }
        Ok(Self::known(text.to_owned()))
    }

    fn known(text: String) -> Self {
        let digest = Digest::of(text.as_bytes());
        let hint = text.chars().skip(text.chars().count().saturating_sub(4)).collect();
        Self {
            secret: Secret::new(text),
            digest,
            hint,
        }
    }
}

/// A random secret with a prefix that scanners can find and a checksum that spares them false alarms.
pub fn mint_secret(prefix: &str) -> String {
    let mut text = format!("{prefix}-");
    while text.len() < prefix.len() + 1 + RANDOM_CHARACTERS {
        let mut random = [0_u8; 64];
        getrandom::fill(&mut random).expect("the operating system gives random bytes");
        // 248 is the largest multiple of 62 in a byte: beyond it the first letters would be likelier.
        let fair = random.iter().filter(|byte| **byte < 248);
        let missing = prefix.len() + 1 + RANDOM_CHARACTERS - text.len();
        text.extend(fair.take(missing).map(|byte| letter(u32::from(*byte))));
    }
    let checksum = checksum(text.as_bytes());
    text.push_str(&checksum);
    text
}

/// Whether a text is a key's secret that was minted here or looks exactly like one.
pub fn is_minted_key(text: &str) -> bool {
    text.starts_with("gw-") && looks_minted(text) && checksum_holds(text)
}

fn letter(value: u32) -> char {
    let index = (value % 62) as usize;
    char::from(*ALPHABET.get(index).expect("a remainder of 62 is within the alphabet"))
}

fn checksum(text: &[u8]) -> String {
    let mut rest = crc32fast::hash(text);
    let mut letters = Vec::with_capacity(CHECKSUM_CHARACTERS);
    for _ in 0..CHECKSUM_CHARACTERS {
        letters.push(letter(rest));
        rest /= 62;
    }
    letters.iter().rev().collect()
}

fn looks_minted(text: &str) -> bool {
    let body = text.strip_prefix("gw-").or_else(|| text.strip_prefix("gwt-"));
    body.is_some_and(|body| {
        body.len() == RANDOM_CHARACTERS + CHECKSUM_CHARACTERS && body.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

fn checksum_holds(text: &str) -> bool {
    text.split_at_checked(text.len() - CHECKSUM_CHARACTERS)
        .is_some_and(|(body, sum)| checksum(body.as_bytes()) == sum)
}

impl Hash for Digest {
    /// Its first bytes are as random as any hash of them.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.first_chunk().copied().map_or(0, u64::from_le_bytes));
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_secret_is_long_unique_and_checks() {
        let (one, other) = (mint_secret("gw"), mint_secret("gw"));

        assert_eq!(one.len(), 3 + 46);
        assert_ne!(one, other);
        assert!(ApiKey::import(&one).is_ok());
        assert!(
            is_minted_key(&one) && !is_minted_key(&mint_secret("gwt")) && !is_minted_key("sk-0123456789abcdefghij")
        );
    }

    #[test]
    fn a_mistyped_minted_secret_is_refused() {
        let mut secret = mint_secret("gw");
        let last = secret.pop().expect("a secret is not empty");
        secret.push(if last == 'x' { 'y' } else { 'x' });

        assert_eq!(ApiKey::import(&secret).map(|_| ()), Err(SecretShapeError::Checksum));
    }

    #[test]
    fn a_foreign_secret_of_enough_characters_is_taken_as_it_is() {
        let key = ApiKey::import("sk-0123456789abcdefghij").expect("a usable secret");

        assert_eq!(key.hint, "ghij");
        assert_eq!(key.digest, Digest::of(b"sk-0123456789abcdefghij"));
        assert_eq!(ApiKey::import("short").map(|_| ()), Err(SecretShapeError::Length));
        assert_eq!(
            ApiKey::import("with a space in the middle").map(|_| ()),
            Err(SecretShapeError::Characters)
        );
    }
}
