//! Trying a request out on the route as it is in the editor: nobody is asked, nothing is saved, and the way it would
//! take is laid over the graph.

use std::collections::BTreeMap;

use gatewright_types::api::{ExpectedCost, ExplainRequest, ExplainedRequest, Explanation, SampleHealth, SampleRequest};
use gatewright_types::{DisplayName, ModelName};
use leptos::prelude::*;
use serde_json::{Value, json};

use super::editor::Editor;
use crate::components::field::{Input, LinesField, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::form::Form;
use crate::format;
use crate::load::{Load, Loader};
use crate::pages::decision::decision;
use crate::route::{Mark, NodeId, marks};
use crate::session::Workspace;

/// What is asked for where a model has no name yet.
const UNNAMED: &str = "new-model";

#[derive(Debug, Clone, Copy)]
pub(super) struct Trial {
    workspace: Workspace,
    editor: Editor,
    form: Form,
    message: RwSignal<String>,
    /// A whole body in place of the message.
    body: RwSignal<String>,
    headers: RwSignal<String>,
    key: RwSignal<String>,
    team: RwSignal<String>,
    dice: RwSignal<String>,
    health: RwSignal<String>,
    answer: RwSignal<Option<Explanation>>,
}

impl Trial {
    pub(super) fn new(workspace: Workspace, editor: Editor) -> Self {
        let empty = || RwSignal::new(String::new());
        let trial = Self {
            workspace,
            editor,
            form: Form::new("trial"),
            message: RwSignal::new("Hello".to_owned()),
            body: empty(),
            headers: empty(),
            key: empty(),
            team: empty(),
            dice: RwSignal::new("0".to_owned()),
            health: RwSignal::new(SampleHealth::Current.as_str().to_owned()),
            answer: RwSignal::new(None),
        };
        // The answer is of the route that it was asked with.
        Effect::new(move |before: Option<()>| {
            editor.text();
            if before.is_some() {
                trial.answer.set(None);
            }
        });
        trial
    }

    /// What the answer says of the nodes; nothing before there is one.
    pub(super) fn marks(self) -> Option<BTreeMap<NodeId, Mark>> {
        self.answer.with(|answer| {
            let decision = &answer.as_ref()?.decision;
            Some(self.editor.with(|draft| marks(draft, decision)))
        })
    }

    pub(super) fn view(self, name: Signal<String>) -> AnyView {
        let Self { workspace, form, .. } = self;
        let keys = Loader::items(move || workspace.key_choices());
        let teams = Loader::items(move || workspace.team_choices());
        let keys = names(keys, "any", |key| key.name.to_string());
        let teams = names(teams, "none", |team| team.name.to_string());
        let healths = SampleHealth::ALL
            .iter()
            .map(|health| (health.as_str().to_owned(), told(*health).to_owned()));
        let healths: Vec<_> = healths.collect();
        let submit = Callback::new(move |()| self.send(name));
        let answer = move || self.answer.with(|answer| answer.as_ref().map(shown));
        view! {
            <div class="node-panel trial-panel">
                <p class="muted small">
                    "Nobody is asked and nothing is saved."
                </p>
                <FormFrame form=form submit="Try it" on_submit=submit>
                    <LinesField form=form name="message" label="Message" value=self.message/>
                    <SelectField form=form name="health" label="Targets" value=self.health options=healths/>
                    <SelectField form=form name="request.key" label="Key" value=self.key options=keys/>
                    <SelectField form=form name="request.team" label="Team" value=self.team options=teams hint="Where no key is named."/>
                    <LinesField
                        form=form
                        name="request.headers"
                        label="Headers"
                        value=self.headers
                        placeholder="x-tier: free"
                        hint="name: value in each line."
                    />
                    <details class="more-fields">
                        <summary>"Advanced"</summary>
                        <div class="form">
                            <LinesField
                                form=form
                                name="request.body"
                                label="Body"
                                value=self.body
                                placeholder="{\"messages\": [], \"stream\": true}"
                                hint="JSON in place of the message, as callers of OpenAI's chat send it."
                            />
                            <TextField
                                form=form
                                name="request.dice"
                                label="Dice"
                                value=self.dice
                                input=Input::Number
                                hint="Decides what is left to chance: the same number always gives the same."
                            />
                        </div>
                    </details>
                </FormFrame>
                <div class="trial-answer" aria-live="polite">{answer}</div>
            </div>
        }
        .into_any()
    }

    fn send(self, name: Signal<String>) {
        let Self { workspace, form, .. } = self;
        form.clear();
        self.answer.set(None);
        let Some(route) = untrack(|| self.editor.route()) else {
            form.say("The route has problems. They are listed below the graph.");
            return;
        };
        let (body, headers) = (self.read_body(), self.read_headers());
        let key = form.parse_optional::<DisplayName>("request.key", self.key);
        let team = form.parse_optional::<DisplayName>("request.team", self.team);
        let dice = form.parse::<u64>("request.dice", self.dice);
        let (Some(body), Some(headers), Some(key), Some(team), Some(dice)) = (body, headers, key, team, dice) else {
            return;
        };
        let name = untrack(|| name.get());
        let model: Option<ModelName> = name.trim().parse().or_else(|_| UNNAMED.parse()).ok();
        let request = ExplainRequest {
            request: ExplainedRequest::Sample(Box::new(SampleRequest {
                model,
                headers,
                body,
                key,
                team,
                dice,
                ..usual()
            })),
            route: Some(route),
            health: self.read_health(),
        };
        let told = Callback::new(move |answer| self.answer.set(Some(answer)));
        form.send(workspace.explain(&request), move |answer| {
            // Whoever asked may have left the page.
            let _left = told.try_run(answer);
        });
    }

    fn read_health(self) -> SampleHealth {
        let chosen = self.health.get_untracked();
        let mut all = SampleHealth::ALL.iter().copied();
        all.find(|health| health.as_str() == chosen)
            .unwrap_or(SampleHealth::Current)
    }

    fn read_body(self) -> Option<Value> {
        let typed = self.body.get_untracked();
        if typed.trim().is_empty() {
            let message = self.message.get_untracked();
            return Some(json!({"messages": [{"role": "user", "content": message}]}));
        }
        serde_json::from_str(&typed)
            .map_err(|error| self.form.refuse("request.body", &format!("is not JSON: {error}")))
            .ok()
    }

    fn read_headers(self) -> Option<BTreeMap<String, String>> {
        let typed = self.headers.get_untracked();
        let mut headers = BTreeMap::new();
        for line in typed.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let Some((name, value)) = line.split_once(':') else {
                self.form.refuse("request.headers", "must be name: value in each line");
                return None;
            };
            headers.insert(name.trim().to_lowercase(), value.trim().to_owned());
        }
        Some(headers)
    }
}

const fn told(health: SampleHealth) -> &'static str {
    match health {
        SampleHealth::Current => "as nodes see them now",
        SampleHealth::Ideal => "as healthy and idle",
    }
}

fn usual() -> SampleRequest {
    SampleRequest {
        model: None,
        dialect: gatewright_types::api::Dialect::OpenaiChat,
        headers: BTreeMap::new(),
        body: Value::Null,
        key: None,
        team: None,
        at: None,
        dice: 0,
    }
}

/// Names to choose from; `none` is for choosing none of them.
fn names<T>(list: Loader<Vec<T>>, none: &'static str, name: fn(&T) -> String) -> Signal<Vec<(String, String)>>
where
    T: Send + Sync + 'static,
{
    Signal::derive(move || {
        let first = (String::new(), none.to_owned());
        let rest = list.state.with(|state| match state {
            Load::Ready(items) => items.iter().map(|item| (name(item), name(item))).collect(),
            Load::Waiting | Load::Failed(_) => Vec::new(),
        });
        std::iter::once(first).chain(rest).collect()
    })
}

fn shown(answer: &Explanation) -> AnyView {
    let row = |expected: &ExpectedCost| {
        let cost = expected.cost.as_ref();
        let cost = cost.map_or_else(|| "unpriced".to_owned(), |money| format::money(money.amount));
        view! { <div><dt><code>{expected.target.to_string()}</code></dt><dd class="number">{cost}</dd></div> }
    };
    let costs = (!answer.costs.is_empty()).then(|| {
        view! {
            <section>
                <h4>"It is expected to cost"</h4>
                <dl class="facts">{answer.costs.iter().map(row).collect_view()}</dl>
            </section>
        }
    });
    view! {
        <h3>"Where it would go"</h3>
        <p class="muted small">"Targets are taken "{told(answer.health)}"."</p>
        {decision(&answer.decision)}
        {costs}
    }
    .into_any()
}
