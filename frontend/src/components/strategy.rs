//! The drawings of routing strategies.

use super::icon::Icon;
use crate::route::Strategy;

pub(crate) const fn glyph(strategy: Strategy) -> Icon {
    match strategy {
        Strategy::Target => Icon::Target,
        Strategy::Fallback => Icon::Fallback,
        Strategy::Weighted => Icon::Weighted,
        Strategy::RoundRobin => Icon::RoundRobin,
        Strategy::LeastBusy => Icon::LeastBusy,
        Strategy::Fastest => Icon::Fastest,
        Strategy::Cheapest => Icon::Cheapest,
        Strategy::LowestUsage => Icon::LowestUsage,
        Strategy::Sticky => Icon::Sticky,
        Strategy::When => Icon::When,
        Strategy::Task => Icon::Task,
        Strategy::Canary => Icon::Canary,
    }
}
