//! Keeps what a stream leaves behind while it passes. Nothing of the stream leaves as long as something is being kept:
//! the note of a provider's response before its identifier is told, a conversation before its last event.

use std::pin::Pin;
use std::task::{Context, Poll};

use gatewright_llm::Flow;

use super::keeping::Keeper;
use crate::speech::Telling;

pub(crate) enum Passing {
    Nothing,
    /// The provider tells the identifier soon.
    Watching(Keeper),
    /// The whole answer is put together by the flow.
    Gathering(Keeper),
    Keeping(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl Passing {
    pub(crate) fn of(keeper: Option<Keeper>, flow: &mut Flow) -> Self {
        match (keeper, flow) {
            (None, _) => Self::Nothing,
            (Some(keeper), Flow::Translated(stream)) if !keeper.notes_only() => {
                stream.gather();
                Self::Gathering(keeper)
            }
            (Some(keeper), Flow::Translated(_) | Flow::Unwrapped(_) | Flow::Passed(..)) => Self::Watching(keeper),
        }
    }

    /// To be called after each piece.
    pub(crate) fn look(&mut self, flow: &Flow) {
        if let Self::Watching(_) = self
            && let Some(id) = flow.answer_id()
            && let Self::Watching(keeper) = std::mem::replace(self, Self::Nothing)
        {
            let id = id.to_owned();
            *self = Self::Keeping(Box::pin(async move {
                // That it is lost is logged, and told to who refers to it.
                keeper.keep(Some(&id), b"").await;
            }));
        }
    }

    /// To be called once the stream has ended as it should.
    pub(crate) fn end(&mut self, flow: &mut Flow, telling: &Telling) {
        let Flow::Translated(stream) = flow else { return };
        if let Self::Gathering(_) = self
            && let Some(answer) = stream.gathered()
            && let Self::Gathering(keeper) = std::mem::replace(self, Self::Nothing)
        {
            let response = telling.written(&answer);
            *self = Self::Keeping(Box::pin(async move {
                keeper.whole(&response).await;
            }));
        }
    }

    /// Ready when nothing is being kept.
    pub(crate) fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::Keeping(keeping) = self {
            std::task::ready!(keeping.as_mut().poll(cx));
            *self = Self::Nothing;
        }
        Poll::Ready(())
    }
}
