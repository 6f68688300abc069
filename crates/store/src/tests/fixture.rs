//! A fresh, migrated database for one test, and the short ways to fill it.

use std::ops::Deref;

use gatewright_contract::{Digest, Sealed, UnitId};
use gatewright_types::api::{CredentialKind, Key, ModelSettings, NewModel, Provider, ProviderKind, Route, TeamChange};
use gatewright_types::{
    CredentialId, DisplayName, KeyId, ModelId, OrganizationId, PageQuery, PersonId, ProviderId, Role, Slug,
};
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    Actor, Change, CredentialInsert, DatabaseUrl, Db, KeyInsert, ModelRow, NewPerson, ProviderUpdate, SealedSecret,
    WriteError, WriteTx, Written,
};

pub(super) struct Fixture {
    db: Db,
    pub(super) url: DatabaseUrl,
    _place: Place,
}

/// Takes itself away when dropped.
enum Place {
    Directory { _directory: TempDir },
    Database { server: String, name: String },
}

impl Fixture {
    pub(super) async fn sqlite() -> Self {
        let fixture = Self::empty_sqlite().await;
        fixture.migrate().await.expect("an empty database migrates");
        fixture
    }

    pub(super) async fn postgres() -> Option<Self> {
        let fixture = Self::empty_postgres().await?;
        fixture.migrate().await.expect("an empty database migrates");
        Some(fixture)
    }

    pub(super) async fn empty_sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let url = DatabaseUrl::Sqlite(directory.path().join("gatewright.db"));
        Self::open(url, Place::Directory { _directory: directory }).await
    }

    pub(super) async fn empty_postgres() -> Option<Self> {
        let server = postgres_server()?;
        let name = format!("store_{}", Uuid::now_v7().simple());
        run_on_server(&server, &format!("CREATE DATABASE {name}")).await;
        let (base, _) = server.rsplit_once('/').expect("the address names a database");
        let url = DatabaseUrl::Postgres(format!("{base}/{name}"));
        Some(Self::open(url, Place::Database { server, name }).await)
    }

    async fn open(url: DatabaseUrl, place: Place) -> Self {
        let db = Db::open(&url).await.expect("the database opens");
        Self { db, url, _place: place }
    }

    /// The same database through connections of its own, as another process has it.
    pub(super) async fn opened_again(&self) -> Db {
        Db::open(&self.url).await.expect("the database opens twice")
    }

    pub(super) fn is_postgres(&self) -> bool {
        self.db.write.get_database_backend() == DbBackend::Postgres
    }

    /// The first number a query gives.
    pub(super) async fn number(&self, sql: &str) -> i64 {
        let backend = self.db.write.get_database_backend();
        let row = self
            .db
            .write
            .query_one_raw(Statement::from_string(backend, sql.to_owned()))
            .await;
        let row = row.expect("the query runs").expect("the query gives a row");
        row.try_get_by_index(0).expect("a number")
    }

    pub(super) async fn run(&self, sql: &str) {
        self.db.write.execute_unprepared(sql).await.expect("the statement runs");
    }

    /// A change that is audited as `test`.
    pub(super) async fn change<T>(
        &self,
        organization: OrganizationId,
        work: impl AsyncFnOnce(&mut WriteTx) -> Result<T, WriteError>,
    ) -> Result<Written<T>, WriteError> {
        self.db
            .write(
                &actor(),
                Change::new(organization, "test", organization, json!({})),
                work,
            )
            .await
    }

    pub(super) async fn organization_named(&self, slug: &str) -> OrganizationId {
        let id = OrganizationId::mint();
        let (slug, name) = (slug.parse::<Slug>().expect("a slug"), display_name(slug));
        let made = self.change(id, async |tx| tx.create_organization(id, &slug, &name).await);
        made.await.expect("an organization").value.id
    }

    pub(super) async fn person_named(&self, local: &str) -> PersonId {
        let id = PersonId::mint();
        let email = format!("{local}@example.test").parse().expect("an address");
        let person = NewPerson {
            id,
            email,
            name: display_name(local),
            password: Some("$argon2id$".to_owned()),
        };
        let change = Change {
            organization: None,
            action: "person.create",
            target: None,
            detail: json!({}),
        };
        let made = self
            .db
            .write(&actor(), change, async |tx| tx.create_person(&person).await)
            .await;
        made.expect("a person").value.id
    }

    pub(super) async fn member_named(&self, organization: OrganizationId, local: &str, role: Role) -> PersonId {
        let person = self.person_named(local).await;
        let added = self.change(organization, async |tx| tx.add_member(organization, person, role).await);
        added.await.expect("a member").value.id
    }

    pub(super) async fn key_named(&self, organization: OrganizationId, name: &str) -> (Key, Digest) {
        let key = new_key(name);
        let made = self.change(organization, async |tx| tx.create_key(organization, &key).await);
        (made.await.expect("a key").value, key.digest)
    }

    pub(super) async fn provider_named(&self, organization: OrganizationId, name: &str) -> Provider {
        let name = name.parse::<Slug>().expect("a slug");
        let update = ProviderUpdate {
            kind: ProviderKind::Openai,
            base_url: None,
            settings: Default::default(),
            network: None,
        };
        let credentials = [new_credential("a")];
        let made = self.change(organization, async |tx| {
            tx.create_provider(organization, ProviderId::mint(), &name, &update, &credentials)
                .await
        });
        made.await.expect("a provider").value
    }

    pub(super) async fn model_named(&self, organization: OrganizationId, name: &str, target: &str) -> ModelRow {
        let model = new_model(name, target);
        let made = self.change(organization, async |tx| {
            tx.create_model(organization, ModelId::mint(), &model).await
        });
        made.await.expect("a model").value
    }
}

impl Deref for Fixture {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self::Database { server, name } = self else { return };
        let (server, sql) = (server.clone(), format!("DROP DATABASE {name} WITH (FORCE)"));
        // The test's own runtime cannot be waited for in here.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(run_on_server(&server, &sql));
        });
        dropped.join().expect("the test's database is dropped");
    }
}

pub(super) fn actor() -> Actor {
    Actor {
        address: Some("192.0.2.1".to_owned()),
        label: "ada@example.test".to_owned(),
        ..Actor::system("req-1")
    }
}

pub(super) fn display_name(text: &str) -> DisplayName {
    text.parse().expect("a name")
}

pub(super) fn new_key(name: &str) -> KeyInsert {
    let id = KeyId::mint();
    KeyInsert {
        id,
        name: display_name(name),
        team: None,
        owner: None,
        models: None,
        tags: Default::default(),
        scopes: Default::default(),
        upkeep: Default::default(),
        faults: false,
        cost_centre: None,
        expires_at: None,
        digest: Digest::of(id.to_string().as_bytes()),
        hint: "wxyz".to_owned(),
        created_by: "ada@example.test".to_owned(),
    }
}

pub(super) fn team_change(name: &str) -> TeamChange {
    TeamChange {
        name: display_name(name),
        ip_ranges: None,
        cost_centre: None,
        shared: None,
    }
}

pub(super) fn new_credential(name: &str) -> CredentialInsert {
    CredentialInsert {
        id: CredentialId::mint(),
        name: display_name(name),
        weight: 1,
        secret: SealedSecret {
            kind: CredentialKind::ApiKey,
            hint: "abcd".to_owned(),
            sealed: Sealed::from_stored("c2VhbGVk".to_owned()),
        },
    }
}

pub(super) fn new_model(name: &str, target: &str) -> NewModel {
    NewModel {
        name: name.parse().expect("a model's name"),
        route: Route::to(target.parse().expect("a target")),
        settings: ModelSettings::default(),
    }
}

pub(super) fn page_of(limit: u16, cursor: Option<String>) -> PageQuery {
    PageQuery {
        limit: Some(limit),
        cursor,
    }
}

pub(super) fn is_key(unit: UnitId) -> bool {
    matches!(unit, UnitId::Key(_))
}

/// The conflicting or invalid field of a refused write.
pub(super) fn refused_field<T: std::fmt::Debug>(result: Result<T, WriteError>) -> &'static str {
    match result.expect_err("the write is refused") {
        WriteError::Conflict { field, .. } | WriteError::Invalid { field, .. } => field,
        other => panic!("refused for another reason: {other:?}"),
    }
}

async fn run_on_server(server: &str, sql: &str) {
    let connection = Database::connect(server).await.expect("the PostgreSQL server answers");
    connection.execute_unprepared(sql).await.expect("the statement runs");
    connection.close().await.expect("the connection closes");
}

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test has no other way to be told, or to tell"
)]
fn postgres_server() -> Option<String> {
    if let Ok(server) = std::env::var("GATEWRIGHT_TEST_POSTGRES") {
        return Some(server);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "GATEWRIGHT_TEST_POSTGRES is not set: PostgreSQL would go untested"
    );
    println!("skipped on PostgreSQL: GATEWRIGHT_TEST_POSTGRES is not set");
    None
}
