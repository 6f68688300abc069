//! Adding a model and changing where it leads, with the price that will apply shown while typing.

use gatewright_types::api::{Model, ModelChange, ModelSettings, NewModel, PriceQuery, PriceSource, Route};
use gatewright_types::{ModelName, Slug, Target, UpstreamModel};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

use super::cache::CacheFields;
use super::rates_line;
use crate::components::badge::{Badge, Tone};
use crate::components::dialog::Dialog;
use crate::components::field::{Input, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::load::{Load, Loader};
use crate::pages::providers::choices::provider_options;
use crate::pages::timeouts::TimeoutFields;
use crate::session::{Workspace, use_workspace};

/// How long typing has to pause before the price is looked up.
const PAUSE_MILLIS: u32 = 400;

#[component]
pub(super) fn ModelDialog(model: Option<Model>, on_saved: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("model");
    let (title, action, id, route, settings) = match model {
        Some(Model {
            id,
            name,
            route,
            settings,
            ..
        }) => (format!("Edit {name}"), "Save", Some(id), Some(route), settings),
        None => (
            "Add model".to_owned(),
            "Add model",
            None,
            None,
            ModelSettings::default(),
        ),
    };
    let target = route
        .as_ref()
        .and_then(Route::only_target)
        .map(|leaf| leaf.target.clone());
    let name = RwSignal::new(String::new());
    let provider = RwSignal::new(
        target
            .as_ref()
            .map(|target| target.provider.to_string())
            .unwrap_or_default(),
    );
    let upstream = RwSignal::new(
        target
            .as_ref()
            .map(|target| target.model.to_string())
            .unwrap_or_default(),
    );
    let limits = TimeoutFields::new(form, &settings.timeouts);
    let kept = CacheFields::new(form, settings.cache.as_ref());

    let submit = Callback::new(move |()| {
        form.clear();
        let provider = form.parse::<Slug>("provider", provider);
        let upstream = form.parse::<UpstreamModel>("route.target", upstream);
        let timeouts = limits.read();
        let cache = kept.read();
        let name = if id.is_none() {
            form.parse::<ModelName>("name", name).map(Some)
        } else {
            Some(None)
        };
        let (Some(provider), Some(model), Some(name)) = (provider, upstream, name) else {
            return;
        };
        let (Some(timeouts), Some(cache)) = (timeouts, cache) else {
            return;
        };
        let route = Route::to(Target { provider, model });
        let settings = ModelSettings {
            timeouts,
            cache,
            ..settings.clone()
        };
        let call = async move {
            match (id, name) {
                (None, Some(name)) => workspace
                    .create_model(&NewModel { name, route, settings })
                    .await
                    .map(Some),
                (Some(id), _) => workspace
                    .change_model(id, &ModelChange { route, settings })
                    .await
                    .map(Some),
                (None, None) => Ok(None),
            }
        };
        form.send(call, move |model| {
            if let Some(model) = model {
                toasts.done(format!("{} is saved.", model.name));
            }
            tell(on_saved);
            tell(on_close);
        });
    });
    let name_field = id.is_none().then(|| {
        view! {
            <TextField
                form=form
                name="name"
                label="Name"
                value=name
                input=Input::Code
                placeholder="fast"
                hint="What callers write in \u{201c}model\u{201d}. It cannot be changed later."
            />
        }
    });
    view! {
        <Dialog title=title on_close=on_close>
            <FormFrame form=form submit=action on_submit=submit on_cancel=on_close>
                {name_field}
                <SelectField
                    form=form
                    name="provider"
                    label="Provider"
                    value=provider
                    options=provider_options(workspace, provider)
                />
                <TextField
                    form=form
                    name="route.target"
                    label="The provider's model"
                    value=upstream
                    input=Input::Code
                    placeholder="gpt-4o-mini"
                    hint="What the provider calls it."
                />
                {price_preview(workspace, provider, upstream)}
                {limits.view("Those of the provider apply where a field is empty, and the server's own where it has none.")}
                {kept.view()}
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

/// The price that applies to what is typed, looked up after a pause.
fn price_preview(workspace: Workspace, provider: RwSignal<String>, upstream: RwSignal<String>) -> AnyView {
    let lookup = Loader::new(move || {
        let query = provider
            .get()
            .parse()
            .ok()
            .zip(upstream.with(|upstream| upstream.trim().parse().ok()));
        async move {
            let Some((provider, model)) = query else {
                return Ok(None);
            };
            TimeoutFuture::new(PAUSE_MILLIS).await;
            workspace.look_up_price(&PriceQuery { provider, model }).await.map(Some)
        }
    });
    let line = move || {
        lookup.state.with(|state| match state {
            Load::Waiting | Load::Failed(_) | Load::Ready(None) => ().into_any(),
            Load::Ready(Some(found)) => match (&found.rates, found.source) {
                (Some(rates), PriceSource::Organization) => {
                    view! { <Badge tone=Tone::Accent text="own price"/>" "{rates_line(rates)} }.into_any()
                }
                (Some(rates), PriceSource::Catalogue | PriceSource::None) => {
                    view! { <Badge tone=Tone::Neutral text="catalogue"/>" "{rates_line(rates)} }.into_any()
                }
                (None, _) => view! {
                    <Badge tone=Tone::Warning text="unpriced"/>
                    " No price is known for this model; set one under Own prices."
                }
                .into_any(),
            },
        })
    };
    view! { <p class="price-preview" aria-live="polite">{line}</p> }.into_any()
}
