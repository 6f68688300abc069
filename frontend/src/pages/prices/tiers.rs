//! Prices of other sizes and tiers of service, as a person writes them.

use gatewright_types::api::{PriceTier, Rates, ServicePrice, ServiceTier};
use serde_json::{Map, Value};

/// A line for each tier: `above 200000: input 6, output 22.5`, `flex: input 1`, `flex above 200000: input 2`.
pub(super) fn read_tiers(text: &str) -> Result<(Vec<PriceTier>, Vec<ServicePrice>), String> {
    let (mut tiers, mut services) = (Vec::new(), Vec::<ServicePrice>::new());
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |message: &str| format!("line {}: {message}", number + 1);
        let (tier, prices) = line
            .split_once(':')
            .ok_or_else(|| wrong("write tier: input 1, output 2"))?;
        let rates = read_rates(prices).map_err(|error| wrong(&error))?;
        let (name, size) = match tier.split_once("above") {
            Some((name, size)) => (
                name.trim(),
                Some(size.trim().parse().map_err(|_| wrong("above how many tokens?"))?),
            ),
            None => (tier.trim(), None),
        };
        let sized = |above_input_tokens| PriceTier {
            above_input_tokens,
            rates: rates.clone(),
        };
        if name.is_empty() {
            tiers.push(sized(size.ok_or_else(|| wrong("name the tier"))?));
            continue;
        }
        let service_tier: ServiceTier =
            serde_json::from_value(name.into()).map_err(|error| wrong(&error.to_string()))?;
        match (size, services.iter_mut().find(|one| one.service_tier == service_tier)) {
            (Some(size), Some(service)) => service.tiers.push(sized(size)),
            (Some(_), None) => return Err(wrong("give the tier's usual price in a line before")),
            (None, _) => services.push(ServicePrice {
                service_tier,
                rates,
                tiers: Vec::new(),
            }),
        }
    }
    Ok((tiers, services))
}

/// `input 1, output 2`: nothing of it is passed over, for what is not named has no price.
fn read_rates(prices: &str) -> Result<Rates, String> {
    let mut rates = Map::new();
    for pair in prices.split(',').map(str::trim) {
        let (unit, price) = pair
            .split_once(char::is_whitespace)
            .ok_or("write a unit and its price, such as input 1")?;
        if rates.insert(unit.to_owned(), price.trim().into()).is_some() {
            return Err(format!("{unit} is given twice: give it once"));
        }
    }
    serde_json::from_value(Value::Object(rates)).map_err(|error| error.to_string())
}
