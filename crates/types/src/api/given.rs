//! Fields of changes that tell nothing from what is left out.

use serde::{Deserialize, Deserializer};

/// Something that is there, if only to say that there is nothing.
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
