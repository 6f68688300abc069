//! What an organization voided of the answers that are kept. The list is its published unit and nothing else: one purge
//! for each thing that can be named, none older than anything that can still be kept.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::{CachePurgesUnit, UnitBody, UnitId};
use gatewright_types::OrganizationId;
use gatewright_types::api::{CachePurge, CacheSettings, PurgedAnswers};

use crate::config_units;
use crate::error::WriteError;
use crate::write::WriteTx;

/// Namespaces and tags can be named without end. Beyond these, the oldest purges become one of everything that is as old.
const MOST_PURGES: usize = 256;

impl WriteTx {
    /// From here on nothing is answered from what was kept of this. Writes come one after the other, so that no purge is
    /// lost to another one at the same time.
    pub async fn purge_cache(
        &mut self,
        organization: OrganizationId,
        of: PurgedAnswers,
    ) -> Result<CachePurge, WriteError> {
        let before = match config_units::body(&self.transaction, organization, UnitId::CachePurges).await? {
            Some(UnitBody::CachePurges(unit)) => unit.purges,
            _ => Vec::new(),
        };
        let (purges, purge) = with(before, of, self.at);
        let unit = UnitBody::CachePurges(CachePurgesUnit { purges });
        self.publish(organization, UnitId::CachePurges, unit).await?;
        Ok(purge)
    }
}

/// The list with one more, which is newer than all others whatever the clock says: nodes tell by that what they knew of.
fn with(mut purges: Vec<CachePurge>, of: PurgedAnswers, now: DateTime<Utc>) -> (Vec<CachePurge>, CachePurge) {
    let newest = purges.iter().map(|purge| purge.at).max();
    let at = newest.map_or(now, |newest| now.max(newest + TimeDelta::microseconds(1)));
    let longest = TimeDelta::from_std(CacheSettings::LONGEST_TTL.get()).unwrap_or(TimeDelta::MAX);
    let purge = CachePurge { of, at };
    purges.retain(|other| !purge.of.includes(&other.of) && at - other.at <= longest);
    purges.push(purge.clone());
    purges.sort_by_key(|purge| purge.at);
    if let Some(surplus) = purges.len().checked_sub(MOST_PURGES).filter(|surplus| *surplus > 0) {
        // One more than is too many: what they become takes a place as well.
        let oldest = purges.drain(..=surplus).map(|purge| purge.at).max();
        purges.retain(|purge| purge.of != PurgedAnswers::Everything);
        if let Some(at) = oldest {
            purges.insert(
                0,
                CachePurge {
                    of: PurgedAnswers::Everything,
                    at,
                },
            );
        }
    }
    (purges, purge)
}

#[cfg(test)]
mod tests {
    use gatewright_types::ModelId;
    use gatewright_types::api::PurgedTag;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("a time")
    }

    fn namespace(number: usize) -> PurgedAnswers {
        PurgedAnswers::Namespace(format!("n{number}").parse().expect("a namespace"))
    }

    #[test]
    fn the_newest_purge_of_a_thing_stands_for_those_before() {
        let model = PurgedAnswers::Model(ModelId::mint());
        let (purges, _) = with(Vec::new(), model.clone(), at(100));
        let (purges, _) = with(purges, namespace(1), at(200));
        let (purges, last) = with(purges, model.clone(), at(300));
        assert_eq!(purges.len(), 2);
        assert_eq!(last, CachePurge { of: model, at: at(300) });

        let (purges, everything) = with(purges, PurgedAnswers::Everything, at(400));
        assert_eq!(purges, [everything]);
    }

    #[test]
    fn a_purge_of_a_tag_stands_for_those_of_its_values() {
        let tag = |name: &str, value: Option<&str>| {
            PurgedAnswers::Tag(PurgedTag {
                name: name.parse().expect("a tag"),
                value: value.map(|value| value.parse().expect("a value")),
            })
        };
        let (purges, _) = with(Vec::new(), tag("project", Some("apollo")), at(100));
        let (purges, other) = with(purges, tag("tier", Some("free")), at(200));
        let (purges, any) = with(purges, tag("project", None), at(300));
        assert_eq!(purges, [other.clone(), any.clone()]);

        let (purges, one) = with(purges, tag("project", Some("apollo")), at(400));
        assert_eq!(purges, [other, any, one]);
    }

    #[test]
    fn a_purge_is_newer_than_all_others_whatever_the_clock_says() {
        let (purges, first) = with(Vec::new(), namespace(1), at(100));
        let (_, second) = with(purges, namespace(2), at(50));

        assert!(second.at > first.at);
    }

    #[test]
    fn what_is_older_than_any_answer_is_forgotten() {
        let (purges, _) = with(Vec::new(), namespace(1), at(0));
        let (purges, last) = with(purges, namespace(2), at(31 * 86_400));

        assert_eq!(purges, [last]);
    }

    #[test]
    fn too_many_purges_become_one_of_everything_that_is_as_old() {
        let mut purges = Vec::new();
        for number in 0..MOST_PURGES + 10 {
            (purges, _) = with(purges, namespace(number), at(1000 + number as i64));
        }

        assert_eq!(purges.len(), MOST_PURGES);
        let everything = purges.first().expect("purges");
        assert_eq!(everything.of, PurgedAnswers::Everything);
        let next = purges.get(1).expect("purges");
        assert!(everything.at < next.at);
        assert_eq!(
            next.of,
            namespace(usize::try_from(next.at.timestamp()).expect("small") - 1000)
        );
    }
}
