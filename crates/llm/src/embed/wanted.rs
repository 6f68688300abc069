//! What is to be embedded, in nobody's dialect: what callers' requests are read into and providers' are written from.

use std::borrow::Cow;

use crate::dialect::Dropped;

/// Texts, in their order, and what is to be known of all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted<'a> {
    pub(super) items: Vec<Item<'a>>,
    pub(super) dimensions: Option<u64>,
    pub(super) task: Option<Task<'a>>,
    pub(super) names: Names,
    /// Members that only the caller's dialect may know.
    pub(super) unheld: Vec<Box<str>>,
}

/// What the caller calls things, for what is said of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) texts: &'static str,
    pub(super) dimensions: &'static str,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) title: Option<Cow<'a, str>>,
}

/// What the vectors are for, in the words of those who named it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Task<'a> {
    /// `search_query`, a member that callers of OpenAI's dialect send besides.
    Cohere(Cow<'a, str>),
    /// `RETRIEVAL_QUERY`.
    Google(Cow<'a, str>),
}

/// The words that have a meaning at both.
const WORDS: [(&str, &str); 4] = [
    ("search_query", "RETRIEVAL_QUERY"),
    ("search_document", "RETRIEVAL_DOCUMENT"),
    ("classification", "CLASSIFICATION"),
    ("clustering", "CLUSTERING"),
];

impl Wanted<'_> {
    /// How many vectors there have to be.
    pub fn count(&self) -> usize {
        self.items.len()
    }

    pub(super) fn has_titles(&self) -> bool {
        self.items.iter().any(|item| item.title.is_some())
    }

    /// What no provider but the caller's own could take.
    pub(super) fn dropped(&self) -> Dropped {
        let mut dropped = Dropped::default();
        for name in &self.unheld {
            dropped.add(name);
        }
        dropped
    }
}

impl Task<'_> {
    /// What the caller calls it.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Cohere(_) => "input_type",
            Self::Google(_) => "taskType",
        }
    }

    pub(super) fn for_cohere(&self) -> Option<&str> {
        match self {
            Self::Cohere(word) => Some(word),
            Self::Google(word) => WORDS
                .iter()
                .find(|(_, google)| google == word)
                .map(|(cohere, _)| *cohere),
        }
    }

    pub(super) fn for_google(&self) -> Option<&str> {
        match self {
            Self::Google(word) => Some(word),
            Self::Cohere(word) => WORDS
                .iter()
                .find(|(cohere, _)| cohere == word)
                .map(|(_, google)| *google),
        }
    }
}
