//! What only the server can tell of a route: asked after typing has paused, and shown at its nodes.

use gatewright_types::ModelName;
use gatewright_types::api::{ModelDraft, ModelSettings};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::editor::Editor;
use crate::session::Workspace;

const PAUSE_MILLIS: u32 = 500;

/// Has every route that can be read looked at, for as long as the page is there.
pub(super) fn follow(workspace: Workspace, editor: Editor, name: Option<ModelName>, settings: ModelSettings) {
    let turn = StoredValue::new(0_u32);
    Effect::new(move |before: Option<()>| {
        let route = editor.route();
        turn.update_value(|turn| *turn = turn.wrapping_add(1));
        let mine = turn.get_value();
        // What was loaded is as the server has it.
        let Some(route) = route.filter(|_| before.is_some()) else {
            return;
        };
        let draft = ModelDraft {
            name: name.clone(),
            route,
            settings: settings.clone(),
        };
        spawn_local(async move {
            TimeoutFuture::new(PAUSE_MILLIS).await;
            if turn.try_get_value() != Some(mine) {
                return;
            }
            let answer = workspace.check_model(&draft).await;
            if turn.try_get_value() != Some(mine) {
                return;
            }
            // Without an answer nothing is said: saving asks again.
            if let Ok(check) = answer {
                let problems = check.problems.into_iter();
                editor.take_problems(problems.map(|problem| (problem.place, problem.message)));
            }
        });
    });
}
