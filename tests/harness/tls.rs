//! Authorities of a test's own, and TLS before servers that speak none. A server may ask callers for a certificate.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Trusted by nobody who is not told to.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, both in PEM.
#[derive(Debug, Clone)]
pub struct Issued {
    pub certificate: String,
    pub private_key: String,
}

/// Speaks TLS before a server and passes on what is in it.
#[derive(Debug)]
pub struct Front {
    pub address: SocketAddr,
    callers: Arc<Mutex<Vec<Vec<u8>>>>,
    _acceptor: JoinSet<()>,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = named(name, Vec::new());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("a certificate");
        Self { issuer }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// For a server on this machine.
    pub fn server(&self) -> Issued {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        self.issue(named("server", names), ExtendedKeyUsagePurpose::ServerAuth)
    }

    pub fn client(&self, name: &str) -> Issued {
        self.issue(named(name, Vec::new()), ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, mut params: CertificateParams, purpose: ExtendedKeyUsagePurpose) -> Issued {
        params.extended_key_usages = vec![purpose];
        let key = key();
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Issued {
            certificate: certificate.pem(),
            private_key: key.serialize_pem(),
        }
    }
}

impl Front {
    /// `clients` is whose certificates callers have to show.
    pub async fn before(behind: SocketAddr, own: &Issued, clients: Option<&Authority>) -> Self {
        let config = speaking(own, clients);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let callers = Arc::<Mutex<Vec<_>>>::default();
        let mut acceptor = JoinSet::new();
        acceptor.spawn(accept(listener, Arc::new(config).into(), behind, callers.clone()));
        Self {
            address,
            callers,
            _acceptor: acceptor,
        }
    }

    pub fn origin(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificate of each caller who has shown one, as it was on the wire.
    pub fn callers(&self) -> Vec<Vec<u8>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How a server speaks TLS that shows this certificate, and asks for one of an authority where one is named.
pub(crate) fn speaking(own: &Issued, clients: Option<&Authority>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("versions that the provider has");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut trusted = RootCertStore::empty();
            let pem = authority.pem();
            trusted
                .add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate"))
                .expect("an authority's");
            let verifier = WebPkiClientVerifier::builder_with_provider(trusted.into(), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let certificate = CertificateDer::from_pem_slice(own.certificate.as_bytes()).expect("a certificate");
    let private_key = PrivateKeyDer::from_pem_slice(own.private_key.as_bytes()).expect("a key");
    builder
        .with_single_cert(vec![certificate], private_key)
        .expect("the key is the certificate's")
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, behind: SocketAddr, callers: Arc<Mutex<Vec<Vec<u8>>>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let (tls, callers) = (tls.clone(), callers.clone());
                connections.spawn(async move {
                    // A caller who does not trust the server goes away; the test sees that on the other side.
                    let Ok(mut outer) = tls.accept(stream).await else { return };
                    let shown = outer.get_ref().1.peer_certificates().and_then(<[_]>::first);
                    if let Some(shown) = shown {
                        callers.lock().unwrap_or_else(PoisonError::into_inner).push(shown.to_vec());
                    }
                    let Ok(mut inner) = TcpStream::connect(behind).await else { return };
                    let _ended = copy_bidirectional(&mut outer, &mut inner).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

fn named(name: &str, hosts: Vec<String>) -> CertificateParams {
    let mut params = CertificateParams::new(hosts).expect("names of hosts");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().expect("random bytes")
}
