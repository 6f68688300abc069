//! Checked names. The same parsers run in the browser next to the field and in the server behind it.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not a name of the expected kind; reads as the rest of a sentence about the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameError(&'static str);

impl NameError {
    pub(crate) const fn new(message: &'static str) -> Self {
        Self(message)
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NameError {}

/// Makes checked texts. Used by one other file; paths are whole so that it need not import them.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($check:path, $longest:literal);)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::name::NameError;

            fn from_str(text: &str) -> Result<Self, $crate::name::NameError> {
                $check(text).map(|()| Self(text.into()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": $longest })
            }
        }
    )+};
}

pub(crate) use names;

names! {
    /// A short name that fits in an address: organizations and providers.
    Slug(check_slug, 63);
    /// A name for people: teams, keys, tokens, organizations' titles.
    DisplayName(check_display_name, 80);
    /// What a caller writes in `model`.
    ModelName(check_model_name, 128);
    /// What the provider calls a model.
    UpstreamModel(check_upstream_model, 256);
    /// An e-mail address in lower case.
    Email(check_email, 254);
}

fn check_slug(text: &str) -> Result<(), NameError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() || text.len() > 63 {
        return Err(NameError("must have 1 to 63 characters"));
    }
    if !text.bytes().all(allowed) {
        return Err(NameError("may hold only lower-case letters, digits and hyphens"));
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err(NameError("must not start or end with a hyphen"));
    }
    Ok(())
}

fn check_display_name(text: &str) -> Result<(), NameError> {
    if text.is_empty() || text.chars().count() > 80 {
        return Err(NameError("must have 1 to 80 characters"));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(NameError(
            "must not hold control characters or start or end with a space",
        ));
    }
    Ok(())
}

fn check_model_text(text: &str, longest: usize) -> Result<(), NameError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:/@+-".contains(&b);
    if text.is_empty() || text.len() > longest {
        return Err(NameError("is empty or too long"));
    }
    if !text.bytes().all(allowed) {
        return Err(NameError("may hold only letters, digits and . _ : / @ + -"));
    }
    if text
        .split('/')
        .any(|segment| segment.is_empty() || segment == "." || segment == "..")
    {
        return Err(NameError("must not hold empty, '.' or '..' segments"));
    }
    Ok(())
}

fn check_model_name(text: &str) -> Result<(), NameError> {
    check_model_text(text, 128)
}

fn check_upstream_model(text: &str) -> Result<(), NameError> {
    check_model_text(text, 256)
}

fn check_email(text: &str) -> Result<(), NameError> {
    let wrong = NameError("must be an e-mail address in lower case");
    let (local, domain) = text.rsplit_once('@').ok_or(wrong)?;
    let plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '@');
    let lower = !text.chars().any(char::is_uppercase);
    if text.len() > 254 || !plain(local) || !plain(domain) || !lower || domain.starts_with('.') || domain.ends_with('.')
    {
        return Err(wrong);
    }
    Ok(())
}

/// Where a request goes: a provider of the organization and the model's name there, written `provider/model`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    pub provider: Slug,
    pub model: UpstreamModel,
}

impl FromStr for Target {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (provider, model) = text
            .split_once('/')
            .ok_or(NameError("must be written provider/model"))?;
        Ok(Self {
            provider: provider.parse()?,
            model: model.parse()?,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Target {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Target".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "provider/model", "pattern": "^[a-z0-9-]+/.+$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_tricks_are_no_model_names() {
        for text in [
            "", "../admin", "a//b", "a/./b", "gpt?x=1", "gpt#x", "gpt%2f", "gpt 4", "a\\b", "é", "/a", "a/",
        ] {
            assert!(text.parse::<ModelName>().is_err(), "{text:?}");
        }
        for text in [
            "gpt-4o",
            "meta-llama/Llama-3.3-70B",
            "anthropic.claude-sonnet-4-5-v1:0",
            "a@b+c_d",
        ] {
            assert!(text.parse::<ModelName>().is_ok(), "{text:?}");
        }
    }

    #[test]
    fn a_target_splits_at_the_first_slash() {
        let target: Target = "together/meta-llama/Llama-3".parse().expect("a target");

        assert_eq!(
            (target.provider.as_str(), target.model.as_str()),
            ("together", "meta-llama/Llama-3")
        );
        assert!("gpt-4o".parse::<Target>().is_err());
    }

    #[test]
    fn emails_and_slugs_are_checked() {
        assert!("ada@example.com".parse::<Email>().is_ok());
        for text in [
            "ada",
            "@example.com",
            "ada@",
            "Ada@example.com",
            "a b@example.com",
            "a@b@c",
        ] {
            assert!(text.parse::<Email>().is_err(), "{text:?}");
        }
        for text in ["", "-a", "a-", "A", "a_b", "a/b"] {
            assert!(text.parse::<Slug>().is_err(), "{text:?}");
        }
    }
}
