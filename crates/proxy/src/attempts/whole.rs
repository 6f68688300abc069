//! A call whose answer comes in one piece: it succeeded when that can be read and is no error.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use gatewright_llm::{AnswerFacts, Failure, delivered};
use tokio::time::Instant;

use super::ready::Ready;
use crate::asking;
use crate::call::{Answer, refused};
use crate::gateway::Gateway;
use crate::record::{Record, Used};
use crate::refusal::Refusal;
use crate::responses::{Keeper, Kept};
use crate::sharing;
use crate::speech::Telling;

/// An answer that can be told to the caller.
pub(crate) struct Whole {
    status: u16,
    /// As the provider gave it, the first of several where the request was shared out.
    told: Bytes,
    others: Vec<Bytes>,
    /// As the caller gets it.
    body: Bytes,
    facts: AnswerFacts,
    telling: Telling,
    keeper: Option<Keeper>,
}

pub(super) async fn answer(ready: Box<Ready>, gateway: &Gateway, record: &mut Record) -> Result<Whole, Refusal> {
    let Ready {
        opening,
        mut telling,
        keeper,
        mut underway,
        patience,
        refusal_stood_in,
    } = *ready;
    let began = Instant::now();
    let further = telling.take_further();
    let answered = if further.is_empty() {
        let one = asking::whole(gateway, opening, patience, record).await;
        one.map(|(status, body)| (status, body, Vec::new()))
    } else {
        let all: BoxFuture<'_, _> = Box::pin(sharing::all(gateway, opening, further, patience, record));
        all.await
    };
    let read = answered.and_then(|(status, told, others)| {
        let (body, facts) = telling.whole(told.clone(), &others, None).map_err(refused)?;
        if facts.blocked && refusal_stood_in {
            return Err(refused(Failure::blocked(facts.usage)));
        }
        Ok((status, told, others, body, facts))
    });
    match read {
        Ok((status, told, others, body, facts)) => {
            underway.succeeded(began.elapsed());
            Ok(Whole {
                status,
                told,
                others,
                body,
                facts,
                telling,
                keeper,
            })
        }
        Err(refusal) => {
            underway.failed(&refusal, patience);
            Err(refusal)
        }
    }
}

impl Whole {
    /// With what was used, counted here where the provider does not say.
    pub(crate) async fn told(self, record: &mut Record) -> Result<Answer, Refusal> {
        let Self {
            status,
            told,
            others,
            mut body,
            facts,
            telling,
            mut keeper,
        } = self;
        let used = match facts.usage {
            Some(tokens) => Used::Told(tokens, facts.terms),
            None if keeper.as_ref().is_some_and(Keeper::bills_later) => {
                if let (Some(keeper), Some(ticket)) = (&mut keeper, record.ticket()) {
                    keeper.pay_from(ticket.take_purse());
                }
                Used::Nothing
            }
            None => {
                let untold = record.untold(delivered(record.dialect(), &body), facts.terms);
                let tokens = record.ask(&untold).await.unwrap_or_default();
                // Some answers say what was used, whoever counted it.
                (body, _) = telling.whole(told, &others, Some(tokens)).map_err(refused)?;
                Used::Counted(tokens, facts.terms)
            }
        };
        let kept = match keeper {
            Some(mut keeper) => {
                if facts.usage.is_some() {
                    keeper.billed();
                }
                let keeping: BoxFuture<'_, _> = Box::pin(keeper.whole(&body));
                keeping.await
            }
            None => Kept::AsWished,
        };
        Ok(Answer::Whole {
            status,
            body,
            used,
            telling,
            kept,
        })
    }
}
