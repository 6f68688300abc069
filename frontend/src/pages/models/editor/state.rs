//! A route under edit: the tree, the text it is written as, and the steps back. One of the two is changed at a time and
//! the other follows; a text that is no route leaves the tree as it was.

use gatewright_types::api::Route;
use leptos::prelude::*;

use crate::route::{Draft, Node, NodeId, Problem, Terms, has_comments, node_at, parse, read, write};
use crate::yaml::Unreadable;

/// How many steps can be taken back.
const STEPS: usize = 100;

/// What a change is of; further changes of the same are one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Field(NodeId, &'static str),
    Text,
    Tree,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Editor {
    draft: RwSignal<Draft>,
    text: RwSignal<String>,
    broken: RwSignal<Option<Unreadable>>,
    /// The text has comments, which a change of the tree would lose.
    commented: Memo<bool>,
    pub(super) selected: RwSignal<NodeId>,
    past: RwSignal<Vec<Draft>>,
    future: RwSignal<Vec<Draft>>,
    last: StoredValue<Option<Step>>,
    /// What is wrong by the tree itself.
    found: Memo<Vec<Problem>>,
    /// What the server says, by place.
    pub(super) told: RwSignal<Vec<(String, String)>>,
    saved: RwSignal<String>,
    can_edit: bool,
}

/// A problem to be shown and jumped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) node: NodeId,
    pub(super) field: &'static str,
    pub(super) text: String,
}

impl Editor {
    pub(crate) fn new(route: Option<&Route>, can_edit: bool) -> Self {
        let draft = route.map_or_else(Draft::new, Draft::of);
        let (text, root) = (write(&draft), draft.root.id);
        let draft = RwSignal::new(draft);
        let saved = RwSignal::new(text.clone());
        let text = RwSignal::new(text);
        Self {
            draft,
            text,
            broken: RwSignal::new(None),
            commented: Memo::new(move |_| text.with(|text| has_comments(text))),
            selected: RwSignal::new(root),
            past: RwSignal::new(Vec::new()),
            future: RwSignal::new(Vec::new()),
            last: StoredValue::new(None),
            found: Memo::new(move |_| draft.with(|draft| read(draft).err().unwrap_or_default())),
            told: RwSignal::new(Vec::new()),
            saved,
            can_edit,
        }
    }

    /// The route, when the text and the tree are one.
    pub(crate) fn route(self) -> Option<Route> {
        if self.broken.with(Option::is_some) {
            return None;
        }
        self.draft.with(|draft| read(draft).ok())
    }

    pub(crate) fn is_changed(self) -> bool {
        self.text.with(|text| self.saved.with(|saved| text != saved))
    }

    /// What is there is what the server has.
    pub(crate) fn settle(self) {
        self.saved.set(self.text.get_untracked());
        self.last.set_value(None);
    }

    /// Takes over what the server said is wrong, by place; gives what belongs to no node.
    pub(crate) fn take_problems(self, problems: impl IntoIterator<Item = (String, String)>) {
        self.told.set(problems.into_iter().collect());
    }

    pub(crate) fn with<T>(self, look: impl FnOnce(&Draft) -> T) -> T {
        self.draft.with(look)
    }

    pub(super) fn with_untracked<T>(self, look: impl FnOnce(&Draft) -> T) -> T {
        self.draft.with_untracked(look)
    }

    pub(super) fn node<T>(self, id: NodeId, look: impl FnOnce(&Node) -> T) -> Option<T> {
        self.draft.with(|draft| draft.node(id).map(look))
    }

    pub(super) fn terms<T>(self, id: NodeId, look: impl FnOnce(&Terms) -> T) -> Option<T> {
        self.draft.with(|draft| {
            let (parent, position) = draft.edge(id)?;
            parent.children.get(position).map(|child| look(&child.terms))
        })
    }

    pub(crate) fn text(self) -> String {
        self.text.get()
    }

    pub(super) fn broken(self) -> Option<Unreadable> {
        self.broken.get()
    }

    pub(super) fn has_comments(self) -> bool {
        self.commented.get()
    }

    /// Whether the tree may be changed now.
    pub(super) fn is_open(self) -> bool {
        self.can_edit && self.broken.with(Option::is_none) && !self.has_comments()
    }

    pub(super) const fn can_edit(self) -> bool {
        self.can_edit
    }

    /// Changes the tree; the text follows. Nothing happens while the text cannot be read or has comments, for that
    /// would be lost.
    pub(super) fn change(self, step: Step, change: impl FnOnce(&mut Draft)) {
        if !untrack(|| self.is_open()) {
            return;
        }
        self.remember(step);
        self.draft.update(change);
        self.follow();
    }

    /// Changes the tree and looks at the node that the change gives.
    pub(super) fn change_and_select(self, change: impl FnOnce(&mut Draft) -> Option<NodeId>) {
        let mut selected = None;
        self.change(Step::Tree, |draft| selected = change(draft));
        if let Some(selected) = selected {
            self.selected.set(selected);
        }
    }

    /// Takes what was typed; the tree follows as soon as it can be read.
    pub(super) fn type_text(self, text: String) {
        if !self.can_edit {
            return;
        }
        match parse(&text) {
            Ok(draft) => {
                if self.draft.with_untracked(|now| *now != draft) {
                    self.remember(Step::Text);
                    self.show(draft);
                }
                self.broken.set(None);
            }
            Err(error) => self.broken.set(Some(error)),
        }
        self.text.set(text);
        self.told.set(Vec::new());
    }

    /// Gives up a text that cannot be read, or its comments, for what the tree says.
    pub(super) fn take_tree(self) {
        self.broken.set(None);
        self.follow();
    }

    pub(super) fn can_undo(self) -> bool {
        self.is_open() && self.past.with(|past| !past.is_empty())
    }

    pub(super) fn can_redo(self) -> bool {
        self.is_open() && self.future.with(|future| !future.is_empty())
    }

    pub(super) fn undo(self) {
        self.step(self.past, self.future);
    }

    pub(super) fn redo(self) {
        self.step(self.future, self.past);
    }

    /// Everything that is wrong, what the tree says first.
    pub(super) fn problems(self) -> Vec<Shown> {
        let found = self.found.get();
        let mut shown: Vec<_> = found
            .into_iter()
            .map(|Problem { node, field, message }| Shown {
                node,
                field,
                text: sentence(field, &message),
            })
            .collect();
        let told = self.told.get();
        self.draft.with(|draft| {
            for (place, message) in &told {
                if let Some(node) = node_at(draft, place) {
                    let field = field_of(draft, node, place);
                    let text = sentence(field, message);
                    shown.push(Shown { node, field, text });
                }
            }
        });
        shown
    }

    pub(super) fn problem_of(self, id: NodeId, field: &str) -> Option<String> {
        let problems = self.problems().into_iter();
        let mut own = problems.filter(|problem| problem.node == id && problem.field == field);
        own.next().map(|problem| problem.text)
    }

    fn remember(self, step: Step) {
        let same = step != Step::Tree && self.last.get_value() == Some(step);
        self.last.set_value(Some(step));
        self.future.set(Vec::new());
        if !same {
            let before = self.draft.get_untracked();
            self.past.update(|past| {
                past.push(before);
                let surplus = past.len().saturating_sub(STEPS);
                past.drain(..surplus);
            });
        }
    }

    fn step(self, from: RwSignal<Vec<Draft>>, to: RwSignal<Vec<Draft>>) {
        if !untrack(|| self.is_open()) {
            return;
        }
        let Some(draft) = from.try_update(Vec::pop).flatten() else {
            return;
        };
        let now = self.draft.get_untracked();
        to.update(|to| to.push(now));
        self.last.set_value(None);
        self.show(draft);
        self.follow();
    }

    fn show(self, draft: Draft) {
        let selected = self.selected.get_untracked();
        let (gone, root) = (draft.node(selected).is_none(), draft.root.id);
        self.draft.set(draft);
        if gone {
            self.selected.set(root);
        }
    }

    fn follow(self) {
        self.text.set(self.draft.with_untracked(write));
        self.told.set(Vec::new());
    }
}

/// The field of the side panel that a place below a node's own belongs to; empty when it is the node as a whole.
fn field_of(draft: &Draft, node: NodeId, place: &str) -> &'static str {
    const FIELDS: [(&str, &str); 15] = [
        (".if", "if"),
        (".weight", "weight"),
        (".on", "on"),
        (".fault.percent", "fault.percent"),
        (".fault.delay", "fault.delay"),
        (".ramp.step", "step"),
        (".ramp.every", "every"),
        (".ramp.until", "until"),
        (".canary.percent", "percent"),
        (".min_requests", "min_requests"),
        (".error_rate", "error_rate"),
        (".params", "params"),
        (".headers", "headers"),
        (".by", "by"),
        (".target", "provider"),
    ];
    let is_known = draft.node(node).is_some();
    let found = FIELDS.into_iter().find(|(end, _)| is_known && place.ends_with(end));
    found.map_or("", |(_, field)| field)
}

/// Starts with the field's name where the message goes on after it.
fn sentence(field: &str, message: &str) -> String {
    let goes_on = ["is ", "must ", "may ", "names ", "expected "]
        .into_iter()
        .any(|start| message.starts_with(start));
    let subject = match field {
        _ if !goes_on => String::new(),
        "" => String::new(),
        "if" => "condition ".to_owned(),
        "by" => "recognised by ".to_owned(),
        name => format!("{} ", name.replace(['.', '_'], " ")),
    };
    let text = subject + message;
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}
