//! Models: the names callers ask for.

use gatewright_types::api::{Model, ModelChange, ModelCheck, ModelDraft, NewCachePurge, NewModel, PurgedAnswers};
use gatewright_types::{ModelId, Page};

use super::{Method, Pending, body, longest_page, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn models(self, cursor: Option<String>) -> Pending<Page<Model>> {
        self.api.get(with_query(&self.path("models"), &page(cursor)))
    }

    /// The models to choose from.
    pub(crate) fn model_choices(self) -> Pending<Page<Model>> {
        self.api.get(with_query(&self.path("models"), &longest_page()))
    }

    pub(crate) fn model(self, model: ModelId) -> Pending<Model> {
        self.api.get(self.path(&format!("models/{model}")))
    }

    /// What is wrong with a model that is not saved.
    pub(crate) fn check_model(self, draft: &ModelDraft) -> Pending<ModelCheck> {
        self.api.post(self.path("models/check"), body(draft))
    }

    pub(crate) fn create_model(self, model: &NewModel) -> Pending<Model> {
        self.api.post(self.path("models"), body(model))
    }

    pub(crate) fn change_model(self, model: ModelId, change: &ModelChange) -> Pending<Model> {
        self.api.patch(self.path(&format!("models/{model}")), body(change))
    }

    /// Voids what is kept of a model's answers.
    pub(crate) fn purge_cache(self, of: PurgedAnswers) -> Pending<()> {
        let purge = NewCachePurge { of };
        let path = self.path("cache/purges");
        self.api.order(Method::POST, path, Some(body(&purge)))
    }

    pub(crate) fn delete_model(self, model: ModelId) -> Pending<()> {
        self.api.delete(self.path(&format!("models/{model}")))
    }
}
