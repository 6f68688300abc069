//! Whom or what a budget or a limit is for, as a part of a form.

use gatewright_types::api::{Each, LimitScope, LimitScopeQuery, ScopeKind, TagScope, Which};
use leptos::prelude::*;

use super::address::Noted;
use super::choices::{Options, choices, fixed};
use crate::api::Answer;
use crate::components::field::{SelectField, TextField};
use crate::form::Form;
use crate::session::{Workspace, use_workspace};

const KINDS: [(&str, &str); 11] = [
    ("organization", "The whole organization"),
    ("team", "A team"),
    ("user", "A member: the keys they own"),
    ("key", "An API key"),
    ("model", "A model"),
    ("provider", "A provider"),
    ("credential", "A provider's credential"),
    ("each_end_user", "Each end user for themselves"),
    ("end_user", "One end user"),
    ("each_tag", "Each value of a tag"),
    ("tag", "One value of a tag"),
];

/// What is chosen so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScopeFields {
    form: Form,
    kind: RwSignal<String>,
    subject: RwSignal<String>,
    value: RwSignal<String>,
}

impl ScopeFields {
    pub(super) fn new(form: Form) -> Self {
        let text = || RwSignal::new(String::new());
        let kind = RwSignal::new("organization".to_owned());
        let fields = Self {
            form,
            kind,
            subject: text(),
            value: text(),
        };
        Effect::new(move |before: Option<String>| {
            let kind = kind.get();
            if before.is_some_and(|before| before != kind) {
                fields.subject.set(String::new());
            }
            kind
        });
        fields
    }

    /// Nothing when a field is wrong.
    pub(super) fn read(self) -> Option<LimitScope> {
        let Self { form, subject, .. } = self;
        Some(match self.kind.get_untracked().as_str() {
            "team" => LimitScope::Team(form.parse("scope.team", subject)?),
            "user" => LimitScope::User(form.parse("scope.user", subject)?),
            "key" => LimitScope::Key(form.parse("scope.key", subject)?),
            "model" => LimitScope::Model(form.parse("scope.model", subject)?),
            "provider" => LimitScope::Provider(form.parse("scope.provider", subject)?),
            "credential" => LimitScope::Credential(form.parse("scope.credential", subject)?),
            "end_user" => LimitScope::EndUser(Which::One(form.parse("scope.end_user", subject)?)),
            "each_end_user" => LimitScope::EndUser(Which::Each(Each { each: true })),
            "each_tag" => LimitScope::Tag(TagScope {
                name: form.parse("scope.tag.name", subject)?,
                value: None,
            }),
            "tag" => LimitScope::Tag(TagScope {
                name: form.parse("scope.tag.name", subject)?,
                value: Some(form.parse("scope.tag.value", self.value)?),
            }),
            _ => LimitScope::Organization,
        })
    }

    pub(super) fn view(self) -> AnyView {
        let form = self.form;
        view! {
            <SelectField form=form name="scope" label="For" value=self.kind options=fixed(&KINDS)/>
            {move || self.subject_field()}
        }
        .into_any()
    }

    fn subject_field(self) -> AnyView {
        let Self { form, subject, .. } = self;
        let kind = self.kind.get();
        let (name, label) = match kind.as_str() {
            "team" => ("scope.team", "Team"),
            "user" => ("scope.user", "Member"),
            "key" => ("scope.key", "Key"),
            "model" => ("scope.model", "Model"),
            "provider" => ("scope.provider", "Provider"),
            "credential" => ("scope.credential", "Credential"),
            "tag" | "each_tag" => ("scope.tag.name", "Tag"),
            "end_user" => {
                let hint = "As requests name them, in user or safety_identifier.";
                return view! {
                    <TextField form=form name="scope.end_user" label="End user" value=subject hint=hint/>
                }
                .into_any();
            }
            _ => return ().into_any(),
        };
        let workspace = use_workspace();
        let value = (kind == "tag")
            .then(|| view! { <TextField form=form name="scope.tag.value" label="Value" value=self.value/> });
        let options = choices(
            move || Box::pin(subjects(workspace, kind.clone())),
            subject,
            "There is none yet",
        );
        view! {
            <SelectField form=form name=name label=label value=subject options=options/>
            {value}
        }
        .into_any()
    }
}

async fn subjects(workspace: Workspace, kind: String) -> Answer<Options> {
    let same = |name: String| (name.clone(), name);
    Ok(match kind.as_str() {
        "team" => {
            let teams = workspace.team_choices().await?.items.into_iter();
            teams.map(|team| (team.id.to_string(), team.name.to_string())).collect()
        }
        "user" => {
            let members = workspace.member_choices().await?.items.into_iter();
            members
                .map(|member| (member.id.to_string(), member.email.to_string()))
                .collect()
        }
        "key" => {
            let keys = workspace.key_choices().await?.items.into_iter();
            keys.filter(|key| key.revoked_at.is_none())
                .map(|key| (key.id.to_string(), key.name.to_string()))
                .collect()
        }
        "model" => {
            let models = workspace.model_choices().await?.items.into_iter();
            models.map(|model| same(model.name.to_string())).collect()
        }
        "tag" | "each_tag" => {
            let tags = untrack(|| workspace.organization()).map(|organization| organization.tags);
            tags.into_iter()
                .flatten()
                .map(|tag| same(tag.name.to_string()))
                .collect()
        }
        _ => {
            let mut options = Vec::new();
            for provider in workspace.provider_choices().await?.items {
                if kind == "provider" {
                    options.push(same(provider.name.to_string()));
                    continue;
                }
                for credential in provider.credentials {
                    let title = format!("{}/{}", provider.name, credential.name);
                    options.push((credential.id.to_string(), title));
                }
            }
            options
        }
    })
}

/// The kinds to filter a list by.
pub(super) fn kind_options() -> Options {
    let all = (String::new(), "For anything".to_owned());
    let kinds = ScopeKind::ALL
        .iter()
        .map(|kind| (kind.as_str().to_owned(), crate::format::words(kind.as_str())));
    [all].into_iter().chain(kinds).collect()
}

/// The part of a list of budgets or limits that the address asks for.
pub(super) fn of_kind(kind: Noted, cursor: Option<String>) -> LimitScopeQuery {
    let kind = kind.value();
    LimitScopeQuery {
        cursor,
        scope: ScopeKind::ALL.iter().copied().find(|one| one.as_str() == kind),
        ..LimitScopeQuery::default()
    }
}
