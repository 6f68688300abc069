//! The organization's own prices, which override the catalogue's.

mod tiers;

use gatewright_types::api::{NewPrice, Price, Rates};
use gatewright_types::{Permission, Slug, UnitPrice, UpstreamModel};
use leptos::prelude::*;

use self::tiers::read_tiers;
use super::models::rates_line;
use super::providers::choices::provider_options;
use crate::components::button::IconButton;
use crate::components::confirm::{Question, ask};
use crate::components::dialog::Dialog;
use crate::components::field::{Input, LinesField, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::icon::Icon;
use crate::components::moment::{Ago, Exact};
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::load::List;
use crate::session::{Workspace, use_workspace};

/// The fields of a price: where each goes, and what it is called.
const RATES: [(&str, &str); 10] = [
    ("rates.input", "Input"),
    ("rates.output", "Output"),
    ("rates.cache_read", "Cache read"),
    ("rates.cache_write_5m", "Cache write, 5 min"),
    ("rates.cache_write_1h", "Cache write, 1 h"),
    ("rates.reasoning", "Reasoning"),
    ("rates.input_audio", "Audio in"),
    ("rates.output_audio", "Audio out"),
    ("rates.input_image", "Images in"),
    ("rates.web_search", "Web searches"),
];

/// `creating` opens the form; the page's head has the button for it.
#[component]
pub(super) fn Prices(creating: RwSignal<bool>) -> impl IntoView {
    let workspace = use_workspace();
    let prices = List::new(move |cursor| workspace.prices(cursor));
    let deleting = RwSignal::new(None::<Price>);
    let changed = Callback::new(move |()| prices.reload());
    let create = Callback::new(move |()| creating.set(true));
    let denial = workspace.denial(Permission::PricesWrite);
    let none = move || {
        let text =
            "Prices come from the catalogue. Set your own where your contract differs or the catalogue knows none.";
        empty(
            Icon::Settings,
            "No own prices",
            text,
            Some(("Set price", denial.clone(), create)),
        )
    };
    let rows = move |prices: &[Price]| {
        let rows = prices
            .iter()
            .map(|price| row(price, workspace, deleting))
            .collect_view();
        table(
            "Own prices",
            &[
                "Model",
                "Provider",
                "Price per million tokens",
                "Applies from",
                "Set",
                "",
            ],
            rows.into_any(),
        )
    };
    view! {
        {listed(prices, Shape::Rows, none, rows)}
        {move || {
            let close = Callback::new(move |()| creating.set(false));
            creating.get().then(|| view! { <SetPrice on_saved=changed on_close=close/> })
        }}
        {move || {
            let close = Callback::new(move |()| deleting.set(None));
            deleting.get().map(|price| delete(&price, workspace, changed, close))
        }}
    }
    .into_any()
}

fn row(price: &Price, workspace: Workspace, deleting: RwSignal<Option<Price>>) -> AnyView {
    let actions = workspace.can(Permission::PricesWrite).then(|| {
        let deleted = price.clone();
        view! {
            <IconButton
                label=format!("Delete the price of {}", price.model)
                glyph=Icon::Trash
                on_press=Callback::new(move |()| deleting.set(Some(deleted.clone())))
            />
        }
    });
    view! {
        <tr>
            <th scope="row" data-label="Model"><code class="cell-title">{price.model.to_string()}</code></th>
            <td data-label="Provider"><code>{price.provider.to_string()}</code></td>
            <td data-label="Price per million tokens">{line(price)}</td>
            <td data-label="Applies from"><Exact moment=price.effective_from/></td>
            <td data-label="Set"><Ago moment=price.created_at/></td>
            <td class="actions">{actions}</td>
        </tr>
    }
    .into_any()
}

fn line(price: &Price) -> String {
    let sizes = price.service_tiers.iter().map(|service| service.tiers.len());
    let tiers = match price.tiers.len() + price.service_tiers.len() + sizes.sum::<usize>() {
        0 => String::new(),
        1 => " · 1 other tier".to_owned(),
        others => format!(" · {others} other tiers"),
    };
    format!("{}{tiers}", rates_line(&price.rates))
}

#[component]
fn SetPrice(on_saved: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("price");
    let (provider, model) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let texts = RATES.map(|_| RwSignal::new(String::new()));
    let others = RwSignal::new(String::new());
    let submit = Callback::new(move |()| {
        form.clear();
        let provider = form.parse::<Slug>("provider", provider);
        let model = form.parse::<UpstreamModel>("model", model);
        let mut read = RATES
            .into_iter()
            .zip(texts)
            .map(|((name, _), text)| form.parse_optional::<UnitPrice>(name, text));
        // Every field is read before the first wrong one ends the attempt, so that all are marked at once.
        let mut next = || read.next().flatten();
        let parsed = [
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
        ];
        let (Some(provider), Some(model)) = (provider, model) else {
            return;
        };
        let [
            Some(input),
            Some(output),
            Some(cache_read),
            Some(cache_write_5m),
            Some(cache_write_1h),
            Some(reasoning),
            Some(input_audio),
            Some(output_audio),
            Some(input_image),
            Some(web_search),
        ] = parsed
        else {
            return;
        };
        let rates = Rates {
            input,
            output,
            cache_read,
            cache_write_5m,
            cache_write_1h,
            reasoning,
            input_audio,
            output_audio,
            input_image,
            web_search,
        };
        if rates == Rates::default() {
            form.refuse("rates.input", "at least one price is needed; 0 is a price");
            return;
        }
        let (tiers, service_tiers) = match read_tiers(&others.get_untracked()) {
            Ok(tiers) => tiers,
            Err(message) => return form.refuse("tiers", &message),
        };
        let price = NewPrice {
            provider,
            model,
            rates,
            tiers,
            service_tiers,
            effective_from: None,
        };
        form.send(workspace.create_price(&price), move |price| {
            toasts.done(format!("The price of {} is set.", price.model));
            tell(on_saved);
            tell(on_close);
        });
    });
    let field = |((name, label), text): ((&'static str, &'static str), RwSignal<String>)| {
        view! { <TextField form=form name=name label=label value=text input=Input::Code placeholder="–"/> }
    };
    let mut fields = RATES.into_iter().zip(texts);
    let usual = fields.by_ref().take(2).map(field).collect_view();
    let rare = fields.map(field).collect_view();
    view! {
        <Dialog title="Set price" on_close=on_close>
            <FormFrame form=form submit="Set price" on_submit=submit on_cancel=on_close>
                <SelectField
                    form=form
                    name="provider"
                    label="Provider"
                    value=provider
                    options=provider_options(workspace, provider)
                />
                <TextField
                    form=form
                    name="model"
                    label="The provider's model"
                    value=model
                    input=Input::Code
                    placeholder="gpt-4o-mini"
                />
                <p class="muted small">
                    "US dollars per million tokens, from now on. \u{201c}0\u{201d} is free; an empty field is no price."
                </p>
                <div class="field-grid">{usual}</div>
                <details class="more-fields">
                    <summary>"Other units"</summary>
                    <div class="field-grid">{rare}</div>
                    <LinesField
                        form=form
                        name="tiers"
                        label="Other tiers"
                        value=others
                        placeholder="above 200000: input 6, output 22.5"
                        hint="One a line. Also flex, priority, batch or fast, and flex above 200000."
                    />
                </details>
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

fn delete(price: &Price, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = price.id;
    let question = Question {
        title: format!("Delete the price of {}?", price.model),
        text: "From the next request on the catalogue's price applies; without one the model is unpriced.".to_owned(),
        action: "Delete price",
        done: format!("The price of {} is deleted.", price.model),
    };
    ask(question, move || workspace.delete_price(id), changed, close)
}
