//! Differences in teams, models, prices and own facts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use gatewright_contract::UnitId;
use gatewright_types::api::{
    ChangeKind, ModelChange, NewModel, NewPrice, Price, PriceEntry, ProviderKind, SecretSource, TeamChange,
    price_problem,
};
use gatewright_types::{DisplayName, ModelId, OverlayId, PriceId, TeamId, UpstreamModel};

use super::diff::{Differ, Step, change, differing};
use super::secrets::value;
pub(super) use crate::auth::token::NewSecret;
use crate::auth::token::Purpose;
use crate::key_settings::range_problems;

impl Differ<'_> {
    /// Gives the teams there will be, by name.
    pub(super) fn teams(&mut self) -> HashMap<DisplayName, TeamId> {
        let mut teams: HashMap<_, _> = self
            .current
            .teams
            .iter()
            .map(|team| (team.name.clone(), team.id))
            .collect();
        let Some(entries) = &self.document.teams else {
            return teams;
        };
        self.check_unique("teams", "name", entries.iter().map(|entry| entry.name.as_str()));
        for (index, entry) in entries.iter().enumerate() {
            for problem in range_problems(&format!("teams[{index}].ip_ranges"), &entry.ip_ranges) {
                self.problem(problem.path, &problem.message);
            }
            if !teams.contains_key(&entry.name) {
                let id = TeamId::mint();
                teams.insert(entry.name.clone(), id);
                let change = change(ChangeKind::Create, "team", &&entry.name, &[]);
                self.step(change, Step::CreateTeam(id, entry.name.clone()));
            }
            let current = self.current.teams.iter().find(|team| team.name == entry.name);
            let ranges = current.map(|team| &*team.ip_ranges).unwrap_or_default();
            let cost_centre = current.and_then(|team| team.cost_centre.as_ref());
            let fields = differing(&[
                ("ip_ranges", ranges == entry.ip_ranges),
                ("cost_centre", cost_centre == entry.cost_centre.as_ref()),
                ("shared", current.is_some_and(|team| team.shared) == entry.shared),
            ]);
            if let Some(id) = teams.get(&entry.name)
                && !fields.is_empty()
            {
                let change = change(ChangeKind::Update, "team", &&entry.name, &fields);
                let wanted = TeamChange {
                    name: entry.name.clone(),
                    ip_ranges: Some(entry.ip_ranges.clone()),
                    cost_centre: Some(entry.cost_centre.clone()),
                    shared: Some(entry.shared),
                };
                self.step(change, Step::ChangeTeam(*id, wanted));
            }
        }
        for team in self
            .current
            .teams
            .iter()
            .filter(|team| entries.iter().all(|entry| entry.name != team.name))
        {
            teams.remove(&team.name);
            self.removal("team", &team.name, Step::DeleteTeam(team.id));
        }
        teams
    }

    pub(super) fn models(&mut self) {
        let Some(entries) = &self.document.models else { return };
        self.check_unique("models", "name", entries.iter().map(|entry| entry.name.as_str()));
        for (index, entry) in entries.iter().enumerate() {
            let id = match self.current.models.iter().find(|model| model.name == entry.name) {
                Some(model) => {
                    let fields = differing(&[
                        ("route", model.route == entry.route),
                        ("timeouts", model.settings.timeouts == entry.settings.timeouts),
                        ("cache", model.settings.cache == entry.settings.cache),
                        (
                            "prompt_cache",
                            model.settings.prompt_cache == entry.settings.prompt_cache,
                        ),
                        ("shown_model", model.settings.shown_model == entry.settings.shown_model),
                        ("retries", model.settings.retries == entry.settings.retries),
                    ]);
                    if !fields.is_empty() {
                        let wanted = ModelChange {
                            route: entry.route.clone(),
                            settings: entry.settings.clone(),
                        };
                        let change = change(ChangeKind::Update, "model", &&entry.name, &fields);
                        self.step(change, Step::ChangeModel(model.id, wanted));
                    }
                    model.id
                }
                None => {
                    let id = ModelId::mint();
                    let (name, route, settings) = (entry.name.clone(), entry.route.clone(), entry.settings.clone());
                    let change = change(ChangeKind::Create, "model", &&entry.name, &[]);
                    self.step(change, Step::CreateModel(id, NewModel { name, route, settings }));
                    id
                }
            };
            self.plan.places.insert(UnitId::Model(id), format!("models[{index}]"));
        }
        let gone = self
            .current
            .models
            .iter()
            .filter(|model| entries.iter().all(|entry| entry.name != model.name));
        for model in gone {
            self.removal("model", &model.name, Step::DeleteModel(model.id));
        }
    }

    /// An entry without a date stands for the newest price of its model that no other entry names.
    pub(super) fn prices(&mut self) {
        let Some(entries) = &self.document.prices else { return };
        let keys: Vec<_> = entries
            .iter()
            .map(|entry| {
                format!(
                    "{}/{}@{:?}",
                    entry.provider,
                    entry.model,
                    entry.effective_from.map(millis)
                )
            })
            .collect();
        self.check_unique("prices", "effective_from", keys.iter().map(String::as_str));
        let mut left: Vec<&Price> = self.current.prices.iter().collect();
        left.sort_by_key(|price| std::cmp::Reverse(price.effective_from));
        let (dated, undated): (Vec<_>, Vec<_>) = entries
            .iter()
            .enumerate()
            .partition(|(_, entry)| entry.effective_from.is_some());
        for (index, entry) in dated.into_iter().chain(undated) {
            if let Some((field, problem)) = price_problem(&entry.rates, &entry.tiers, &entry.service_tiers) {
                // Usual prices stand beside the others here.
                let field = if field == "rates" {
                    String::new()
                } else {
                    format!(".{field}")
                };
                self.problem(format!("prices[{index}]{field}"), &problem);
            }
            let same = |price: &&Price| {
                let dates = entry
                    .effective_from
                    .is_none_or(|at| millis(at) == millis(price.effective_from));
                (&price.provider, &price.model) == (&entry.provider, &entry.model) && dates
            };
            let wanted = NewPrice {
                provider: entry.provider.clone(),
                model: entry.model.clone(),
                rates: entry.rates.clone(),
                tiers: entry.tiers.clone(),
                service_tiers: entry.service_tiers.clone(),
                effective_from: entry.effective_from,
            };
            match left.iter().position(same).map(|at| left.remove(at)) {
                Some(price) if fields_of(price, entry).is_empty() => {}
                Some(price) => {
                    let change = change(
                        ChangeKind::Update,
                        "price",
                        &price_name(entry),
                        &fields_of(price, entry),
                    );
                    self.step(change, Step::ReplacePrice(price.id, PriceId::mint(), wanted));
                }
                None => {
                    let change = change(ChangeKind::Create, "price", &price_name(entry), &[]);
                    self.step(change, Step::CreatePrice(PriceId::mint(), wanted));
                }
            }
        }
        for price in left {
            self.removal(
                "price",
                &format!("{}/{}", price.provider, price.model),
                Step::DeletePrice(price.id),
            );
        }
    }

    /// A model's own facts are known by its kind and name.
    pub(super) fn catalog(&mut self) {
        let Some(entries) = &self.document.catalog else { return };
        let name = |kind: ProviderKind, model: &UpstreamModel| format!("{}/{model}", kind.as_str());
        let names: Vec<_> = entries.iter().map(|entry| name(entry.kind, &entry.model)).collect();
        self.check_unique("catalog", "model", names.iter().map(String::as_str));
        for (index, (entry, named)) in entries.iter().zip(&names).enumerate() {
            if let Some((field, message)) = entry.facts.problem() {
                let path = format!("catalog[{index}].facts.{field}");
                self.problem(path.trim_end_matches('.').to_owned(), &message);
            }
            let there = self.current.overlays.iter();
            let id = match there
                .clone()
                .find(|overlay| name(overlay.kind, &overlay.model) == *named)
            {
                Some(overlay) => {
                    if overlay.facts != entry.facts {
                        let change = change(ChangeKind::Update, "overlay", named, &["facts"]);
                        self.step(change, Step::ChangeOverlay(overlay.id, entry.facts.clone()));
                    }
                    overlay.id
                }
                None => {
                    let (id, change) = (OverlayId::mint(), change(ChangeKind::Create, "overlay", named, &[]));
                    self.step(change, Step::CreateOverlay(id, entry.clone()));
                    id
                }
            };
            self.plan
                .places
                .insert(UnitId::Overlay(id), format!("catalog[{index}]"));
        }
        for overlay in &self.current.overlays {
            let named = name(overlay.kind, &overlay.model);
            if !names.contains(&named) {
                self.removal("overlay", &named, Step::DeleteOverlay(overlay.id));
            }
        }
    }

    /// The secret of a new key or token; a problem when the document's is none.
    pub(super) fn new_secret(
        &mut self,
        purpose: Purpose,
        path: String,
        source: Option<&SecretSource>,
    ) -> Option<NewSecret> {
        let imported = match source.map(value).transpose() {
            Ok(imported) => imported,
            Err(message) => {
                self.problem(path, &message);
                return None;
            }
        };
        match NewSecret::make(purpose, imported) {
            Ok(secret) => Some(secret),
            Err(error) => {
                self.problem(path, &error);
                None
            }
        }
    }

    pub(super) fn mint(&mut self, resource: &str, name: &DisplayName, secret: &NewSecret) {
        if let Some(shown) = &secret.shown {
            self.plan.minted.insert(format!("{resource}/{name}"), shown.clone());
        }
    }
}

/// Databases keep times less finely than documents may write them.
fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// Those that an entry changes of a price.
fn fields_of(price: &Price, entry: &PriceEntry) -> Vec<&'static str> {
    differing(&[
        ("rates", price.rates == entry.rates),
        ("tiers", price.tiers == entry.tiers),
        ("service_tiers", price.service_tiers == entry.service_tiers),
    ])
}

fn price_name(entry: &PriceEntry) -> String {
    format!("{}/{}", entry.provider, entry.model)
}
