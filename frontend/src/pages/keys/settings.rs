//! The part of a key's form about what it may do, how its secret is kept fresh, and whose it is.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use gatewright_types::api::{HighestPrice, Key, KeyEndpoint, KeyOwner, KeyScopes, KeyUpkeep};
use gatewright_types::{CostCentre, DisplayName, IpRange, Region, Slug, TagName, ToolPattern};
use leptos::prelude::*;

use super::Choices;
use crate::components::choice::CheckList;
use crate::components::field::{Input, LinesField, SelectField, TextField};
use crate::form::Form;

/// Which tools a request may declare.
const ALL_TOOLS: &str = "";
const SOME_TOOLS: &str = "some";
const NO_TOOLS: &str = "none";

/// What is in the fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    form: Form,
    pub(super) owner: RwSignal<String>,
    tags: RwSignal<String>,
    cost_centre: RwSignal<String>,
    ip_ranges: RwSignal<String>,
    endpoints: RwSignal<Vec<String>>,
    providers: RwSignal<Vec<String>>,
    tool_choice: RwSignal<String>,
    tools: RwSignal<String>,
    regions: RwSignal<String>,
    highest_input: RwSignal<String>,
    highest_output: RwSignal<String>,
    rotate_every: RwSignal<String>,
    disable_overdue_after: RwSignal<String>,
    disable_after_idle: RwSignal<String>,
    /// Some of it is set: it is shown from the start.
    scoped: bool,
    kept: bool,
}

/// What the fields say.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) owner: Option<KeyOwner>,
    pub(super) tags: BTreeMap<TagName, DisplayName>,
    pub(super) cost_centre: Option<CostCentre>,
    pub(super) scopes: KeyScopes,
    pub(super) upkeep: KeyUpkeep,
}

impl Fields {
    pub(super) fn empty(form: Form) -> Self {
        Self::of(
            form,
            None,
            &BTreeMap::new(),
            &KeyScopes::default(),
            KeyUpkeep::default(),
        )
    }

    pub(super) fn of_key(form: Form, key: &Key) -> Self {
        let fields = Self::of(form, key.owner, &key.tags, &key.scopes, key.upkeep);
        fields.cost_centre.set(text(key.cost_centre.as_ref()));
        fields
    }

    fn of(
        form: Form,
        owner: Option<KeyOwner>,
        tags: &BTreeMap<TagName, DisplayName>,
        scopes: &KeyScopes,
        upkeep: KeyUpkeep,
    ) -> Self {
        let highest = scopes.highest_price.clone().unwrap_or_default();
        let tool_choice = match &scopes.tools {
            None => ALL_TOOLS,
            Some(tools) if tools.is_empty() => NO_TOOLS,
            Some(_) => SOME_TOOLS,
        };
        let endpoints = scopes.endpoints.iter().flatten();
        Self {
            form,
            owner: RwSignal::new(owner.map(|owner| owner.to_string()).unwrap_or_default()),
            tags: RwSignal::new(lines(tags.iter().map(|(name, value)| format!("{name}={value}")))),
            cost_centre: RwSignal::default(),
            ip_ranges: RwSignal::new(lines(&scopes.ip_ranges)),
            endpoints: RwSignal::new(endpoints.map(|endpoint| endpoint.as_str().to_owned()).collect()),
            providers: RwSignal::new(scopes.providers.iter().flatten().map(ToString::to_string).collect()),
            tool_choice: RwSignal::new(tool_choice.to_owned()),
            tools: RwSignal::new(lines(scopes.tools.iter().flatten())),
            regions: RwSignal::new(lines(scopes.regions.iter().flatten())),
            highest_input: RwSignal::new(text(highest.input)),
            highest_output: RwSignal::new(text(highest.output)),
            rotate_every: RwSignal::new(text(upkeep.rotate_every)),
            disable_overdue_after: RwSignal::new(text(upkeep.disable_overdue_after)),
            disable_after_idle: RwSignal::new(text(upkeep.disable_after_idle)),
            scoped: !scopes.is_open() || !tags.is_empty(),
            kept: !upkeep.is_none(),
        }
    }

    /// `None` when something is wrong, which the fields say then.
    pub(super) fn read(self) -> Option<Read> {
        let form = self.form;
        let owner = form.parse_optional("owner", self.owner);
        let tags = self.read_tags();
        let cost_centre = form.parse_optional("cost_centre", self.cost_centre);
        let ip_ranges = self.read_lines::<IpRange>("scopes.ip_ranges", self.ip_ranges);
        let regions = self.read_lines::<Region>("scopes.regions", self.regions);
        let tools = self.read_tools();
        let input = form.parse_optional("scopes.highest_price.input", self.highest_input);
        let output = form.parse_optional("scopes.highest_price.output", self.highest_output);
        let rotate_every = form.parse_optional("upkeep.rotate_every", self.rotate_every);
        let disable_overdue_after = form.parse_optional("upkeep.disable_overdue_after", self.disable_overdue_after);
        let disable_after_idle = form.parse_optional("upkeep.disable_after_idle", self.disable_after_idle);
        let providers = self.providers.with_untracked(|names| {
            let parsed = names.iter().filter_map(|name| name.parse::<Slug>().ok());
            parsed.collect::<Vec<_>>()
        });
        let endpoints = self.endpoints.with_untracked(|names| {
            let chosen = KeyEndpoint::ALL.into_iter();
            let chosen = chosen.filter(|endpoint| names.iter().any(|name| name == endpoint.as_str()));
            chosen.collect::<Vec<_>>()
        });
        let highest_price = HighestPrice {
            input: input?,
            output: output?,
        };
        Some(Read {
            owner: owner?,
            tags: tags?,
            cost_centre: cost_centre?,
            scopes: KeyScopes {
                ip_ranges: ip_ranges?,
                endpoints: Some(endpoints).filter(|endpoints| !endpoints.is_empty()),
                providers: Some(providers).filter(|providers| !providers.is_empty()),
                tools: tools?,
                regions: Some(regions?).filter(|regions| !regions.is_empty()),
                highest_price: Some(highest_price).filter(|highest| *highest != HighestPrice::default()),
            },
            upkeep: KeyUpkeep {
                rotate_every: rotate_every?,
                disable_overdue_after: disable_overdue_after?,
                disable_after_idle: disable_after_idle?,
            },
        })
    }

    fn read_tags(self) -> Option<BTreeMap<TagName, DisplayName>> {
        let mut tags = BTreeMap::new();
        for line in self
            .tags
            .get_untracked()
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let Some((name, value)) = line.split_once('=') else {
                self.form
                    .refuse("tags", &format!("{line} has no value: write name=value"));
                return None;
            };
            match (name.trim().parse(), value.trim().parse()) {
                (Ok(name), Ok(value)) => {
                    tags.insert(name, value);
                }
                (Err(error), _) | (_, Err(error)) => {
                    self.form.refuse("tags", &format!("{line} {error}"));
                    return None;
                }
            }
        }
        Some(tags)
    }

    fn read_tools(self) -> Option<Option<Vec<ToolPattern>>> {
        match self.tool_choice.get_untracked().as_str() {
            SOME_TOOLS => {
                let tools = self.read_lines("scopes.tools", self.tools)?;
                if tools.is_empty() {
                    self.form.refuse("scopes.tools", "must name at least one");
                    return None;
                }
                Some(Some(tools))
            }
            NO_TOOLS => Some(Some(Vec::new())),
            _ => Some(None),
        }
    }

    /// One of each line, or of several in one with commas between them.
    fn read_lines<T: FromStr<Err: Display>>(self, name: &'static str, value: RwSignal<String>) -> Option<Vec<T>> {
        match parse_lines(&value.get_untracked()) {
            Ok(parsed) => Some(parsed),
            Err(message) => {
                self.form.refuse(name, &message);
                None
            }
        }
    }

    /// The field for whose the key is.
    pub(super) fn owner_field(self, choices: Choices) -> AnyView {
        view! {
            <SelectField
                form=self.form
                name="owner"
                label="Owner"
                value=self.owner
                options=Signal::derive(move || choices.owner_options(&self.owner.get()))
                hint="Keys of a service account go on when people leave."
            />
        }
        .into_any()
    }

    pub(super) fn view(self, choices: Choices) -> AnyView {
        // A provider that is gone still stands in the list of a key that names it.
        let named = self.providers.get_untracked();
        let providers = Signal::derive(move || {
            let mut names = choices.provider_names();
            let missing: Vec<_> = named.iter().filter(|name| !names.contains(name)).cloned().collect();
            names.extend(missing);
            names
        });
        view! {
            {self.charge_field()}
            <details class="more-fields" prop:open=self.scoped>
                <summary>"What it may do"</summary>
                {self.scope_fields(providers)}
            </details>
            <details class="more-fields" prop:open=self.kept>
                <summary>"Rotation and idleness"</summary>
                {self.upkeep_fields()}
            </details>
        }
        .into_any()
    }

    fn charge_field(self) -> AnyView {
        view! {
            <TextField
                form=self.form
                name="cost_centre"
                label="Cost centre"
                value=self.cost_centre
                input=Input::Code
                hint="What it costs is charged there. Empty: where its team says."
            />
        }
        .into_any()
    }

    fn scope_fields(self, providers: Signal<Vec<String>>) -> AnyView {
        let form = self.form;
        let tool_choices = [(ALL_TOOLS, "Any"), (SOME_TOOLS, "Only some"), (NO_TOOLS, "None")];
        let tool_choices = tool_choices.map(|(value, title)| (value.to_owned(), title.to_owned()));
        let endpoints = KeyEndpoint::ALL.map(|endpoint| endpoint.as_str().to_owned()).to_vec();
        view! {
            <LinesField
                form=form
                name="tags"
                label="Tags"
                value=self.tags
                placeholder="project=apollo"
                hint="One a line. Its requests have them, whatever they say themselves."
            />
            <LinesField
                form=form
                name="scopes.ip_ranges"
                label="Addresses"
                value=self.ip_ranges
                placeholder="10.0.0.0/8"
                hint="Where requests may come from, one range a line. Empty: anywhere."
            />
            <CheckList
                form=form
                name="scopes.endpoints"
                label="Endpoints"
                chosen=self.endpoints
                options=Signal::derive(move || endpoints.clone())
                hint="None chosen: all."
            />
            <CheckList
                form=form
                name="scopes.providers"
                label="Providers"
                chosen=self.providers
                options=providers
                hint="None chosen: all, later ones included."
            />
            <SelectField
                form=form
                name="tool_choice"
                label="Tools that requests may declare"
                value=self.tool_choice
                options=tool_choices.to_vec()
            />
            {move || {
                (self.tool_choice.get() == SOME_TOOLS).then(|| {
                    view! {
                        <LinesField
                            form=form
                            name="scopes.tools"
                            label="Tools"
                            value=self.tools
                            placeholder="search_*"
                            hint="One a line; * stands for any characters. A provider's own go by their type: web_search."
                        />
                    }
                })
            }}
            <LinesField
                form=form
                name="scopes.regions"
                label="Regions"
                value=self.regions
                placeholder="eu"
                hint="Areas or regions its requests may go to, one a line. Empty: anywhere."
            />
            <div class="field-grid">
                <TextField
                    form=form
                    name="scopes.highest_price.input"
                    label="Highest price of input"
                    value=self.highest_input
                    placeholder="3.00"
                    hint="Dollars per million tokens."
                />
                <TextField
                    form=form
                    name="scopes.highest_price.output"
                    label="Highest price of output"
                    value=self.highest_output
                    placeholder="15.00"
                    hint="Models without a known price are out of reach."
                />
            </div>
        }
        .into_any()
    }

    fn upkeep_fields(self) -> AnyView {
        let form = self.form;
        view! {
            <TextField
                form=form
                name="upkeep.rotate_every"
                label="Rotate every"
                value=self.rotate_every
                placeholder="90d"
                hint="When a new secret is due. Notice is given before; nothing is rotated by itself."
            />
            <TextField
                form=form
                name="upkeep.disable_overdue_after"
                label="Disable when overdue for"
                value=self.disable_overdue_after
                placeholder="14d"
                hint="Empty: it goes on working, and is shown as overdue."
            />
            <TextField
                form=form
                name="upkeep.disable_after_idle"
                label="Disable when nobody used it for"
                value=self.disable_after_idle
                placeholder="30d"
                hint="Empty: never. It can be enabled again."
            />
        }
        .into_any()
    }
}

/// What stands on lines or between commas, each parsed; else what is wrong with the first that does not parse.
pub(crate) fn parse_lines<T: FromStr<Err: Display>>(text: &str) -> Result<Vec<T>, String> {
    let parts = text.split(['\n', ',']).map(str::trim).filter(|part| !part.is_empty());
    let parsed = parts.map(|part| part.parse().map_err(|error: T::Err| format!("{part} {error}")));
    parsed.collect()
}

pub(crate) fn lines<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    items.join("\n")
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
