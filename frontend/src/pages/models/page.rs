//! One model: its route, its settings, what it costs and where its targets are in their lives. Also the page that makes
//! one.

use gatewright_types::api::{Model, ModelChange, NewModel};
use gatewright_types::{ModelId, ModelName, Permission, Slug};
use leptos::prelude::*;

use super::canaries::Canaries;
use super::editor::{Editor, Facts, RouteEditor};
use super::settings::{SettingFields, read_only};
use super::shown::ShownRequest;
use super::trial::Trial;
use super::{check, delete, ending, price};
use crate::components::button::{Button, Look};
use crate::components::confirm::Confirm;
use crate::components::field::{Input, TextField};
use crate::components::form::FormMessage;
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::moment::Exact;
use crate::components::state::{Shape, forbidden, loaded};
use crate::components::toast::{Toasts, use_toasts};
use crate::form::Form;
use crate::load::Loader;
use crate::place::{Place, Section};
use crate::route::told;
use crate::router::{Router, use_router};
use crate::session::{Workspace, use_workspace};

#[component]
pub(crate) fn ModelPage(model: Option<ModelId>) -> impl IntoView {
    let workspace = use_workspace();
    let Some(id) = model else {
        return match workspace.denial(Permission::ModelsWrite) {
            Some(reason) => view! { <PageHeader title="New model" up=up(workspace)/>{forbidden(reason)} }.into_any(),
            None => view! { <Sheet model=None/> }.into_any(),
        };
    };
    let model = Loader::new(move || workspace.model(id));
    loaded(model, Shape::Cards, |model| {
        view! { <Sheet model=Some(model.clone())/> }.into_any()
    })
}

fn up(workspace: Workspace) -> (String, &'static str) {
    (untrack(|| workspace.href(Section::Models)), Section::Models.title())
}

/// The page with everything on it; made anew when changes are given up.
#[component]
fn Sheet(model: Option<Model>) -> impl IntoView {
    let kept = RwSignal::new(model);
    let again = Trigger::new();
    let fresh = Callback::new(move |()| again.notify());
    move || {
        again.track();
        sheet(kept, fresh)
    }
}

fn sheet(kept: RwSignal<Option<Model>>, fresh: Callback<()>) -> AnyView {
    let workspace = use_workspace();
    let router = use_router();
    let form = Form::new("model");
    let model = kept.get_untracked();
    let settings = model.as_ref().map(|model| model.settings.clone()).unwrap_or_default();
    let can_edit = workspace.can(Permission::ModelsWrite);
    let sheet = Parts {
        workspace,
        form,
        kept,
        name: RwSignal::new(String::new()),
        settings: SettingFields::new(form, &settings),
        editor: Editor::new(model.as_ref().map(|model| &model.route), can_edit),
    };
    form.register_tree("route");
    Effect::new(move |_| sheet.editor.take_problems(form.errors_below("route")));
    let changed = Memo::new(move |_| sheet.is_changed());
    Effect::new(move |_| router.hold(changed.get()));
    on_cleanup(move || router.hold(false));

    let facts = Facts::new(workspace);
    let shown = ShownRequest::new(workspace);
    let trial = Trial::new(workspace, sheet.editor);
    let of_request = shown.marks(sheet.editor);
    let marks = Signal::derive(move || trial.marks().unwrap_or_else(|| of_request.get()));
    let name = Signal::derive(move || sheet.name_now());
    let known = model.as_ref().map(|model| model.name.clone());
    let canaries = model
        .as_ref()
        .filter(|model| !model.route.canaries().is_empty())
        .map(|model| view! { <Canaries model=model.id/> });
    check::follow(workspace, sheet.editor, known, settings.clone());
    view! {
        {sheet.header()}
        <FormMessage form=form/>
        {model.is_none().then(|| sheet.name_card())}
        <section class="card route-card" aria-label="Route">
            <h2>"Route"</h2>
            <RouteEditor editor=sheet.editor facts=facts marks=marks trial=trial.view(name)/>
        </section>
        {canaries}
        {shown.view()}
        <section class="card">
            <h2>"Settings"</h2>
            {if can_edit { sheet.settings.view() } else { read_only(&settings) }}
        </section>
        {can_edit.then(|| sheet.save_bar(changed, fresh))}
    }
    .into_any()
}

/// Everything on the page that can be changed.
#[derive(Debug, Clone, Copy)]
struct Parts {
    workspace: Workspace,
    form: Form,
    /// As the server has it; none for a model that is being made.
    kept: RwSignal<Option<Model>>,
    name: RwSignal<String>,
    settings: SettingFields,
    editor: Editor,
}

impl Parts {
    fn is_changed(self) -> bool {
        self.editor.is_changed() || self.settings.is_changed() || self.name.with(|name| !name.is_empty())
    }

    /// The model's name, or what is typed of it.
    fn name_now(self) -> String {
        let kept = self.kept.with(|kept| kept.as_ref().map(|model| model.name.to_string()));
        kept.unwrap_or_else(|| self.name.get())
    }

    fn header(self) -> AnyView {
        let Self { workspace, kept, .. } = self;
        let Some(model) = kept.get_untracked() else {
            let about = "A name your callers use, and the way from it to providers' models.";
            return view! { <PageHeader title="New model" about=about up=up(workspace)/> }.into_any();
        };
        let router = use_router();
        let deleting = RwSignal::new(false);
        let ask = Callback::new(move |()| deleting.set(true));
        let denial = workspace.denial(Permission::ModelsWrite);
        let window = move || {
            let model = deleting.get().then(|| kept.get_untracked()).flatten()?;
            let gone = Callback::new(move |()| {
                router.hold(false);
                if let Ok(slug) = workspace.slug().parse::<Slug>() {
                    router.go(&Place::section(&slug, Section::Models));
                }
            });
            let close = Callback::new(move |()| deleting.set(false));
            Some(delete(&model, workspace, gone, close))
        };
        let facts = move || {
            kept.with(|model| {
                model.as_ref().map(|model| {
                    view! {
                        <span>{told(&model.route)}</span>
                        <span class="model-price">{price(&model.price)}{ending(model)}</span>
                        <span class="muted small">"Added "<Exact moment=model.created_at/></span>
                    }
                })
            })
        };
        view! {
            <PageHeader title=model.name.to_string() up=up(workspace)>
                <Button label="Delete" look=Look::Quiet glyph=Icon::Trash denial=denial on_press=ask/>
            </PageHeader>
            <p class="model-facts">{facts}</p>
            {window}
        }
        .into_any()
    }

    fn name_card(self) -> AnyView {
        view! {
            <section class="card">
                <div class="narrow">
                    <TextField
                        form=self.form
                        name="name"
                        label="Name"
                        value=self.name
                        input=Input::Code
                        placeholder="fast"
                        hint="What callers write in \u{201c}model\u{201d}. It cannot be changed later."
                    />
                </div>
            </section>
        }
        .into_any()
    }

    fn save_bar(self, changed: Memo<bool>, fresh: Callback<()>) -> AnyView {
        let is_new = self.kept.with_untracked(Option::is_none);
        let toasts = use_toasts();
        let router = use_router();
        let asking = RwSignal::new(false);
        let discard = Callback::new(move |()| asking.set(true));
        let save = Callback::new(move |()| self.save(router, toasts));
        let busy = Signal::derive(move || self.form.busy());
        let state = move || match (changed.get(), self.editor.route().is_some()) {
            (_, false) => "The route has problems",
            (true, true) => "Unsaved changes",
            (false, true) if is_new => "Nothing entered yet",
            (false, true) => "Everything is saved",
        };
        let question = move || {
            let close = Callback::new(move |()| asking.set(false));
            let confirm = Callback::new(move |_: Form| {
                asking.set(false);
                fresh.run(());
            });
            asking.get().then(|| {
                view! {
                    <Confirm
                        title="Discard the changes?"
                        text="The page goes back to what is saved."
                        action="Discard"
                        on_confirm=confirm
                        on_close=close
                    />
                }
            })
        };
        view! {
            <div class="save-bar" class:is-changed=changed>
                <p aria-live="polite">{state}</p>
                {move || changed.get().then(|| view! { <Button label="Discard" look=Look::Quiet on_press=discard/> })}
                <Button
                    label=if is_new { "Add model" } else { "Save" }
                    look=Look::Primary
                    busy=busy
                    on_press=save
                />
            </div>
            {question}
        }
        .into_any()
    }

    fn save(self, router: Router, toasts: Toasts) {
        let Self {
            workspace, form, kept, ..
        } = self;
        form.clear();
        let id = kept.with_untracked(|kept| kept.as_ref().map(|model| model.id));
        let name = match id {
            Some(_) => Some(None),
            None => form.parse::<ModelName>("name", self.name).map(Some),
        };
        let settings = self.settings.read();
        let Some(route) = untrack(|| self.editor.route()) else {
            form.say("The route has problems. They are listed below the graph.");
            return;
        };
        let (Some(name), Some(settings)) = (name, settings) else {
            return;
        };
        let saved = Callback::new(move |model: Model| {
            toasts.done(format!("{} is saved.", model.name));
            self.editor.settle();
            self.settings.settle();
            router.hold(false);
            if let (None, Ok(slug)) = (id, workspace.slug().parse()) {
                let model = Some(model.id);
                router.go(&Place::Model { slug, model });
            } else {
                kept.set(Some(model));
            }
        });
        let done = move |model| {
            // Whoever saved it may have left the page by now.
            let _left = saved.try_run(model);
        };
        match (id, name) {
            (Some(id), _) => {
                let change = ModelChange { route, settings };
                form.send(workspace.change_model(id, &change), done);
            }
            (None, Some(name)) => {
                let model = NewModel { name, route, settings };
                form.send(workspace.create_model(&model), done);
            }
            (None, None) => {}
        }
    }
}
