//! The tool calls of a stream. They come in pieces, one call after the other or side by side; what tells them apart is
//! an index, an identifier or a name, whichever the server sends.

use crate::chat::{Maker, Signature};
use crate::dialect::openai_chat::message::CallPiece;
use crate::dialect::openai_chat::read_answer::made_up_id;
use crate::dialect::sequence::{PartKey, Sequence};
use crate::event::{Event, Opening};

/// Lower keys are those of prose.
const FIRST_KEY: PartKey = 16;
/// Signatures that may wait for their calls, and bytes of arguments that may wait for a name.
const MOST_WAITING: usize = 128;
const MOST_HELD_BYTES: usize = 1 << 20;

#[derive(Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
    /// Signatures of calls that were not there yet.
    unmatched: Vec<(Box<str>, Signature)>,
}

struct Call {
    /// The provider's index.
    index: Option<u64>,
    id: Option<Box<str>>,
    /// Empty until it is told; only then the call is open.
    name: Box<str>,
    key: PartKey,
    /// Arguments that came before the name.
    early: String,
}

impl Calls {
    /// Takes a piece of a call, the one at this place of its chunk. Whether a call was opened with it. `answer` is what
    /// identifiers are made up from.
    pub(super) fn add(
        &mut self,
        place: usize,
        piece: CallPiece<'_>,
        answer: Option<&str>,
        sequence: &mut Sequence,
        events: &mut Vec<Event>,
    ) -> bool {
        let at = self.find(place, &piece).unwrap_or_else(|| self.begin(&piece));
        let Some(call) = self.calls.get_mut(at) else {
            return false;
        };
        if !call.name.is_empty() {
            sequence.add(call.key, &piece.arguments, events);
            return false;
        }
        let Some(name) = piece.name else {
            if call.early.len() + piece.arguments.len() <= MOST_HELD_BYTES {
                call.early.push_str(&piece.arguments);
            }
            return false;
        };
        call.name = name.into();
        let id = call.id.get_or_insert_with(|| made_up_id(at, answer)).clone();
        let opening = Opening::ToolCall {
            id: id.clone(),
            name: call.name.clone(),
        };
        sequence.open(call.key, opening, events);
        sequence.add(call.key, &std::mem::take(&mut call.early), events);
        sequence.add(call.key, &piece.arguments, events);
        if let Some(waiting) = self.unmatched.iter().position(|(call, _)| *call == id) {
            let (_, signature) = self.unmatched.swap_remove(waiting);
            sequence.sign(call.key, signature, events);
        }
        true
    }

    /// Whether a sealed entry of this identifier was, or may yet be, a call's.
    pub(super) fn sign(
        &mut self,
        id: &str,
        signature: &Signature,
        sequence: &mut Sequence,
        events: &mut Vec<Event>,
    ) -> bool {
        let call = self.calls.iter().find(|call| call.id.as_deref() == Some(id));
        if let Some(call) = call.filter(|call| !call.name.is_empty()) {
            sequence.sign(call.key, signature.clone(), events);
            return true;
        }
        // Reasoning items of OpenAI have identifiers, too.
        if signature.maker != Maker::Gemini || self.unmatched.len() >= MOST_WAITING {
            return false;
        }
        self.unmatched.push((id.into(), signature.clone()));
        true
    }

    /// Signatures whose calls did not come.
    pub(super) fn take_unmatched(&mut self) -> impl Iterator<Item = Signature> + use<> {
        let unmatched = std::mem::take(&mut self.unmatched);
        unmatched.into_iter().map(|(_, signature)| signature)
    }

    fn begin(&mut self, piece: &CallPiece<'_>) -> usize {
        let at = self.calls.len();
        self.calls.push(Call {
            index: piece.index,
            id: piece.id.as_deref().map(Into::into),
            name: Box::default(),
            key: self.calls.last().map_or(FIRST_KEY, |last| last.key + 1),
            early: String::new(),
        });
        at
    }

    /// The call that a piece belongs to. Some servers give all calls the index 0, or none: then identifiers, and names,
    /// which only come with a call's first piece, tell them apart.
    fn find(&self, place: usize, piece: &CallPiece<'_>) -> Option<usize> {
        if let Some(id) = &piece.id
            && let Some(known) = self.calls.iter().position(|call| call.id.as_deref() == Some(&**id))
        {
            return Some(known);
        }
        let at = match piece.index {
            Some(_) => self.calls.iter().rposition(|call| call.index == piece.index),
            None if piece.name.is_some() => None,
            None => self.calls.len().checked_sub(1).filter(|_| place == 0),
        }?;
        let call = self.calls.get(at)?;
        let is_another = piece.name.as_deref().is_some_and(|name| {
            let has_other_name = !call.name.is_empty() && *call.name != *name;
            has_other_name || (piece.id.is_some() && call.id.is_some())
        });
        (!is_another).then_some(at)
    }
}
