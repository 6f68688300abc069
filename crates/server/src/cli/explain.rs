//! `explain`: where a request would go by a configuration file, with nobody asked.

use std::error::Error;
use std::path::PathBuf;

use gatewright_control::{SampleError, compile_document};
use gatewright_types::api::{Decision, Document, Explanation, SampleRequest, Verdict};
use gatewright_types::{ModelName, Slug};

use super::arguments::Form;
use super::{Ending, complain, counted, say};
use crate::documents::{self, DocumentsError, Secrets};

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// The configuration file; `-` reads standard input.
    #[arg(short, long)]
    file: PathBuf,
    /// A file with the request, in JSON or YAML: {model, headers, body, key, …}.
    #[arg(short, long)]
    request: PathBuf,
    /// The model that is asked for, in place of the one in the request.
    #[arg(long)]
    model: Option<ModelName>,
    /// The organization it is about; not needed where the file has only one.
    #[arg(long)]
    organization: Option<Slug>,
    /// Print the whole explanation as JSON.
    #[arg(long, value_parser = super::arguments::json, num_args = 0, default_missing_value = "", default_value = "text")]
    json: Form,
}

/// Why nothing can be explained.
#[derive(Debug, thiserror::Error)]
enum ExplainError {
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    #[error("the file describes several organizations; say which one with --organization")]
    Several,
    #[error("the file describes no organization {0}")]
    NoSuch(Slug),
    #[error(transparent)]
    Sample(#[from] SampleError),
}

pub(super) fn run(arguments: &Explain) -> Ending {
    let text = explained(arguments).map_err(Box::<dyn Error>::from);
    let text = text.and_then(|explanation| match arguments.json {
        Form::Json => Ok(serde_json::to_string_pretty(&explanation)?),
        Form::ForPeople => Ok(lines(&explanation).join("\n")),
    });
    match text {
        Ok(text) => {
            say(text);
            Ending::Done
        }
        Err(error) => complain(&*error),
    }
}

fn explained(arguments: &Explain) -> Result<Explanation, ExplainError> {
    let documents = documents::read(&arguments.file, Secrets::Left)?;
    let document = named(&documents, arguments.organization.as_ref())?;
    let mut sample: SampleRequest = documents::read_sample(&arguments.request)?;
    if let Some(model) = &arguments.model {
        sample.model = Some(model.clone());
    }
    let compiled = compile_document(document).map_err(|problems| documents::wrong(&arguments.file, &problems))?;
    Ok(compiled.explain(&sample, chrono::Utc::now())?)
}

fn named<'a>(documents: &'a [Document], slug: Option<&Slug>) -> Result<&'a Document, ExplainError> {
    match (documents, slug) {
        ([only], None) => Ok(only),
        (_, None) => Err(ExplainError::Several),
        (all, Some(slug)) => {
            let found = all.iter().find(|document| document.organization == *slug);
            found.ok_or_else(|| ExplainError::NoSuch(slug.clone()))
        }
    }
}

fn lines(Explanation { decision, costs, .. }: &Explanation) -> Vec<String> {
    let mut lines = vec![decision.model.clone().unwrap_or_else(|| "no model".to_owned())];
    lines.extend(needs(decision));
    for step in &decision.route.steps {
        lines.push(format!("  {} ({}): {}", step.place, step.strategy, step.why));
    }
    for candidate in &decision.route.candidates {
        let (target, place) = (&candidate.target, &candidate.place);
        lines.push(match &candidate.verdict {
            Verdict::Kept { order, why } => {
                let cost = costs.iter().find(|known| known.target == *target);
                let cost = match cost.map(|known| known.cost) {
                    Some(Some(cost)) => format!(", about ${}", cost.amount),
                    Some(None) => ", unpriced".to_owned(),
                    None => String::new(),
                };
                let why = why.as_ref().map(|why| format!(", {why}")).unwrap_or_default();
                format!("  {order}. {target} [{place}]{why}{cost}")
            }
            Verdict::Dropped { why } => format!("  -  {target} [{place}] {why}"),
        });
    }
    lines.extend(
        decision
            .error
            .iter()
            .map(|error| format!("  refused with {}: {}", error.code, error.message)),
    );
    lines
}

fn needs(decision: &Decision) -> Option<String> {
    let needs = decision.needs.as_ref()?;
    let mut words = vec![format!("about {}", counted(needs.input_tokens, "token"))];
    words.extend(needs.max_tokens.map(|tokens| format!("an answer of at most {tokens}")));
    words.extend(
        needs
            .capabilities
            .iter()
            .map(|capability| capability.as_str().to_owned()),
    );
    words.extend(needs.reasoning.then(|| "reasoning".to_owned()));
    Some(format!("  needs {}", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use gatewright_types::Nanos;
    use gatewright_types::api::{DecisionError, ExpectedCost, RequestNeeds, SampleHealth};

    use super::*;

    #[test]
    fn an_explanation_reads_from_the_root_to_the_targets() {
        let target = |text: &str| text.parse().expect("a target");
        let mut decision = Decision {
            model: Some("smart".to_owned()),
            needs: Some(RequestNeeds {
                capabilities: Vec::new(),
                reasoning: false,
                input_tokens: 12,
                max_tokens: Some(100),
            }),
            ..Decision::default()
        };
        decision.route.step("route.when[0]", "when", "the condition holds");
        decision.route.keep(target("a/x"), "route.when[0].route", None);
        decision
            .route
            .drop(target("b/y"), "route.otherwise", "cannot take images");
        decision.error = Some(DecisionError {
            code: "no_feasible_target".into(),
            message: "none".into(),
        });
        let costs = vec![ExpectedCost {
            target: target("a/x"),
            cost: Some(Nanos::new(12_000).into()),
        }];

        assert_eq!(
            lines(&Explanation {
                decision,
                then: None,
                not_kept: Vec::new(),
                health: SampleHealth::Ideal,
                costs,
            }),
            [
                "smart",
                "  needs about 12 tokens, an answer of at most 100",
                "  route.when[0] (when): the condition holds",
                "  1. a/x [route.when[0].route], about $0.000012",
                "  -  b/y [route.otherwise] cannot take images",
                "  refused with no_feasible_target: none",
            ]
        );
    }
}
