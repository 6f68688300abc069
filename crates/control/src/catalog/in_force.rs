//! The catalogue in force. Another control node may have approved an edition, so the database is asked each time, for
//! names only; an edition is read once.

use std::sync::{Arc, Mutex, PoisonError};

use gatewright_contract::{Catalog, Edition};
use gatewright_store::{DatabaseError, Db};
use gatewright_types::CatalogRefreshId;

#[derive(Debug, Default)]
pub(crate) struct InForce(Mutex<Vec<(CatalogRefreshId, Arc<Edition>)>>);

impl InForce {
    pub(crate) async fn catalog(&self, db: &Db) -> Result<Catalog, DatabaseError> {
        let system = db.system();
        let mut editions = Vec::new();
        for id in system.published_catalogs().await? {
            let edition = match self.held(id) {
                Some(edition) => edition,
                None => {
                    // Withdrawn between the two queries.
                    let Some(published) = system.published_catalog(id).await? else {
                        continue;
                    };
                    match Edition::read(&published.document) {
                        Ok((edition, _)) => Arc::new(edition.published(&published.version, published.effective_from)),
                        // Another release wrote it; the nodes of this one keep what they have, too.
                        Err(error) => {
                            tracing::error!(%error, version = published.version, "an approved catalogue cannot be read");
                            continue;
                        }
                    }
                }
            };
            editions.push((id, edition));
        }
        let catalog = Catalog::with(editions.iter().map(|(_, edition)| edition.clone()).collect());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = editions;
        Ok(catalog)
    }

    fn held(&self, id: CatalogRefreshId) -> Option<Arc<Edition>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter()
            .find(|(known, _)| *known == id)
            .map(|(_, edition)| edition.clone())
    }
}
