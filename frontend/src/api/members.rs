//! People who belong to the organization.

use gatewright_types::api::{Member, MemberChange, MemberRemoval};
use gatewright_types::{Page, PersonId};

use super::{Pending, body, longest_page, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn members(self, cursor: Option<String>) -> Pending<Page<Member>> {
        self.api.get(with_query(&self.path("members"), &page(cursor)))
    }

    pub(crate) fn change_member(self, person: PersonId, change: &MemberChange) -> Pending<Member> {
        self.api.patch(self.path(&format!("members/{person}")), body(change))
    }

    pub(crate) fn remove_member(self, person: PersonId, removal: &MemberRemoval) -> Pending<()> {
        let path = self.path(&format!("members/{person}"));
        self.api.delete(with_query(&path, removal))
    }

    /// The members to choose from.
    pub(crate) fn member_choices(self) -> Pending<Page<Member>> {
        self.api.get(with_query(&self.path("members"), &longest_page()))
    }
}
