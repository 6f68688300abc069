//! The route table: every address of the control API, what it needs and who answers it. Nothing is reachable that is
//! not in it, and the OpenAPI document is made from it.

use std::rc::Rc;

use actix_web::http::Method;
use gatewright_types::Permission;

use crate::access::{About, Call, Known, Signed, Visit};
use crate::api::{
    audit, budgets, cache, canaries, catalog, catalog_schedule, configuration, credentials, explain, invitations,
    key_rotation, keys, leaks, limits, members, models, organizations, overlays, prices, providers, service_accounts,
    sessions, setup, targets, teams, tokens,
};
use crate::endpoint::{Endpoint, Run, Signature};

/// What a caller must be or may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// A person with a session or a token, whatever their organizations.
    Known,
    /// A person with a session, whatever their organizations.
    SignedIn,
    /// A member or a token of the organization in the path, with this permission.
    Needs(Permission),
    /// A member or a token of the organization that runs the installation, with this permission there.
    Installation(Permission),
}

/// One line of the table, for those who walk it from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteInfo {
    pub method: &'static str,
    /// Below `/api/v1`.
    pub path: &'static str,
    pub access: Access,
}

pub(crate) struct Route {
    pub(crate) method: Method,
    /// Below `/api/v1`.
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) signature: Rc<Signature>,
    pub(crate) entry: Entry,
    /// In bytes.
    pub(crate) largest_body: usize,
}

const USUAL_BODY: usize = 1 << 20;
/// A whole catalogue with its quotes escaped.
const CATALOG_BODY: usize = 8 << 20;

/// The stage a caller must reach, and who answers there.
#[derive(Clone)]
pub(crate) enum Entry {
    Public(Run<Visit>),
    Known(Run<Known>),
    SignedIn(Run<Signed>),
    Needs(About, Permission, Run<Call>),
}

impl Route {
    pub(crate) fn access(&self) -> Access {
        match self.entry {
            Entry::Public(_) => Access::Public,
            Entry::Known(_) => Access::Known,
            Entry::SignedIn(_) => Access::SignedIn,
            Entry::Needs(About::Named, permission, _) => Access::Needs(permission),
            Entry::Needs(About::Installation, permission, _) => Access::Installation(permission),
        }
    }

    /// Names of the path's parameters, without the organization.
    pub(crate) fn parameters(&self) -> Vec<&'static str> {
        let names = self
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.filter(|name| *name != "organization").collect()
    }
}

/// The table as data.
pub fn route_table() -> Vec<RouteInfo> {
    let info = |route: &Route| RouteInfo {
        method: name(&route.method),
        path: route.path,
        access: route.access(),
    };
    routes().iter().map(info).collect()
}

fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        _ => "DELETE",
    }
}

fn route<S, I, E: Endpoint<S, I>>(
    (method, path): (Method, &'static str),
    summary: &'static str,
    endpoint: E,
    entry: impl FnOnce(Run<S>) -> Entry,
) -> Route {
    Route {
        method,
        path,
        summary,
        signature: Rc::new(E::signature()),
        entry: entry(endpoint.erase()),
        largest_body: USUAL_BODY,
    }
}

fn public<I>(at: (Method, &'static str), summary: &'static str, endpoint: impl Endpoint<Visit, I>) -> Route {
    route(at, summary, endpoint, Entry::Public)
}

fn known<I>(at: (Method, &'static str), summary: &'static str, endpoint: impl Endpoint<Known, I>) -> Route {
    route(at, summary, endpoint, Entry::Known)
}

fn signed_in<I>(at: (Method, &'static str), summary: &'static str, endpoint: impl Endpoint<Signed, I>) -> Route {
    route(at, summary, endpoint, Entry::SignedIn)
}

fn needs<I>(
    permission: Permission,
    at: (Method, &'static str),
    summary: &'static str,
    endpoint: impl Endpoint<Call, I>,
) -> Route {
    route(at, summary, endpoint, |run| Entry::Needs(About::Named, permission, run))
}

fn installation<I>(
    permission: Permission,
    at: (Method, &'static str),
    summary: &'static str,
    endpoint: impl Endpoint<Call, I>,
) -> Route {
    route(at, summary, endpoint, |run| {
        Entry::Needs(About::Installation, permission, run)
    })
}

/// The same, for a larger body than usual.
fn taking(largest_body: usize, route: Route) -> Route {
    Route { largest_body, ..route }
}

const fn get(path: &'static str) -> (Method, &'static str) {
    (Method::GET, path)
}

const fn post(path: &'static str) -> (Method, &'static str) {
    (Method::POST, path)
}

const fn patch(path: &'static str) -> (Method, &'static str) {
    (Method::PATCH, path)
}

const fn delete(path: &'static str) -> (Method, &'static str) {
    (Method::DELETE, path)
}

macro_rules! below {
    ($tail:literal) => {
        concat!("/organizations/{organization}", $tail)
    };
}

// Below the macro, which it uses.
mod accounting;

pub(crate) fn routes() -> Vec<Route> {
    use Permission::{
        AuditRead, BudgetsAsk, BudgetsRead, BudgetsWrite, CatalogRefresh, ConfigurationRead, ConfigurationWrite,
        KeysRead, KeysWrite, MembersRead, MembersWrite, ModelsRead, ModelsWrite, OrganizationDelete, OrganizationRead,
        OrganizationWrite, PricesRead, PricesWrite, ProvidersRead, ProvidersWrite, TeamsRead, TeamsWrite, TokensRead,
        TokensWrite,
    };
    let mut routes = vec![
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
        public(
            post("/leaks"),
            "Report a key's secret that was found in public; it is shut",
            leaks::report,
        ),
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
        needs(KeysRead, get(below!("/keys")), "List keys", keys::list),
        needs(KeysWrite, post(below!("/keys")), "Mint or import a key", keys::create),
        needs(KeysRead, get(below!("/keys/{key}")), "Read a key", keys::read),
        needs(
            KeysWrite,
            patch(below!("/keys/{key}")),
            "Change a key; its secret stays",
            keys::update,
        ),
        needs(KeysWrite, delete(below!("/keys/{key}")), "Revoke a key", keys::revoke),
        needs(
            KeysWrite,
            post(below!("/keys/{key}/rotation")),
            "Give a key a new secret; the one from before works for a while",
            key_rotation::rotate,
        ),
        needs(
            KeysWrite,
            delete(below!("/keys/{key}/rotation")),
            "End the time of a key's secrets from before",
            key_rotation::end,
        ),
        needs(
            KeysWrite,
            post(below!("/keys/{key}/disabling")),
            "Disable a key until somebody enables it",
            keys::disable,
        ),
        needs(
            KeysWrite,
            delete(below!("/keys/{key}/disabling")),
            "Enable a disabled key",
            keys::enable,
        ),
        needs(
            KeysRead,
            get(below!("/service-accounts")),
            "List service accounts",
            service_accounts::list,
        ),
        needs(
            TeamsWrite,
            post(below!("/service-accounts")),
            "Make a service account",
            service_accounts::create,
        ),
        needs(
            KeysRead,
            get(below!("/service-accounts/{service_account}")),
            "Read a service account",
            service_accounts::read,
        ),
        needs(
            TeamsWrite,
            patch(below!("/service-accounts/{service_account}")),
            "Rename a service account",
            service_accounts::update,
        ),
        needs(
            TeamsWrite,
            delete(below!("/service-accounts/{service_account}")),
            "Delete a service account without keys",
            service_accounts::delete,
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
        needs(
            ProvidersRead,
            get(below!("/targets")),
            "How the models at providers do that requests go to",
            targets::list,
        ),
        needs(
            ProvidersWrite,
            post(below!("/targets/reset")),
            "Have a model at a provider called again that is left alone",
            targets::reset,
        ),
        needs(
            ProvidersRead,
            get(below!("/providers")),
            "List providers",
            providers::list,
        ),
        needs(
            ProvidersWrite,
            post(below!("/providers")),
            "Add a provider",
            providers::create,
        ),
        needs(
            ProvidersRead,
            get(below!("/providers/{provider}")),
            "Read a provider",
            providers::read,
        ),
        needs(
            ProvidersWrite,
            patch(below!("/providers/{provider}")),
            "Change a provider's address and settings",
            providers::update,
        ),
        needs(
            ProvidersWrite,
            delete(below!("/providers/{provider}")),
            "Delete a provider",
            providers::delete,
        ),
        needs(
            ProvidersWrite,
            post(below!("/providers/{provider}/credentials")),
            "Add a credential",
            credentials::create,
        ),
        needs(
            ProvidersWrite,
            delete(below!("/providers/{provider}/credentials/{credential}")),
            "Delete a credential",
            credentials::delete,
        ),
        needs(
            ProvidersWrite,
            post(below!("/providers/{provider}/test")),
            "Make the cheapest real call with each credential",
            providers::test,
        ),
        needs(ModelsRead, get(below!("/models")), "List models", models::list),
        needs(ModelsWrite, post(below!("/models")), "Add a model", models::create),
        needs(ModelsRead, get(below!("/models/{model}")), "Read a model", models::read),
        needs(
            ModelsWrite,
            patch(below!("/models/{model}")),
            "Change a model's route, timeouts and cache",
            models::update,
        ),
        needs(
            ModelsWrite,
            delete(below!("/models/{model}")),
            "Delete a model",
            models::delete,
        ),
        needs(
            ModelsRead,
            post(below!("/models/check")),
            "What is wrong with a model that is not saved",
            explain::check,
        ),
        needs(
            ModelsRead,
            post(below!("/explain")),
            "Where a request would go, or one that was made would go by now, without calling anybody",
            explain::request,
        ),
        needs(
            ModelsRead,
            get(below!("/models/{model}/canary")),
            "How far the canaries of a model's route are",
            canaries::list,
        ),
        needs(
            ModelsWrite,
            post(below!("/models/{model}/canary/promote")),
            "Give a canary's candidate everything",
            canaries::promote,
        ),
        needs(
            ModelsWrite,
            post(below!("/models/{model}/canary/rollback")),
            "Give a canary's candidate nothing any more",
            canaries::roll_back,
        ),
        needs(
            ModelsWrite,
            post(below!("/models/{model}/canary/restart")),
            "Begin a canary anew, with the part that is written",
            canaries::restart,
        ),
        needs(
            PricesRead,
            get(below!("/prices")),
            "List the organization's own prices",
            prices::list,
        ),
        needs(PricesWrite, post(below!("/prices")), "Set a price", prices::create),
        needs(
            PricesRead,
            get(below!("/prices/lookup")),
            "Which price applies to a model now",
            prices::lookup,
        ),
        needs(
            PricesWrite,
            delete(below!("/prices/{price}")),
            "Delete a price",
            prices::delete,
        ),
        needs(
            BudgetsRead,
            get(below!("/budgets")),
            "List budgets and how they stand",
            budgets::list,
        ),
        needs(BudgetsWrite, post(below!("/budgets")), "Make a budget", budgets::create),
        needs(
            BudgetsRead,
            get(below!("/budgets/{budget}")),
            "Read a budget and how it stands",
            budgets::read,
        ),
        needs(
            BudgetsRead,
            get(below!("/budgets/{budget}/explain")),
            "Why a budget stands where it stands, and how far beyond its cap it may end",
            budgets::explain,
        ),
        needs(
            BudgetsWrite,
            patch(below!("/budgets/{budget}")),
            "Change all of a budget but its scope",
            budgets::update,
        ),
        needs(
            BudgetsWrite,
            delete(below!("/budgets/{budget}")),
            "Delete a budget",
            budgets::delete,
        ),
        needs(
            BudgetsRead,
            get(below!("/budgets/{budget}/alerts")),
            "What was reached of a budget, the newest first",
            budgets::alerts,
        ),
        needs(
            BudgetsWrite,
            post(below!("/budgets/{budget}/increases")),
            "Add to a budget for a while",
            budgets::increase,
        ),
        needs(
            BudgetsWrite,
            delete(below!("/budgets/{budget}/increases/{increase}")),
            "End what was added to a budget",
            budgets::end_increase,
        ),
        needs(
            BudgetsAsk,
            post(below!("/budgets/{budget}/requests")),
            "Ask for more of a budget",
            budgets::ask,
        ),
        needs(
            BudgetsRead,
            get(below!("/budget-requests")),
            "List who asked for more, the newest first",
            budgets::requests,
        ),
        needs(
            BudgetsWrite,
            post(below!("/budget-requests/{ask}/decision")),
            "Approve or deny what somebody asked for",
            budgets::decide,
        ),
        needs(BudgetsRead, get(below!("/limits")), "List limits", limits::list),
        needs(BudgetsWrite, post(below!("/limits")), "Make a limit", limits::create),
        needs(
            BudgetsRead,
            get(below!("/limits/{limit}")),
            "Read a limit",
            limits::read,
        ),
        needs(
            BudgetsWrite,
            patch(below!("/limits/{limit}")),
            "Change all of a limit but its scope",
            limits::update,
        ),
        needs(
            BudgetsWrite,
            delete(below!("/limits/{limit}")),
            "Delete a limit",
            limits::delete,
        ),
        known(get("/catalog"), "List what is known of models", catalog::list),
        known(
            get("/catalog/entry"),
            "What is known of a model, by its name or an alias",
            catalog::entry,
        ),
        installation(
            CatalogRefresh,
            get("/catalog/refreshes"),
            "List catalogues that were brought in, the newest first",
            catalog::refreshes,
        ),
        taking(
            CATALOG_BODY,
            installation(
                CatalogRefresh,
                post("/catalog/refreshes"),
                "Bring in a signed catalogue, to be approved",
                catalog::bring_in,
            ),
        ),
        installation(
            CatalogRefresh,
            get("/catalog/refreshes/{refresh}"),
            "What a catalogue changes",
            catalog::refresh,
        ),
        installation(
            CatalogRefresh,
            post("/catalog/refreshes/{refresh}/approve"),
            "Put a catalogue in force on all nodes",
            catalog::approve,
        ),
        installation(
            CatalogRefresh,
            post("/catalog/refreshes/{refresh}/reject"),
            "Reject a catalogue",
            catalog::reject,
        ),
        installation(
            CatalogRefresh,
            get("/catalog/schedule"),
            "When newer catalogues are fetched, and how the last try ended",
            catalog_schedule::read,
        ),
        installation(
            CatalogRefresh,
            post("/catalog/schedule"),
            "Fetch newer catalogues by a schedule, and try now",
            catalog_schedule::set,
        ),
        installation(
            CatalogRefresh,
            delete("/catalog/schedule"),
            "Fetch no catalogues any more",
            catalog_schedule::remove,
        ),
        needs(
            ModelsWrite,
            post(below!("/cache/purges")),
            "Void answers that are kept",
            cache::purge,
        ),
        needs(
            ModelsRead,
            get(below!("/catalog")),
            "List what is known of models, with the organization's own facts",
            catalog::list_own,
        ),
        needs(
            ModelsRead,
            get(below!("/catalog/entry")),
            "What is known of a model, with the organization's own facts",
            catalog::entry_own,
        ),
        needs(
            ModelsRead,
            get(below!("/catalog/overlays")),
            "List the organization's own facts of models",
            overlays::list,
        ),
        needs(
            ModelsWrite,
            post(below!("/catalog/overlays")),
            "State own facts of a model",
            overlays::create,
        ),
        needs(
            ModelsRead,
            get(below!("/catalog/overlays/{overlay}")),
            "Read own facts of a model",
            overlays::read,
        ),
        needs(
            ModelsWrite,
            patch(below!("/catalog/overlays/{overlay}")),
            "Change own facts of a model",
            overlays::update,
        ),
        needs(
            ModelsWrite,
            delete(below!("/catalog/overlays/{overlay}")),
            "Delete own facts of a model",
            overlays::delete,
        ),
        needs(
            AuditRead,
            get(below!("/audit")),
            "List the audit log, the newest first",
            audit::list,
        ),
        needs(
            ConfigurationRead,
            get(below!("/configuration")),
            "Export the configuration",
            configuration::export,
        ),
        needs(
            ConfigurationRead,
            post(below!("/configuration/plan")),
            "What applying a configuration would change",
            configuration::plan,
        ),
        needs(
            ConfigurationWrite,
            post(below!("/configuration/apply")),
            "Apply a configuration",
            configuration::apply,
        ),
    ];
    routes.extend(accounting::routes());
    routes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_there_twice_and_only_the_organizations_own_are_scoped() {
        let table = route_table();
        for (index, route) in table.iter().enumerate() {
            let again = table
                .iter()
                .skip(index + 1)
                .any(|other| (other.method, other.path) == (route.method, route.path));
            assert!(!again, "{} {} is there twice", route.method, route.path);
            let scoped = matches!(route.access, Access::Needs(_));
            assert_eq!(
                scoped,
                route.path.starts_with("/organizations/{organization}"),
                "{}",
                route.path
            );
        }
    }

    #[test]
    fn a_route_reads_as_many_parameters_as_its_path_has() {
        for route in routes() {
            assert_eq!(
                route.signature.path.len(),
                route.parameters().len(),
                "{} {}",
                route.method,
                route.path
            );
        }
    }
}
