//! Models: the names callers ask for, where each leads, and what it costs.

mod cache;
mod canaries;
mod check;
mod editor;
mod health;
mod naming;
pub(crate) mod page;
mod purge;
mod retries;
mod settings;
pub(in crate::pages) mod shown;
mod trial;

use gatewright_types::Permission;
use gatewright_types::api::{LifecycleStage, Model, PriceState, PurgedAnswers, Rates, Route};
use leptos::prelude::*;

use super::catalog::stage_badge;
use super::prices::Prices;
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, IconButton, Look};
use crate::components::confirm::{Question, ask};
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::components::tabs::Tabs;
use crate::format;
use crate::load::List;
use crate::pages::timeouts;
use crate::place::{Place, Section};
use crate::route::told;
use crate::router::use_router;
use crate::session::{Workspace, use_workspace};

/// How many targets of a route are named in the list.
const SHOWN: usize = 3;

/// The window over the list.
#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Delete(Model),
    Purge(Model),
    PurgeSome,
}

#[component]
pub(crate) fn Models() -> impl IntoView {
    let workspace = use_workspace();
    let router = use_router();
    let prices = Memo::new(move |_| router.query() == "view=prices");
    let health = Memo::new(move |_| router.query() == "view=health");
    let tabs = Signal::derive(move || {
        let href = workspace.href(Section::Models);
        vec![
            (href.clone(), "Models", !prices.get() && !health.get()),
            (format!("{href}?view=prices"), "Own prices", prices.get()),
            (format!("{href}?view=health"), "Health", health.get()),
        ]
    });
    let creating = RwSignal::new(false);
    let price_denial = workspace.denial(Permission::PricesWrite);
    let model_denial = workspace.denial(Permission::ModelsWrite);
    let open = RwSignal::new(Window::Nothing);
    let create = Callback::new(move |()| {
        if let Ok(slug) = workspace.slug().parse() {
            router.go(&Place::Model { slug, model: None });
        }
    });
    let purge_some = Callback::new(move |()| open.set(Window::PurgeSome));
    let create_price = Callback::new(move |()| creating.set(true));
    let action = move || {
        if health.get() {
            ().into_any()
        } else if prices.get() {
            let denial = price_denial.clone();
            view! { <Button label="Set price" look=Look::Primary glyph=Icon::Plus denial=denial on_press=create_price/> }
                .into_any()
        } else {
            let (denial, purge_denial) = (model_denial.clone(), model_denial.clone());
            view! {
                <Button label="Void kept answers" glyph=Icon::Retry denial=purge_denial on_press=purge_some/>
                <Button label="Add model" look=Look::Primary glyph=Icon::Plus denial=denial on_press=create/>
            }
            .into_any()
        }
    };
    let body = move || {
        if health.get() {
            view! { <health::Health/> }.into_any()
        } else if prices.get() {
            view! { <Prices creating=creating/> }.into_any()
        } else {
            list(workspace, open, create)
        }
    };
    view! {
        <PageHeader title="Models" about="The names callers ask for, where each leads, and what it costs.">{action}</PageHeader>
        <Tabs label="Models, prices and health" tabs=tabs/>
        {body}
    }
    .into_any()
}

fn list(workspace: Workspace, open: RwSignal<Window>, create: Callback<()>) -> AnyView {
    let models = List::new(move |cursor| workspace.models(cursor));
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let changed = Callback::new(move |()| models.reload());
    let denial = workspace.denial(Permission::ModelsWrite);
    let none = move || {
        let text = "A model is a name your callers use. Which provider's model answers can change behind it.";
        empty(
            Icon::Model,
            "No models yet",
            text,
            Some(("Add model", denial.clone(), create)),
        )
    };
    let rows = move |models: &[Model]| {
        let rows = models.iter().map(|model| row(model, workspace, open)).collect_view();
        table(
            "Models",
            &["Name", "Leads to", "Price per million tokens", "Timeouts", "Cache", ""],
            rows.into_any(),
        )
    };
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Delete(model) => delete(&model, workspace, changed, close),
        Window::Purge(model) => purge(&model, workspace, changed, close),
        Window::PurgeSome => view! { <purge::Purge on_close=close/> }.into_any(),
    };
    view! {
        {listed(models, Shape::Rows, none, rows)}
        {live(window)}
    }
    .into_any()
}

fn row(model: &Model, workspace: Workspace, open: RwSignal<Window>) -> AnyView {
    let slug = workspace.slug().parse();
    let href = slug
        .map(|slug| {
            Place::Model {
                slug,
                model: Some(model.id),
            }
            .href()
        })
        .unwrap_or_default();
    let limits = timeouts::told(&model.settings.timeouts).unwrap_or_else(|| "usual".to_owned());
    let kept = cache::told(model.settings.cache.as_ref()).unwrap_or_else(|| "off".to_owned());
    let actions = workspace.can(Permission::ModelsWrite).then(|| {
        let purged = model.settings.cache.is_some().then(|| model.clone());
        let purge = purged.map(|purged| {
            view! {
                <IconButton
                    label=format!("Void kept answers of {}", purged.name)
                    glyph=Icon::Retry
                    on_press=Callback::new(move |()| open.set(Window::Purge(purged.clone())))
                />
            }
        });
        let deleted = model.clone();
        view! {
            {purge}
            <IconButton
                label=format!("Delete {}", model.name)
                glyph=Icon::Trash
                on_press=Callback::new(move |()| open.set(Window::Delete(deleted.clone())))
            />
        }
    });
    view! {
        <tr>
            <th scope="row" data-label="Name"><a href=href><code class="cell-title">{model.name.to_string()}</code></a></th>
            <td data-label="Leads to">{leads_to(&model.route)}{ending(model)}</td>
            <td data-label="Price per million tokens">{price(&model.price)}</td>
            <td data-label="Timeouts"><span class="muted">{limits}</span></td>
            <td data-label="Cache"><span class="muted">{kept}</span></td>
            <td class="actions">{actions}</td>
        </tr>
    }
    .into_any()
}

/// The target, or what the route does with how many of them.
fn leads_to(route: &Route) -> AnyView {
    if let Some(target) = route.only_target() {
        return view! { <code>{target.target.to_string()}</code> }.into_any();
    }
    let targets = route.targets();
    let mut names: Vec<_> = targets.iter().map(|(_, leaf)| leaf.target.to_string()).collect();
    names.dedup();
    let rest = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let rest = (rest > 0).then(|| format!(" and {rest} more"));
    view! { <span>{told(route)}</span><span class="cell-note">{names.join(", ")}{rest}</span> }.into_any()
}

/// A warning when the provider's model is on its way out.
fn ending(model: &Model) -> Option<AnyView> {
    let lifecycle = model.lifecycle.as_ref()?;
    let dated = lifecycle.deprecated_on.is_some() || lifecycle.sunset_on.is_some();
    let warns = dated || lifecycle.stage != LifecycleStage::Active;
    warns.then(|| view! { " "{stage_badge(lifecycle)} }.into_any())
}

fn price(price: &PriceState) -> AnyView {
    match price {
        PriceState::Priced { rates, version } => {
            view! { <span>{rates_line(rates)}</span><span class="cell-note">{format::price_version(version)}</span> }
                .into_any()
        }
        PriceState::Unpriced => view! {
            <Badge tone=Tone::Warning text="unpriced"/>
            <span class="cell-note">"No price is known. That is not the same as free."</span>
        }
        .into_any(),
    }
}

/// The two prices that matter most: `$0.15 in · $0.60 out`.
pub(in crate::pages) fn rates_line(rates: &Rates) -> String {
    let parts = [("in", rates.input), ("out", rates.output)];
    let parts: Vec<String> = parts
        .into_iter()
        .filter_map(|(name, price)| price.map(|price| format!("${price} {name}")))
        .collect();
    let extra = [
        rates.cache_read,
        rates.cache_write_5m,
        rates.cache_write_1h,
        rates.reasoning,
        rates.input_audio,
        rates.output_audio,
        rates.input_image,
        rates.web_search,
    ];
    let more = extra.iter().flatten().count();
    let more = if more > 0 {
        format!(" · {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", parts.join(" · "))
}

fn purge(model: &Model, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = model.id;
    let question = Question {
        title: format!("Void what is kept of {}?", model.name),
        text: "The next requests are answered by the provider again, on every node, and kept anew.".to_owned(),
        action: "Void answers",
        done: format!("What was kept of {} is void.", model.name),
    };
    ask(
        question,
        move || workspace.purge_cache(PurgedAnswers::Model(id)),
        changed,
        close,
    )
}

fn delete(model: &Model, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = model.id;
    let question = Question {
        title: format!("Delete {}?", model.name),
        text: "Callers that ask for it get model_not_found from the next request on. What was used stays on record."
            .to_owned(),
        action: "Delete model",
        done: format!("{} is deleted.", model.name),
    };
    ask(question, move || workspace.delete_model(id), changed, close)
}
