//! Invitations: made by members, accepted by whoever holds the link.

use gatewright_types::api::{
    AcceptInvitation, Invitation, InvitationLink, InvitationPreview, InvitationToken, Me, NewInvitation,
};
use gatewright_types::{InvitationId, Page};

use super::{Api, Pending, body, page, with_query};
use crate::session::Workspace;

impl Api {
    pub(crate) fn preview_invitation(self, token: &InvitationToken) -> Pending<InvitationPreview> {
        self.post("invitations/preview".to_owned(), body(token))
    }

    pub(crate) fn accept_invitation(self, acceptance: &AcceptInvitation) -> Pending<Me> {
        self.post("invitations/accept".to_owned(), body(acceptance))
    }
}

impl Workspace {
    pub(crate) fn invitations(self, cursor: Option<String>) -> Pending<Page<Invitation>> {
        self.api.get(with_query(&self.path("invitations"), &page(cursor)))
    }

    pub(crate) fn invite(self, invitation: &NewInvitation) -> Pending<InvitationLink> {
        self.api.post(self.path("invitations"), body(invitation))
    }

    pub(crate) fn withdraw_invitation(self, invitation: InvitationId) -> Pending<()> {
        self.api.delete(self.path(&format!("invitations/{invitation}")))
    }
}
