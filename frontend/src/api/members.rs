//! People who belong to the organization.

use gatewright_types::api::{Member, MemberChange};
use gatewright_types::{Page, PersonId};

use super::{Answer, body, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn members(self, cursor: Option<String>) -> Answer<Page<Member>> {
        self.api.get(with_query(&self.path("members"), &page(cursor))).await
    }

    pub(crate) async fn change_member(self, person: PersonId, change: &MemberChange) -> Answer<Member> {
        self.api
            .patch(self.path(&format!("members/{person}")), body(change))
            .await
    }

    pub(crate) async fn remove_member(self, person: PersonId) -> Answer<()> {
        self.api.delete(self.path(&format!("members/{person}"))).await
    }
}
