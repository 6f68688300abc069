//! Where a provider keeps what it is sent, as far as that is known: what its settings say, else what its region tells.

use gatewright_types::Region;
use gatewright_types::api::{ProviderKind, ProviderSettings};

use crate::{Provider, UpstreamTarget};

/// Regions of clouds, or what the names of several begin with, and the area they lie in. The first that fits says it.
const AREAS: [(Named, &str); 12] = [
    // Within Europe, and not within the European Union.
    (Named::Is("eu-west-2"), "uk"),
    (Named::Is("europe-west2"), "uk"),
    (Named::Is("eu-central-2"), "ch"),
    (Named::Is("europe-west6"), "ch"),
    (Named::Begins("eu-"), "eu"),
    (Named::Begins("europe-"), "eu"),
    (Named::Begins("us-"), "us"),
    (Named::Begins("ca-"), "ca"),
    (Named::Begins("northamerica-northeast"), "ca"),
    (Named::Is("ap-northeast-1"), "jp"),
    (Named::Is("asia-northeast1"), "jp"),
    (Named::Begins("australia-"), "au"),
];

enum Named {
    Is(&'static str),
    Begins(&'static str),
}

/// Bedrock's profile of a model that runs wherever there is room.
const EVERYWHERE: &str = "global.";

impl UpstreamTarget {
    /// Whether what goes there stays in a region or an area such as `eu`. What is not known is not said.
    pub fn resides_in(&self, region: &str) -> bool {
        let goes_anywhere = self.provider.kind == ProviderKind::Bedrock && self.model.as_str().starts_with(EVERYWHERE);
        let is_said = !self.provider.settings.residency.is_empty();
        (is_said || !goes_anywhere) && self.provider.resides_in(region)
    }
}

impl Provider {
    /// The same for models of which no more is known.
    pub fn resides_in(&self, region: &str) -> bool {
        let said = &self.settings.residency;
        match said.is_empty() {
            true => self.settings.region.iter().any(|own| lies_in(own.as_str(), region)),
            false => said.iter().any(|said| lies_in(said.as_str(), region)),
        }
    }
}

/// Whether a region or area means anything: one that is known here, or that one of these providers is in.
pub fn is_place<'a>(region: &Region, providers: impl IntoIterator<Item = &'a ProviderSettings>) -> bool {
    let region = region.as_str();
    let is_there = |settings: &ProviderSettings| {
        let mut places = settings.residency.iter().chain(&settings.region);
        places.any(|place| lies_in(place.as_str(), region))
    };
    AREAS.iter().any(|(_, area)| *area == region) || providers.into_iter().any(is_there)
}

fn lies_in(place: &str, region: &str) -> bool {
    let fits = |named: &Named| match named {
        Named::Is(name) => place == *name,
        Named::Begins(beginning) => place.starts_with(beginning),
    };
    let area = || AREAS.iter().find(|(named, _)| fits(named));
    place == region || area().is_some_and(|(_, area)| *area == region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_means_something_where_a_provider_is_or_where_laws_are_known() {
        let settings = ProviderSettings {
            region: Some("ap-south-1".parse().expect("a region")),
            ..ProviderSettings::default()
        };
        let known = |text: &str| is_place(&text.parse().expect("a region"), [&settings]);

        assert!(known("eu") && known("ap-south-1"));
        assert!(!known("eu-centrl-1") && !known("mars"));
    }

    #[test]
    fn regions_lie_in_the_area_whose_law_holds_there() {
        for (place, region, expected) in [
            ("eu-central-1", "eu", true),
            ("europe-west4", "eu", true),
            ("eu", "eu", true),
            ("eu-central-1", "eu-central-1", true),
            ("eu-central-1", "eu-west-1", false),
            ("eu-west-2", "eu", false),
            ("eu-west-2", "uk", true),
            ("europe-west6", "eu", false),
            ("us-east-1", "us", true),
            ("us-central1", "us", true),
            ("us-east-1", "eu", false),
            ("global", "eu", false),
            ("ap-south-1", "eu", false),
            ("eu", "eu-central-1", false),
        ] {
            assert_eq!(lies_in(place, region), expected, "{place} in {region}");
        }
    }
}
