//! A set of capabilities in four bytes: the catalogue has thousands of them.

use std::collections::BTreeSet;

use gatewright_types::api::Capability;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities(u32);

impl Capabilities {
    pub fn contains(self, capability: Capability) -> bool {
        self.0 & bit(capability) != 0
    }

    pub fn set(&mut self, capability: Capability, there: bool) {
        if there {
            self.0 |= bit(capability);
        } else {
            self.0 &= !bit(capability);
        }
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Capability> {
        let all = Capability::ALL.iter().copied();
        all.filter(move |capability| self.contains(*capability))
    }

    pub fn to_set(self) -> BTreeSet<Capability> {
        self.iter().collect()
    }
}

const fn bit(capability: Capability) -> u32 {
    1 << (capability as u32)
}

/// What the public list calls it.
pub(super) fn of_word(word: &str) -> Option<Capability> {
    Some(match word {
        "function_calling" | "tools" => Capability::Tools,
        "tool_choice" => Capability::ToolChoice,
        "parallel_function_calling" | "parallel_tools" => Capability::ParallelTools,
        "response_schema" | "native_structured_output" | "structured_output" => Capability::StructuredOutput,
        "reasoning" => Capability::Reasoning,
        "vision" => Capability::Vision,
        "pdf_input" | "documents" => Capability::Documents,
        "audio_input" => Capability::AudioInput,
        "audio_output" => Capability::AudioOutput,
        "video_input" => Capability::VideoInput,
        "prompt_caching" => Capability::PromptCaching,
        "system_messages" => Capability::SystemMessages,
        "assistant_prefill" | "prefill" => Capability::Prefill,
        "native_streaming" | "streaming" => Capability::Streaming,
        "web_search" => Capability::WebSearch,
        "computer_use" => Capability::ComputerUse,
        _ => return None,
    })
}

/// What a model is for, by the public list's word for it.
pub(super) fn of_mode(mode: &str) -> Option<Capability> {
    Some(match mode {
        "chat" | "responses" => Capability::Chat,
        "completion" => Capability::Completions,
        "embedding" => Capability::Embeddings,
        "rerank" => Capability::Rerank,
        "moderation" => Capability::Moderation,
        "audio_transcription" => Capability::Transcription,
        "audio_speech" => Capability::Speech,
        "image_generation" | "image_edit" => Capability::ImageGeneration,
        "video_generation" => Capability::VideoGeneration,
        "realtime" => Capability::Realtime,
        "ocr" => Capability::Ocr,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_capability_has_a_bit_of_its_own() {
        let mut all = Capabilities::default();
        for capability in Capability::ALL {
            assert!(!all.contains(*capability), "{capability:?}");
            all.set(*capability, true);
        }

        assert_eq!(all.iter().count(), Capability::ALL.len());
        all.set(Capability::Vision, false);
        assert!(!all.to_set().contains(&Capability::Vision));
        assert_eq!(all.iter().count(), Capability::ALL.len() - 1);
    }
}
