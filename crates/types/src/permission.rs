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
    UsageRead,
    AuditRead,
    TokensRead,
    TokensWrite,
    ConfigurationRead,
    ConfigurationWrite,
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

const VIEWER: &[Permission] = &[
    Permission::OrganizationRead,
    Permission::MembersRead,
    Permission::TeamsRead,
    Permission::KeysRead,
    Permission::ProvidersRead,
    Permission::ModelsRead,
    Permission::PricesRead,
    Permission::UsageRead,
];

const MEMBER: &[Permission] = &[
    Permission::OrganizationRead,
    Permission::MembersRead,
    Permission::TeamsRead,
    Permission::KeysRead,
    Permission::KeysWrite,
    Permission::ProvidersRead,
    Permission::ModelsRead,
    Permission::PricesRead,
    Permission::UsageRead,
];

const ADMIN: &[Permission] = &[
    Permission::OrganizationRead,
    Permission::OrganizationWrite,
    Permission::MembersRead,
    Permission::MembersWrite,
    Permission::TeamsRead,
    Permission::TeamsWrite,
    Permission::KeysRead,
    Permission::KeysWrite,
    Permission::ProvidersRead,
    Permission::ProvidersWrite,
    Permission::ModelsRead,
    Permission::ModelsWrite,
    Permission::PricesRead,
    Permission::PricesWrite,
    Permission::UsageRead,
    Permission::AuditRead,
    Permission::TokensRead,
    Permission::TokensWrite,
    Permission::ConfigurationRead,
    Permission::ConfigurationWrite,
];

const OWNER: &[Permission] = &[
    Permission::OrganizationRead,
    Permission::OrganizationWrite,
    Permission::OrganizationDelete,
    Permission::MembersRead,
    Permission::MembersWrite,
    Permission::TeamsRead,
    Permission::TeamsWrite,
    Permission::KeysRead,
    Permission::KeysWrite,
    Permission::ProvidersRead,
    Permission::ProvidersWrite,
    Permission::ModelsRead,
    Permission::ModelsWrite,
    Permission::PricesRead,
    Permission::PricesWrite,
    Permission::UsageRead,
    Permission::AuditRead,
    Permission::TokensRead,
    Permission::TokensWrite,
    Permission::ConfigurationRead,
    Permission::ConfigurationWrite,
];

impl Role {
    /// Every role, the weakest first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Member, Self::Admin, Self::Owner];

    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Viewer => VIEWER,
            Self::Member => MEMBER,
            Self::Admin => ADMIN,
            Self::Owner => OWNER,
        }
    }

    pub fn allows(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
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
    fn each_role_can_do_what_the_weaker_one_can() {
        for pair in Role::ALL.windows(2) {
            let [weaker, stronger] = pair else { continue };
            for permission in weaker.permissions() {
                assert!(stronger.allows(*permission), "{stronger:?} lacks {permission:?}");
            }
        }
    }

    #[test]
    fn an_admin_makes_no_owner() {
        assert!(!Role::Admin.may_grant(Role::Owner));
        assert!(Role::Owner.may_grant(Role::Owner));
    }
}
