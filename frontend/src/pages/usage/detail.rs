//! One request in full: its way, its times, and every priced line.

use gatewright_types::api::{CacheStatus, Dialect, LineItem, NativeDialect, ServedTier, UsageRow};
use gatewright_types::{Nanos, UsageUnit};
use leptos::prelude::*;

use super::adjustments::adjustments;
use super::trace::Trace;
use super::{Names, cost, outcome};
use crate::components::badge::{Badge, Tone};
use crate::components::dialog::{Dialog, Frame};
use crate::components::moment::Exact;
use crate::components::table::table;
use crate::format;

#[component]
pub(super) fn Detail(row: UsageRow, names: Names, on_close: Callback<()>) -> impl IntoView {
    let key = row.key.map(|key| untrack(|| names.key(key)));
    let team = row.team.map(|team| untrack(|| names.team(team)));
    let upstream = row.provider.as_ref().zip(row.upstream_model.as_ref());
    let upstream = upstream.map(|(provider, model)| format!("{provider}/{model}"));
    let answer = if row.stream { "stream" } else { "whole" };
    view! {
        <Dialog title="Request" frame=Frame::Drawer on_close=on_close>
            <p class="drawer-lead">{outcome(&row)}</p>
            <dl class="facts">
                {text_fact("Request", Some(row.id.to_string()))}
                {fact("Started", view! { <Exact moment=row.started_at/> }.into_any())}
                {text_fact("Model", row.model.clone())}
                {text_fact("Went to", upstream)}
                {text_fact("Key", key)}
                {text_fact("Team", team)}
                {text_fact("End user", row.end_user.as_ref().map(ToString::to_string))}
                {text_fact("Tags", tags(&row))}
                {text_fact("Budget or limit", row.over.clone())}
                {text_fact("Sent by a budget to", row.downgraded_to.as_ref().map(ToString::to_string))}
                {text_fact("Dialect", Some(dialect(row.dialect).to_owned()))}
                {text_fact("Answer", Some(answer.to_owned()))}
                {text_fact("Service tier", row.service_tier.map(|tier| service(tier).to_owned()))}
                {text_fact("Attempts", Some(row.attempts.to_string()))}
                {text_fact("Cache", cached(&row))}
                {text_fact("Duration", Some(format::millis(row.duration_ms)))}
                {text_fact("First token", row.first_token_ms.map(format::millis))}
                {text_fact("Gateway's own time", Some(format!("{} µs", format::count(row.overhead_us))))}
            </dl>
            <h3>"Why it went there"</h3>
            <Trace request=row.id/>
            <h3>"Used"</h3>
            {used(&row)}
            {adjustments(&row)}
            <p class="total"><span>"Cost"</span><strong>{cost(&row)}</strong></p>
            {tier_without_price(&row)}
            {charge(&row)}
            {row.estimated.then(|| {
                let text = " The provider told no token counts; the gateway counted these.";
                view! { <p class="muted small"><Badge tone=Tone::Neutral text="estimated"/>{text}</p> }
            })}
        </Dialog>
    }
    .into_any()
}

fn fact(name: &'static str, value: AnyView) -> AnyView {
    view! { <div><dt>{name}</dt><dd>{value}</dd></div> }.into_any()
}

fn text_fact(name: &'static str, value: Option<String>) -> Option<AnyView> {
    value.map(|value| fact(name, value.into_any()))
}

/// `project=apollo, tier=free`
fn tags(row: &UsageRow) -> Option<String> {
    let tags = row.tags.iter().map(|(name, value)| format!("{name}={value}"));
    let tags = tags.collect::<Vec<_>>().join(", ");
    (!tags.is_empty()).then_some(tags)
}

const fn dialect(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenaiChat => "OpenAI chat",
        Dialect::OpenaiResponses => "OpenAI responses",
        Dialect::OpenaiCompletions => "OpenAI completions",
        Dialect::OpenaiEmbeddings => "OpenAI embeddings",
        Dialect::AnthropicMessages => "Anthropic messages",
        Dialect::GeminiGenerate => "Gemini generateContent",
        Dialect::GeminiEmbed => "Gemini embedContent",
        Dialect::GeminiBatchEmbed => "Gemini batchEmbedContents",
        Dialect::Native(NativeDialect::VertexPredict) => "Vertex predict",
        Dialect::Native(NativeDialect::CohereChat) => "Cohere chat",
        Dialect::Native(NativeDialect::CohereEmbed) => "Cohere embed",
        Dialect::Native(NativeDialect::BedrockConverse) => "Bedrock Converse",
        Dialect::Native(NativeDialect::BedrockInvoke) => "Bedrock InvokeModel",
        Dialect::Native(NativeDialect::Unknown) => "the provider's own",
    }
}

fn used(row: &UsageRow) -> AnyView {
    if row.lines.is_empty() {
        return view! { <p class="muted">"Nothing was used."</p> }.into_any();
    }
    let rows = row.lines.iter().map(line).collect_view().into_any();
    table("Line items", &["Unit", "Quantity", "Price per million", "Amount"], rows)
}

fn line(item: &LineItem) -> AnyView {
    let amount = item.price.map(|price| Nanos::from_picos(price.times(item.quantity)));
    let unpriced = || view! { <Badge tone=Tone::Warning text="unpriced"/> };
    view! {
        <tr>
            <th scope="row" data-label="Unit">
                {unit(item.unit)}
                {item.price_version.as_deref().map(format::price_version).map(|version| view! { <span class="cell-note">{version}</span> })}
            </th>
            <td data-label="Quantity" class="number">{format::count(item.quantity)}</td>
            <td data-label="Price per million" class="number">{item.price.map(|price| format!("${price}"))}</td>
            <td data-label="Amount" class="number">
                {match amount {
                    Some(amount) => format::money(amount).into_any(),
                    None => unpriced().into_any(),
                }}
            </td>
        </tr>
    }
    .into_any()
}

/// Why a request has no price although its model has one.
fn tier_without_price(row: &UsageRow) -> Option<AnyView> {
    let tier = row.service_tier.filter(|tier| *tier != ServedTier::Standard)?;
    if row.adjusted_cost.is_some() {
        return None;
    }
    let text = format!(" No price is known for the tier it was served in ({}).", service(tier));
    Some(view! { <p class="muted small"><Badge tone=Tone::Warning text="unpriced"/>{text}</p> }.into_any())
}

/// What the cache had; nothing where it was not asked.
fn cached(row: &UsageRow) -> Option<String> {
    let saved = row
        .saved
        .map(|saved| format!(", saved {}", format::money(saved.amount)));
    match row.cache {
        CacheStatus::Hit => Some(format!("hit{}", saved.unwrap_or_default())),
        CacheStatus::Miss => Some(format!("miss{}", saved.unwrap_or_default())),
        CacheStatus::Off => None,
    }
}

/// What the provider says it charges, beside our own bill.
fn charge(row: &UsageRow) -> Option<AnyView> {
    let charge = row.provider_cost?.amount;
    let difference = match row.cost_difference.map(|difference| difference.amount) {
        Some(Nanos::ZERO) => "as much as the gateway's own bill".to_owned(),
        Some(more) if more > Nanos::ZERO => format!("{} more than the gateway's own bill", format::money(more)),
        Some(less) => {
            let less = Nanos::ZERO.saturating_sub(less);
            format!("{} less than the gateway's own bill", format::money(less))
        }
        None => "the gateway knows no price to compare it with".to_owned(),
    };
    let amount = format::money(charge);
    Some(
        view! {
            <p class="total"><span>"Charged by the provider"</span><strong>{amount}</strong></p>
            <p class="muted small">{difference}</p>
        }
        .into_any(),
    )
}

const fn service(tier: ServedTier) -> &'static str {
    match tier {
        ServedTier::Standard => "standard",
        ServedTier::Flex => "flex",
        ServedTier::Priority => "priority",
        ServedTier::Batch => "batch",
        ServedTier::Fast => "fast",
        ServedTier::Provisioned => "provisioned capacity",
        ServedTier::Unknown => "one the gateway does not know",
    }
}

const fn unit(unit: UsageUnit) -> &'static str {
    match unit {
        UsageUnit::InputUncached => "Input",
        UsageUnit::InputCacheRead => "Cache read",
        UsageUnit::InputCacheWrite5m => "Cache write, 5 min",
        UsageUnit::InputCacheWrite1h => "Cache write, 1 h",
        UsageUnit::InputAudio => "Audio in",
        UsageUnit::InputImage => "Images in",
        UsageUnit::OutputText => "Output",
        UsageUnit::OutputReasoning => "Reasoning",
        UsageUnit::OutputAudio => "Audio out",
        UsageUnit::WebSearch => "Web searches",
    }
}
