//! Tells a whole answer as the events of a stream that could have brought it, each text in one piece.

use super::{Answer, Event, Opening};
use crate::chat::Part;

impl Answer {
    /// `None` when it holds what no stream between dialects can: media.
    pub fn into_events(self) -> Option<Vec<Event>> {
        let mut events = vec![Event::Start {
            id: self.id,
            model: self.model,
        }];
        for part in self.parts {
            let (opening, text, signature) = match part {
                Part::Text(text) => (Opening::Text, text.text, None),
                Part::Refusal(text) => (Opening::Refusal, text, None),
                Part::Thinking(thinking) => (Opening::Thinking, thinking.text, thinking.signature),
                Part::ToolCall(call) => {
                    let opening = Opening::ToolCall {
                        id: call.id,
                        name: call.name,
                    };
                    (opening, call.arguments, call.signature)
                }
                Part::Media(_) | Part::ToolResult(_) => return None,
            };
            events.push(Event::Open(opening));
            if !text.is_empty() {
                events.push(Event::Add(text));
            }
            events.extend(signature.map(Event::Sign));
            events.push(Event::Close);
        }
        events.extend(self.usage.map(Event::Usage));
        events.push(Event::Stop(self.stop));
        Some(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Thinking, ToolCall};
    use crate::event::Stop;

    #[test]
    fn an_answer_that_is_told_and_put_together_again_is_the_same() {
        let answer = Answer {
            id: Some("a".into()),
            model: Some("m".into()),
            parts: vec![
                Part::Thinking(Thinking {
                    text: "hm".into(),
                    signature: None,
                }),
                Part::text("Hello"),
                Part::ToolCall(ToolCall {
                    id: "c".into(),
                    name: "f".into(),
                    arguments: "{}".into(),
                    signature: None,
                    cache: None,
                }),
            ],
            stop: Stop::ToolCalls,
            ..Answer::default()
        };

        let events = answer
            .clone()
            .into_events()
            .expect("nothing that a stream cannot bring");

        assert_eq!(Answer::gather(events), Ok(answer));
    }
}
