//! What is known of models, and what they cost.

use gatewright_types::Permission::{CatalogRefresh, ModelsRead, ModelsWrite, PricesRead, PricesWrite};

use super::{Route, delete, get, installation, known, needs, patch, post, taking};
use crate::api::{catalog, catalog_schedule, overlays, prices};

/// A whole catalogue with its quotes escaped.
const CATALOG_BODY: usize = 8 << 20;

pub(super) fn routes() -> Vec<Route> {
    vec![
        needs(
            PricesRead,
            get(below!("/prices")),
            "List the organization's own prices",
            prices::list,
        ),
        needs(PricesWrite, post(below!("/prices")), "Set a price", prices::create),
        needs(
            PricesRead,
            get(below!("/prices/lookup")),
            "Which price applies to a model now",
            prices::lookup,
        ),
        needs(
            PricesWrite,
            delete(below!("/prices/{price}")),
            "Delete a price",
            prices::delete,
        ),
        known(get("/catalog"), "List what is known of models", catalog::list),
        known(
            get("/catalog/entry"),
            "What is known of a model, by its name or an alias",
            catalog::entry,
        ),
        installation(
            CatalogRefresh,
            get("/catalog/refreshes"),
            "List catalogues that were brought in, the newest first",
            catalog::refreshes,
        ),
        taking(
            CATALOG_BODY,
            installation(
                CatalogRefresh,
                post("/catalog/refreshes"),
                "Bring in a signed catalogue, to be approved",
                catalog::bring_in,
            ),
        ),
        installation(
            CatalogRefresh,
            get("/catalog/refreshes/{refresh}"),
            "What a catalogue changes",
            catalog::refresh,
        ),
        installation(
            CatalogRefresh,
            post("/catalog/refreshes/{refresh}/approve"),
            "Put a catalogue in force on all nodes",
            catalog::approve,
        ),
        installation(
            CatalogRefresh,
            post("/catalog/refreshes/{refresh}/reject"),
            "Reject a catalogue",
            catalog::reject,
        ),
        installation(
            CatalogRefresh,
            get("/catalog/schedule"),
            "When newer catalogues are fetched, and how the last try ended",
            catalog_schedule::read,
        ),
        installation(
            CatalogRefresh,
            post("/catalog/schedule"),
            "Fetch newer catalogues by a schedule, and try now",
            catalog_schedule::set,
        ),
        installation(
            CatalogRefresh,
            delete("/catalog/schedule"),
            "Fetch no catalogues any more",
            catalog_schedule::remove,
        ),
        needs(
            ModelsRead,
            get(below!("/catalog")),
            "List what is known of models, with the organization's own facts",
            catalog::list_own,
        ),
        needs(
            ModelsRead,
            get(below!("/catalog/entry")),
            "What is known of a model, with the organization's own facts",
            catalog::entry_own,
        ),
        needs(
            ModelsRead,
            get(below!("/catalog/overlays")),
            "List the organization's own facts of models",
            overlays::list,
        ),
        needs(
            ModelsWrite,
            post(below!("/catalog/overlays")),
            "State own facts of a model",
            overlays::create,
        ),
        needs(
            ModelsRead,
            get(below!("/catalog/overlays/{overlay}")),
            "Read own facts of a model",
            overlays::read,
        ),
        needs(
            ModelsWrite,
            patch(below!("/catalog/overlays/{overlay}")),
            "Change own facts of a model",
            overlays::update,
        ),
        needs(
            ModelsWrite,
            delete(below!("/catalog/overlays/{overlay}")),
            "Delete own facts of a model",
            overlays::delete,
        ),
    ]
}
