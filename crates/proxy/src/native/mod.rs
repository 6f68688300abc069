//! A provider's own addresses, byte for byte: the caller is known by our key and the provider by its own credential, and
//! between them nothing is changed. What is asked and used is read off the bytes going by.

mod address;
mod ask;
mod headers;
mod incoming;
mod permit;
mod relay;
mod reply;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use gatewright_contract::{Caller, Credential, Provider, UpstreamTarget};
use gatewright_llm::dialect::PathFacts;
use gatewright_llm::{BadRequest, Family, Named, Native, Request};
use gatewright_routing::REGION;
use gatewright_types::api::{CredentialKind, Dialect, NativeDialect};

use crate::fault::Wished;
use crate::gateway::Gateway;
use crate::limits;
use crate::pipeline::Admitted;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(crate) use address::Tail;
use incoming::Body;
pub(crate) use incoming::{Incoming, Streamed};
pub(crate) use relay::{Broken, NativeRelay};
pub(crate) use reply::{NativeAnswer, NativeBody};

/// What a caller asks of a provider, as it came.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: http::Method,
    /// The provider's name, as far as it could be read.
    pub(crate) provider: &'a str,
    pub(crate) tail: Tail<'a>,
    pub(crate) headers: http::HeaderMap,
    /// What the caller showed to us, and nobody else is to see.
    pub(crate) secret: &'a [u8],
}

/// What goes back to the caller.
pub(crate) enum NativeReply {
    Refused(Reply),
    Answered(Box<NativeAnswer>),
}

/// What is known of a request that goes to a provider's own address.
#[derive(Debug, Clone)]
pub(crate) struct Sighted {
    pub(crate) provider: Arc<Provider>,
    pub(crate) native: Native,
    /// What was asked, for the case that nobody says how much it was: all of it, or the beginning of what is passed on as it
    /// comes.
    pub(crate) body: Bytes,
    /// What is not in it, as far as that is known.
    pub(crate) unseen_bytes: usize,
    /// The same as it is read here, where it is in a dialect of ours.
    pub(crate) request: Option<Request>,
    /// The model that answers, as far as it can be told.
    pub(crate) target: Option<UpstreamTarget>,
}

/// The stages after the first one. Never fails: a refusal is a reply, too.
pub(crate) async fn run(gateway: &Gateway, admitted: Admitted, asked: Asked<'_>, body: Incoming) -> NativeReply {
    let Admitted { caller, mut record } = admitted;
    match stages(gateway, &caller, asked, body, &mut record).await {
        Ok(answer) => NativeReply::Answered(Box::new(answer.finish(gateway, record).await)),
        Err(refusal) => NativeReply::Refused(Reply::refusal(&refusal, record)),
    }
}

async fn stages(
    gateway: &Gateway,
    caller: &Caller,
    asked: Asked<'_>,
    body: Incoming,
    record: &mut Record,
) -> Result<ask::Answer, Refusal> {
    let Some(provider) = caller.tenant.providers.get(asked.provider) else {
        return Err(Refusal::ProviderNotFound);
    };
    record.speaks(Family::of(provider.kind).dialect());
    let Some(base_url) = &provider.base_url else {
        let message = "this provider is played by the gateway itself and has no addresses of its own";
        return Err(Refusal::BadRequest(BadRequest::new(message)));
    };
    let fault = asked
        .headers
        .get(Wished::HEADER)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    if Wished::read(fault.as_deref(), &caller.key)?.is_some() {
        let message = "x-gw-fault: nothing is spoilt at a provider's own address; ask at one of /v1";
        return Err(Refusal::BadRequest(BadRequest::new(message)));
    }
    let address = asked.tail.below(base_url, asked.secret).map_err(Refusal::BadRequest)?;
    let headers = headers::sent(&asked.headers, asked.secret);
    // Only now: who is refused for an address has not sent a body for nothing.
    let look = |body: &[u8]| Native::of(provider.kind, asked.method.as_str(), address.path(), body);
    let body = match may_flow(caller, provider, &look(b"")) {
        true => body.begun().await?,
        false => Body::Whole(body.whole().await?),
    };
    let native = look(body.seen());
    match native.purpose.map(|purpose| purpose.dialect()) {
        Some(Some(dialect)) => record.spoken(dialect),
        // Tokens are counted: as the family speaks.
        Some(None) => {}
        None => record.spoken(Dialect::Native(NativeDialect::Unknown)),
    }
    let sighted = Sighted {
        provider: provider.clone(),
        target: target(caller, provider, &native),
        request: request(&native, body.seen()),
        native,
        body: body.seen().clone(),
        unseen_bytes: body.unseen_bytes(),
    };
    permit::check(caller, &sighted, &gateway.catalog(), Utc::now())?;
    record.sighted(&sighted);
    check_region(&asked.headers, &sighted)?;
    let told = asked
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    limits::enter_natively(gateway, caller, &told.collect(), &sighted, record).await?;
    let asking = ask::Asking {
        sighted,
        base_url,
        method: asked.method,
        address,
        headers,
        body,
    };
    asking.ask(gateway, record).await
}

/// Whether nothing of a body has to be known before it goes on: neither is it priced by what it says, nor does the key reach
/// some models only, nor is it signed.
fn may_flow(caller: &Caller, provider: &Provider, native: &Native) -> bool {
    let signs = |credential: &Credential| credential.kind == CredentialKind::Aws;
    native.purpose.is_none() && caller.key.models.is_none() && !provider.credentials.iter().any(signs)
}

/// What is asked, where it is in a dialect that callers speak to us. One that cannot be read is its provider's to refuse.
fn request(native: &Native, body: &Bytes) -> Option<Request> {
    let (dialect, Named::Once(model)) = (native.purpose?.dialect()?, &native.named) else {
        return None;
    };
    let path = PathFacts {
        model: Some(model),
        stream: native.stream,
    };
    let is_ours = !matches!(dialect, Dialect::Native(_));
    is_ours
        .then(|| Request::parse(dialect, body.clone(), path).ok())
        .flatten()
}

/// Nothing of a request that is bound to a region gets out of it.
fn check_region(headers: &http::HeaderMap, sighted: &Sighted) -> Result<(), Refusal> {
    let Some(region) = headers.get(REGION) else {
        return Ok(());
    };
    let region = String::from_utf8_lossy(region.as_bytes()).trim().to_ascii_lowercase();
    let is_there = match &sighted.target {
        Some(target) => target.resides_in(&region),
        None => sighted.provider.resides_in(&region),
    };
    match is_there || region.is_empty() {
        true => Ok(()),
        false => Err(Refusal::ProviderElsewhere { region }),
    }
}

/// What an answer is priced as. Of an address whose use is not known the price is not known either.
fn target(caller: &Caller, provider: &Arc<Provider>, native: &Native) -> Option<UpstreamTarget> {
    native.purpose?;
    let Named::Once(name) = &native.named else { return None };
    let model = provider.model_of(name.strip_prefix("models/").unwrap_or(name));
    Some(caller.tenant.target(provider, model.parse().ok()?))
}
