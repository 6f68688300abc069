//! What a newcomer needs on the first run: the one-time setup link, and an organization to play in, with a key that
//! works at once because the sandbox answers it.

use std::io::{self, Write};

use gatewright_contract::Secret;
use gatewright_control::{Control, bootstrap, setup_link};
use gatewright_types::api::{
    Document, KeyEntry, ModelEntry, ModelSettings, ProviderEntry, ProviderKind, ProviderSettings, Route,
};
use gatewright_types::{DisplayName, ModelName, Slug};

use crate::running::Running;
use crate::start::StartError;

const ORGANIZATION: &str = "playground";
const MODELS: [&str; 2] = ["sandbox-small", "sandbox-large"];

/// Whether a person is being shown around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Welcome {
    /// On the first run there is a playground to call.
    Playground,
    Nothing,
}

/// What can be told to whoever started the server, and to nobody else.
#[derive(Debug, Default)]
pub(crate) struct Greeting {
    pub(crate) setup_link: Option<String>,
    pub(crate) playground_key: Option<Secret>,
}

/// Makes what is missing on a first run.
pub(crate) async fn prepare(control: &Control, welcome: Welcome) -> Result<Greeting, StartError> {
    let Some(setup_link) = setup_link(control).await? else {
        return Ok(Greeting::default());
    };
    let playground_key = match welcome {
        Welcome::Playground => {
            let reports = bootstrap(control, vec![playground()]).await?;
            // A second start before anybody set up finds the key there; its secret is gone, as every secret is.
            reports
                .into_iter()
                .flat_map(|report| report.minted.into_values())
                .next()
                .map(Secret::new)
        }
        Welcome::Nothing => None,
    };
    Ok(Greeting {
        setup_link: Some(setup_link),
        playground_key,
    })
}

fn playground() -> Document {
    let slug = |text: &str| text.parse::<Slug>().expect("written as slugs are");
    let name = |text: &str| text.parse::<DisplayName>().expect("written as names are");
    let model = |model: &str| ModelEntry {
        name: model.parse::<ModelName>().expect("written as model names are"),
        route: Route::to(format!("sandbox/{model}").parse().expect("written as targets are")),
        settings: ModelSettings::default(),
    };
    Document {
        name: Some(name("Playground")),
        providers: Some(vec![ProviderEntry {
            name: slug("sandbox"),
            kind: ProviderKind::Sandbox,
            base_url: None,
            network: None,
            settings: ProviderSettings::default(),
            credentials: Vec::new(),
        }]),
        models: Some(MODELS.map(model).into()),
        keys: Some(vec![KeyEntry {
            name: name("first steps"),
            team: None,
            owner: None,
            service_account: None,
            secret: None,
            models: None,
            tags: Default::default(),
            scopes: Default::default(),
            upkeep: Default::default(),
            faults: false,
            cost_centre: None,
            expires_at: None,
            budgets: None,
            limits: None,
        }]),
        ..Document::of(slug(ORGANIZATION))
    }
}

/// Tells a person at a terminal where everything is.
pub(crate) fn print(running: &Running, output: &mut impl Write) -> io::Result<()> {
    let url = running.public_url.as_str().trim_end_matches('/');
    writeln!(output, "\n  Gatewright is ready at {url}\n")?;
    if let Some(link) = &running.setup_link {
        writeln!(output, "  Set it up in a browser (the link works once):\n    {link}\n")?;
    }
    match (&running.playground_key, &running.setup_link) {
        (Some(key), _) => {
            writeln!(
                output,
                "  Or call it right away; the built-in sandbox answers without any provider:\n"
            )?;
            writeln!(output, "{}\n", first_call(url, key.expose()))?;
        }
        (None, Some(_)) => {
            writeln!(
                output,
                "  The playground's key was shown at the first start. Keys are made in the dashboard.\n"
            )?;
        }
        (None, None) => writeln!(output, "  Sign in there; keys are made under Keys.\n")?,
    }
    output.flush()
}

fn first_call(url: &str, key: &str) -> String {
    [
        format!("    curl {url}/v1/chat/completions \\"),
        format!("      -H 'authorization: Bearer {key}' \\"),
        "      -H 'content-type: application/json' \\".to_owned(),
        "      -d '{\"model\":\"sandbox-small\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'".to_owned(),
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_playground_is_a_document_like_any_other() {
        let value = serde_json::to_value(playground()).expect("JSON");

        let read = gatewright_control::check_document(&value).expect("it passes the usual check");

        assert_eq!(read, playground());
    }

    #[test]
    fn the_first_call_can_be_pasted() {
        let expected = "    curl http://127.0.0.1:8080/v1/chat/completions \\
      -H 'authorization: Bearer gw-x' \\
      -H 'content-type: application/json' \\
      -d '{\"model\":\"sandbox-small\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'";

        assert_eq!(first_call("http://127.0.0.1:8080", "gw-x"), expected);
    }
}
