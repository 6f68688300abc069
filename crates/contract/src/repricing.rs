//! What a request comes to at prices that were not known when it ran, from what its row says of it. A request whose row does
//! not tell enough is left alone: nothing is guessed.

use chrono::{DateTime, Utc};
use gatewright_llm::{Bill, Catalog, Terms, Tokens, is_us_only};
use gatewright_types::api::{Dialect, LeftAlone, LineItem, NativeDialect, Outcome, ServedTier};
use gatewright_types::{Nanos, Slug, UpstreamModel};

use crate::{AppliedPrice, Tenant};

/// What was metered of a request.
#[derive(Debug, Clone, Copy)]
pub struct Metered<'a> {
    pub provider: &'a Slug,
    pub model: Option<&'a UpstreamModel>,
    pub lines: &'a [LineItem],
    pub served: Option<ServedTier>,
    pub dialect: Dialect,
    pub outcome: Outcome,
    pub attempts: u32,
    pub estimated: bool,
}

impl Tenant {
    /// What a request costs by the price in force at a time, and its lines, or why that cannot be told.
    pub fn bill_again(
        &self,
        catalog: &Catalog,
        metered: &Metered<'_>,
        at: DateTime<Utc>,
    ) -> Result<(Nanos, Vec<LineItem>), LeftAlone> {
        let tokens = metered.tokens()?;
        let model = metered.model.ok_or(LeftAlone::NoPrice)?;
        let price = self
            .price_at(catalog, metered.provider, model, at)
            .ok_or(LeftAlone::NoPrice)?;
        // Nobody said how a call was served that failed.
        let served = metered.served.filter(|_| metered.outcome != Outcome::Failed);
        let terms = Terms {
            served,
            us_only: metered.is_us_only(),
            ..Terms::default()
        };
        let Bill { cost, lines, .. } = price.bill(&tokens, terms);
        Ok((cost.ok_or(LeftAlone::NoPriceForUse)?, lines))
    }

    /// Own prices are of a provider by its name, also of one that is gone.
    fn price_at<'a>(
        &'a self,
        catalog: &Catalog,
        provider: &Slug,
        model: &UpstreamModel,
        at: DateTime<Utc>,
    ) -> Option<AppliedPrice<'a>> {
        let known = self.providers.get(provider);
        let name = known.map_or(model, |known| self.own.name(known.kind, model));
        let own = self.prices.get(provider);
        let own = own.and_then(|models| models.get(model).or_else(|| models.get(name)));
        let listed = known.and_then(|known| catalog.lookup(known.kind, name.as_str(), at));
        match own.and_then(|prices| prices.iter().find(|price| price.effective_from <= at)) {
            Some(price) => {
                let percent = listed.and_then(|listed| listed.us_only_percent());
                Some(AppliedPrice::Own(price, percent))
            }
            None => listed.map(AppliedPrice::Listed),
        }
    }
}

impl Metered<'_> {
    /// Its lines say so, whether they had a price or not.
    fn is_us_only(&self) -> bool {
        let mut versions = self.lines.iter().filter_map(|line| line.price_version.as_deref());
        versions.any(is_us_only)
    }

    /// What was used of each unit by the one call there was. The lines of a call are in the order of their units: where one
    /// stands behind a later one, there were several, and perhaps of other targets.
    fn tokens(&self) -> Result<Tokens, LeftAlone> {
        let several = self.outcome == Outcome::Failed && self.attempts > 1;
        // Of a model that may draw a picture, an estimate says nothing.
        let untold = self.estimated && self.dialect == Dialect::Native(NativeDialect::BedrockInvoke);
        let in_order = self.lines.is_sorted_by(|one, next| one.unit < next.unit);
        if several || !in_order {
            return Err(LeftAlone::SeveralCalls);
        }
        if untold || self.lines.is_empty() {
            return Err(LeftAlone::UntoldUse);
        }
        let mut tokens = Tokens::default();
        for line in self.lines {
            tokens.set(line.unit, line.quantity);
        }
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests {
    use gatewright_types::api::{ProviderKind, ProviderSettings, Rates};
    use gatewright_types::{OrganizationId, PriceId, ProviderId, UsageUnit};

    use super::*;
    use crate::{OrganizationUnit, PriceUnit, ProviderUnit, UnitBody, UnitId, compile};

    const AT: &str = "2026-11-30T12:00:00Z";

    fn tenant() -> Tenant {
        let price = |input: &str, from: &str| {
            UnitBody::Price(PriceUnit {
                provider: "gone".parse().expect("a name"),
                model: "echo".parse().expect("a model"),
                rates: Rates {
                    input: Some(input.parse().expect("a price")),
                    output: Some("2".parse().expect("a price")),
                    ..Rates::default()
                },
                tiers: Vec::new(),
                service_tiers: Vec::new(),
                effective_from: from.parse().expect(from),
            })
        };
        let organization = OrganizationUnit::new("acme".parse().expect("a slug"));
        let units = [
            (UnitId::Organization, UnitBody::Organization(organization)),
            (UnitId::Price(PriceId::mint()), price("1", "2026-11-01T00:00:00Z")),
            (UnitId::Price(PriceId::mint()), price("3", AT)),
        ];
        compile(OrganizationId::mint(), &units.into()).expect("it compiles")
    }

    fn line(unit: UsageUnit, quantity: u64) -> LineItem {
        LineItem {
            unit,
            quantity,
            price: None,
            price_version: None,
        }
    }

    #[test]
    fn a_request_is_priced_by_what_was_in_force_unless_its_lines_tell_too_little() {
        let tenant = tenant();
        let (provider, model) = (
            "gone".parse().expect("a name"),
            "echo".parse::<UpstreamModel>().expect("a model"),
        );
        let one = [line(UsageUnit::InputUncached, 10), line(UsageUnit::OutputText, 1)];
        let two = [&one[..], &one[..1]].concat();
        let searched = [line(UsageUnit::InputUncached, 10), line(UsageUnit::WebSearch, 1)];
        let metered = Metered {
            provider: &provider,
            model: Some(&model),
            lines: &one,
            served: None,
            dialect: Dialect::OpenaiChat,
            outcome: Outcome::Complete,
            attempts: 1,
            estimated: false,
        };
        let at: DateTime<Utc> = AT.parse().expect(AT);
        let cost = |metered: Metered<'_>, at| {
            let bill = tenant.bill_again(&Catalog::default(), &metered, at);
            bill.map(|(cost, _)| cost.get())
        };

        assert_eq!(cost(metered, at), Ok(32_000));
        assert_eq!(cost(metered, at - chrono::TimeDelta::seconds(1)), Ok(12_000));
        let outcome = Outcome::Failed;
        assert_eq!(cost(Metered { outcome, ..metered }, at), Ok(32_000));
        let flex = Some(ServedTier::Flex);
        for (untold, why) in [
            (Metered { lines: &two, ..metered }, LeftAlone::SeveralCalls),
            (
                Metered {
                    lines: &searched,
                    ..metered
                },
                LeftAlone::NoPriceForUse,
            ),
            (Metered { model: None, ..metered }, LeftAlone::NoPrice),
            (
                Metered {
                    served: flex,
                    ..metered
                },
                LeftAlone::NoPriceForUse,
            ),
            (
                Metered {
                    outcome,
                    attempts: 2,
                    ..metered
                },
                LeftAlone::SeveralCalls,
            ),
            (
                Metered {
                    estimated: true,
                    dialect: Dialect::Native(NativeDialect::BedrockInvoke),
                    ..metered
                },
                LeftAlone::UntoldUse,
            ),
            (Metered { lines: &[], ..metered }, LeftAlone::UntoldUse),
        ] {
            assert_eq!(cost(untold, at), Err(why), "{untold:?}");
        }
        assert_eq!(cost(metered, DateTime::UNIX_EPOCH), Err(LeftAlone::NoPrice));
    }

    #[test]
    fn a_request_that_stayed_within_the_united_states_costs_what_that_does() {
        let provider = ProviderUnit {
            name: "claude".parse().expect("a name"),
            kind: ProviderKind::Anthropic,
            base_url: None,
            settings: ProviderSettings::default(),
            network: None,
            credentials: Vec::new(),
        };
        let organization = OrganizationUnit::new("acme".parse().expect("a slug"));
        let units = [
            (UnitId::Organization, UnitBody::Organization(organization)),
            (UnitId::Provider(ProviderId::mint()), UnitBody::Provider(provider)),
        ];
        let tenant = compile(OrganizationId::mint(), &units.into()).expect("it compiles");
        let catalog = Catalog::embedded();
        let mut tokens = Tokens::default();
        tokens.set(UsageUnit::InputUncached, 1000);
        tokens.set(UsageUnit::OutputText, 100);
        let again = |model: &str, lines: &[LineItem]| {
            let metered = Metered {
                provider: &"claude".parse().expect("a name"),
                model: Some(&model.parse().expect("a model")),
                lines,
                served: None,
                dialect: Dialect::AnthropicMessages,
                outcome: Outcome::Complete,
                attempts: 1,
                estimated: false,
            };
            let bill = tenant.bill_again(&catalog, &metered, AT.parse().expect(AT));
            bill.map(|(cost, lines)| (cost.get(), lines))
        };
        for (us_only, cost) in [(false, 7_500_000), (true, 8_250_000)] {
            let terms = Terms {
                us_only,
                ..Terms::default()
            };
            // It had no price when it ran.
            let before = gatewright_llm::unpriced(&tokens, terms).lines;

            let (first, lines) = again("claude-opus-4-6", &before).expect("there is a price");

            assert_eq!(first, cost);
            assert_eq!(again("claude-opus-4-6", &lines).map(|(cost, _)| cost), Ok(cost));
            // Nobody knows what staying there costs with this one.
            let elsewhere = again("claude-opus-4-5", &lines).map(|(cost, _)| cost);
            let expected = if us_only {
                Err(LeftAlone::NoPriceForUse)
            } else {
                Ok(cost)
            };
            assert_eq!(elsewhere, expected);
        }
    }
}
