//! What the ledger takes on disk, and reads that have to go there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{Advice, fadvise};
use serde::Serialize;

use super::Database;
use crate::results::say;
use crate::servers::Servers;

/// Bytes by table on PostgreSQL, indexes included, and by file on SQLite.
#[derive(Debug, Serialize)]
pub(crate) struct Taken {
    database: Database,
    bytes: BTreeMap<String, u64>,
    bytes_per_request: BTreeMap<String, f64>,
}

impl Taken {
    pub(crate) fn by_file(file: &Path, rows: u64) -> Result<Self> {
        let mut bytes = BTreeMap::new();
        for (name, suffix) in [("file", ""), ("wal", "-wal")] {
            let path = PathBuf::from(format!("{}{suffix}", file.display()));
            let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            bytes.insert(name.to_owned(), size);
        }
        Ok(Self::new(Database::Sqlite, bytes, rows))
    }

    /// The parts of a table count as the table.
    pub(crate) async fn by_table(servers: &Servers, rows: u64) -> Result<Self> {
        const SIZES: &str = "SELECT coalesce(whole.relname, own.relname), sum(pg_total_relation_size(own.oid)) \
             FROM pg_class own LEFT JOIN pg_inherits ON inhrelid = own.oid LEFT JOIN pg_class whole ON whole.oid = inhparent \
             WHERE own.relkind IN ('r', 'p') AND own.relnamespace = 'public'::regnamespace GROUP BY 1";
        let mut bytes = BTreeMap::new();
        for line in servers.ask(SIZES).await?.lines() {
            let (table, size) = line.split_once('|').context("a table and its size")?;
            let size: u64 = size.parse().with_context(|| format!("the size of {table}"))?;
            // The configuration does not grow with requests.
            if table.starts_with("usage") || table.starts_with("budget_spend") {
                bytes.insert(table.to_owned(), size);
            }
        }
        Ok(Self::new(Database::Postgres, bytes, rows))
    }

    fn new(database: Database, bytes: BTreeMap<String, u64>, rows: u64) -> Self {
        let all = bytes.values().sum();
        let named = bytes
            .iter()
            .map(|(name, size)| (name.clone(), *size))
            .chain([("all".to_owned(), all)]);
        let bytes_per_request = named.map(|(name, size)| (name, size as f64 / rows as f64)).collect();
        Self {
            database,
            bytes,
            bytes_per_request,
        }
    }

    pub(crate) fn print(&self) {
        let each = self.bytes_per_request.iter();
        let each: Vec<_> = each.map(|(name, bytes)| format!("{name} {bytes:.0}")).collect();
        say(format_args!(
            "{}: bytes a request: {}",
            self.database.name(),
            each.join(", ")
        ));
    }
}

/// Lets the kernel forget what it has read of all files below, so that the next reads go to the disk. What a database
/// keeps in its own memory stays: 128 MB of PostgreSQL's.
pub(crate) fn forget(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))? {
        // Databases remove files at any time.
        let Ok(entry) = entry else { continue };
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            // One that went away meanwhile has nothing to forget.
            let _gone = forget(&entry.path());
        } else if kind.is_file()
            && let Ok(file) = File::open(entry.path())
        {
            // What was not written yet is not forgotten.
            let _unwritten = file.sync_data();
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
    }
    Ok(())
}
