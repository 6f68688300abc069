//! The catalogue as the organization sees it, its own facts, and refreshes of the whole installation.

use gatewright_types::api::{
    CatalogEntry, CatalogEntryQuery, CatalogQuery, CatalogRefresh, CatalogRefreshDetail, CatalogSchedule,
    NewCatalogSchedule, NewOverlay, NewRefresh, Overlay, OverlayChange,
};
use gatewright_types::{CatalogRefreshId, OverlayId, Page};

use super::{Pending, body, page, with_query};
use crate::session::Workspace;

const REFRESHES: &str = "catalog/refreshes";
const SCHEDULE: &str = "catalog/schedule";

impl Workspace {
    pub(crate) fn catalog(self, query: &CatalogQuery) -> Pending<Page<CatalogEntry>> {
        self.api.get(with_query(&self.path("catalog"), query))
    }

    pub(crate) fn catalog_entry(self, query: &CatalogEntryQuery) -> Pending<CatalogEntry> {
        self.api.get(with_query(&self.path("catalog/entry"), query))
    }

    pub(crate) fn create_overlay(self, overlay: &NewOverlay) -> Pending<Overlay> {
        self.api.post(self.path("catalog/overlays"), body(overlay))
    }

    pub(crate) fn change_overlay(self, overlay: OverlayId, change: &OverlayChange) -> Pending<Overlay> {
        self.api
            .patch(self.path(&format!("catalog/overlays/{overlay}")), body(change))
    }

    pub(crate) fn delete_overlay(self, overlay: OverlayId) -> Pending<()> {
        self.api.delete(self.path(&format!("catalog/overlays/{overlay}")))
    }

    pub(crate) fn catalog_refreshes(self, cursor: Option<String>) -> Pending<Page<CatalogRefresh>> {
        self.api.get(with_query(REFRESHES, &page(cursor)))
    }

    pub(crate) fn catalog_refresh(self, refresh: CatalogRefreshId) -> Pending<CatalogRefreshDetail> {
        self.api.get(format!("{REFRESHES}/{refresh}"))
    }

    pub(crate) fn bring_in_catalog(self, refresh: &NewRefresh) -> Pending<CatalogRefreshDetail> {
        self.api.post(REFRESHES.to_owned(), body(refresh))
    }

    pub(crate) fn approve_catalog(self, refresh: CatalogRefreshId) -> Pending<CatalogRefreshDetail> {
        self.api.post(format!("{REFRESHES}/{refresh}/approve"), body(&()))
    }

    pub(crate) fn reject_catalog(self, refresh: CatalogRefreshId) -> Pending<CatalogRefreshDetail> {
        self.api.post(format!("{REFRESHES}/{refresh}/reject"), body(&()))
    }

    pub(crate) fn catalog_schedule(self) -> Pending<CatalogSchedule> {
        self.api.get(SCHEDULE.to_owned())
    }

    pub(crate) fn set_catalog_schedule(self, schedule: &NewCatalogSchedule) -> Pending<CatalogSchedule> {
        self.api.post(SCHEDULE.to_owned(), body(schedule))
    }

    pub(crate) fn remove_catalog_schedule(self) -> Pending<()> {
        self.api.delete(SCHEDULE.to_owned())
    }
}
