//! The route as YAML, to be read and written. What cannot be read stays as it was typed, with its line and column.

use leptos::html;
use leptos::prelude::*;

use super::state::Editor;
use crate::components::button::{Button, Look};
use crate::components::icon::{Icon, icon};
use crate::yaml::{Place, Unreadable};

#[component]
pub(super) fn Text(editor: Editor) -> impl IntoView {
    let area = NodeRef::<html::Textarea>::new();
    let lines = Memo::new(move |_| editor.text().split('\n').count());
    let longest = Memo::new(move |_| {
        editor
            .text()
            .lines()
            .map(|line| line.chars().count())
            .max()
            .unwrap_or(0)
    });
    let wrong = Memo::new(move |_| editor.broken().map(|error| error.at.line));
    let number = move |line: usize| {
        view! { <span class:is-wrong=move || wrong.get() == Some(line)>{line}</span> }
    };
    view! {
        <div class="yaml" class:is-broken=move || editor.broken().is_some()>
            <div id="yaml-about" class="yaml-about" aria-live="polite">{move || about(editor, area)}</div>
            <div class="yaml-pane">
                <div class="yaml-numbers" aria-hidden="true">{move || (1..=lines.get()).map(number).collect_view()}</div>
                <textarea
                    node_ref=area
                    class="code"
                    aria-label="Route as YAML"
                    aria-describedby="yaml-about"
                    aria-invalid=move || editor.broken().map(|_| "true")
                    wrap="off"
                    spellcheck="false"
                    autocapitalize="off"
                    autocomplete="off"
                    readonly=!editor.can_edit()
                    rows=move || lines.get().to_string()
                    cols=move || (longest.get() + 2).to_string()
                    prop:value=move || editor.text()
                    on:input=move |event| editor.type_text(event_target_value(&event))
                ></textarea>
            </div>
        </div>
    }
    .into_any()
}

fn about(editor: Editor, area: NodeRef<html::Textarea>) -> AnyView {
    let Some(Unreadable { message, at }) = editor.broken() else {
        if editor.has_comments() {
            return view! {
                <p class="notice notice-warning">
                    "Comments are not saved: they are gone once this page is left. What has to stay belongs into the "
                    "configuration file that is applied."
                </p>
            }
            .into_any();
        }
        return view! { <p class="muted small">"Graph and text are the same route; a change of either changes the other."</p> }
            .into_any();
    };
    let Place { line, column } = at;
    let go = move |_| {
        if let Some(area) = area.get_untracked() {
            let text = untrack(|| editor.text());
            let at = u32::try_from(offset(&text, line, column)).unwrap_or(u32::MAX);
            // An area that is not in the document takes neither.
            let _gone = area.focus();
            let _gone = area.set_selection_range(at, at);
        }
    };
    let jump = view! { <button type="button" class="link-button" on:click=go>{format!("Line {line}, column {column}")}</button>": " };
    let take = Callback::new(move |()| editor.take_tree());
    view! {
        <div class="notice notice-bad">
            {icon(Icon::Alert)}
            <div>
                <p>{jump}<span class="yaml-error">{message}</span></p>
                <p class="muted small">"The graph shows the last route that could be read."</p>
                <Button label="Go back to it" look=Look::Quiet on_press=take/>
            </div>
        </div>
    }
    .into_any()
}

/// Where a line and column are in a text, in the units that browsers count in.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split('\n')
        .take(line.saturating_sub(1))
        .map(|line| line.encode_utf16().count() + 1)
        .sum();
    before + column.saturating_sub(1)
}
