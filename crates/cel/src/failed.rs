//! Why an evaluation has no result.

/// A condition that fails is neither true nor false. Who asked decides what that means; for a rule of a route it means
/// that the rule does not match, and the trace of the request says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    #[error("it takes more than {} steps", crate::limits::STEPS)]
    Cost,
    /// A name without a value in this request, a key that is not in its map, a place that is not in its list.
    #[error("`{0}` is missing")]
    Missing(Box<str>),
    #[error("{0}")]
    Type(Box<str>),
    #[error("{0}")]
    Range(Box<str>),
    /// A value that a conversion cannot read.
    #[error("{0}")]
    Conversion(Box<str>),
}

impl Failed {
    pub(crate) fn types(message: impl Into<Box<str>>) -> Self {
        Self::Type(message.into())
    }

    pub(crate) fn range(message: impl Into<Box<str>>) -> Self {
        Self::Range(message.into())
    }

    pub(crate) fn conversion(message: impl Into<Box<str>>) -> Self {
        Self::Conversion(message.into())
    }
}
