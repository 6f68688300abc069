//! The public keys by which an installation knows whose catalogues it may take over.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};

const KEY_BYTES: usize = 32;

/// Whoever signs with one of them is believed. None: nobody is.
#[derive(Debug, Clone, Default)]
pub struct CatalogKeys(Vec<[u8; KEY_BYTES]>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be ed25519 public keys of 32 bytes, each in base64, separated by commas")]
pub struct CatalogKeysError;

/// Why a document is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("cannot be checked: the installation has no key for catalogues (GATEWRIGHT_CATALOG_KEY)")]
    NoKeys,
    #[error("is no ed25519 signature in base64")]
    Malformed,
    #[error("was not made over this document with a key of this installation")]
    Wrong,
}

impl CatalogKeys {
    /// Reads keys as they are written in settings.
    pub fn parse(text: &str) -> Result<Self, CatalogKeysError> {
        let key = |text: &str| {
            let bytes = STANDARD.decode(text.trim()).map_err(|_| CatalogKeysError)?;
            bytes.try_into().map_err(|_| CatalogKeysError)
        };
        text.split(',').map(key).collect::<Result<_, _>>().map(Self)
    }

    /// True when nobody's catalogues are believed.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn check(&self, document: &[u8], signature: &str) -> Result<(), SignatureError> {
        if self.0.is_empty() {
            return Err(SignatureError::NoKeys);
        }
        let signature = STANDARD
            .decode(signature.trim())
            .ok()
            .filter(|bytes| bytes.len() == 64)
            .ok_or(SignatureError::Malformed)?;
        let signed_by = |key: &[u8; KEY_BYTES]| {
            UnparsedPublicKey::new(&ED25519, key)
                .verify(document, &signature)
                .is_ok()
        };
        if self.0.iter().any(signed_by) {
            Ok(())
        } else {
            Err(SignatureError::Wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    fn pair(seed: u8) -> (Ed25519KeyPair, String) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("any seed makes a pair");
        let public = STANDARD.encode(pair.public_key());
        (pair, public)
    }

    #[test]
    fn only_what_a_known_key_signed_is_believed() {
        let ((one, public_one), (other, public_other), (stranger, _)) = (pair(1), pair(2), pair(3));
        let keys = CatalogKeys::parse(&format!("{public_one}, {public_other}")).expect("two keys");
        let signed = |pair: &Ed25519KeyPair| STANDARD.encode(pair.sign(b"document"));

        assert_eq!(keys.check(b"document", &signed(&one)), Ok(()));
        assert_eq!(keys.check(b"document", &format!("{}\n", signed(&other))), Ok(()));
        assert_eq!(keys.check(b"document", &signed(&stranger)), Err(SignatureError::Wrong));
        assert_eq!(keys.check(b"another", &signed(&one)), Err(SignatureError::Wrong));
        assert_eq!(keys.check(b"document", "AAAA"), Err(SignatureError::Malformed));
        assert_eq!(keys.check(b"document", "no base64"), Err(SignatureError::Malformed));
        assert_eq!(
            CatalogKeys::default().check(b"document", &signed(&one)),
            Err(SignatureError::NoKeys)
        );
    }

    #[test]
    fn keys_of_another_shape_are_refused() {
        for text in ["", "AAAA", "not base64", &format!("{},", pair(1).1)] {
            assert!(CatalogKeys::parse(text).is_err(), "{text:?}");
        }
    }
}
