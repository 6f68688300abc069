//! People who belong to the organization.

use gatewright_types::api::{Member, MemberChange, MemberRemoval};
use gatewright_types::{Page, PersonId};

use super::{Answer, body, longest_page, page, with_query};
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

    pub(crate) async fn remove_member(self, person: PersonId, removal: &MemberRemoval) -> Answer<()> {
        let path = self.path(&format!("members/{person}"));
        self.api.delete(with_query(&path, removal)).await
    }

    /// The members to choose from.
    pub(crate) async fn member_choices(self) -> Answer<Page<Member>> {
        self.api.get(with_query(&self.path("members"), &longest_page())).await
    }
}
