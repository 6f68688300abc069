//! All that is configured at once, and who changed it.

use gatewright_types::Permission::{AuditRead, ConfigurationRead, ConfigurationWrite};

use super::{Route, get, needs, post};
use crate::api::{audit, configuration};

pub(super) fn routes() -> Vec<Route> {
    vec![
        needs(
            AuditRead,
            get(below!("/audit")),
            "List the audit log, the newest first",
            audit::list,
        ),
        needs(
            ConfigurationRead,
            get(below!("/configuration")),
            "Export the configuration",
            configuration::export,
        ),
        needs(
            ConfigurationRead,
            post(below!("/configuration/plan")),
            "What applying a configuration would change",
            configuration::plan,
        ),
        needs(
            ConfigurationWrite,
            post(below!("/configuration/apply")),
            "Apply a configuration",
            configuration::apply,
        ),
    ]
}
