//! Passwords: what one must look like, and hashing with argon2id. Hashing is slow and hungry on purpose, so it runs
//! off the async workers and only a few at a time.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use gatewright_contract::Secret;
use gatewright_types::Email;
use tokio::sync::Semaphore;

/// How many passwords are hashed at once; each takes 19 MiB while it runs.
const AT_ONCE: usize = 2;
/// How many may wait for their turn; more are sent away.
const WAITING: usize = 32;
const SHORTEST: usize = 10;
/// A bound on the work somebody unknown can ask for.
const LONGEST: usize = 256;

/// Of no password: verified against when there is no account, so that the time taken does not tell. Written down,
/// because making one at each start would take the memory of one.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Y0mZk3Qm1xS8uV2bT7wLhA$Jr5nq0dXo3cVbH1yK9tEw8sPzLfGm4aUeRi6NvCkTxs";

/// Hashes and verifies passwords.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// Why a password could not be hashed or compared; the password being wrong is no error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("the password could not be hashed")]
    Hash(#[source] argon2::password_hash::Error),
    #[error("the stored password hash cannot be read")]
    Stored(#[source] argon2::password_hash::phc::Error),
    #[error("too many passwords are being checked")]
    Busy,
    #[error("the hashing task ended early")]
    Task(#[from] tokio::task::JoinError),
}

/// Whether a password fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fits,
    Wrong,
}

/// What is wrong with a new password, as the rest of a sentence about the field.
pub(crate) fn check_new(password: &str, email: &Email) -> Result<(), &'static str> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err("must have at least 10 characters");
    }
    if length > LONGEST {
        return Err("must have at most 256 characters");
    }
    if password.to_lowercase() == email.as_str() {
        return Err("must not be the e-mail address");
    }
    Ok(())
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let (permits, places) = (Semaphore::new(AT_ONCE), Semaphore::new(AT_ONCE + WAITING));
        Self {
            permits: Arc::new(permits),
            places: Arc::new(places),
        }
    }

    /// The password's hash in PHC form. The caller has checked the password.
    pub(crate) async fn hash(&self, password: Secret) -> Result<String, PasswordError> {
        self.off_the_workers(move || hash(password.expose().as_bytes())).await
    }

    /// Compares with a stored hash, or takes the same time for nothing when there is none.
    pub(crate) async fn verify(&self, password: Secret, stored: Option<String>) -> Result<Verdict, PasswordError> {
        if password.expose().chars().count() > LONGEST {
            return Ok(Verdict::Wrong);
        }
        self.off_the_workers(move || {
            let against = stored.as_deref().unwrap_or(DECOY);
            let parsed = PasswordHash::new(against).map_err(PasswordError::Stored)?;
            let fits = Argon2::default()
                .verify_password(password.expose().as_bytes(), &parsed)
                .is_ok();
            Ok(if fits && stored.is_some() {
                Verdict::Fits
            } else {
                Verdict::Wrong
            })
        })
        .await
    }

    async fn off_the_workers<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = self.places.try_acquire().map_err(|_| PasswordError::Busy)?;
        let permit = self
            .permits
            .clone()
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        tokio::task::spawn_blocking(move || {
            let _held = permit;
            work()
        })
        .await?
    }
}

fn hash(password: &[u8]) -> Result<String, PasswordError> {
    Argon2::default()
        .hash_password(password)
        .map(|hash| hash.to_string())
        .map_err(PasswordError::Hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new();
        let stored = passwords
            .hash(secret("correct horse battery"))
            .await
            .expect("it hashes");

        let costs = |hash: &str| PasswordHash::new(hash).map(|hash| (hash.algorithm, hash.version, hash.params));
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(costs(DECOY), costs(&stored));
        let fits = passwords
            .verify(secret("correct horse battery"), Some(stored.clone()))
            .await
            .expect("compared");
        let wrong = passwords
            .verify(secret("correct horse"), Some(stored))
            .await
            .expect("compared");
        let nobody = passwords.verify(secret("correct horse"), None).await.expect("compared");
        assert_eq!((fits, wrong, nobody), (Verdict::Fits, Verdict::Wrong, Verdict::Wrong));
    }

    #[test]
    fn new_passwords_have_bounds() {
        let email: Email = "ada.lovelace@example.com".parse().expect("an address");
        assert_eq!(check_new("nine char", &email), Err("must have at least 10 characters"));
        assert_eq!(
            check_new(&"x".repeat(257), &email),
            Err("must have at most 256 characters")
        );
        assert_eq!(
            check_new("Ada.Lovelace@example.com", &email),
            Err("must not be the e-mail address")
        );
        assert_eq!(check_new("ten chars!", &email), Ok(()));
    }
}
