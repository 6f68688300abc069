//! A provider's network on its way in: completed with the secrets that stay, checked, and sealed.

use gatewright_contract::{
    Egress, Keyring, NetworkUnit, OpenedNetwork, network_problems, open_network, proxy_url, same_network, seal_network,
    with_kept_secrets,
};
use gatewright_types::ProviderId;
use serde_json::{Value, json};

use crate::check::FieldProblem;

/// What networks are checked and sealed with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) keyring: &'a Keyring,
    pub(crate) egress: &'a Egress,
}

impl Means<'_> {
    /// The network as it is stored, or all that is wrong with it. What does not change stays as it was sealed.
    pub(crate) fn accept(
        self,
        provider: ProviderId,
        given: OpenedNetwork,
        before: Option<&NetworkUnit>,
    ) -> Result<NetworkUnit, Vec<FieldProblem>> {
        // A secret that no master key opens is worth nothing, and has to be given again.
        let opened = before.and_then(|unit| open_network(self.keyring, provider, unit).ok());
        let whole = with_kept_secrets(given, opened.as_ref());
        let mut wrong = network_problems(&whole);
        let proxy = whole.proxy.as_ref().and_then(|proxy| proxy_url(&proxy.url).ok());
        if let Some(Err(error)) = proxy.map(|url| self.egress.check(&url)) {
            wrong.push(("network.proxy.url", error.to_string()));
        }
        if !wrong.is_empty() {
            let problem = |(path, message): (&'static str, String)| FieldProblem {
                path: path.to_owned(),
                message,
            };
            return Err(wrong.into_iter().map(problem).collect());
        }
        match (before, opened) {
            (Some(before), Some(opened)) if same_network(&opened, &whole) => Ok(before.clone()),
            _ => Ok(seal_network(self.keyring, provider, &whole)),
        }
    }
}

/// A network as the audit log tells it.
pub(crate) fn told(network: Option<&NetworkUnit>) -> Value {
    let Some(network) = network else { return Value::Null };
    json!({
        "proxy": network.proxy.as_ref().map(|proxy| &proxy.url),
        "ca": network.ca.is_some(),
        "client_certificate": network.client_certificate.is_some(),
    })
}
