//! People of an organization: how they get in, and what they hold then.

use gatewright_types::Page;
use gatewright_types::api::{InvitationLink, Me, SessionInfo};
use harness::api::Api;
use harness::http::Answer;
use harness::organization::Organization;
use serde_json::json;

pub(crate) const PASSWORD: &str = "a fine passphrase, 12 words";

/// Somebody with a role and a session.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) id: String,
    pub(crate) api: Api,
}

/// Invites somebody and gives the secret of the link.
pub(crate) async fn invite(organization: &Organization, email: &str, role: &str) -> String {
    let body = json!({"email": email, "role": role});
    let answer = organization.owner.post(&organization.path("/invitations"), &body).await;
    let invited: InvitationLink = answer.expect(201).read();
    let (_, token) = invited
        .link
        .split_once("/invitation#token=")
        .expect("the link leads to the dashboard's page");
    token.to_owned()
}

/// Invites somebody and accepts in their place. A name is for somebody new.
pub(crate) async fn admit(organization: &Organization, email: &str, role: &str, name: Option<&str>) -> Answer {
    let token = invite(organization, email, role).await;
    let body = json!({"token": token, "name": name, "password": PASSWORD});
    let anonymous = Api::anonymous(organization.owner.address);
    anonymous.post("/invitations/accept", &body).await.expect(200)
}

/// Makes somebody new with this role.
pub(crate) async fn join(organization: &Organization, name: &str, role: &str) -> Person {
    let email = format!("{name}@{}.test", organization.slug);
    let answer = admit(organization, &email, role, Some(name)).await;
    let me: Me = answer.read();
    Person {
        email,
        id: me.id.to_string(),
        api: Api::of_session(organization.owner.address, &answer),
    }
}

pub(crate) async fn me(api: &Api) -> Me {
    api.get("/session").await.expect(200).read()
}

/// A session of somebody that they can do without.
pub(crate) async fn spare_session(person: &Person) -> String {
    let another = Api::sign_in(person.api.address, &person.email, PASSWORD).await;
    let sessions: Page<SessionInfo> = another.get("/sessions").await.expect(200).read();
    let session = sessions.items.into_iter().find(|session| session.current);
    session.expect("the one that asks").id.to_string()
}
