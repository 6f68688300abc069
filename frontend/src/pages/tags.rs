//! The tags an organization knows: what requests may and have to say of themselves.

use gatewright_types::api::{OrganizationChange, TagRule};
use gatewright_types::{DisplayName, Permission, TagName};
use leptos::prelude::*;

use crate::components::button::{Button, IconButton};
use crate::components::form::FormFrame;
use crate::components::icon::Icon;
use crate::components::toast::use_toasts;
use crate::form::Form;
use crate::session::Workspace;

/// One tag on the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    /// Tells it from the others, whatever is removed.
    number: usize,
    name: RwSignal<String>,
    values: RwSignal<String>,
    required: RwSignal<bool>,
}

impl Line {
    fn of(number: usize, rule: Option<&TagRule>) -> Self {
        let values = rule.and_then(|rule| rule.values.as_ref());
        let values = values.map(|values| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        Self {
            number,
            name: RwSignal::new(rule.map(|rule| rule.name.to_string()).unwrap_or_default()),
            values: RwSignal::new(values.unwrap_or_default()),
            required: RwSignal::new(rule.is_some_and(|rule| rule.required)),
        }
    }

    fn read(self, form: Form, at: usize) -> Option<TagRule> {
        let name = self.name.with_untracked(|name| name.trim().parse::<TagName>());
        let name = name.map_err(|error| form.refuse(&format!("tags[{at}].name"), &error.to_string()));
        let text = self.values.get_untracked();
        let values = text.split(',').map(str::trim).filter(|value| !value.is_empty());
        let values = values.map(str::parse).collect::<Result<Vec<DisplayName>, _>>();
        let values = values.map_err(|error| form.refuse(&format!("tags[{at}].values"), &error.to_string()));
        Some(TagRule {
            name: name.ok()?,
            required: self.required.get_untracked(),
            values: values.ok().map(|values| (!values.is_empty()).then_some(values))?,
        })
    }
}

pub(super) fn tags(workspace: Workspace) -> AnyView {
    let rules = untrack(|| workspace.organization()).map(|organization| organization.tags);
    let about = "What you want to know of requests: a project, a cost centre. Callers say it in the header x-gw-tags or in \
                 the request's metadata, and keys can have it fixed. Budgets and limits go by tags; of tags \
                 that are not in this list nothing is kept.";
    view! {
        <p class="prose">{about}</p>
        {show(&rules.unwrap_or_default(), workspace)}
    }
    .into_any()
}

fn show(rules: &[TagRule], workspace: Workspace) -> AnyView {
    if let Some(reason) = workspace.denial(Permission::OrganizationWrite) {
        let row = |rule: &TagRule| {
            let values = Line::of(0, Some(rule)).values.get_untracked();
            let values = if values.is_empty() {
                "any value".to_owned()
            } else {
                values
            };
            let required = if rule.required { ", required" } else { "" };
            view! { <div><dt><code>{rule.name.to_string()}</code></dt><dd>{values}{required}</dd></div> }
        };
        let rows = rules.iter().map(row).collect_view();
        return view! { <dl class="facts">{rows}</dl><p class="muted">{reason}</p> }.into_any();
    }
    let toasts = use_toasts();
    let form = Form::new("tags");
    form.register_tree("tags");
    let lines: Vec<_> = rules
        .iter()
        .enumerate()
        .map(|(at, rule)| Line::of(at, Some(rule)))
        .collect();
    let next = StoredValue::new(lines.len());
    let lines = RwSignal::new(lines);
    let add = Callback::new(move |()| {
        let number = next.get_value();
        next.set_value(number + 1);
        lines.update(|lines| lines.push(Line::of(number, None)));
    });
    let submit = Callback::new(move |()| {
        form.clear();
        let lines = lines.get_untracked();
        let read: Vec<_> = lines.iter().enumerate().map(|(at, line)| line.read(form, at)).collect();
        let (Some(tags), Ok(name)) = (read.into_iter().collect::<Option<Vec<_>>>(), workspace.name().parse()) else {
            return;
        };
        let change = OrganizationChange {
            name,
            traces: None,
            tags: Some(tags),
            cost_centre: None,
            shared_cost: None,
        };
        form.send(workspace.change_organization(&change), move |_| {
            toasts.done("The tags are saved.".to_owned());
            workspace.session.refresh();
        });
    });
    let row = move |(at, line): (usize, Line)| {
        let remove = Callback::new(move |()| {
            form.clear();
            lines.update(|lines| lines.retain(|other| other.number != line.number));
        });
        view! {
            <li class="tag-line">
                {text(form, at, "name", "Name", line.name, "project")}
                {text(form, at, "values", "Values", line.values, "any, or apollo, gemini")}
                <label class="check check-alone">
                    <input
                        type="checkbox"
                        prop:checked=move || line.required.get()
                        on:change=move |_| line.required.update(|required| *required = !*required)
                    />
                    "Required"
                </label>
                <IconButton label=format!("Remove tag {}", at + 1) glyph=Icon::Trash on_press=remove/>
            </li>
        }
        .into_any()
    };
    view! {
        <FormFrame form=form submit="Save tags" on_submit=submit>
            <ul class="tag-lines">{move || lines.get().into_iter().enumerate().map(row).collect_view()}</ul>
            <div><Button label="Add tag" glyph=Icon::Plus on_press=add/></div>
        </FormFrame>
    }
    .into_any()
}

/// One text of the tag at a place in the list.
fn text(
    form: Form,
    at: usize,
    part: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    placeholder: &'static str,
) -> AnyView {
    let place = StoredValue::new(format!("tags[{at}].{part}"));
    let wrong = move || {
        let below = place.with_value(|place| form.errors_below(place));
        (!below.is_empty()).then(|| below.into_iter().map(|(_, error)| error).collect::<Vec<_>>().join(" "))
    };
    let id = format!("tag-{at}-{part}");
    let about = format!("{id}-about");
    view! {
        <div class="field" class:has-error=move || wrong().is_some()>
            <label for=id.clone()>{label}</label>
            <input
                id=id
                class="code"
                autocomplete="off"
                spellcheck="false"
                placeholder=placeholder
                prop:value=move || value.get()
                aria-describedby=about.clone()
                aria-invalid=move || wrong().map(|_| "true")
                on:input=move |event| {
                    value.set(event_target_value(&event));
                    place.with_value(|place| form.touch(place));
                }
            />
            <p id=about class="field-about is-error">{move || wrong().map(|error| crate::format::heading(&error))}</p>
        </div>
    }
    .into_any()
}
