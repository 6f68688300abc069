//! A request that is shared out among several calls: more texts to embed than the vendor takes at once. A few calls are
//! under way at a time, the answers keep the order of the texts, and the first failure fails the whole.

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use crate::call::refused;
use crate::gateway::Gateway;
use crate::opening::Opening;
use crate::patience::Patience;
use crate::record::Record;
use crate::refusal::Refusal;

/// Calls of one request that are under way together: enough to hide what each waits for, too few to use a provider's
/// limits up for everybody else.
const AT_ONCE: usize = 8;

/// The status of all answers, the first one's body and the others'. `first` has a body already, `more` are those of the
/// others.
pub(crate) async fn all(
    gateway: &Gateway,
    first: Opening,
    more: Vec<Bytes>,
    patience: Patience,
    record: &mut Record,
) -> Result<(u16, Bytes, Vec<Bytes>), Refusal> {
    let began = Instant::now();
    let limit_bytes = gateway.parts.settings.answer_limit_bytes;
    let others: Vec<_> = more.into_iter().map(|body| first.again(body)).collect();
    let calls = std::iter::once(first).chain(others);
    let answers = stream::iter(calls.map(|opening| answer(opening, patience, limit_bytes))).buffered(AT_ONCE);
    let deadline = record.started() + patience.total.length;
    let answered = timeout_at(deadline, answers.try_collect::<Vec<_>>()).await;
    record.waited(began.elapsed());
    let answers = answered.unwrap_or_else(|_| Err(refused(patience.total.exceeded())))?;
    let mut answers = answers.into_iter();
    let (status, body) = answers.next().unwrap_or_default();
    Ok((status, body, answers.map(|(_, body)| body).collect()))
}

/// One call, which has its own time to be answered.
async fn answer(opening: Opening, patience: Patience, limit_bytes: usize) -> Result<(u16, Bytes), Refusal> {
    let limit = patience.first_token;
    let answered = timeout_at(Instant::now() + limit.length, async {
        let opened = opening.open().await?;
        let body = opened.source.collect(limit_bytes).await.map_err(refused)?;
        Ok((opened.status, body))
    })
    .await;
    answered.unwrap_or_else(|_| Err(refused(limit.exceeded())))
}
