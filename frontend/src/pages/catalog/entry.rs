//! Everything that is known of one model, and where it comes from.

use gatewright_types::api::{CatalogEntry, PriceTerms, PricedUnit, Rates, ServiceTier};
use gatewright_types::{Permission, UnitPrice};
use leptos::prelude::*;

use super::overlay::Facts;
use super::{Window, stage_badge};
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, Look};
use crate::components::confirm::{Question, ask};
use crate::components::dialog::{Dialog, Frame};
use crate::components::icon::Icon;
use crate::components::moment::Exact;
use crate::components::table::table;
use crate::format;
use crate::session::Workspace;

pub(super) fn drawer(
    entry: CatalogEntry,
    workspace: Workspace,
    open: RwSignal<Window>,
    changed: Callback<()>,
) -> AnyView {
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let deleting = RwSignal::new(false);
    let edited = entry.clone();
    let edit = Callback::new(move |()| open.set(Window::State(Facts::Of(Box::new(edited.clone())))));
    let denial = workspace.denial(Permission::ModelsWrite);
    let own = entry.own.clone();
    let remove = own.as_ref().map(|_| {
        let denial = denial.clone();
        view! {
            <Button
                label="Remove own facts"
                look=Look::Danger
                glyph=Icon::Trash
                denial=denial
                on_press=Callback::new(move |()| deleting.set(true))
            />
        }
    });
    let label = if own.is_some() {
        "Edit own facts"
    } else {
        "State own facts"
    };
    let question = move || {
        let own = own.clone().filter(|_| deleting.get())?;
        let question = Question {
            title: format!("Remove your own facts of {}?", own.model),
            text: "What the catalogue says applies again from the next request on.".to_owned(),
            action: "Remove own facts",
            done: format!("Your own facts of {} are removed.", own.model),
        };
        let keep = Callback::new(move |()| deleting.set(false));
        let removed = Callback::new(move |()| {
            changed.run(());
            close.run(());
        });
        Some(ask(question, move || workspace.delete_overlay(own.id), removed, keep))
    };
    let names = |names: Vec<String>| (!names.is_empty()).then(|| names.join(", "));
    let aliases = names(entry.aliases.iter().map(ToString::to_string).collect());
    let can = names(
        entry
            .capabilities
            .iter()
            .map(|one| format::words(one.as_str()))
            .collect(),
    );
    let tokens = |tokens: Option<u32>| tokens.map(|tokens| format!("{} tokens", format::count(u64::from(tokens))));
    view! {
        <Dialog title=entry.model.to_string() frame=Frame::Drawer on_close=close>
            <p class="drawer-lead">{stage_badge(&entry.lifecycle)}</p>
            <dl class="facts">
                {fact("Kind of provider", Some(entry.kind.as_str().to_owned()))}
                {fact("Also called", aliases)}
                {fact("Context", tokens(entry.context))}
                {fact("Longest answer", tokens(entry.max_output))}
                {fact("Can", can)}
                {fact("Deprecated on", entry.lifecycle.deprecated_on.map(|day| day.to_string()))}
                {fact("Ends on", entry.lifecycle.sunset_on.map(|day| day.to_string()))}
            </dl>
            <h3>"Price"</h3>
            {price(entry.price.as_ref())}
            <h3>"Where this comes from"</h3>
            {source(&entry)}
            <div class="form-actions">
                {remove}
                <Button label=label glyph=Icon::Pencil denial=denial on_press=edit/>
            </div>
            {question}
        </Dialog>
    }
    .into_any()
}

fn fact(name: &'static str, value: Option<String>) -> Option<AnyView> {
    value.map(|value| view! { <div><dt>{name}</dt><dd>{value}</dd></div> }.into_any())
}

fn source(entry: &CatalogEntry) -> AnyView {
    let source = entry.source.as_ref().map(|source| {
        view! {
            {fact("Catalogue", Some(source.version.clone()))}
            {fact("Told by", Some(source.origin.clone()))}
            <div><dt>"In force since"</dt><dd><Exact moment=source.effective_from/></dd></div>
        }
    });
    let own = entry.own.as_ref().map(|own| {
        let facts = &own.facts;
        let mut stated: Vec<String> = facts
            .capabilities
            .iter()
            .map(|(one, there)| format!("{} {}", one.as_str(), if *there { "on" } else { "off" }))
            .collect();
        for (name, there) in [
            ("context", facts.context.is_some()),
            ("longest answer", facts.max_output.is_some()),
            ("deprecated on", facts.deprecated_on.is_some()),
            ("ends on", facts.sunset_on.is_some()),
            ("aliases", !facts.aliases.is_empty()),
        ] {
            if there {
                stated.push(name.to_owned());
            }
        }
        fact("Your own facts", Some(stated.join(", ")))
    });
    view! { <dl class="facts">{source}{own}</dl> }.into_any()
}

fn price(terms: Option<&PriceTerms>) -> AnyView {
    let Some(terms) = terms else {
        return view! {
            <p>
                <Badge tone=Tone::Warning text="not known"/>
                <span class="cell-note">"That is not the same as free. Your own price can be set under Models."</span>
            </p>
        }
        .into_any();
    };
    let mut rows = rate_rows("", &terms.rates);
    for tier in &terms.tiers {
        let name = format!("above {} tokens of input", format::count(tier.above_input_tokens));
        rows.extend(rate_rows(&name, &tier.rates));
    }
    for service_price in &terms.service_tiers {
        let name = service(service_price.service_tier);
        rows.extend(rate_rows(name, &service_price.rates));
        for tier in &service_price.tiers {
            let above = format::count(tier.above_input_tokens);
            rows.extend(rate_rows(
                &format!("{name}, above {above} tokens of input"),
                &tier.rates,
            ));
        }
    }
    for other in &terms.other {
        // Told per unit: nobody counts millions of images.
        let per_unit = UnitPrice::from_picos(other.price.picos() / 1_000_000);
        let note = if per_unit.picos() > 0 { "each" } else { "per million" };
        let shown = if per_unit.picos() > 0 {
            dollars_each(other.price)
        } else {
            format!("${}", other.price)
        };
        rows.push((unit(other.unit).to_owned(), note.to_owned(), shown));
    }
    let row = |(name, note, price): (String, String, String)| {
        view! {
            <tr>
                <th scope="row" data-label="Unit">{name}<span class="cell-note">{note}</span></th>
                <td data-label="Price" class="number">{price}</td>
            </tr>
        }
    };
    let rows = rows.into_iter().map(row).collect_view().into_any();
    view! {
        {table("Price terms", &["Unit", "Price"], rows)}
        <p class="muted small">"US dollars; tokens by the million."</p>
    }
    .into_any()
}

/// A price a million is stored; one of a single unit is a millionth of that.
fn dollars_each(price: UnitPrice) -> String {
    let micro_dollars = price.picos() / 1_000_000;
    let (whole, rest) = (micro_dollars / 1_000_000, micro_dollars % 1_000_000);
    let text = format!("{whole}.{rest:06}");
    format!("${}", text.trim_end_matches('0').trim_end_matches('.'))
}

fn rate_rows(note: &str, rates: &Rates) -> Vec<(String, String, String)> {
    [
        ("Input", rates.input),
        ("Output", rates.output),
        ("Cache read", rates.cache_read),
        ("Cache write, 5 min", rates.cache_write_5m),
        ("Cache write, 1 h", rates.cache_write_1h),
        ("Reasoning", rates.reasoning),
        ("Audio in", rates.input_audio),
        ("Audio out", rates.output_audio),
        ("Images in", rates.input_image),
        ("Web searches", rates.web_search),
    ]
    .into_iter()
    .filter_map(|(name, price)| Some((name.to_owned(), note.to_owned(), format!("${}", price?))))
    .collect()
}

const fn service(tier: ServiceTier) -> &'static str {
    match tier {
        ServiceTier::Batch => "in batches",
        ServiceTier::Flex => "flex",
        ServiceTier::Priority => "priority",
        ServiceTier::Fast => "fast",
    }
}

const fn unit(unit: PricedUnit) -> &'static str {
    match unit {
        PricedUnit::InputImage => "Image in",
        PricedUnit::OutputImage => "Image out",
        PricedUnit::InputSecond => "Second in",
        PricedUnit::OutputSecond => "Second out",
        PricedUnit::InputCharacter => "Character in",
        PricedUnit::Query => "Query",
    }
}
