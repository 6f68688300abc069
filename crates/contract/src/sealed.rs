//! Secrets at rest: AES-256-GCM under a master key that can be rotated, bound to what the secret belongs to.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 12;
const FINGERPRINT_BYTES: usize = 4;

/// A text nobody may print: it has no `Display`, no `Serialize`, and its `Debug` says nothing.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

/// A sealed secret as stored and published: base64 of master key fingerprint, nonce and ciphertext.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

/// The master keys: the first one seals, all of them open.
#[derive(Clone)]
pub struct Keyring {
    keys: Vec<MasterKey>,
}

#[derive(Clone)]
struct MasterKey {
    fingerprint: [u8; FINGERPRINT_BYTES],
    cipher: Aes256Gcm,
}

/// Why a text is no list of master keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    #[error("a master key must be 32 bytes in base64")]
    NotAKey,
    #[error("there must be at least one master key")]
    Empty,
}

/// Why a sealed secret stays shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("the sealed secret is not in the form it was written in")]
    Malformed,
    #[error("the sealed secret was sealed under a master key this process does not have")]
    UnknownMasterKey,
    #[error("the sealed secret was changed, or belongs to something else")]
    Tampered,
}

impl Secret {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, to be handed to whoever it is meant for and to nobody else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Sealed {
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Keyring {
    /// Reads `new,old,…`, each 32 bytes in base64.
    pub fn parse(list: &str) -> Result<Self, KeyringError> {
        let keys: Result<Vec<_>, _> = list.split(',').map(|key| MasterKey::parse(key.trim())).collect();
        match keys {
            Ok(keys) if keys.is_empty() => Err(KeyringError::Empty),
            Ok(keys) => Ok(Self { keys }),
            Err(error) => Err(error),
        }
    }

    /// A new master key in the form `parse` reads.
    pub fn mint() -> Secret {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(bytes.as_mut_slice()).expect("the operating system gives random bytes");
        Secret::new(BASE64.encode(bytes.as_slice()))
    }

    /// Seals under the first master key. The same `owner` is needed to open.
    pub fn seal(&self, secret: &Secret, owner: &str) -> Sealed {
        let key = self.keys.first().expect("a keyring has at least one key");
        let mut nonce = [0_u8; NONCE_BYTES];
        getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: owner.as_bytes(),
        };
        let sealed = key
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .expect("a secret is far shorter than what one nonce can seal");
        let mut bytes = Vec::with_capacity(FINGERPRINT_BYTES + NONCE_BYTES + sealed.len());
        bytes.extend_from_slice(&key.fingerprint);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Sealed(BASE64.encode(bytes))
    }

    pub fn open(&self, sealed: &Sealed, owner: &str) -> Result<Secret, OpenError> {
        let bytes = BASE64.decode(&sealed.0).map_err(|_| OpenError::Malformed)?;
        let (fingerprint, rest) = bytes
            .split_first_chunk::<FINGERPRINT_BYTES>()
            .ok_or(OpenError::Malformed)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Malformed)?;
        let payload = || Payload {
            msg: ciphertext,
            aad: owner.as_bytes(),
        };
        let mut known = false;
        for key in self.keys.iter().filter(|key| key.fingerprint == *fingerprint) {
            known = true;
            if let Ok(plain) = key.cipher.decrypt(&Nonce::from(*nonce), payload()) {
                return String::from_utf8(plain)
                    .map(Secret::new)
                    .map_err(|_| OpenError::Tampered);
            }
        }
        Err(if known {
            OpenError::Tampered
        } else {
            OpenError::UnknownMasterKey
        })
    }

    /// True when the secret is sealed under another key than the first: it should be opened and sealed again.
    pub fn is_stale(&self, sealed: &Sealed) -> bool {
        let first = self.keys.first().map(|key| key.fingerprint);
        let used = BASE64
            .decode(&sealed.0)
            .ok()
            .and_then(|bytes| bytes.first_chunk().copied());
        used != first
    }
}

impl MasterKey {
    fn parse(text: &str) -> Result<Self, KeyringError> {
        let bytes = Zeroizing::new(BASE64.decode(text).map_err(|_| KeyringError::NotAKey)?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| KeyringError::NotAKey)?;
        let digest: [u8; 32] = Sha256::digest(key).into();
        let fingerprint = *digest.first_chunk().expect("a digest is longer than a fingerprint");
        Ok(Self {
            fingerprint,
            cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(key)),
        })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring of {}", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("sk-upstream".to_owned())
    }

    #[test]
    fn what_is_sealed_opens_for_its_owner_only() {
        let keyring = Keyring::parse(Keyring::mint().expose()).expect("a minted key parses");
        let sealed = keyring.seal(&secret(), "cred_1");

        assert_eq!(
            keyring.open(&sealed, "cred_1").expect("it opens").expose(),
            "sk-upstream"
        );
        assert_eq!(keyring.open(&sealed, "cred_2").map(|_| ()), Err(OpenError::Tampered));
        assert!(!sealed.as_str().contains("upstream"));
    }

    #[test]
    fn a_rotated_keyring_opens_old_secrets_and_calls_them_stale() {
        let (old, new) = (Keyring::mint(), Keyring::mint());
        let before = Keyring::parse(old.expose()).expect("a key");
        let after = Keyring::parse(&format!("{},{}", new.expose(), old.expose())).expect("two keys");
        let only_new = Keyring::parse(new.expose()).expect("a key");

        let sealed = before.seal(&secret(), "x");

        assert_eq!(after.open(&sealed, "x").expect("it opens").expose(), "sk-upstream");
        assert!(after.is_stale(&sealed) && !before.is_stale(&sealed));
        assert_eq!(
            only_new.open(&sealed, "x").map(|_| ()),
            Err(OpenError::UnknownMasterKey)
        );
        assert!(!after.is_stale(&after.seal(&secret(), "x")));
    }

    #[test]
    fn debug_output_never_holds_a_secret() {
        assert_eq!(format!("{:?}", secret()), "Secret");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(Keyring::parse("").map(|_| ()), Err(KeyringError::NotAKey));
        assert_eq!(Keyring::parse("c2hvcnQ=").map(|_| ()), Err(KeyringError::NotAKey));
    }
}
