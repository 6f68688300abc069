//! How the answer is chosen and where it ends. Ranges and combinations that a family of models refuses are fitted.

use serde::Serialize;
use serde_json::Number;

use super::is_blank;
use super::thinking::Plan;
use crate::chat::Chat;
use crate::dialect::Dropped;
use crate::dialect::bedrock::family::Family;

#[derive(Serialize, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct InferenceConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<Number>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
}

pub(super) fn write<'a>(
    chat: &'a Chat,
    family: Family,
    thinking: &Plan,
    dropped: &mut Dropped,
) -> Option<InferenceConfig<'a>> {
    let sampling = &chat.sampling;
    dropped.add_if(sampling.frequency_penalty.is_some(), "frequency_penalty");
    dropped.add_if(sampling.presence_penalty.is_some(), "presence_penalty");
    dropped.add_if(sampling.seed.is_some(), "seed");
    let mut config = InferenceConfig {
        max_tokens: sampling.max_tokens,
        ..InferenceConfig::default()
    };
    if takes_sampling(family, thinking.is_on) && !thinking.refuses_sampling {
        config.temperature = sampling.temperature.clone().map(|asked| at_most_one(asked, dropped));
        config.top_p = sampling.top_p.clone();
    }
    if config.temperature.is_some() && matches!(family, Family::Claude(claude) if !claude.takes_both_samplings()) {
        config.top_p = None;
    }
    dropped.add_if(
        sampling.temperature.is_some() && config.temperature.is_none(),
        "temperature",
    );
    dropped.add_if(sampling.top_p.is_some() && config.top_p.is_none(), "top_p");
    let stops = sampling.stop.iter().map(|stop| &**stop);
    config.stop_sequences = stops.filter(|stop| !is_blank(stop)).collect();
    dropped.add_if(config.stop_sequences.len() < sampling.stop.len(), "stop");
    (config != InferenceConfig::default()).then_some(config)
}

/// `top_k` is no member of the API's own; two families take it as theirs.
pub(super) fn top_k(chat: &Chat, family: Family, thinks: bool, dropped: &mut Dropped) -> Option<u64> {
    let takes = match family {
        Family::Claude(_) => takes_sampling(family, thinks),
        Family::Nova | Family::Nova2 => true,
        Family::GptOss | Family::Gpt | Family::Kimi | Family::Llama | Family::Other => false,
    };
    dropped.add_if(chat.sampling.top_k.is_some() && !takes, "top_k");
    chat.sampling.top_k.filter(|_| takes)
}

/// Models of Anthropic's refuse to be steered while they think, and the latest always.
fn takes_sampling(family: Family, thinks: bool) -> bool {
    match family {
        Family::Claude(claude) => claude.takes_sampling() && !thinks,
        Family::Nova | Family::Nova2 | Family::GptOss | Family::Gpt | Family::Kimi | Family::Llama | Family::Other => {
            true
        }
    }
}

/// OpenAI's temperatures go up to 2, Bedrock's to 1.
fn at_most_one(temperature: Number, dropped: &mut Dropped) -> Number {
    if temperature.as_f64().is_some_and(|asked| asked > 1.0) {
        dropped.add("temperature");
        return Number::from(1);
    }
    temperature
}
