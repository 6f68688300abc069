//! The workloads: what is asked for, by how many at once, how often.

use clap::ValueEnum;
use serde::Serialize;

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
}

/// What the load generator is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
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

pub(crate) const CONNECTIONS: u32 = 64;

const CHAT: Plan = Plan {
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

/// What each target does before it is measured.
pub(crate) const WARM_UPS: [Plan; 2] = [
    Plan {
        requests: 3_000,
        ..CHAT
    },
    Plan { requests: 200, ..BURST },
];

impl Workload {
    pub(crate) const ALL: [Self; 5] = [Self::Chat1k, Self::Chat32k, Self::Stream, Self::Burst, Self::Rate];

    pub(crate) const fn plan(self) -> Plan {
        match self {
            Self::Chat1k => CHAT,
            Self::Chat32k => Plan {
                size: 32 * 1024,
                ..CHAT
            },
            Self::Stream => Plan {
                requests: 600,
                pause_ms: 5,
                ..BURST
            },
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
        }
    }
}

impl Plan {
    pub(crate) const fn requests(&self, share: Share) -> u32 {
        match share {
            Share::Whole => self.requests,
            Share::Hundredth => self.requests.div_ceil(100),
        }
    }
}
