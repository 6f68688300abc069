//! What a node of a route can be, with the words for it.

use gatewright_types::api::{Affinity, Route};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    Target,
    Fallback,
    Weighted,
    RoundRobin,
    LeastBusy,
    Fastest,
    Cheapest,
    LowestUsage,
    Sticky,
    When,
    Task,
    Canary,
}

impl Strategy {
    pub(crate) const ALL: [Self; 12] = [
        Self::Target,
        Self::Fallback,
        Self::Weighted,
        Self::RoundRobin,
        Self::LeastBusy,
        Self::Fastest,
        Self::Cheapest,
        Self::LowestUsage,
        Self::Sticky,
        Self::When,
        Self::Task,
        Self::Canary,
    ];

    pub(crate) const fn of(route: &Route) -> Self {
        match route {
            Route::Target(_) => Self::Target,
            Route::Fallback(_) => Self::Fallback,
            Route::Weighted(_) => Self::Weighted,
            Route::RoundRobin(_) => Self::RoundRobin,
            Route::LeastBusy(_) => Self::LeastBusy,
            Route::Fastest(_) => Self::Fastest,
            Route::Cheapest(_) => Self::Cheapest,
            Route::LowestUsage(_) => Self::LowestUsage,
            Route::Sticky(_) => Self::Sticky,
            Route::When { .. } => Self::When,
            Route::Task { .. } => Self::Task,
            Route::Canary(_) => Self::Canary,
        }
    }

    /// As routes are written.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Fallback => "fallback",
            Self::Weighted => "weighted",
            Self::RoundRobin => "round_robin",
            Self::LeastBusy => "least_busy",
            Self::Fastest => "fastest",
            Self::Cheapest => "cheapest",
            Self::LowestUsage => "lowest_usage",
            Self::Sticky => "sticky",
            Self::When => "when",
            Self::Task => "task",
            Self::Canary => "canary",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.word() == word)
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Target => "Target",
            Self::Fallback => "Fallback",
            Self::Weighted => "Weighted",
            Self::RoundRobin => "Round robin",
            Self::LeastBusy => "Least busy",
            Self::Fastest => "Fastest",
            Self::Cheapest => "Cheapest",
            Self::LowestUsage => "Lowest usage",
            Self::Sticky => "Sticky",
            Self::When => "When",
            Self::Task => "By task",
            Self::Canary => "Canary",
        }
    }

    /// What it does, in a few words.
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::Target => "A provider's model",
            Self::Fallback => "One after the other, as they fail",
            Self::Weighted => "At random, by weight",
            Self::RoundRobin => "In turn",
            Self::LeastBusy => "The fewest requests under way",
            Self::Fastest => "The faster of two picked at random",
            Self::Cheapest => "The lowest expected cost",
            Self::LowestUsage => "The fewest tokens in a minute",
            Self::Sticky => "The same for the same caller",
            Self::When => "The first condition that holds",
            Self::Task => "By the task a request names",
            Self::Canary => "A small part tries a candidate",
        }
    }

    /// Whether the last branch can be the one for everything else.
    pub(crate) const fn has_otherwise(self) -> bool {
        matches!(self, Self::When | Self::Task)
    }

    /// By what a request is recognised where nothing is said.
    pub(crate) fn usual_affinity(self) -> Vec<Affinity> {
        match self {
            Self::Canary => vec![Affinity::Session, Affinity::User, Affinity::Key],
            _ => vec![Affinity::Session, Affinity::User, Affinity::Prefix],
        }
    }
}
