//! The shapes an installation can have. What does not go together cannot be expressed: a proxy node has no database,
//! a cluster has a Redis and a master key, a single node needs neither.

mod master_key;

use std::path::{Path, PathBuf};

use gatewright_contract::Keyring;
use gatewright_store::DatabaseUrl;

use crate::env::Reader;

pub(crate) use master_key::{MasterKeyError, generated};

/// Which part this process plays.
#[derive(Debug, Clone)]
pub enum Topology {
    /// Everything in one process.
    Solo {
        control: ControlPlane,
        master_key: MasterKey,
    },
    /// One of several nodes that meet in Redis.
    Cluster {
        redis: RedisUrl,
        keyring: Keyring,
        role: Role,
    },
}

/// What a node of a cluster does.
#[derive(Debug, Clone)]
pub enum Role {
    All(ControlPlane),
    Control(ControlPlane),
    Proxy,
}

/// What a node needs that serves the control plane.
#[derive(Debug, Clone)]
pub struct ControlPlane {
    pub database: DatabaseUrl,
    /// A configuration file applied at start.
    pub bootstrap: Option<PathBuf>,
}

/// Where a single node's master key comes from.
#[derive(Debug, Clone)]
pub enum MasterKey {
    Given(Keyring),
    /// Made on the first start and kept in the data directory.
    Generated,
}

/// The address of a Redis. Has no `Display`: it may hold a password.
#[derive(Clone)]
pub struct RedisUrl(String);

#[derive(Debug, Clone, Copy)]
enum RoleName {
    All,
    Control,
    Proxy,
}

impl Topology {
    /// For the fleet's list.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Solo { .. } => "solo",
            Self::Cluster { role: Role::All(_), .. } => "all",
            Self::Cluster {
                role: Role::Control(_), ..
            } => "control",
            Self::Cluster { role: Role::Proxy, .. } => "proxy",
        }
    }

    pub(crate) const fn control_plane(&self) -> Option<&ControlPlane> {
        match self {
            Self::Solo { control, .. }
            | Self::Cluster {
                role: Role::All(control) | Role::Control(control),
                ..
            } => Some(control),
            Self::Cluster { role: Role::Proxy, .. } => None,
        }
    }

    pub(crate) const fn serves_data_plane(&self) -> bool {
        match self {
            Self::Solo { .. }
            | Self::Cluster {
                role: Role::All(_) | Role::Proxy,
                ..
            } => true,
            Self::Cluster {
                role: Role::Control(_), ..
            } => false,
        }
    }
}

impl RedisUrl {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisUrl")
    }
}

/// Reads which part this process plays; `None` after a mistake.
pub(crate) fn read(reader: &mut Reader<'_>, data_directory: &Path) -> Option<Topology> {
    let redis = reader.optional("GATEWRIGHT_REDIS_URL", redis_url);
    let joins_cluster = reader.text("GATEWRIGHT_REDIS_URL").is_some();
    let role = reader.optional("GATEWRIGHT_ROLE", role);
    let database = reader.optional("GATEWRIGHT_DATABASE_URL", database_url);
    let keyring = reader.optional("GATEWRIGHT_MASTER_KEY", |text| {
        Keyring::parse(text).map_err(|e| e.to_string())
    });
    let bootstrap = reader.text("GATEWRIGHT_BOOTSTRAP").map(PathBuf::from);
    match joins_cluster {
        true => cluster(
            reader,
            role.unwrap_or(RoleName::All),
            redis,
            database,
            keyring,
            bootstrap,
        ),
        false => solo(
            reader,
            role.unwrap_or(RoleName::All),
            data_directory,
            database,
            keyring,
            bootstrap,
        ),
    }
}

fn solo(
    reader: &mut Reader<'_>,
    role: RoleName,
    data_directory: &Path,
    database: Option<DatabaseUrl>,
    keyring: Option<Keyring>,
    bootstrap: Option<PathBuf>,
) -> Option<Topology> {
    match role {
        RoleName::All => {}
        RoleName::Control | RoleName::Proxy => {
            reader.mistake(
                "GATEWRIGHT_ROLE",
                "is for the nodes of a cluster: set GATEWRIGHT_REDIS_URL as well",
            );
            return None;
        }
    }
    let database = database.unwrap_or_else(|| database_in(data_directory));
    let master_key = keyring.map_or(MasterKey::Generated, MasterKey::Given);
    Some(Topology::Solo {
        control: ControlPlane { database, bootstrap },
        master_key,
    })
}

fn cluster(
    reader: &mut Reader<'_>,
    role: RoleName,
    redis: Option<RedisUrl>,
    database: Option<DatabaseUrl>,
    keyring: Option<Keyring>,
    bootstrap: Option<PathBuf>,
) -> Option<Topology> {
    if keyring.is_none() && reader.text("GATEWRIGHT_MASTER_KEY").is_none() {
        reader.mistake(
            "GATEWRIGHT_MASTER_KEY",
            "is required in a cluster: all nodes need the same one",
        );
    }
    let role = match role {
        RoleName::Proxy => proxy(reader),
        RoleName::All => control_plane(reader, database, bootstrap).map(Role::All),
        RoleName::Control => control_plane(reader, database, bootstrap).map(Role::Control),
    };
    Some(Topology::Cluster {
        redis: redis?,
        keyring: keyring?,
        role: role?,
    })
}

fn proxy(reader: &mut Reader<'_>) -> Option<Role> {
    let mut misplaced = false;
    for name in ["GATEWRIGHT_DATABASE_URL", "GATEWRIGHT_BOOTSTRAP"] {
        if reader.text(name).is_some() {
            reader.mistake(name, "must not be set for a proxy node: it has no database");
            misplaced = true;
        }
    }
    (!misplaced).then_some(Role::Proxy)
}

fn control_plane(
    reader: &mut Reader<'_>,
    database: Option<DatabaseUrl>,
    bootstrap: Option<PathBuf>,
) -> Option<ControlPlane> {
    match database {
        Some(database @ DatabaseUrl::Postgres(_)) => Some(ControlPlane { database, bootstrap }),
        Some(DatabaseUrl::Sqlite(_)) => {
            reader.mistake("GATEWRIGHT_DATABASE_URL", "must be postgres://… in a cluster");
            None
        }
        None => {
            if reader.text("GATEWRIGHT_DATABASE_URL").is_none() {
                reader.mistake(
                    "GATEWRIGHT_DATABASE_URL",
                    "is required in a cluster for the roles all and control",
                );
            }
            None
        }
    }
}

fn role(text: &str) -> Result<RoleName, String> {
    match text {
        "all" => Ok(RoleName::All),
        "control" => Ok(RoleName::Control),
        "proxy" => Ok(RoleName::Proxy),
        _ => Err(format!("is {text:?}; it must be all, control or proxy")),
    }
}

fn redis_url(text: &str) -> Result<RedisUrl, String> {
    let is_address = url::Url::parse(text).is_ok_and(|url| url.scheme() == "redis" && url.host().is_some());
    match is_address {
        true => Ok(RedisUrl(text.to_owned())),
        // Not the text itself: it may hold a password.
        false => Err("must be an address like redis://host:6379".to_owned()),
    }
}

/// The database of a node that was told of none.
pub(crate) fn database_in(data_directory: &Path) -> DatabaseUrl {
    DatabaseUrl::Sqlite(data_directory.join("gatewright.sqlite"))
}

/// Reads `postgres://…` or `sqlite:PATH`.
pub(crate) fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    if let Some(path) = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) {
        return match path.is_empty() {
            true => Err("names no file: write sqlite:PATH".to_owned()),
            false => Ok(DatabaseUrl::Sqlite(PathBuf::from(path))),
        };
    }
    let url = url::Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    match url.filter(|url| url.host().is_some()) {
        Some(_) => Ok(DatabaseUrl::Postgres(text.to_owned())),
        None => Err("must be an address like postgres://user:password@host/database, or sqlite:PATH".to_owned()),
    }
}
