//! Invitations: made by members, accepted by whoever holds the link.

use gatewright_types::api::{
    AcceptInvitation, Invitation, InvitationLink, InvitationPreview, InvitationToken, Me, NewInvitation,
};
use gatewright_types::{InvitationId, Page};

use super::{Answer, Api, body, page, with_query};
use crate::session::Workspace;

impl Api {
    pub(crate) async fn preview_invitation(self, token: &InvitationToken) -> Answer<InvitationPreview> {
        self.post("invitations/preview".to_owned(), body(token)).await
    }

    pub(crate) async fn accept_invitation(self, acceptance: &AcceptInvitation) -> Answer<Me> {
        self.post("invitations/accept".to_owned(), body(acceptance)).await
    }
}

impl Workspace {
    pub(crate) async fn invitations(self, cursor: Option<String>) -> Answer<Page<Invitation>> {
        self.api.get(with_query(&self.path("invitations"), &page(cursor))).await
    }

    pub(crate) async fn invite(self, invitation: &NewInvitation) -> Answer<InvitationLink> {
        self.api.post(self.path("invitations"), body(invitation)).await
    }

    pub(crate) async fn withdraw_invitation(self, invitation: InvitationId) -> Answer<()> {
        self.api.delete(self.path(&format!("invitations/{invitation}"))).await
    }
}
