//! Signing in and out, and the sessions that are open.

use gatewright_types::api::{ChangePassword, Me, SessionInfo, SignIn};
use gatewright_types::{Page, SessionId};

use super::{Api, Method, Pending, body, page, with_query};

impl Api {
    pub(crate) fn session(self) -> Pending<Me> {
        self.get("session".to_owned())
    }

    pub(crate) fn sign_in(self, sign_in: &SignIn) -> Pending<Me> {
        self.post("session".to_owned(), body(sign_in))
    }

    pub(crate) fn sign_out(self) -> Pending<()> {
        self.delete("session".to_owned())
    }

    pub(crate) fn change_password(self, change: &ChangePassword) -> Pending<()> {
        self.order(Method::POST, "session/password".to_owned(), Some(body(change)))
    }

    pub(crate) fn sessions(self, cursor: Option<String>) -> Pending<Page<SessionInfo>> {
        self.get(with_query("sessions", &page(cursor)))
    }

    pub(crate) fn end_session(self, session: SessionId) -> Pending<()> {
        self.delete(format!("sessions/{session}"))
    }
}
