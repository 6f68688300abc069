//! One permission table for server and dashboard. The server decides; the dashboard hides what would be refused.

use serde::{Deserialize, Serialize};

/// What a route may need. Every organization-scoped route names exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    OrganizationRead,
    OrganizationWrite,
    OrganizationDelete,
    MembersRead,
    MembersWrite,
    TeamsRead,
    TeamsWrite,
    KeysRead,
    KeysWrite,
    ProvidersRead,
    ProvidersWrite,
    ModelsRead,
    ModelsWrite,
    PricesRead,
    PricesWrite,
    /// Limits, too.
    BudgetsRead,
    BudgetsWrite,
    /// To ask for more of a budget.
    BudgetsAsk,
    UsageRead,
    LedgerRead,
    /// To price requests anew.
    LedgerWrite,
    /// To keep a month as it is.
    ChargebackLock,
    ChargebackUnlock,
    AuditRead,
    TokensRead,
    TokensWrite,
    ConfigurationRead,
    ConfigurationWrite,
    /// Counts in the organization that runs the installation.
    CatalogRefresh,
}

/// What a member of an organization is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Viewer,
    Member,
    Admin,
    Owner,
}

impl Permission {
    pub const ALL: [Self; 29] = [
        Self::OrganizationRead,
        Self::OrganizationWrite,
        Self::OrganizationDelete,
        Self::MembersRead,
        Self::MembersWrite,
        Self::TeamsRead,
        Self::TeamsWrite,
        Self::KeysRead,
        Self::KeysWrite,
        Self::ProvidersRead,
        Self::ProvidersWrite,
        Self::ModelsRead,
        Self::ModelsWrite,
        Self::PricesRead,
        Self::PricesWrite,
        Self::BudgetsRead,
        Self::BudgetsWrite,
        Self::BudgetsAsk,
        Self::UsageRead,
        Self::LedgerRead,
        Self::LedgerWrite,
        Self::ChargebackLock,
        Self::ChargebackUnlock,
        Self::AuditRead,
        Self::TokensRead,
        Self::TokensWrite,
        Self::ConfigurationRead,
        Self::ConfigurationWrite,
        Self::CatalogRefresh,
    ];

    /// The table itself: the weakest role that has this permission. Stronger ones have it, too.
    const fn weakest_role(self) -> Role {
        match self {
            Self::OrganizationRead
            | Self::MembersRead
            | Self::TeamsRead
            | Self::KeysRead
            | Self::ProvidersRead
            | Self::ModelsRead
            | Self::PricesRead
            | Self::BudgetsRead
            | Self::UsageRead => Role::Viewer,
            Self::KeysWrite | Self::BudgetsAsk => Role::Member,
            Self::OrganizationWrite
            | Self::MembersWrite
            | Self::TeamsWrite
            | Self::ProvidersWrite
            | Self::ModelsWrite
            | Self::PricesWrite
            | Self::BudgetsWrite
            | Self::LedgerRead
            | Self::LedgerWrite
            | Self::ChargebackLock
            | Self::AuditRead
            | Self::TokensRead
            | Self::TokensWrite
            | Self::ConfigurationRead
            | Self::ConfigurationWrite
            | Self::CatalogRefresh => Role::Admin,
            Self::OrganizationDelete | Self::ChargebackUnlock => Role::Owner,
        }
    }
}

impl Role {
    /// Every role, the weakest first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Member, Self::Admin, Self::Owner];

    pub fn permissions(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .into_iter()
            .filter(move |permission| self.allows(*permission))
    }

    pub fn allows(self, permission: Permission) -> bool {
        self >= permission.weakest_role()
    }

    /// Nobody hands out, changes or takes away more than they have themselves.
    pub fn may_grant(self, other: Self) -> bool {
        self >= other
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_all_permissions_has_each_once() {
        let all: std::collections::BTreeSet<_> = Permission::ALL.into_iter().collect();

        assert_eq!(all.len(), Permission::ALL.len());
        assert_eq!(all.last(), Some(&Permission::CatalogRefresh));
    }

    #[test]
    fn a_member_makes_keys_and_asks_for_budgets_and_nothing_else() {
        let changes = Role::Member
            .permissions()
            .filter(|permission| !Role::Viewer.allows(*permission));

        assert_eq!(
            changes.collect::<Vec<_>>(),
            [Permission::KeysWrite, Permission::BudgetsAsk]
        );
        assert_eq!(Role::Owner.permissions().count(), Permission::ALL.len());
    }

    #[test]
    fn an_admin_makes_no_owner() {
        assert!(!Role::Admin.may_grant(Role::Owner));
        assert!(Role::Owner.may_grant(Role::Owner));
    }
}
