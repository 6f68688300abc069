//! What a form knows beside its values: which fields are wrong, whether it is being sent, what the server said.
//! The values stay in the page's own signals, so a refusal loses nothing that was typed.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;

use crate::api::{Failure, Pending};

/// What is done once a form was sent.
type Done = Box<dyn FnOnce()>;

/// The state of one form on the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    id: &'static str,
    errors: RwSignal<BTreeMap<String, String>>,
    message: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    known: StoredValue<Vec<&'static str>>,
    /// Whole parts of the body that something on the screen shows errors of, wherever below they are.
    trees: StoredValue<Vec<&'static str>>,
}

impl Form {
    /// `id` is unique among the forms that can be on the screen together.
    pub(crate) fn new(id: &'static str) -> Self {
        Self {
            id,
            errors: RwSignal::default(),
            message: RwSignal::new(None),
            busy: RwSignal::new(false),
            known: StoredValue::new(Vec::new()),
            trees: StoredValue::new(Vec::new()),
        }
    }

    pub(crate) fn id(self) -> &'static str {
        self.id
    }

    /// A field with this name is on the screen and shows its own error; gives the field's element id.
    pub(crate) fn register(self, name: &'static str) -> String {
        self.known.update_value(|known| known.push(name));
        format!("{}-{}", self.id, name.replace(['.', '['], "-").replace(']', ""))
    }

    /// Something on the screen shows by itself what is wrong with this part of the body.
    pub(crate) fn register_tree(self, name: &'static str) {
        self.trees.update_value(|trees| trees.push(name));
    }

    /// What is wrong with a part of the body, by place.
    pub(crate) fn errors_below(self, name: &str) -> Vec<(String, String)> {
        self.errors.with(|errors| {
            let below = errors.iter().filter(|(place, _)| is_below(place, name));
            below.map(|(place, error)| (place.clone(), error.clone())).collect()
        })
    }

    pub(crate) fn error(self, name: &str) -> Option<String> {
        self.errors.with(|errors| errors.get(name).cloned())
    }

    pub(crate) fn has_error(self, name: &str) -> bool {
        self.errors.with(|errors| errors.contains_key(name))
    }

    /// Forgets what was wrong with a field, because it is being corrected.
    pub(crate) fn touch(self, name: &str) {
        if self.errors.with_untracked(|errors| errors.contains_key(name)) {
            self.errors.update(|errors| {
                errors.remove(name);
            });
        }
    }

    pub(crate) fn busy(self) -> bool {
        self.busy.get()
    }

    pub(crate) fn message(self) -> Option<String> {
        self.message.get()
    }

    /// What is wrong with things no field on the screen shows.
    pub(crate) fn stray_errors(self) -> Vec<(String, String)> {
        self.errors.with(|errors| {
            self.known.with_value(|known| {
                let shown = |name: &str| {
                    let in_a_tree = self
                        .trees
                        .with_value(|trees| trees.iter().any(|tree| is_below(name, tree)));
                    in_a_tree || known.contains(&name)
                };
                let stray = errors.iter().filter(|(name, _)| !shown(name));
                stray.map(|(name, error)| (name.clone(), error.clone())).collect()
            })
        })
    }

    /// Starts a new attempt: what was wrong before does not count any more.
    pub(crate) fn clear(self) {
        self.errors.set(BTreeMap::new());
        self.message.set(None);
    }

    /// Reads a field; notes what is wrong with it.
    pub(crate) fn parse<T>(self, name: &'static str, value: RwSignal<String>) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let text = value.with_untracked(|text| text.trim().to_owned());
        if text.is_empty() {
            self.refuse(name, "is required");
            return None;
        }
        text.parse()
            .map_err(|error: T::Err| self.refuse(name, &error.to_string()))
            .ok()
    }

    /// Reads a field that may be empty.
    pub(crate) fn parse_optional<T>(self, name: &'static str, value: RwSignal<String>) -> Option<Option<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        if value.with_untracked(|text| text.trim().is_empty()) {
            Some(None)
        } else {
            self.parse(name, value).map(Some)
        }
    }

    /// Reads a field that holds a whole number, within what `range` tells of its kind.
    pub(crate) fn whole_number<T: FromStr>(
        self,
        name: &'static str,
        value: RwSignal<String>,
        range: &str,
    ) -> Option<T> {
        let number = value.with_untracked(|text| text.trim().parse().ok());
        if number.is_none() {
            self.refuse(name, &format!("must be a whole number, {range}"));
        }
        number
    }

    /// Reads a field whose text is taken as it is.
    pub(crate) fn text(self, name: &'static str, value: RwSignal<String>) -> Option<String> {
        let text = value.get_untracked();
        if text.is_empty() {
            self.refuse(name, "is required");
            return None;
        }
        Some(text)
    }

    /// Notes what is wrong with a field; the text goes on after the field's name.
    pub(crate) fn refuse(self, name: &str, error: &str) {
        self.errors.update(|errors| {
            errors.insert(name.to_owned(), error.to_owned());
        });
        self.message.set(None);
        focus_first_error();
    }

    /// Says something about the form as a whole.
    pub(crate) fn say(self, message: &str) {
        self.message.set(Some(message.to_owned()));
    }

    /// Sends the form unless it is already under way.
    pub(crate) fn send<T: 'static>(self, call: Pending<T>, done: impl FnOnce(T) + 'static) {
        self.send_any(and_then(call, Box::new(done)));
    }

    /// Once for all forms: there are many of them, and the dashboard is downloaded.
    fn send_any(self, call: Pending<Done>) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let answer = call.await;
            // The form may have been closed meanwhile; what it asked for has happened all the same.
            let _closed = self.busy.try_set(false);
            match answer {
                Ok(done) => done(),
                Err(failure) => self.fail(failure),
            }
        });
    }

    /// Closes the window around the form, but not while it is being sent: the answer may hold what is shown only once.
    pub(crate) fn closing(self, close: Callback<()>) -> Callback<()> {
        Callback::new(move |()| {
            if !self.busy.get_untracked() {
                close.run(());
            }
        })
    }

    fn fail(self, failure: Failure) {
        let mut sentence = failure.sentence();
        if let Failure::Problem(problem) = failure
            && !problem.fields.is_empty()
        {
            let marked = self.known.try_with_value(|known| {
                self.trees.with_value(|trees| {
                    let mut names = problem.fields.keys();
                    names.any(|name| known.contains(&name.as_str()) || trees.iter().any(|tree| is_below(name, tree)))
                })
            });
            let lead = if marked == Some(true) {
                "Some fields need another look."
            } else {
                "This cannot be done."
            };
            lead.clone_into(&mut sentence);
            let _closed = self.errors.try_set(problem.fields);
        }
        let _closed = self.message.try_set(Some(sentence));
        focus_first_error();
    }
}

/// Once for all answers of one kind.
fn and_then<T: 'static>(call: Pending<T>, done: Box<dyn FnOnce(T)>) -> Pending<Done> {
    Box::pin(async move {
        let value = call.await?;
        Ok(Box::new(move || done(value)) as Done)
    })
}

/// Whether a place is a part of the body, or within it.
fn is_below(place: &str, name: &str) -> bool {
    place
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Calls back after an answer came; whoever wanted to know may have left the page by then.
pub(crate) fn tell(callback: Callback<()>) {
    let _left = callback.try_run(());
}

/// Puts the focus into the first field that is wrong, once its mark is on the screen.
fn focus_first_error() {
    request_animation_frame(|| {
        let selector = "dialog[open] [aria-invalid=true], body:not(:has(dialog[open])) [aria-invalid=true]";
        let field = document().query_selector(selector).ok().flatten();
        if let Some(field) = field.and_then(|field| field.dyn_into::<web_sys::HtmlElement>().ok()) {
            // A field that cannot take the focus has been removed again; nothing to point at.
            let _gone = field.focus();
        }
    });
}
