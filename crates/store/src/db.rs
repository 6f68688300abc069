//! Opens the database and hands out the ways to use it. SQLite has one connection that writes beside a few that read:
//! a transaction that reads and then writes would fail at once when another one wrote meanwhile, and with a single
//! writer there is no other one. For PostgreSQL both names stand for the same pool.

use std::path::PathBuf;
use std::time::Duration;

use gatewright_migrations::{Migrator, MigratorTrait as _};
use gatewright_types::OrganizationId;
use sea_orm::sea_query::OnConflict;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, EntityTrait as _, IntoActiveModel as _, IsolationLevel, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait as _,
};
use uuid::Uuid;

use crate::entity::installation;
use crate::error::{DatabaseError, WriteError};
use crate::scope::Scope;
use crate::stored;
use crate::system::System;
use crate::write::{Actor, Change, WriteTx, Written};

/// How long a statement waits for another process that writes the same SQLite file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a query waits for a free connection.
/// A database that is away is told within seconds; no transaction lasts as long.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;
/// Any number, as long as nobody else locks by it: the letters `gatewrit`.
const MIGRATION_LOCK: i64 = 0x6761_7465_7772_6974;

/// Which database, and where.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file; made when missing.
    Sqlite(PathBuf),
    /// `postgres://…`
    Postgres(String),
}

/// An open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pub(crate) read: DatabaseConnection,
    pub(crate) write: DatabaseConnection,
}

#[derive(Debug, thiserror::Error)]
#[error("the database cannot be opened")]
pub struct OpenError(#[from] DbErr);

#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(
        "the database is newer than this program: it has had the migration {migration}, which this release does not \
         know; use the release that made it, or a later one"
    )]
    Newer { migration: String },
    #[error("the migration failed")]
    Database(#[from] DbErr),
}

impl Db {
    pub async fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let file = path.clone();
                let write = sqlite(1, move |options| {
                    // In kilobytes. It appends more than it looks for: what is kept besides would only fill memory.
                    let options = options.filename(&file).create_if_missing(true);
                    options.pragma("cache_size", "-1000")
                })
                .await?;
                let file = path.clone();
                let read = sqlite(SQLITE_READERS, move |options| {
                    options.filename(&file).pragma("query_only", "ON")
                })
                .await?;
                Ok(Self { read, write })
            }
            DatabaseUrl::Postgres(url) => {
                let mut options = pool(url, POSTGRES_CONNECTIONS);
                options.set_application_name("gatewright");
                let pool = Database::connect(options).await?;
                Ok(Self {
                    read: pool.clone(),
                    write: pool,
                })
            }
        }
    }

    /// Brings the schema up to date; does nothing when it is. Safe to be called by several processes at once.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        let transaction = self.begin().await?;
        // On SQLite an immediate transaction is a lock by itself.
        if transaction.get_database_backend() == DbBackend::Postgres {
            let lock = "SELECT pg_advisory_xact_lock($1)";
            let lock = Statement::from_sql_and_values(DbBackend::Postgres, lock, [MIGRATION_LOCK.into()]);
            transaction.execute_raw(lock).await?;
        }
        let known = Migrator::migrations();
        for applied in Migrator::get_migration_models(&transaction).await? {
            if !known.iter().any(|migration| migration.name() == applied.version) {
                return Err(MigrateError::Newer {
                    migration: applied.version,
                });
            }
        }
        Migrator::up(&transaction, None).await?;
        name_installation(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whether the database answers.
    pub async fn check(&self) -> Result<(), DatabaseError> {
        self.read.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// What one organization has.
    pub fn organization(&self, id: OrganizationId) -> Scope<'_> {
        Scope::new(&self.read, id)
    }

    /// The few things that are asked without an organization.
    pub fn system(&self) -> System<'_> {
        System { db: self }
    }

    /// The one way to change configuration or membership: rows, audit, revision and compile check in one transaction.
    /// Whatever fails, nothing of it stays.
    pub async fn write<T>(
        &self,
        actor: &Actor,
        change: Change,
        work: impl AsyncFnOnce(&mut WriteTx) -> Result<T, WriteError>,
    ) -> Result<Written<T>, WriteError> {
        let mut tx = WriteTx::begin(self, actor).await?;
        tx.audit(change).await?;
        let value = work(&mut tx).await?;
        let revision = tx.commit().await?;
        Ok(Written { value, revision })
    }

    /// Reads in which everything is as it was at their beginning, whatever is written meanwhile.
    pub(crate) async fn at_one_moment<T>(
        &self,
        read: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        let options = match self.read.get_database_backend() {
            DbBackend::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                sqlite_transaction_mode: None,
            },
            // Any transaction of SQLite's is one.
            _ => TransactionOptions::default(),
        };
        let transaction = self.read.begin_with_options(options).await?;
        let value = read(&transaction).await?;
        transaction.commit().await?;
        Ok(value)
    }

    /// A transaction that may write from its first statement on.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: match self.write.get_database_backend() {
                DbBackend::Sqlite => Some(SqliteTransactionMode::Immediate),
                _ => None,
            },
        };
        self.write.begin_with_options(options).await
    }
}

/// The address holds a password.
impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Postgres(_) => f.write_str("Postgres"),
        }
    }
}

async fn sqlite(
    connections: u32,
    place: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions + Send + Sync + 'static,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = pool("sqlite://", connections);
    // A file needs no asking whether it is still there, and no new connection from time to time.
    options.test_before_acquire(false);
    options.idle_timeout(None).max_lifetime(None);
    options.map_sqlx_sqlite_opts(move |options| {
        place(options)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            // Of a new file. Requests are appended in batches of hundreds: half the pages, half of their splits.
            .page_size(8192)
            .pragma("journal_mode", "WAL")
            // What is committed survives a power cut: a node deletes its journal once it is told the rows are here.
            .pragma("synchronous", "FULL")
    });
    Database::connect(options).await
}

fn pool(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    options
}

/// Gives the database its name, once.
async fn name_installation(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    let row = installation::Model {
        singleton: 1,
        id: Uuid::now_v7(),
        revision: 0,
        created_at: stored::now(),
        usage_from: None,
    };
    installation::Entity::insert(row.into_active_model())
        .on_conflict(
            OnConflict::column(installation::Column::Singleton)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}
