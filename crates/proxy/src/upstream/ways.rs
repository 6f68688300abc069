//! The clients that calls go out with. Providers that are called straight share one for each connect time-out; one with a
//! network of its own has clients of its own, built once for as long as that network stays as it is.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use gatewright_contract::{
    AddressPolicy, DestinationError, Egress, Keyring, NetworkUnit, OpenedNetwork, Provider, open_network, proxy_url,
};
use gatewright_llm::{Failure, FailureKind};
use gatewright_types::ProviderId;
use url::Url;

use super::address::CheckedResolver;
use super::connection_failure;
use crate::call::failure_of;

/// Where nobody sets another connect time-out.
const USUAL_CONNECT: Duration = Duration::from_secs(5);
/// Models may set their own connect time-out; each distinct one needs a client.
const MOST_CLIENTS: usize = 16;
/// Clients of providers with networks of their own are forgotten all together when there are more such providers.
const MOST_NETWORKS: usize = 1_000;

#[derive(Debug)]
pub(super) struct Ways {
    egress: Egress,
    keyring: Keyring,
    straight: RwLock<HashMap<Duration, reqwest::Client>>,
    own: RwLock<HashMap<ProviderId, Own>>,
}

/// The clients of one provider with a network of its own.
#[derive(Debug)]
struct Own {
    network: Arc<NetworkUnit>,
    clients: HashMap<Duration, reqwest::Client>,
}

/// How a call goes out.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) client: reqwest::Client,
    through_proxy: bool,
}

/// Whose network it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) provider: ProviderId,
    pub(super) network: &'a Arc<NetworkUnit>,
}

impl<'a> Whose<'a> {
    /// Nothing for a provider that is called straight.
    pub(super) fn of(provider: &'a Provider) -> Option<Self> {
        let network = provider.network.as_ref()?;
        Some(Self {
            provider: provider.id,
            network,
        })
    }
}

impl Ways {
    /// Fails where no client can be made at all.
    pub(super) fn new(egress: Egress, keyring: Keyring) -> reqwest::Result<Self> {
        let usual = straight(USUAL_CONNECT, egress.addresses).build()?;
        Ok(Self {
            egress,
            keyring,
            straight: RwLock::new(HashMap::from([(USUAL_CONNECT, usual)])),
            own: RwLock::default(),
        })
    }

    pub(super) fn egress(&self) -> &Egress {
        &self.egress
    }

    pub(super) fn way(&self, network: Option<Whose<'_>>, connect: Duration) -> Result<Way, Failure> {
        let client = match network {
            None => self.straight(connect)?,
            Some(whose) => self.own(whose, connect)?,
        };
        Ok(Way {
            client,
            through_proxy: network.is_some_and(|whose| whose.network.proxy.is_some()),
        })
    }

    /// A client that goes straight to where it is sent.
    pub(super) fn straight(&self, connect: Duration) -> Result<reqwest::Client, Failure> {
        let clients = self.straight.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&connect) {
            return Ok(client.clone());
        }
        drop(clients);
        let mut clients = self.straight.write().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= MOST_CLIENTS {
            // Rather another model's connect time-out than connections without bound.
            if let Some(client) = clients.values().next() {
                return Ok(client.clone());
            }
        }
        let client = straight(connect, self.egress.addresses).build();
        let client = client.map_err(|error| not_built(&error.into()))?;
        clients.insert(connect, client.clone());
        Ok(client)
    }

    fn own(&self, whose: Whose<'_>, connect: Duration) -> Result<reqwest::Client, Failure> {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let known = own.get(&whose.provider).filter(|own| own.network == *whose.network);
        if let Some(client) = known.and_then(|own| own.clients.get(&connect)) {
            return Ok(client.clone());
        }
        drop(own);
        let opened = open_network(&self.keyring, whose.provider, whose.network)
            .map_err(|error| failure_of(FailureKind::Credential, format!("its network cannot be used: {error}")))?;
        self.check_proxy(&opened)
            .map_err(|error| connection_failure(format!("its proxy {error}")))?;
        let client = build(connect, self.egress.addresses, &opened).map_err(|error| not_built(&error))?;
        let mut all = self.own.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_NETWORKS && !all.contains_key(&whose.provider) {
            all.clear();
        }
        let own = all.entry(whose.provider).or_insert_with(|| Own::new(whose.network));
        if own.network != *whose.network {
            *own = Own::new(whose.network);
        }
        if own.clients.len() >= MOST_CLIENTS {
            own.clients.clear();
        }
        // Whoever was faster has made one that is in use already.
        Ok(own.clients.entry(connect).or_insert(client).clone())
    }

    fn check_proxy(&self, network: &OpenedNetwork) -> Result<(), DestinationError> {
        match &network.proxy {
            Some(proxy) => self.egress.check(&proxy.url.parse()?),
            None => Ok(()),
        }
    }
}

impl Own {
    fn new(network: &Arc<NetworkUnit>) -> Self {
        Self {
            network: network.clone(),
            clients: HashMap::new(),
        }
    }
}

impl Way {
    /// What a proxy is asked to reach is looked up here first, because the proxy would reach whatever it is asked for:
    /// every address of a name has to be one that providers may have. A name that cannot be looked up here is asked for
    /// only when whoever runs the installation has listed it.
    pub(super) async fn check(&self, egress: &Egress, target: &Url) -> Result<(), Failure> {
        if !self.through_proxy {
            return Ok(());
        }
        let Some(url::Host::Domain(name)) = target.host() else {
            return Ok(());
        };
        let port = target.port_or_known_default().unwrap_or(443);
        let found: Vec<_> = match tokio::net::lookup_host((name, port)).await {
            Ok(found) => found.collect(),
            Err(_) => Vec::new(),
        };
        if found.is_empty() && !egress.lists(name) {
            return Err(connection_failure(
                "its host cannot be looked up here, so nobody can tell what the proxy would reach: an operator has to \
                 list it in GATEWRIGHT_EGRESS_HOSTS"
                    .to_owned(),
            ));
        }
        let mut refused = found
            .iter()
            .filter_map(|address| egress.addresses.check(address.ip()).err());
        match refused.next() {
            Some(error) => Err(connection_failure(format!("its address {error}"))),
            None => Ok(()),
        }
    }

    /// A refusal that is the proxy's own and not the provider's.
    pub(super) fn refused_by_proxy(&self, status: u16) -> Option<Failure> {
        (self.through_proxy && status == 407)
            .then(|| connection_failure("its proxy asks for another user name or password".to_owned()))
    }
}

fn straight(connect: Duration, policy: AddressPolicy) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        // It would keep a copy of every request, and knows no body in pieces: `sending` does it.
        .retry(reqwest::retry::never())
        .dns_resolver(CheckedResolver::new(policy))
        .connect_timeout(connect)
        .pool_idle_timeout(Duration::from_secs(60))
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30))
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .no_proxy()
}

fn build(connect: Duration, policy: AddressPolicy, network: &OpenedNetwork) -> Result<reqwest::Client, BuildError> {
    let mut builder = straight(connect, policy);
    if let Some(proxy) = &network.proxy {
        let url = proxy_url(&proxy.url).map_err(BuildError::Proxy)?;
        let mut way = reqwest::Proxy::all(url.as_str())?;
        if let (Some(username), Some(password)) = (&proxy.username, &proxy.password) {
            way = way.basic_auth(username, password.expose());
        }
        builder = builder.proxy(way);
    }
    if let Some(ca) = &network.ca {
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(ca.as_bytes())?);
    }
    if let Some(own) = &network.client_certificate {
        let key = own.private_key.as_ref().map_or("", |key| key.expose());
        let both = zeroize::Zeroizing::new(format!("{}\n{key}", own.certificate));
        builder = builder.identity(reqwest::Identity::from_pem(both.as_bytes())?);
    }
    Ok(builder.build()?)
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
enum BuildError {
    #[error("the proxy's address {0}")]
    Proxy(String),
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

fn not_built(error: &BuildError) -> Failure {
    let told = match error {
        BuildError::Proxy(_) => error.to_string(),
        BuildError::Client(client) => super::failure(client).message,
    };
    connection_failure(format!("no client can be made for its network: {told}"))
}
