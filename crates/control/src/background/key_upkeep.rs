//! Looks after keys: ends secrets from before rotations, gives notice, and disables what nobody uses or rotates. Every control
//! node looks at all of them; of several that find the same due, one does it, and the others find it done.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_store::{Actor, Change, DueKey, KeyAct, WriteError};
use gatewright_types::RequestId;
use gatewright_types::api::KeyWarning;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::repeat;
use crate::control::Control;

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Looks after keys until it is told to stop.
pub async fn run(control: Arc<Control>, stop: CancellationToken) {
    repeat("looking after keys", LOOK_EVERY, &stop, || look(&control, Utc::now())).await;
}

/// What fails with one key keeps none of the others waiting.
async fn look(control: &Control, now: DateTime<Utc>) -> Result<(), WriteError> {
    let mut failed = Ok(());
    let mut note = |done: Result<(), WriteError>| match done {
        Ok(()) | Err(WriteError::NotFound) => {}
        Err(error) => failed = Err(error),
    };
    let actor = Actor::system(RequestId::mint().to_string());
    for (organization, key) in control.db.system().keys_with_secrets_over(now).await? {
        let audited = Change::new(organization, "key.rotation_end", key, json!({"by": "its time"}));
        let work = control.write(&actor, audited, async |tx| {
            tx.end_secrets_over(organization, key, now).await
        });
        note(work.await);
    }
    for due in control.db.system().due_keys(now).await? {
        let work = control.write(&actor, change(&due), async |tx| tx.act_on_key(&due, now).await);
        let done = work.await;
        if done.is_ok() {
            tell(&due);
        }
        note(done);
    }
    failed
}

fn change(due: &DueKey) -> Change {
    let (action, detail) = match due.act {
        KeyAct::Disable(reason) => ("key.disable", json!({"reason": reason})),
        KeyAct::Notice(KeyWarning::IdleSoon, at) => ("key.idle_notice", json!({"disables_at": at})),
        KeyAct::Notice(KeyWarning::RotationDueSoon, at) => ("key.rotation_notice", json!({"due_at": at})),
        KeyAct::Notice(KeyWarning::RotationOverdue, at) => ("key.rotation_overdue", json!({"due_at": at})),
        KeyAct::Notice(KeyWarning::ExpiresSoon, at) => ("key.expiry_notice", json!({"expires_at": at})),
    };
    Change::new(due.organization, action, due.id, detail)
}

fn tell(due: &DueKey) {
    match due.act {
        KeyAct::Disable(reason) => tracing::warn!(
            organization.id = %due.organization,
            key.id = %due.id,
            reason = reason.as_str(),
            "a key was disabled"
        ),
        KeyAct::Notice(..) => tracing::info!(
            organization.id = %due.organization,
            key.id = %due.id,
            "notice was given of what will happen to a key"
        ),
    }
}
