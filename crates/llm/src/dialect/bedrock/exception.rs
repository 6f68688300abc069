//! What the exceptions mean that Bedrock tells inside a stream, or under status 200.

use super::event_stream::Frame;
use crate::json::Members;
use crate::wire::ToldError;
use crate::{Failure, FailureKind};

/// The failure that a frame of type `exception` or `error` tells: the one is part of the API's model and has a payload,
/// the other comes from the servers in front of it and has headers only.
pub(super) fn read(frame: &Frame) -> Failure {
    let name = frame.header(":exception-type").or_else(|| frame.header(":error-code"));
    let message = message_of(&frame.payload).or_else(|| frame.header(":error-message").map(Into::into));
    failure(name, message.unwrap_or_default())
}

/// The message of an error body: Bedrock writes `message`, the servers in front of it `Message`.
pub(super) fn message_of(body: &[u8]) -> Option<String> {
    let mut message = None;
    let mut original = None;
    let mut members = Members::of_document(body).ok()?;
    while let Ok(Some(member)) = members.next_member() {
        match &*member.key {
            b"message" | b"Message" => message = member.value.string().or(message),
            // What the model's own server said, when a stream of it broke.
            b"originalMessage" => original = member.value.string(),
            _ => {}
        }
    }
    let told = message.filter(|message| !message.is_empty()).or(original)?;
    Some(told.into_owned())
}

pub(super) fn failure(name: Option<&str>, message: String) -> Failure {
    let told = ToldError {
        message,
        kind: name.map(Into::into),
        ..ToldError::default()
    };
    Failure {
        kind: name.and_then(kind_of).unwrap_or(FailureKind::ErrorEvent),
        ..Failure::told(&told)
    }
}

/// What an exception of this name means, where that is known.
pub(crate) fn kind_of(name: &str) -> Option<FailureKind> {
    // Names begin with a small letter as types of frames and with a capital everywhere else.
    let kind = match name.to_ascii_lowercase().as_str() {
        "throttlingexception" => FailureKind::RateLimited,
        "validationexception" => FailureKind::BadRequest,
        "modeltimeoutexception" => FailureKind::Timeout,
        "serviceunavailableexception" | "modelnotreadyexception" => FailureKind::Overloaded,
        "internalserverexception" | "modelstreamerrorexception" | "modelerrorexception" | "internalfailure" => {
            FailureKind::Server
        }
        "accessdeniedexception" | "unrecognizedclientexception" => FailureKind::Credential,
        "resourcenotfoundexception" => FailureKind::NotFound,
        _ => return None,
    };
    Some(kind)
}
