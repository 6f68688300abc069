//! Plays what the sandbox model decided to do, as if it came over a network.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gatewright_llm::{Failure, FailureKind, Step};
use tokio::time::{Sleep, sleep};

use crate::call::failure_of;

#[derive(Debug)]
pub(crate) struct Player {
    steps: VecDeque<Step>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Player {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Self {
            steps: steps.into(),
            waiting: None,
        }
    }

    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                if waiting.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.waiting = None;
            }
            match self.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Send(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Step::Wait(duration)) => self.waiting = Some(Box::pin(sleep(duration))),
                Some(Step::Cut) => {
                    let message = "the connection broke".to_owned();
                    return Poll::Ready(Some(Err(failure_of(FailureKind::Connection, message))));
                }
                Some(Step::Stall) => {
                    // Nothing will come again, and nothing will wake this: the caller's own time-outs do.
                    self.steps.push_front(Step::Stall);
                    return Poll::Pending;
                }
            }
        }
    }

    /// The whole answer, when it is wanted in one piece.
    pub(crate) async fn collect(mut self) -> Result<Bytes, Failure> {
        let mut whole = Vec::new();
        while let Some(part) = std::future::poll_fn(|cx| self.poll_next(cx)).await {
            whole.extend_from_slice(&part?);
        }
        Ok(whole.into())
    }
}
