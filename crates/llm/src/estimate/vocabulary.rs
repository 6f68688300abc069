//! Which tokenizer stands for a model, and how much of a text it is put to.

/// Bytes of a text that are counted; the rest is taken to be like them.
pub(super) const MOST_COUNTED: usize = 2 << 20;
/// Bytes that are counted at once: what a tokenizer needs besides is a multiple of that.
const PIECE: usize = 64 << 10;

/// Tokens of texts of one model, added up.
#[derive(Debug)]
pub(super) struct Counter {
    encoding: &'static str,
    counted_bytes: usize,
    uncounted_bytes: u64,
    /// Of the bytes counted.
    text_tokens: u64,
    /// Of what is no text.
    other_tokens: u64,
}

impl Counter {
    pub(super) fn of(model: &str) -> Self {
        Self {
            encoding: encoding(model),
            counted_bytes: 0,
            uncounted_bytes: 0,
            text_tokens: 0,
            other_tokens: 0,
        }
    }

    pub(super) fn add(&mut self, mut text: &str) {
        while !text.is_empty() {
            let room = MOST_COUNTED - self.counted_bytes;
            let (piece, rest) = text.split_at(text.floor_char_boundary(PIECE.min(room)));
            if piece.is_empty() {
                return self.leave_out(text.len() as u64);
            }
            self.counted_bytes += piece.len();
            self.text_tokens += tokens(self.encoding, piece);
            text = rest;
        }
    }

    /// Bytes that are not at hand any more.
    pub(super) fn leave_out(&mut self, bytes: u64) {
        self.uncounted_bytes = self.uncounted_bytes.saturating_add(bytes);
    }

    pub(super) fn add_tokens(&mut self, tokens: u64) {
        self.other_tokens = self.other_tokens.saturating_add(tokens);
    }

    pub(super) fn tokens(&self) -> u64 {
        let like_these = match self.counted_bytes as u64 {
            0 => 0,
            counted => {
                let product = u128::from(self.text_tokens) * u128::from(self.uncounted_bytes);
                u64::try_from(product / u128::from(counted)).unwrap_or(u64::MAX)
            }
        };
        self.text_tokens
            .saturating_add(like_these)
            .saturating_add(self.other_tokens)
    }
}

/// The tokenizer that makers published for their models. Anthropic, Google, xAI, Amazon, Cohere and Perplexity published
/// none for what they serve now, and of others the licence does not let us pass it on: OpenAI's newest stands for all of
/// them.
fn encoding(model: &str) -> &'static str {
    let model = model.to_ascii_lowercase();
    let name = model.rsplit('/').next().unwrap_or_default();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["qwen", "qwq"]) {
        "qwen2"
    } else if has(&[
        "mistral",
        "mixtral",
        "ministral",
        "codestral",
        "magistral",
        "devstral",
        "pixtral",
        "voxtral",
    ]) {
        "mistral_v3"
    } else if has(&["gpt-4o", "gpt-4.", "chatgpt-4o"]) {
        "o200k_base"
    } else if has(&["gpt-4", "gpt-3.5", "gpt-35", "text-embedding"]) {
        "cl100k_base"
    } else {
        "o200k_base"
    }
}

/// Unpacks a vocabulary when it is first asked for one of its tokens.
fn tokens(encoding: &str, text: &str) -> u64 {
    let encoding = tiktoken::get_encoding(encoding).expect("the vocabularies named here are in the program");
    encoding.count(text) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_counted_by_its_makers_tokenizer_or_the_nearest_one() {
        let check = |model: &str, expected: &str| assert_eq!(encoding(model), expected, "{model}");

        check("gpt-5.6", "o200k_base");
        check("gpt-4o-mini", "o200k_base");
        check("gpt-4.1", "o200k_base");
        check("gpt-4-turbo", "cl100k_base");
        check("ft:gpt-3.5-turbo:acme::1", "cl100k_base");
        check("text-embedding-3-small", "cl100k_base");
        check("Qwen/Qwen3-235B-A22B", "qwen2");
        check("mistral-large-latest", "mistral_v3");
        check("claude-sonnet-4-5", "o200k_base");
        check("", "o200k_base");
    }

    #[test]
    fn every_vocabulary_is_in_the_program() {
        for model in ["gpt-5", "gpt-4", "qwen3", "mistral-small"] {
            let mut counter = Counter::of(model);
            counter.add("Hello, world!");
            assert_eq!(counter.tokens(), 4, "{model}");
        }
    }

    #[test]
    fn what_is_not_counted_is_like_what_is() {
        let mut counter = Counter::of("gpt-5");
        counter.add(&"All work and no play. ".repeat(100));
        let counted = counter.tokens();

        counter.leave_out(2_200);

        assert_eq!(counter.tokens(), counted * 2);
        counter.add_tokens(7);
        assert_eq!(counter.tokens(), counted * 2 + 7);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut counter = Counter::of("gpt-5");
        counter.add(&"é".repeat(MOST_COUNTED));

        assert!(counter.counted_bytes <= MOST_COUNTED);
        assert_eq!(
            counter.counted_bytes as u64 + counter.uncounted_bytes,
            2 * MOST_COUNTED as u64
        );
        assert!(counter.tokens() > 0);
    }
}
