//! The one process-wide choice that TLS asks for: who does the cryptography.

/// Makes the choice. Later calls find it made.
pub(crate) fn choose_provider() {
    drop(rustls::crypto::ring::default_provider().install_default());
}
