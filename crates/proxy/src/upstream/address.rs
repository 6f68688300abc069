//! Name resolution that gives only addresses providers may have: the connection goes to the very address that was
//! checked, so a name that changes its mind in between gains nothing.

use std::net::SocketAddr;

use gatewright_contract::AddressPolicy;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

#[derive(Debug, Clone)]
pub(super) struct CheckedResolver {
    policy: AddressPolicy,
    names: Names,
}

/// Who knows the addresses of names.
#[derive(Debug, Clone)]
enum Names {
    System,
    /// Each time it is asked, the next of these.
    #[cfg(test)]
    Scripted(std::sync::Arc<std::sync::Mutex<std::collections::VecDeque<Vec<SocketAddr>>>>),
}

/// No address is known of a name.
#[derive(Debug, thiserror::Error)]
#[error("the name cannot be resolved")]
pub(super) struct Unresolved(#[source] std::io::Error);

impl CheckedResolver {
    pub(super) fn new(policy: AddressPolicy) -> Self {
        Self {
            policy,
            names: Names::System,
        }
    }

    #[cfg(test)]
    pub(super) fn scripted(policy: AddressPolicy, answers: impl IntoIterator<Item = Vec<SocketAddr>>) -> Self {
        let answers = answers.into_iter().collect();
        Self {
            policy,
            names: Names::Scripted(std::sync::Arc::new(std::sync::Mutex::new(answers))),
        }
    }
}

impl Names {
    async fn find(&self, name: &str) -> Result<Vec<SocketAddr>, Unresolved> {
        match self {
            Self::System => {
                let found = tokio::net::lookup_host((name, 0)).await.map_err(Unresolved)?;
                Ok(found.collect())
            }
            #[cfg(test)]
            Self::Scripted(answers) => {
                let next = answers.lock().expect("a lock").pop_front();
                next.ok_or_else(|| Unresolved(std::io::ErrorKind::NotFound.into()))
            }
        }
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { policy, names } = self.clone();
        Box::pin(async move {
            let found = names.find(name.as_str()).await?;
            let mut refused = None;
            let mut allowed = Vec::new();
            for address in found {
                match policy.check(address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(error) => refused = Some(error),
                }
            }
            match (allowed.is_empty(), refused) {
                (true, Some(error)) => Err(error.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send> as Addrs),
            }
        })
    }
}
