//! Code that calls the gateway with a key: curl, Python and TypeScript, ready to paste.

use leptos::prelude::*;

use crate::components::code::CodeBlock;
use crate::components::segments::segments;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Curl,
    Python,
    TypeScript,
}

impl Language {
    const ALL: [Self; 3] = [Self::Curl, Self::Python, Self::TypeScript];

    const fn title(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Python => "Python",
            Self::TypeScript => "TypeScript",
        }
    }

    fn code(self, base: &str, secret: &str, model: &str) -> String {
        match self {
            Self::Curl => format!(
                r#"curl {base}/chat/completions \
  -H "Authorization: Bearer {secret}" \
  -H "Content-Type: application/json" \
  -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello"}}]}}'"#
            ),
            Self::Python => format!(
                r#"from openai import OpenAI

client = OpenAI(base_url="{base}", api_key="{secret}")
answer = client.chat.completions.create(
    model="{model}",
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(answer.choices[0].message.content)"#
            ),
            Self::TypeScript => format!(
                r#"import OpenAI from "openai";

const client = new OpenAI({{ baseURL: "{base}", apiKey: "{secret}" }});
const answer = await client.chat.completions.create({{
  model: "{model}",
  messages: [{{ role: "user", content: "Hello" }}],
}});
console.log(answer.choices[0].message.content);"#
            ),
        }
    }
}

/// `model` is one the key may call; a placeholder stands in while the organization has none.
#[component]
pub(super) fn Snippets(secret: String, model: Option<String>) -> impl IntoView {
    let language = RwSignal::new(Language::Curl);
    let base = format!("{}/v1", window().location().origin().unwrap_or_default());
    let model = model.unwrap_or_else(|| "YOUR_MODEL".to_owned());
    let choose = Callback::new(move |option| language.set(option));
    let languages = segments(
        "Language",
        Language::ALL.map(|option| (option, option.title())),
        language.into(),
        choose,
    );
    view! {
        <section class="snippets" aria-label="Code that uses the key">
            <div class="snippets-head">
                <h3>"Try it"</h3>
                {languages}
            </div>
            <CodeBlock label="Code" text=Signal::derive(move || language.get().code(&base, &secret, &model))/>
        </section>
    }
    .into_any()
}
