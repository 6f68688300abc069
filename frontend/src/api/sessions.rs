//! Signing in and out, and the sessions that are open.

use gatewright_types::api::{ChangePassword, Me, SessionInfo, SignIn};
use gatewright_types::{Page, SessionId};

use super::{Answer, Api, Method, body, page, with_query};

impl Api {
    pub(crate) async fn session(self) -> Answer<Me> {
        self.get("session".to_owned()).await
    }

    pub(crate) async fn sign_in(self, sign_in: &SignIn) -> Answer<Me> {
        self.post("session".to_owned(), body(sign_in)).await
    }

    pub(crate) async fn sign_out(self) -> Answer<()> {
        self.delete("session".to_owned()).await
    }

    pub(crate) async fn change_password(self, change: &ChangePassword) -> Answer<()> {
        self.exchange(Method::POST, "session/password".to_owned(), Some(body(change)))
            .await
            .map(drop)
    }

    pub(crate) async fn sessions(self, cursor: Option<String>) -> Answer<Page<SessionInfo>> {
        self.get(with_query("sessions", &page(cursor))).await
    }

    pub(crate) async fn end_session(self, session: SessionId) -> Answer<()> {
        self.delete(format!("sessions/{session}")).await
    }
}
