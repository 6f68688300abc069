//! Fields of the side panel. Each shows what the tree says and writes what is typed into it at once; what is wrong with
//! it stands below.

use gatewright_types::api::Affinity;
use leptos::prelude::*;

use super::state::{Editor, Step};
use crate::route::{Draft, Node, NodeId, Terms};

/// A text of one node, and the way to it.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) editor: Editor,
    pub(super) id: NodeId,
    /// As problems name it.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    get: fn(&Draft, NodeId) -> Option<String>,
    set: fn(&mut Draft, NodeId, String),
}

/// How a field is typed into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// One line, with what stands in it while it is empty.
    Line(&'static str),
    /// One line with suggestions from the list of this id.
    Suggested(&'static str),
    Lines(&'static str),
}

/// A field of a node itself.
macro_rules! node_field {
    ($editor:expr, $id:expr, $name:literal, $label:literal, $hint:expr, $($path:ident).+) => {
        $crate::pages::models::editor::fields::Field::new(
            $editor, $id, ($name, $label, $hint),
            |draft, id| draft.node(id).map(|node| node.$($path).+.clone()),
            |draft, id, text| draft.change_node(id, |node| node.$($path).+ = text),
        )
    };
}

/// A field of the edge that leads to a node.
macro_rules! edge_field {
    ($editor:expr, $id:expr, $name:literal, $label:literal, $hint:expr, $path:ident) => {
        $crate::pages::models::editor::fields::Field::new(
            $editor,
            $id,
            ($name, $label, $hint),
            |draft, id| {
                let (parent, position) = draft.edge(id)?;
                parent.children.get(position).map(|child| child.terms.$path.clone())
            },
            |draft, id, text| draft.change_terms(id, |terms| terms.$path = text),
        )
    };
}

pub(super) use {edge_field, node_field};

impl Field {
    pub(super) const fn new(
        editor: Editor,
        id: NodeId,
        (name, label, hint): (&'static str, &'static str, &'static str),
        get: fn(&Draft, NodeId) -> Option<String>,
        set: fn(&mut Draft, NodeId, String),
    ) -> Self {
        Self {
            editor,
            id,
            name,
            label,
            hint,
            get,
            set,
        }
    }

    pub(super) fn value(self) -> String {
        self.editor.with(|draft| (self.get)(draft, self.id)).unwrap_or_default()
    }

    pub(super) fn write(self, text: String) {
        let Self { id, set, .. } = self;
        self.editor
            .change(Step::Field(id, self.name), |draft| set(draft, id, text));
    }

    fn element_id(self) -> String {
        format!("field-{}", self.name.replace('.', "-"))
    }

    /// The field with its label, and below it what is wrong or else its hint.
    pub(super) fn view(self, entry: Entry) -> AnyView {
        let (id, about) = (self.element_id(), format!("{}-about", self.element_id()));
        let problem = Memo::new(move |_| self.editor.problem_of(self.id, self.name));
        let invalid = move || problem.get().map(|_| "true");
        let locked = move || (!self.editor.is_open()).then_some("true");
        let input = match entry {
            Entry::Line(placeholder) => self.line(&id, &about, placeholder, None, invalid, locked),
            Entry::Suggested(list) => self.line(&id, &about, "", Some(list), invalid, locked),
            Entry::Lines(placeholder) => view! {
                <textarea
                    id=id.clone()
                    class="code"
                    rows="3"
                    spellcheck="false"
                    autocapitalize="off"
                    placeholder=placeholder
                    aria-describedby=about.clone()
                    aria-invalid=invalid
                    readonly=move || locked().is_some()
                    prop:value=move || self.value()
                    on:input=move |event| self.write(event_target_value(&event))
                ></textarea>
            }
            .into_any(),
        };
        view! {
            <div class="field" class:has-error=move || problem.get().is_some()>
                <label for=id>{self.label}</label>
                <div class="field-box">{input}</div>
                {about_line(about, problem, self.hint)}
            </div>
        }
        .into_any()
    }

    fn line(
        self,
        id: &str,
        about: &str,
        placeholder: &'static str,
        list: Option<&'static str>,
        invalid: impl Fn() -> Option<&'static str> + Send + 'static,
        locked: impl Fn() -> Option<&'static str> + Send + 'static,
    ) -> AnyView {
        view! {
            <input
                id=id.to_owned()
                class="code"
                type="text"
                autocomplete="off"
                spellcheck="false"
                autocapitalize="off"
                list=list
                placeholder=placeholder
                aria-describedby=about.to_owned()
                aria-invalid=invalid
                readonly=move || locked().is_some()
                prop:value=move || self.value()
                on:input=move |event| self.write(event_target_value(&event))
            />
        }
        .into_any()
    }

    /// The same as a choice among `(value, title)`; what is there and not among them stays choosable.
    pub(super) fn choice(self, options: Signal<Vec<(String, String)>>) -> AnyView {
        let (id, about) = (self.element_id(), format!("{}-about", self.element_id()));
        let problem = Memo::new(move |_| self.editor.problem_of(self.id, self.name));
        let all = move || {
            let mut options = options.get();
            let value = self.value();
            if !options.iter().any(|(option, _)| *option == value) {
                let title = if value.is_empty() {
                    "Choose…".to_owned()
                } else {
                    value.clone()
                };
                options.insert(0, (value, title));
            }
            options
        };
        let row = move |(option, title): (String, String)| {
            let this = option.clone();
            view! { <option value=option prop:selected=move || self.value() == this>{title}</option> }
        };
        view! {
            <div class="field" class:has-error=move || problem.get().is_some()>
                <label for=id.clone()>{self.label}</label>
                <div class="field-box">
                    <select
                        id=id
                        aria-describedby=about.clone()
                        aria-invalid=move || problem.get().map(|_| "true")
                        disabled=move || !self.editor.is_open()
                        on:change=move |event| self.write(event_target_value(&event))
                    >
                        {move || all().into_iter().map(row).collect_view()}
                    </select>
                </div>
                {about_line(about, problem, self.hint)}
            </div>
        }
        .into_any()
    }
}

fn about_line(id: String, problem: Memo<Option<String>>, hint: &'static str) -> AnyView {
    view! {
        <p id=id class="field-about" class:is-error=move || problem.get().is_some()>
            {move || problem.get().unwrap_or_else(|| hint.to_owned())}
        </p>
    }
    .into_any()
}

/// Some of a closed list of words, as check boxes; gives `toggle` the word that was switched.
pub(super) fn words<T>(
    editor: Editor,
    label: &'static str,
    hint: &'static str,
    all: &'static [T],
    title: fn(T) -> &'static str,
    has: impl Fn(T) -> bool + Copy + Send + Sync + 'static,
    toggle: impl Fn(T) + Copy + Send + Sync + 'static,
) -> AnyView
where
    T: Copy + Send + Sync + 'static,
{
    let row = move |one: T| {
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    disabled=move || !editor.is_open()
                    prop:checked=move || has(one)
                    on:change=move |_| toggle(one)
                />
                {title(one)}
            </label>
        }
    };
    let rows = all.iter().copied().map(row).collect_view();
    view! {
        <fieldset class="field">
            <legend>{label}</legend>
            <div class="check-list">{rows}</div>
            <p class="field-about">{hint}</p>
        </fieldset>
    }
    .into_any()
}

/// Takes a word into a list or out of it.
pub(super) fn switch<T: PartialEq>(list: &mut Vec<T>, word: T) {
    match list.iter().position(|other| *other == word) {
        Some(position) => {
            list.remove(position);
        }
        None => list.push(word),
    }
}

/// By what a request is recognised, of a sticky strategy or a canary.
pub(super) fn affinity(editor: Editor, id: NodeId) -> AnyView {
    let has = move |one: Affinity| editor.node(id, |node: &Node| node.by.contains(&one)) == Some(true);
    let toggle = move |one: Affinity| {
        editor.change(Step::Tree, |draft| {
            draft.change_node(id, |node| switch(&mut node.by, one))
        });
    };
    let hint = "The first of these that a request has decides.";
    words(
        editor,
        "Recognised by",
        hint,
        Affinity::ALL,
        crate::route::affinity,
        has,
        toggle,
    )
}

/// Whether something is said on the edge to a node.
pub(super) fn edge_says(editor: Editor, id: NodeId, look: impl FnOnce(&Terms) -> bool) -> bool {
    editor.terms(id, look) == Some(true)
}
