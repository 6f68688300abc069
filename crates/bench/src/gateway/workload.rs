//! The workloads: what is asked for, by how many at once, how often.

use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use crate::installation::{CACHED_MODEL, Caps, MODEL, TRANSLATED_MODEL};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Workload {
    /// Chat of 1 kB, closed loop
    #[value(name = "chat-1k")]
    #[serde(rename = "chat-1k")]
    Chat1k,
    /// Chat of 32 kB, closed loop
    #[value(name = "chat-32k")]
    #[serde(rename = "chat-32k")]
    Chat32k,
    /// Stream of 100 chunks, 5 ms apart
    Stream,
    /// Stream of 100 chunks as fast as they go
    Burst,
    /// Chat of 1 kB, 1,000 a second whatever the answers do
    Rate,
    /// Chat of 1 kB, the upstream speaks another dialect
    #[value(name = "translated-1k")]
    #[serde(rename = "translated-1k")]
    Translated1k,
    /// Chat of 32 kB, the upstream speaks another dialect
    #[value(name = "translated-32k")]
    #[serde(rename = "translated-32k")]
    Translated32k,
    /// Stream of 100 chunks, 5 ms apart, the upstream speaks another dialect
    TranslatedStream,
    /// Chat of 1 kB that is answered from the cache, closed loop
    #[value(name = "cached-1k")]
    #[serde(rename = "cached-1k")]
    Cached1k,
    /// The same, 1,000 a second whatever the answers do
    CachedRate,
    /// Stream of 100 chunks that is answered from the cache
    CachedStream,
    /// Chat of 1 kB that meets 5 limits and 5 budgets, closed loop
    #[value(name = "capped-5")]
    #[serde(rename = "capped-5")]
    Capped5,
    /// Chat of 1 kB that meets 20 limits and 20 budgets, closed loop
    #[value(name = "capped-20")]
    #[serde(rename = "capped-20")]
    Capped20,
    /// Chat of 1 kB that meets 5 limits and 5 budgets, 1,000 a second whatever the answers do
    CappedRate,
    /// Memory for each of 1,000 streams that are open at once
    Open,
    /// The same, the upstream speaks another dialect
    OpenTranslated,
}

/// What the load generator is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) model: &'static str,
    pub(crate) connections: u32,
    pub(crate) size: u32,
    pub(crate) requests: u32,
    pub(crate) chunks: Option<u32>,
    pub(crate) pause_ms: u32,
    pub(crate) rate: Option<u32>,
}

/// How much of a workload is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    Whole,
    Hundredth,
}

const CHAT: Plan = Plan {
    model: MODEL,
    connections: 64,
    size: 1024,
    requests: 20_000,
    chunks: None,
    pause_ms: 0,
    rate: None,
};
const BURST: Plan = Plan {
    requests: 2_000,
    chunks: Some(100),
    ..CHAT
};

const STREAM: Plan = Plan {
    requests: 600,
    pause_ms: 5,
    ..BURST
};
/// Long enough to be looked at in the middle, when all are open and none is at its end.
const OPEN: Plan = Plan {
    connections: 1_000,
    requests: 1_000,
    chunks: Some(10),
    pause_ms: 1_000,
    ..CHAT
};

/// What each target does before it is measured.
pub(crate) const WARM_UPS: [Plan; 2] = [
    Plan {
        requests: 3_000,
        ..CHAT
    },
    Plan { requests: 200, ..BURST },
];

impl Workload {
    pub(crate) const ALL: [Self; 16] = [
        Self::Chat1k,
        Self::Chat32k,
        Self::Stream,
        Self::Burst,
        Self::Rate,
        Self::Translated1k,
        Self::Translated32k,
        Self::TranslatedStream,
        Self::Cached1k,
        Self::CachedRate,
        Self::CachedStream,
        Self::Capped5,
        Self::Capped20,
        Self::CappedRate,
        Self::Open,
        Self::OpenTranslated,
    ];

    pub(crate) const fn plan(self) -> Plan {
        match self {
            Self::Chat1k => CHAT,
            Self::Chat32k => Plan {
                size: 32 * 1024,
                ..CHAT
            },
            Self::Stream => STREAM,
            Self::Translated1k => Self::Chat1k.plan().translated(),
            Self::Translated32k => Self::Chat32k.plan().translated(),
            Self::TranslatedStream => STREAM.translated(),
            Self::Cached1k => Self::Chat1k.plan().cached(),
            Self::CachedRate => Self::Rate.plan().cached(),
            Self::CachedStream => BURST.cached(),
            Self::Capped5 | Self::Capped20 => CHAT,
            // Twice as long as it takes nodes to report what they spent, twice.
            Self::CappedRate => Plan {
                requests: 20_000,
                ..Self::Rate.plan()
            },
            Self::Open => OPEN,
            Self::OpenTranslated => OPEN.translated(),
            Self::Burst => BURST,
            Self::Rate => Plan {
                requests: 5_000,
                rate: Some(1_000),
                ..CHAT
            },
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Chat1k => "chat 1 kB",
            Self::Chat32k => "chat 32 kB",
            Self::Stream => "stream of 100 chunks, 5 ms apart",
            Self::Burst => "stream of 100 chunks, no pause",
            Self::Rate => "chat 1 kB, 1,000 a second",
            Self::Translated1k => "translated chat 1 kB",
            Self::Translated32k => "translated chat 32 kB",
            Self::TranslatedStream => "translated stream of 100 chunks, 5 ms apart",
            Self::Cached1k => "chat 1 kB from the cache",
            Self::CachedRate => "chat 1 kB from the cache, 1,000 a second",
            Self::CachedStream => "stream of 100 chunks from the cache",
            Self::Capped5 => "chat 1 kB, 5 limits and 5 budgets",
            Self::Capped20 => "chat 1 kB, 20 limits and 20 budgets",
            Self::CappedRate => "chat 1 kB, 5 limits and 5 budgets, 1,000 a second",
            Self::Open => "1,000 open streams",
            Self::OpenTranslated => "1,000 open translated streams",
        }
    }

    /// What is done before it, not measured, so that a gateway has the answer.
    pub(crate) fn filling(self) -> Option<Plan> {
        let plan = self.plan();
        (plan.model == CACHED_MODEL).then_some(Plan {
            connections: 1,
            requests: 2_000,
            rate: None,
            ..plan
        })
    }

    /// Latency is compared with the mock's only where both are asked as often.
    pub(crate) const fn has_rate(self) -> bool {
        self.plan().rate.is_some()
    }

    /// Whether memory is what matters. Then the target is a new one: what earlier work left behind would be used again.
    pub(crate) const fn is_of_memory(self) -> bool {
        match self {
            Self::Open | Self::OpenTranslated => true,
            Self::Chat1k
            | Self::Chat32k
            | Self::Stream
            | Self::Burst
            | Self::Rate
            | Self::Translated1k
            | Self::Translated32k
            | Self::TranslatedStream
            | Self::Cached1k
            | Self::CachedRate
            | Self::CachedStream
            | Self::Capped5
            | Self::Capped20
            | Self::CappedRate => false,
        }
    }

    /// What its requests meet.
    pub(crate) const fn caps(self) -> Caps {
        match self {
            Self::Capped5 | Self::CappedRate => Caps::Five,
            Self::Capped20 => Caps::Twenty,
            Self::Chat1k
            | Self::Chat32k
            | Self::Stream
            | Self::Burst
            | Self::Rate
            | Self::Translated1k
            | Self::Translated32k
            | Self::TranslatedStream
            | Self::Cached1k
            | Self::CachedRate
            | Self::CachedStream
            | Self::Open
            | Self::OpenTranslated => Caps::None,
        }
    }
}

/// Which workloads run one after the other on the same target.
pub(crate) fn groups(workloads: &[Workload]) -> Vec<Vec<Workload>> {
    let (of_memory, others): (Vec<Workload>, Vec<_>) = workloads.iter().partition(|workload| workload.is_of_memory());
    let alone = of_memory.into_iter().map(|workload| vec![workload]);
    let alike = [Caps::None, Caps::Five, Caps::Twenty].map(|caps| {
        let those = others.iter().filter(|workload| workload.caps() == caps);
        those.copied().collect()
    });
    let mut groups: Vec<Vec<Workload>> = alike.into_iter().chain(alone).collect();
    groups.retain(|group| !group.is_empty());
    groups
}

impl Plan {
    const fn cached(self) -> Self {
        Self {
            model: CACHED_MODEL,
            ..self
        }
    }

    const fn translated(self) -> Self {
        Self {
            model: TRANSLATED_MODEL,
            ..self
        }
    }

    /// When half of a stream has come.
    pub(crate) fn middle(&self) -> Duration {
        Duration::from_millis(u64::from(self.pause_ms) * u64::from(self.chunks.unwrap_or(0)) / 2)
    }

    pub(crate) const fn requests(&self, share: Share) -> u32 {
        match share {
            Share::Whole => self.requests,
            Share::Hundredth => self.requests.div_ceil(100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_memory_or_meets_other_limits_runs_on_a_target_of_its_own() {
        let groups = groups(&[
            Workload::Capped20,
            Workload::Open,
            Workload::Chat1k,
            Workload::OpenTranslated,
            Workload::Stream,
        ]);

        let expected = [
            vec![Workload::Chat1k, Workload::Stream],
            vec![Workload::Capped20],
            vec![Workload::Open],
            vec![Workload::OpenTranslated],
        ];
        assert_eq!(groups, expected);
    }
}
