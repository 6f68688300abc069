//! Models: the names callers ask for.

use gatewright_types::api::{
    CachePurge, Model, ModelChange, ModelCheck, ModelDraft, NewCachePurge, NewModel, PurgedAnswers,
};
use gatewright_types::{ModelId, Page};

use super::{Answer, body, longest_page, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn models(self, cursor: Option<String>) -> Answer<Page<Model>> {
        self.api.get(with_query(&self.path("models"), &page(cursor))).await
    }

    /// The models to choose from.
    pub(crate) async fn model_choices(self) -> Answer<Page<Model>> {
        self.api.get(with_query(&self.path("models"), &longest_page())).await
    }

    pub(crate) async fn model(self, model: ModelId) -> Answer<Model> {
        self.api.get(self.path(&format!("models/{model}"))).await
    }

    /// What is wrong with a model that is not saved.
    pub(crate) async fn check_model(self, draft: &ModelDraft) -> Answer<ModelCheck> {
        self.api.post(self.path("models/check"), body(draft)).await
    }

    pub(crate) async fn create_model(self, model: &NewModel) -> Answer<Model> {
        self.api.post(self.path("models"), body(model)).await
    }

    pub(crate) async fn change_model(self, model: ModelId, change: &ModelChange) -> Answer<Model> {
        self.api
            .patch(self.path(&format!("models/{model}")), body(change))
            .await
    }

    /// Voids what is kept of a model's answers.
    pub(crate) async fn purge_cache(self, of: PurgedAnswers) -> Answer<()> {
        let purge = NewCachePurge { of };
        let made: Answer<CachePurge> = self.api.post(self.path("cache/purges"), body(&purge)).await;
        made.map(drop)
    }

    pub(crate) async fn delete_model(self, model: ModelId) -> Answer<()> {
        self.api.delete(self.path(&format!("models/{model}"))).await
    }
}
