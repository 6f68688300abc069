//! The route table: every address of the control API, what it needs and who answers it. Nothing is reachable that is
//! not in it, and the OpenAPI document is made from it.

use std::rc::Rc;

use actix_web::http::Method;
use gatewright_types::Permission;

use crate::access::{About, Call, Known, Signed, Visit};
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

// Below the macro, which they use.
mod accounting;
mod budgets;
mod catalog;
mod configuration;
mod identity;
mod keys;
mod models;

pub(crate) fn routes() -> Vec<Route> {
    [
        identity::routes(),
        keys::routes(),
        models::routes(),
        catalog::routes(),
        budgets::routes(),
        accounting::routes(),
        configuration::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
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
