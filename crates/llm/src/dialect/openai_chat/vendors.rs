//! What is known of providers that speak this dialect: where they are, and how far they speak it. Their models differ
//! among themselves; a row says what the vendor's interface takes.

use super::OpenaiChatTo;
use super::quirks::{
    CallIds, Documents, InstructionsRole, MaxTokensName, Quirks, ReasoningParam, SchemaSupport, SeedName, ThoughtsBack,
};
use crate::Failure;
use crate::chat::{Chat, Effort, Media};
use crate::dialect::{Decoder, Outbound, TargetFacts, Unsupported, Written};
use crate::event::Answer;

/// One vendor.
#[derive(Debug, Clone, Copy)]
pub struct Vendor {
    pub name: &'static str,
    /// Where its chat completions are, without `/chat/completions`; none where everybody has an address of their own.
    pub usual_base_url: Option<&'static str>,
    pub quirks: Quirks,
}

const LOW_TO_HIGH: ReasoningParam = ReasoningParam::Effort {
    least: Effort::Low,
    most: Effort::High,
    can_be_none: true,
};

/// A server that takes lists of parts and tells tools apart, as most do.
const USUAL: Quirks = Quirks {
    text_parts: true,
    parallel_tool_calls: true,
    ..Quirks::COMPATIBLE
};

pub static VENDORS: [Vendor; 14] = [
    Vendor {
        name: "openai",
        usual_base_url: Some("https://api.openai.com/v1"),
        quirks: Quirks::OPENAI,
    },
    // learn.microsoft.com, Azure OpenAI reference, version 1 of the interface.
    Vendor {
        name: "azure",
        usual_base_url: None,
        quirks: Quirks::OPENAI,
    },
    // The parameters of its Python SDK, `types/chat/completion_create_params.py`: of others it says that the property is
    // unsupported, and of `store` as well.
    Vendor {
        name: "groq",
        usual_base_url: Some("https://api.groq.com/openai/v1"),
        quirks: Quirks {
            max_tokens: MaxTokensName::MaxCompletionTokens,
            reasoning: LOW_TO_HIGH,
            user: true,
            refuses: &[
                "store",
                "prompt_cache_key",
                "prompt_cache_options",
                "prompt_cache_retention",
                "safety_identifier",
                "verbosity",
            ],
            ..USUAL
        },
    },
    // api-docs.deepseek.com/guides/thinking_mode and /json_mode: no schemas; thoughts before tool calls must come back.
    Vendor {
        name: "deepseek",
        usual_base_url: Some("https://api.deepseek.com"),
        quirks: Quirks {
            schemas: SchemaSupport::JsonOnly,
            reasoning: ReasoningParam::Deepseek,
            thoughts_back: ThoughtsBack::Content,
            seed: SeedName::None,
            ..Quirks::COMPATIBLE
        },
    },
    // docs.x.ai/docs/guides/reasoning: models that think refuse penalties.
    Vendor {
        name: "xai",
        usual_base_url: Some("https://api.x.ai/v1"),
        quirks: Quirks {
            max_tokens: MaxTokensName::MaxCompletionTokens,
            reasoning: LOW_TO_HIGH,
            penalties: false,
            user: true,
            ..USUAL
        },
    },
    // The parameters of its Python SDK, `models/chatcompletionrequest.py`; other members are refused.
    Vendor {
        name: "mistral",
        usual_base_url: Some("https://api.mistral.ai/v1"),
        quirks: Quirks {
            usage_in_stream: false,
            call_ids: CallIds::NineLetters,
            reasoning: ReasoningParam::Effort {
                least: Effort::Minimal,
                most: Effort::Most,
                can_be_none: true,
            },
            seed: SeedName::RandomSeed,
            top_k: true,
            refuses: &[
                "user",
                "store",
                "prompt_cache_options",
                "prompt_cache_retention",
                "safety_identifier",
                "verbosity",
            ],
            ..USUAL
        },
    },
    // The parameters of its Python SDK, `types/chat/completion_create_params.py`, whose instructions are one text; usage
    // comes unasked.
    Vendor {
        name: "together",
        usual_base_url: Some("https://api.together.xyz/v1"),
        quirks: Quirks {
            text_parts: false,
            image_detail: false,
            usage_in_stream: false,
            parallel_tool_calls: false,
            reasoning: ReasoningParam::Effort {
                least: Effort::Low,
                most: Effort::High,
                can_be_none: false,
            },
            top_k: true,
            ..USUAL
        },
    },
    // The parameters of its Python SDK, `types/chat/completion_create_params.py`, and docs.fireworks.ai/guides/reasoning;
    // usage comes unasked, and other members are refused.
    Vendor {
        name: "fireworks",
        usual_base_url: Some("https://api.fireworks.ai/inference/v1"),
        quirks: Quirks {
            usage_in_stream: false,
            strict_tools: true,
            reasoning: LOW_TO_HIGH,
            thoughts_back: ThoughtsBack::Content,
            top_k: true,
            user: true,
            refuses: &[
                "store",
                "prompt_cache_options",
                "prompt_cache_retention",
                "safety_identifier",
                "verbosity",
            ],
            ..USUAL
        },
    },
    // The types of its Python SDK, `components/chatrequest.py`, `chatcontenttext.py`, `reasoningdetailunion.py`.
    Vendor {
        name: "openrouter",
        usual_base_url: Some("https://openrouter.ai/api/v1"),
        quirks: Quirks {
            instructions: InstructionsRole::System,
            documents: Documents::FilesAndUrls,
            reasoning: ReasoningParam::Openrouter,
            thoughts_back: ThoughtsBack::Details,
            top_k: true,
            cache_marks: true,
            ..Quirks::OPENAI
        },
    },
    // docs.perplexity.ai/docs/sonar/openai-compatibility and its Python SDK: usage comes unasked.
    Vendor {
        name: "perplexity",
        usual_base_url: Some("https://api.perplexity.ai"),
        quirks: Quirks {
            image_detail: false,
            usage_in_stream: false,
            reasoning: ReasoningParam::Effort {
                least: Effort::Minimal,
                most: Effort::High,
                can_be_none: false,
            },
            seed: SeedName::None,
            ..USUAL
        },
    },
    // docs.ollama.com/api/openai-compatibility, the list of request fields: images in base64 only.
    Vendor {
        name: "ollama",
        usual_base_url: Some("http://localhost:11434/v1"),
        quirks: Quirks {
            image_addresses: false,
            parallel_tool_calls: false,
            reasoning: LOW_TO_HIGH,
            ..USUAL
        },
    },
    // docs.vllm.ai, OpenAI-compatible server; `user` and `parallel_tool_calls` are taken and without effect.
    Vendor {
        name: "vllm",
        usual_base_url: Some("http://localhost:8000/v1"),
        quirks: Quirks {
            reasoning: LOW_TO_HIGH,
            top_k: true,
            user: true,
            ..USUAL
        },
    },
    // The types of `huggingface_hub`, `inference/_generated/types/chat_completion.py`.
    Vendor {
        name: "huggingface",
        usual_base_url: Some("https://router.huggingface.co/v1"),
        quirks: Quirks {
            image_detail: false,
            parallel_tool_calls: false,
            ..USUAL
        },
    },
    Vendor {
        name: "compatible",
        usual_base_url: None,
        quirks: Quirks::COMPATIBLE,
    },
];

impl Outbound for Vendor {
    fn write_request(&self, chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
        OpenaiChatTo(self.quirks).write_request(chat, target)
    }

    fn wants_bytes(&self, media: &Media) -> bool {
        OpenaiChatTo(self.quirks).wants_bytes(media)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, Failure> {
        OpenaiChatTo(self.quirks).read_answer(body)
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        OpenaiChatTo(self.quirks).decoder()
    }
}

/// The row of this name.
pub fn vendor(name: &str) -> Option<&'static Vendor> {
    VENDORS.iter().find(|vendor| vendor.name == name)
}
