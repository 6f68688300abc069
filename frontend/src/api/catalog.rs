//! The catalogue as the organization sees it, its own facts, and refreshes of the whole installation.

use gatewright_types::api::{
    CatalogEntry, CatalogEntryQuery, CatalogQuery, CatalogRefresh, CatalogRefreshDetail, CatalogSchedule,
    NewCatalogSchedule, NewOverlay, NewRefresh, Overlay, OverlayChange,
};
use gatewright_types::{CatalogRefreshId, OverlayId, Page};

use super::{Answer, body, page, with_query};
use crate::session::Workspace;

const REFRESHES: &str = "catalog/refreshes";
const SCHEDULE: &str = "catalog/schedule";

impl Workspace {
    pub(crate) async fn catalog(self, query: &CatalogQuery) -> Answer<Page<CatalogEntry>> {
        self.api.get(with_query(&self.path("catalog"), query)).await
    }

    pub(crate) async fn catalog_entry(self, query: &CatalogEntryQuery) -> Answer<CatalogEntry> {
        self.api.get(with_query(&self.path("catalog/entry"), query)).await
    }

    pub(crate) async fn create_overlay(self, overlay: &NewOverlay) -> Answer<Overlay> {
        self.api.post(self.path("catalog/overlays"), body(overlay)).await
    }

    pub(crate) async fn change_overlay(self, overlay: OverlayId, change: &OverlayChange) -> Answer<Overlay> {
        self.api
            .patch(self.path(&format!("catalog/overlays/{overlay}")), body(change))
            .await
    }

    pub(crate) async fn delete_overlay(self, overlay: OverlayId) -> Answer<()> {
        self.api.delete(self.path(&format!("catalog/overlays/{overlay}"))).await
    }

    pub(crate) async fn catalog_refreshes(self, cursor: Option<String>) -> Answer<Page<CatalogRefresh>> {
        self.api.get(with_query(REFRESHES, &page(cursor))).await
    }

    pub(crate) async fn catalog_refresh(self, refresh: CatalogRefreshId) -> Answer<CatalogRefreshDetail> {
        self.api.get(format!("{REFRESHES}/{refresh}")).await
    }

    pub(crate) async fn bring_in_catalog(self, refresh: &NewRefresh) -> Answer<CatalogRefreshDetail> {
        self.api.post(REFRESHES.to_owned(), body(refresh)).await
    }

    pub(crate) async fn approve_catalog(self, refresh: CatalogRefreshId) -> Answer<CatalogRefreshDetail> {
        self.api.post(format!("{REFRESHES}/{refresh}/approve"), body(&())).await
    }

    pub(crate) async fn reject_catalog(self, refresh: CatalogRefreshId) -> Answer<CatalogRefreshDetail> {
        self.api.post(format!("{REFRESHES}/{refresh}/reject"), body(&())).await
    }

    pub(crate) async fn catalog_schedule(self) -> Answer<CatalogSchedule> {
        self.api.get(SCHEDULE.to_owned()).await
    }

    pub(crate) async fn set_catalog_schedule(self, schedule: &NewCatalogSchedule) -> Answer<CatalogSchedule> {
        self.api.post(SCHEDULE.to_owned(), body(schedule)).await
    }

    pub(crate) async fn remove_catalog_schedule(self) -> Answer<()> {
        self.api.delete(SCHEDULE.to_owned()).await
    }
}
