//! Signatures in the one slot that Gemini's dialect has for them. The slot holds bytes in base64, and Google's SDK
//! decodes and encodes it again, so that what is not Google's own has to be base64 as well, of a text that names its maker.

use std::borrow::Cow;

use super::base64;
use crate::chat::{Maker, Signature};

/// What a history carries in place of a signature when the call was not Gemini's: newer models refuse calls without one.
/// See <https://ai.google.dev/gemini-api/docs/thought-signatures>.
pub(super) const PLACEHOLDER: &str = "skip_thought_signature_validator";

pub(super) fn write(signature: &Signature) -> Cow<'_, str> {
    match signature.tagged(Maker::Gemini) {
        Cow::Borrowed(native) => Cow::Borrowed(native),
        Cow::Owned(foreign) => Cow::Owned(base64::encode(foreign.as_bytes())),
    }
}

/// Only what Google can read.
pub(super) fn native(signature: Option<&Signature>) -> Option<Cow<'_, str>> {
    let native = signature.filter(|signature| signature.maker == Maker::Gemini);
    native.map(|signature| Cow::Borrowed(&*signature.text))
}

pub(super) fn read(text: &str) -> Signature {
    let tagged = base64::decode(text).and_then(|bytes| String::from_utf8(bytes).ok());
    let foreign = tagged
        .map(|tagged| Signature::untagged(&tagged, Maker::Gemini))
        .filter(|signature| signature.maker != Maker::Gemini);
    foreign.unwrap_or_else(|| of_gemini(text))
}

pub(super) fn of_gemini(text: &str) -> Signature {
    Signature {
        maker: Maker::Gemini,
        text: text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_signature_comes_back_through_bytes() {
        let signature = Signature {
            maker: Maker::Anthropic,
            text: "EqoBCkgIARABGAIiQL+/=:=".into(),
        };

        let written = write(&signature);
        let bytes = base64::decode(&written).expect("base64");

        assert_eq!(read(&base64::encode(&bytes)), signature);
        assert_eq!(native(Some(&signature)), None);
    }

    #[test]
    fn geminis_own_signature_stays_as_it_is() {
        for text in ["CkQB-_A=", PLACEHOLDER, "not base64!", ""] {
            let signature = read(text);

            assert_eq!((signature.maker, &*write(&signature)), (Maker::Gemini, text));
        }
    }
}
