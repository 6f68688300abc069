//! One vector in its two notations: a list of numbers, and the base64 of its little-endian 32-bit floats.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::json::{Kind, Value};

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    #[default]
    Float,
    Base64,
}

impl Encoding {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Base64 => "base64",
        }
    }
}

pub(super) fn to_base64(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    BASE64_STANDARD.encode(bytes)
}

/// Reads either notation; `None` when it is neither, or a number is none that JSON can write.
pub(super) fn read(value: &Value<'_>) -> Option<Vec<f32>> {
    let vector = match value.kind {
        Kind::String => from_base64(&value.string()?)?,
        Kind::Array => value
            .elements()
            .map(|number| read_number(&number))
            .collect::<Option<_>>()?,
        Kind::Object | Kind::Number | Kind::True | Kind::False | Kind::Null => return None,
    };
    vector.iter().all(|number| number.is_finite()).then_some(vector)
}

fn from_base64(text: &str) -> Option<Vec<f32>> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    rest.is_empty()
        .then(|| numbers.iter().copied().map(f32::from_le_bytes).collect())
}

/// Straight to 32 bits: by way of 64 bits it would be rounded twice.
fn read_number(value: &Value<'_>) -> Option<f32> {
    if value.kind != Kind::Number {
        return None;
    }
    std::str::from_utf8(value.text).ok()?.parse().ok()
}
