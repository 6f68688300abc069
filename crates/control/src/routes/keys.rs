//! What an organization's applications call with.

use gatewright_types::Permission::{KeysRead, KeysWrite, TeamsWrite};

use super::{Route, delete, get, needs, patch, post, public};
use crate::api::{key_rotation, keys, leaks, service_accounts};

pub(super) fn routes() -> Vec<Route> {
    vec![
        public(
            post("/leaks"),
            "Report a key's secret that was found in public; it is shut",
            leaks::report,
        ),
        needs(KeysRead, get(below!("/keys")), "List keys", keys::list),
        needs(KeysWrite, post(below!("/keys")), "Mint or import a key", keys::create),
        needs(KeysRead, get(below!("/keys/{key}")), "Read a key", keys::read),
        needs(
            KeysWrite,
            patch(below!("/keys/{key}")),
            "Change a key; its secret stays",
            keys::update,
        ),
        needs(KeysWrite, delete(below!("/keys/{key}")), "Revoke a key", keys::revoke),
        needs(
            KeysWrite,
            post(below!("/keys/{key}/rotation")),
            "Give a key a new secret; the one from before works for a while",
            key_rotation::rotate,
        ),
        needs(
            KeysWrite,
            delete(below!("/keys/{key}/rotation")),
            "End the time of a key's secrets from before",
            key_rotation::end,
        ),
        needs(
            KeysWrite,
            post(below!("/keys/{key}/disabling")),
            "Disable a key until somebody enables it",
            keys::disable,
        ),
        needs(
            KeysWrite,
            delete(below!("/keys/{key}/disabling")),
            "Enable a disabled key",
            keys::enable,
        ),
        needs(
            KeysRead,
            get(below!("/service-accounts")),
            "List service accounts",
            service_accounts::list,
        ),
        needs(
            TeamsWrite,
            post(below!("/service-accounts")),
            "Make a service account",
            service_accounts::create,
        ),
        needs(
            KeysRead,
            get(below!("/service-accounts/{service_account}")),
            "Read a service account",
            service_accounts::read,
        ),
        needs(
            TeamsWrite,
            patch(below!("/service-accounts/{service_account}")),
            "Rename a service account",
            service_accounts::update,
        ),
        needs(
            TeamsWrite,
            delete(below!("/service-accounts/{service_account}")),
            "Delete a service account without keys",
            service_accounts::delete,
        ),
    ]
}
