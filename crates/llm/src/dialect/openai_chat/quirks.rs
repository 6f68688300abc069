//! How far a provider's dialect is OpenAI's. What a provider does not take is left out of requests to it, and the caller
//! is told; what it calls by another name is written under that name.

use crate::chat::{Effort, MediaKind};

/// One provider's habits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    pub max_tokens: MaxTokensName,
    pub instructions: InstructionsRole,
    /// Content may be a list of texts; else they are joined into one string.
    pub text_parts: bool,
    /// Assistant messages may have a `refusal`; else it is their content.
    pub refusals: bool,
    /// Images may be given by their addresses.
    pub image_addresses: bool,
    pub documents: Documents,
    /// `detail` of images is taken.
    pub image_detail: bool,
    /// `stream_options.include_usage` is taken.
    pub usage_in_stream: bool,
    pub parallel_tool_calls: bool,
    /// `strict` of tools is taken.
    pub strict_tools: bool,
    pub call_ids: CallIds,
    pub schemas: SchemaSupport,
    pub reasoning: ReasoningParam,
    pub thoughts_back: ThoughtsBack,
    pub seed: SeedName,
    pub penalties: bool,
    /// `top_k` is taken, which OpenAI itself does not know.
    pub top_k: bool,
    pub user: bool,
    /// `cache_control` on parts and tools is taken.
    pub cache_marks: bool,
    /// Members of OpenAI's requests for which it refuses a whole request, though no answer would be another without them.
    pub refuses: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxTokensName {
    MaxTokens,
    MaxCompletionTokens,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionsRole {
    System,
    Developer,
}

/// Which documents a `file` part can bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Documents {
    None,
    /// Those whose bytes are in the request, and those uploaded before.
    Files,
    /// Those whose bytes or whose address are in the request.
    FilesAndUrls,
}

/// Which identifiers of tool calls are taken back, though another provider made them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallIds {
    /// Any of at most 40 characters.
    Short,
    /// Nine letters and digits, no more and no fewer.
    NineLetters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaSupport {
    /// Answers keep to a schema.
    Strict,
    /// Answers can be made some JSON object, whichever.
    JsonOnly,
    None,
}

/// How to say how much thinking is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningParam {
    /// `reasoning_effort`, between these.
    Effort {
        least: Effort,
        most: Effort,
        /// `none` is taken, for no thinking.
        can_be_none: bool,
    },
    /// `reasoning`, as an object of effort or tokens.
    Openrouter,
    /// `thinking` switches it on and off; `reasoning_effort` says how much.
    Deepseek,
    None,
}

/// In what shape the model's earlier thoughts go back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThoughtsBack {
    None,
    /// As `reasoning_content`, without signatures.
    Content,
    /// As `reasoning_details`, with signatures: the provider hands them to whoever made them.
    Details,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedName {
    Seed,
    RandomSeed,
    None,
}

impl Quirks {
    /// OpenAI itself.
    pub const OPENAI: Self = Self {
        max_tokens: MaxTokensName::MaxCompletionTokens,
        instructions: InstructionsRole::Developer,
        text_parts: true,
        refusals: true,
        image_addresses: true,
        documents: Documents::Files,
        image_detail: true,
        usage_in_stream: true,
        parallel_tool_calls: true,
        strict_tools: true,
        call_ids: CallIds::Short,
        schemas: SchemaSupport::Strict,
        reasoning: ReasoningParam::Effort {
            least: Effort::Minimal,
            most: Effort::Most,
            can_be_none: true,
        },
        thoughts_back: ThoughtsBack::None,
        seed: SeedName::Seed,
        penalties: true,
        top_k: false,
        user: true,
        cache_marks: false,
        refuses: &[],
    };

    /// A server of which nothing is known but that it says it is compatible: nothing that such servers refuse.
    pub const COMPATIBLE: Self = Self {
        max_tokens: MaxTokensName::MaxTokens,
        instructions: InstructionsRole::System,
        text_parts: false,
        refusals: false,
        image_addresses: true,
        documents: Documents::None,
        image_detail: true,
        usage_in_stream: true,
        parallel_tool_calls: false,
        strict_tools: false,
        call_ids: CallIds::Short,
        schemas: SchemaSupport::Strict,
        reasoning: ReasoningParam::None,
        thoughts_back: ThoughtsBack::None,
        seed: SeedName::Seed,
        penalties: true,
        top_k: false,
        user: false,
        cache_marks: false,
        refuses: &[],
    };
    /// Whether what is of this kind has to be in the request itself. What is not taken at all need not be.
    pub(super) const fn wants_bytes(&self, kind: MediaKind) -> bool {
        match kind {
            MediaKind::Image => !self.image_addresses,
            MediaKind::Document => matches!(self.documents, Documents::Files),
            MediaKind::Audio => true,
            MediaKind::Video => false,
        }
    }
}
