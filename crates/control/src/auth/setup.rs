//! The one-time link by which the first owner takes an installation over.

use gatewright_contract::{Digest, mint_secret};
use gatewright_store::DatabaseError;

use crate::control::Control;

/// Mints a setup link while nobody has an account. Whoever holds it becomes the owner, so it belongs on the terminal
/// of the person who started the server, and nowhere else.
pub async fn setup_link(control: &Control) -> Result<Option<String>, DatabaseError> {
    let system = control.db.system();
    if !system.setup_needed().await? {
        return Ok(None);
    }
    let token = mint_secret("gws");
    system.issue_setup_token(&Digest::of(token.as_bytes())).await?;
    Ok(Some(control.settings.secret_link("setup", &token)))
}
