//! Who signs in, and what they belong to.

use gatewright_types::Permission::{
    MembersRead, MembersWrite, OrganizationDelete, OrganizationRead, OrganizationWrite, TeamsRead, TeamsWrite,
    TokensRead, TokensWrite,
};

use super::{Route, delete, get, known, needs, patch, post, public, signed_in};
use crate::api::{invitations, members, organizations, sessions, setup, teams, tokens};

pub(super) fn routes() -> Vec<Route> {
    vec![
        public(
            get("/setup"),
            "Whether this installation waits for its owner",
            setup::state,
        ),
        public(
            post("/setup"),
            "Make the owner and the first organization",
            setup::install,
        ),
        public(post("/session"), "Sign in", sessions::sign_in),
        signed_in(get("/session"), "Who is signed in", sessions::current),
        signed_in(delete("/session"), "Sign out", sessions::sign_out),
        signed_in(
            post("/session/password"),
            "Change the password; ends the other sessions",
            sessions::change_password,
        ),
        signed_in(get("/sessions"), "List the own sessions", sessions::list),
        signed_in(
            delete("/sessions/{session}"),
            "End one of the own sessions",
            sessions::end,
        ),
        public(
            post("/invitations/preview"),
            "What an invitation offers",
            invitations::preview,
        ),
        public(post("/invitations/accept"), "Accept an invitation", invitations::accept),
        known(get("/organizations"), "List the own organizations", organizations::list),
        signed_in(
            post("/organizations"),
            "Make an organization and become its owner",
            organizations::create,
        ),
        needs(
            OrganizationRead,
            get(below!("")),
            "Read the organization",
            organizations::read,
        ),
        needs(
            OrganizationWrite,
            patch(below!("")),
            "Change the organization's name, whose traces are kept, and the tags it knows",
            organizations::update,
        ),
        needs(
            OrganizationDelete,
            delete(below!("")),
            "Delete the organization and all it has",
            organizations::delete,
        ),
        needs(MembersRead, get(below!("/members")), "List members", members::list),
        needs(
            MembersWrite,
            patch(below!("/members/{person}")),
            "Change a member's role",
            members::update,
        ),
        needs(
            MembersWrite,
            delete(below!("/members/{person}")),
            "Remove a member, and say what becomes of their keys",
            members::remove,
        ),
        needs(
            MembersRead,
            get(below!("/invitations")),
            "List open invitations",
            invitations::list,
        ),
        needs(
            MembersWrite,
            post(below!("/invitations")),
            "Invite somebody",
            invitations::create,
        ),
        needs(
            MembersWrite,
            delete(below!("/invitations/{invitation}")),
            "Withdraw an invitation",
            invitations::withdraw,
        ),
        needs(TeamsRead, get(below!("/teams")), "List teams", teams::list),
        needs(TeamsWrite, post(below!("/teams")), "Make a team", teams::create),
        needs(TeamsRead, get(below!("/teams/{team}")), "Read a team", teams::read),
        needs(
            TeamsWrite,
            patch(below!("/teams/{team}")),
            "Change a team's name and address ranges",
            teams::update,
        ),
        needs(
            TeamsWrite,
            delete(below!("/teams/{team}")),
            "Delete a team without keys",
            teams::delete,
        ),
        needs(
            TokensRead,
            get(below!("/tokens")),
            "List control-plane tokens",
            tokens::list,
        ),
        needs(
            TokensWrite,
            post(below!("/tokens")),
            "Mint or import a control-plane token",
            tokens::create,
        ),
        needs(
            TokensWrite,
            delete(below!("/tokens/{token}")),
            "Delete a control-plane token",
            tokens::delete,
        ),
    ]
}
