//! Keys of AWS: a credential's own, or temporary ones of a role, from the Security Token Service.

use chrono::{DateTime, Utc};
use gatewright_contract::{AwsIdentity, BaseUrl, Secret};
use gatewright_llm::sigv4;
use gatewright_types::Region;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::endpoint::Endpoint;
use super::{Granted, IdentityError};

/// How long a role is taken on for. An hour is what every role allows, even when one role takes on another.
const SECONDS: &str = "3600";
/// Seen in the account's audit log.
const SESSION: &str = "gatewright";

/// What signs a call.
#[derive(Debug, Clone)]
pub(crate) struct AwsKeys {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
}

/// A role that is to be taken on.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) own: AwsKeys,
    pub(super) role: String,
    pub(super) region: Region,
    /// Instead of the region's own address.
    pub(super) url: Option<BaseUrl>,
}

impl AwsKeys {
    pub(super) fn own(identity: &AwsIdentity) -> Self {
        Self {
            access_key_id: identity.access_key_id.clone(),
            secret_access_key: identity.secret_access_key.clone(),
            session_token: identity.session_token.clone(),
        }
    }

    pub(crate) fn for_signing(&self) -> sigv4::Credentials<'_> {
        sigv4::Credentials {
            access_key_id: &self.access_key_id,
            secret_access_key: self.secret_access_key.expose(),
            session_token: self.session_token.as_ref().map(Secret::expose),
        }
    }
}

impl Asked {
    pub(super) async fn assume_role(self, endpoint: Endpoint) -> Result<Granted<AwsKeys>, IdentityError> {
        let at = Utc::now();
        let base = match &self.url {
            Some(url) => url.clone(),
            None => usual_address(&self.region).parse()?,
        };
        let form = serde_urlencoded::to_string([
            ("Action", "AssumeRole"),
            ("Version", "2011-06-15"),
            ("RoleArn", self.role.as_str()),
            ("RoleSessionName", SESSION),
            ("DurationSeconds", SECONDS),
        ])
        .map_err(|_| IdentityError::Malformed)?;
        let headers = self.signature(&base, &form, at)?;
        let body = endpoint.post(&base, "/", form, headers, refusal).await?;
        let text = std::str::from_utf8(&body).map_err(|_| IdentityError::Malformed)?;
        let part = |name| element(text, name).ok_or(IdentityError::Malformed);
        let expires_at = DateTime::parse_from_rfc3339(part("Expiration")?).map_err(|_| IdentityError::Malformed)?;
        let value = AwsKeys {
            access_key_id: part("AccessKeyId")?.to_owned(),
            secret_access_key: Secret::new(part("SecretAccessKey")?.to_owned()),
            session_token: Some(Secret::new(part("SessionToken")?.to_owned())),
        };
        Ok(Granted {
            value,
            at,
            expires_at: expires_at.to_utc(),
        })
    }

    fn signature(&self, base: &BaseUrl, form: &str, at: DateTime<Utc>) -> Result<HeaderMap, IdentityError> {
        let url = url::Url::parse(&base.join("/")).map_err(|_| IdentityError::Malformed)?;
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let request = sigv4::Request {
            method: "POST",
            host: &host,
            path: url.path(),
            query: "",
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body_hash: &sigv4::body_hash(form.as_bytes()),
            region: self.region.as_str(),
            service: "sts",
        };
        let mut headers = HeaderMap::new();
        for header in sigv4::sign(&request, &self.own.for_signing(), at) {
            let mut value = HeaderValue::from_str(&header.value).map_err(|_| IdentityError::Malformed)?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(header.name), value);
        }
        Ok(headers)
    }
}

fn usual_address(region: &Region) -> String {
    let end = if region.as_str().starts_with("cn-") { ".cn" } else { "" };
    format!("https://sts.{region}.amazonaws.com{end}")
}

fn refusal(body: &[u8]) -> Option<String> {
    element(std::str::from_utf8(body).ok()?, "Code").map(str::to_owned)
}

/// The text of the first element with the name. What is looked for holds no markup: ids, base64 and a time.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, after) = text.split_once(&format!("<{name}>"))?;
    let (inside, _) = after.split_once(&format!("</{name}>"))?;
    Some(inside.trim())
}
