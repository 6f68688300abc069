//! A provider's network as it is stored and published: with its secrets sealed, each to its provider and its field.
//! Whether certificates and keys can be used is found out here, with the TLS that calls are made with.

use gatewright_types::ProviderId;
use gatewright_types::api::{ClientCertificate, Network, PlainNetwork, Proxy};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::{BaseUrl, Keyring, OpenError, Sealed, Secret};

/// With its secrets sealed.
pub type NetworkUnit = Network<Sealed, String>;

/// With its secrets at hand.
pub type OpenedNetwork = Network<Secret, String>;

const LONGEST_LOGIN: usize = 512;
const LONGEST_PEM: usize = 256 * 1024;

/// A network that came in as texts.
pub fn given_network(plain: &PlainNetwork) -> OpenedNetwork {
    plain.map(|_, text| text.clone(), |_, secret| Some(Secret::new(secret.clone())))
}

pub fn seal_network(keyring: &Keyring, provider: ProviderId, network: &OpenedNetwork) -> NetworkUnit {
    network.map(
        |_, text| text.clone(),
        |field, secret| Some(keyring.seal(secret, &owner(provider, field))),
    )
}

pub fn open_network(keyring: &Keyring, provider: ProviderId, unit: &NetworkUnit) -> Result<OpenedNetwork, OpenError> {
    let mut failed = None;
    let opened = unit.map(
        |_, text| text.clone(),
        |field, sealed| match keyring.open(sealed, &owner(provider, field)) {
            Ok(secret) => Some(secret),
            Err(error) => {
                failed = Some(error);
                None
            }
        },
    );
    failed.map_or(Ok(opened), Err)
}

/// The same under the newest master key; nothing where it is so already.
pub fn reseal_network(
    keyring: &Keyring,
    provider: ProviderId,
    unit: &NetworkUnit,
) -> Result<Option<NetworkUnit>, OpenError> {
    let mut stale = false;
    let _told: PlainNetwork = unit.map(
        |_, text| text.clone(),
        |_, sealed| {
            stale |= keyring.is_stale(sealed);
            None
        },
    );
    if !stale {
        return Ok(None);
    }
    open_network(keyring, provider, unit).map(|opened| Some(seal_network(keyring, provider, &opened)))
}

/// Everything but its secrets.
pub fn told_network(unit: &NetworkUnit) -> PlainNetwork {
    unit.map(|_, text| text.clone(), |_, _| None)
}

/// Takes the secrets that are not given from what is there: a password stays with its user name, a key with its
/// certificate.
pub fn with_kept_secrets(given: OpenedNetwork, before: Option<&OpenedNetwork>) -> OpenedNetwork {
    let (old_proxy, old_own) = match before {
        Some(before) => (before.proxy.as_ref(), before.client_certificate.as_ref()),
        None => (None, None),
    };
    let proxy = given.proxy.map(|proxy| Proxy {
        password: match (&proxy.username, proxy.password) {
            (Some(_), None) => old_proxy.and_then(|old| old.password.clone()),
            (_, given) => given,
        },
        ..proxy
    });
    let client_certificate = given.client_certificate.map(|own| ClientCertificate {
        private_key: own.private_key.or_else(|| old_own?.private_key.clone()),
        certificate: own.certificate,
    });
    Network {
        proxy,
        client_certificate,
        ca: given.ca,
    }
}

pub fn same_network(one: &OpenedNetwork, other: &OpenedNetwork) -> bool {
    let plain = |network: &OpenedNetwork| -> PlainNetwork {
        network.map(|_, text| text.clone(), |_, secret| Some(secret.expose().to_owned()))
    };
    plain(one) == plain(other)
}

/// What is wrong with a network, by field.
pub fn network_problems(network: &OpenedNetwork) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut wrong = |field, message: &str| found.push((field, message.to_owned()));
    if network.is_empty() {
        wrong(
            "network",
            "must hold a proxy, a ca or a client_certificate: leave it out for none of them",
        );
    }
    if let Some(proxy) = &network.proxy {
        check_proxy(proxy, &mut wrong);
    }
    if let Some(ca) = &network.ca
        && let Err(message) = authorities(ca)
    {
        wrong("network.ca", message);
    }
    if let Some(own) = &network.client_certificate {
        check_own(own, &mut wrong);
    }
    found
}

/// The address of a proxy: an origin, because nothing else of an address means anything to one.
pub fn proxy_url(text: &str) -> Result<BaseUrl, String> {
    let url: BaseUrl = text
        .parse()
        .map_err(|error: crate::DestinationError| error.to_string())?;
    if url.has_path() {
        return Err("must end with the host and its port, such as http://proxy.example.com:3128".to_owned());
    }
    Ok(url)
}

fn check_proxy(proxy: &Proxy<Secret, String>, wrong: &mut impl FnMut(&'static str, &str)) {
    if let Err(message) = proxy_url(&proxy.url) {
        wrong("network.proxy.url", &message);
    }
    let fits = |text: &str| !text.is_empty() && text.len() <= LONGEST_LOGIN && !text.chars().any(char::is_control);
    match (&proxy.username, &proxy.password) {
        (None, None) => {}
        (None, Some(_)) => wrong("network.proxy.username", "is required with a password"),
        (Some(_), None) => wrong("network.proxy.password", "is required with a user name"),
        (Some(username), Some(password)) => {
            if !fits(username) || username.contains(':') {
                wrong(
                    "network.proxy.username",
                    "must have 1 to 512 characters, none of them a colon",
                );
            }
            if !fits(password.expose()) {
                wrong("network.proxy.password", "must have 1 to 512 characters");
            }
        }
    }
}

fn check_own(own: &ClientCertificate<Secret, String>, wrong: &mut impl FnMut(&'static str, &str)) {
    let chain = certificates(&own.certificate);
    if let Err(message) = chain {
        wrong("network.client_certificate.certificate", message);
    }
    let Some(key) = &own.private_key else {
        return wrong(
            "network.client_certificate.private_key",
            "is required with a certificate",
        );
    };
    let Ok(key) = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()) else {
        return wrong(
            "network.client_certificate.private_key",
            "must be a private key in PEM, without a passphrase",
        );
    };
    let Ok(chain) = chain else { return };
    let provider = rustls::crypto::ring::default_provider();
    match CertifiedKey::from_der(chain, key, &provider) {
        Ok(_) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            wrong(
                "network.client_certificate.private_key",
                "is not the key of the certificate",
            );
        }
        Err(_) => wrong(
            "network.client_certificate",
            "cannot be used: the certificate has to be X.509 and its key RSA, ECDSA or Ed25519",
        ),
    }
}

fn authorities(text: &str) -> Result<(), &'static str> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(text)? {
        store
            .add(certificate)
            .map_err(|_| "holds a certificate that cannot be read as an authority's")?;
    }
    Ok(())
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    const NONE: &str = "must be one or more certificates in PEM: -----BEGIN CERTIFICATE-----";
    if text.len() > LONGEST_PEM {
        return Err("must have at most 262144 characters");
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or(NONE)
}

/// A secret cannot be moved to another provider or another field.
fn owner(provider: ProviderId, field: &str) -> String {
    format!("{provider}/{field}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring() -> Keyring {
        Keyring::parse(Keyring::mint().expose()).expect("a minted key parses")
    }

    fn through_proxy(username: Option<&str>, password: Option<&str>) -> OpenedNetwork {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let proxy = Proxy {
            url: "http://proxy.example:3128".to_owned(),
            username: text(username),
            password: text(password),
        };
        given_network(&PlainNetwork {
            proxy: Some(proxy),
            ca: None,
            client_certificate: None,
        })
    }

    #[test]
    fn a_sealed_secret_opens_only_for_its_own_provider() {
        let (keyring, id) = (keyring(), ProviderId::mint());
        let network = through_proxy(Some("u"), Some("canary"));

        let unit = seal_network(&keyring, id, &network);

        let opened = open_network(&keyring, id, &unit).expect("it opens");
        assert!(same_network(&opened, &network));
        assert!(open_network(&keyring, ProviderId::mint(), &unit).is_err());
        assert!(!format!("{unit:?} {:?} {network:?}", told_network(&unit)).contains("canary"));
    }

    #[test]
    fn a_password_that_is_not_given_stays_with_its_user_name() {
        let before = through_proxy(Some("u"), Some("kept"));
        let password = |username, given| {
            let whole = with_kept_secrets(through_proxy(username, given), Some(&before));
            whole
                .proxy
                .and_then(|proxy| proxy.password)
                .map(|it| it.expose().to_owned())
        };

        assert_eq!(password(Some("u"), None).as_deref(), Some("kept"));
        assert_eq!(password(Some("u"), Some("new")).as_deref(), Some("new"));
        assert_eq!(password(None, None), None);
    }
}
