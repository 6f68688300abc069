//! Whether Redis gives up what it holds once its memory is full. A counter that vanishes is as good as unspent.

use std::collections::HashMap;

use crate::{CoordError, Redis};

const POLICY: &str = "maxmemory-policy";

/// What Redis does when its memory is full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Eviction {
    /// It takes nothing more.
    Never,
    /// It removes what it chooses by this policy.
    By(String),
    /// It does not tell.
    Untold,
}

impl Redis {
    /// Asks for the setting, and for what Redis tells of its memory where settings are nobody's business.
    pub async fn eviction(&self) -> Result<Eviction, CoordError> {
        let settings = self.call(redis::cmd("CONFIG").arg("GET").arg(POLICY)).await;
        let policy = match settings {
            Ok(settings) => HashMap::<String, String>::into_values(settings).next(),
            Err(CoordError::Unavailable(_)) => {
                let memory: String = self.call(redis::cmd("INFO").arg("memory")).await?;
                told_in(&memory).map(str::to_owned)
            }
            Err(error) => return Err(error),
        };
        Ok(policy.map_or(Eviction::Untold, Eviction::of))
    }
}

impl Eviction {
    fn of(policy: String) -> Self {
        match policy.as_str() {
            "noeviction" => Self::Never,
            _ => Self::By(policy),
        }
    }
}

fn told_in(memory: &str) -> Option<&str> {
    memory
        .lines()
        .find_map(|line| line.trim().strip_prefix("maxmemory_policy:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_found_in_what_redis_tells_of_its_memory() {
        let memory = "# Memory\r\nused_memory:1\r\nmaxmemory_policy:volatile-lru\r\nmaxmemory:0\r\n";

        assert_eq!(told_in(memory), Some("volatile-lru"));
        assert_eq!(told_in("# Memory\r\n"), None);
        assert_eq!(Eviction::of("noeviction".to_owned()), Eviction::Never);
    }
}
