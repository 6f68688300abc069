//! Counts the tokens of what no provider counted, by a tokenizer: of the request, and of as much of the answer as was
//! delivered. A count of ours is near a provider's and not the same: what providers put around messages is theirs to
//! know, and for makers that publish no tokenizer the nearest one stands.

mod delivered;
mod prompt;
mod vocabulary;

use bytes::Bytes;
use gatewright_types::UsageUnit;
use gatewright_types::api::Dialect;

pub use self::delivered::Delivered;
pub(crate) use self::prompt::MEDIA;
use self::vocabulary::Counter;
use crate::Tokens;
use crate::dialect::Outbound;
use crate::dialect::anthropic::Anthropic;
use crate::dialect::gemini::Gemini;
use crate::dialect::openai_chat::{OpenaiChatTo, Quirks};
use crate::dialect::openai_responses::OpenaiResponses;

/// Bytes of a text for one token, as OpenAI's documentation has it for English.
pub const BYTES_PER_TOKEN: u64 = 4;
/// Answers are read alike, whatever requests have to look like.
const CHAT: OpenaiChatTo = OpenaiChatTo(Quirks::OPENAI);

/// What is to be counted. Counting may take a tenth of a second: longer than anybody else should have to wait for.
#[derive(Debug, Clone)]
pub struct Uncounted {
    /// The provider's name for the model, as far as it is known.
    model: Box<str>,
    /// A whole body of a request, in any dialect.
    request: Bytes,
    /// Of the request, which is only its beginning then.
    unseen_bytes: usize,
    delivered: Delivered,
}

impl Uncounted {
    pub fn new(model: &str, request: Bytes, delivered: Delivered) -> Self {
        Self {
            model: model.into(),
            request,
            unseen_bytes: 0,
            delivered,
        }
    }

    /// The request goes on for so many bytes, which are taken to be like those that are there.
    #[must_use]
    pub fn beside(mut self, unseen_bytes: usize) -> Self {
        self.unseen_bytes = unseen_bytes;
        self
    }

    /// Takes no longer than counting a few megabytes does, whatever they are.
    pub fn count(&self) -> Tokens {
        let (said, thought) = self.delivered.count(&self.model);
        let mut tokens = Tokens::default();
        let mut counter = Counter::of(&self.model);
        prompt::read(&self.request, &mut counter);
        counter.leave_out(self.unseen_bytes as u64);
        tokens.set(UsageUnit::InputUncached, counter.tokens());
        tokens.set(UsageUnit::OutputText, said);
        tokens.set(UsageUnit::OutputReasoning, thought);
        tokens
    }
}

/// The tokens of a request, by its body in any dialect.
pub fn count_request(model: &str, body: &[u8]) -> u64 {
    let mut counter = Counter::of(model);
    prompt::read(body, &mut counter);
    counter.tokens()
}

/// What a whole answer in a dialect says, for want of what it used. It is read for nothing else: few answers lack usage.
pub fn delivered(dialect: Dialect, body: &[u8]) -> Delivered {
    let outbound: &dyn Outbound = match dialect {
        Dialect::OpenaiChat => &CHAT,
        Dialect::OpenaiResponses => &OpenaiResponses,
        Dialect::AnthropicMessages => &Anthropic,
        Dialect::GeminiGenerate => &Gemini,
        Dialect::OpenaiCompletions => return delivered::completed(body),
        // Vectors are no tokens.
        Dialect::OpenaiEmbeddings | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed | Dialect::Native(_) => {
            return Delivered::default();
        }
    };
    let answer = outbound.read_answer(body);
    answer.map(|answer| Delivered::of(&answer.parts)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
