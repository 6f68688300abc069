//! The frame of every page behind the sign-in: navigation at the side, the page beside it.

use gatewright_types::Permission;
use gatewright_types::api::Membership;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::brand::Wordmark;
use crate::components::icon::{Icon, icon};
use crate::components::leave::LeaveQuestion;
use crate::components::menu::Menu;
use crate::components::toast::use_toasts;
use crate::pages;
use crate::pages::organizations::CreateOrganization;
use crate::place::{Place, Section};
use crate::router::use_router;
use crate::session::{Session, use_session};
use crate::theme::theme_picker;
use crate::waiting::Waiting;

/// The groups of the navigation.
const GROUPS: [(&str, &[Section]); 4] = [
    ("Activity", &[Section::Overview, Section::Usage, Section::Audit]),
    (
        "Gateway",
        &[Section::Keys, Section::Models, Section::Catalog, Section::Providers],
    ),
    (
        "Spending",
        &[
            Section::Budgets,
            Section::Limits,
            Section::Chargeback,
            Section::Repricing,
        ],
    ),
    (
        "Organization",
        &[Section::Teams, Section::Members, Section::Tokens, Section::Settings],
    ),
];

#[component]
pub(crate) fn Shell() -> impl IntoView {
    let router = use_router();
    let session = use_session();
    let waiting = Waiting::provide(session);
    let navigation_open = RwSignal::new(false);
    let main = NodeRef::<html::Main>::new();

    // After a change of page, the keyboard and the screen reader go on at its beginning.
    Effect::new(move |before: Option<Place>| {
        let place = router.place();
        if before.is_some_and(|before| before != place) {
            navigation_open.set(false);
            window().scroll_to_with_x_and_y(0.0, 0.0);
            if let Some(main) = main.get_untracked() {
                // The page's own element is in the document.
                let _gone = main.focus();
            }
        }
        place
    });
    // A change of role changes what a page offers.
    let role = Memo::new(move |_| session.workspace().role());
    let page = move || {
        let place = router.place();
        role.track();
        untrack(|| page(&place, session))
    };
    view! {
        <div class="shell" class:is-open=navigation_open>
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="topbar">
                <button
                    type="button"
                    class="icon-button"
                    aria-label="Navigation"
                    aria-controls="side"
                    aria-expanded=move || if navigation_open.get() { "true" } else { "false" }
                    on:click=move |_| navigation_open.update(|open| *open = !*open)
                >
                    {move || icon(if navigation_open.get() { Icon::Close } else { Icon::Menu })}
                </button>
                <a class="topbar-brand" href="/" aria-label="Gatewright, home"><Wordmark/></a>
            </header>
            <aside class="side" id="side" aria-label="Navigation and account">
                <a class="side-brand" href="/" aria-label="Gatewright, home"><Wordmark/></a>
                {organization_menu(session)}
                {navigation(session, waiting)}
                {person_menu(session)}
            </aside>
            <main id="main" tabindex="-1" node_ref=main>
                <div class="page">{page}</div>
            </main>
            <LeaveQuestion/>
        </div>
    }
}

fn page(place: &Place, session: Session) -> AnyView {
    let (slug, section) = match place {
        Place::Organization { slug, section } => (slug, *section),
        Place::Model { slug, .. } => (slug, Section::Models),
        Place::Key { slug, .. } => (slug, Section::Keys),
        Place::Budget { slug, .. } => (slug, Section::Budgets),
        Place::Account => return view! { <pages::account::Account/> }.into_any(),
        Place::Root | Place::Setup | Place::SignIn | Place::Invitation | Place::Unknown => return pages::nowhere(),
    };
    if !session.select(slug) {
        return pages::nowhere();
    }
    if let Some(reason) = needed(section).and_then(|permission| session.workspace().denial(permission)) {
        return pages::closed(section, reason);
    }
    if let Place::Model { model, .. } = place {
        return view! { <pages::models::page::ModelPage model=*model/> }.into_any();
    }
    if let Place::Key { key, .. } = place {
        return view! { <pages::keys::page::KeyPage key=*key/> }.into_any();
    }
    if let Place::Budget { budget, .. } = place {
        return view! { <pages::budgets::page::BudgetPage budget=*budget/> }.into_any();
    }
    match section {
        Section::Overview => view! { <pages::overview::Overview/> }.into_any(),
        Section::Usage => view! { <pages::usage::Usage/> }.into_any(),
        Section::Audit => view! { <pages::audit::Audit/> }.into_any(),
        Section::Keys => view! { <pages::keys::Keys/> }.into_any(),
        Section::Models => view! { <pages::models::Models/> }.into_any(),
        Section::Catalog => view! { <pages::catalog::Catalog/> }.into_any(),
        Section::Providers => view! { <pages::providers::Providers/> }.into_any(),
        Section::Budgets => view! { <pages::budgets::Budgets/> }.into_any(),
        Section::Limits => view! { <pages::limits::Limits/> }.into_any(),
        Section::Chargeback => view! { <pages::chargeback::ChargebackPage/> }.into_any(),
        Section::Repricing => view! { <pages::repricing::Repricing/> }.into_any(),
        Section::Teams => view! { <pages::teams::Teams/> }.into_any(),
        Section::Members => view! { <pages::members::Members/> }.into_any(),
        Section::Tokens => view! { <pages::tokens::Tokens/> }.into_any(),
        Section::Settings => view! { <pages::organizations::Settings/> }.into_any(),
    }
}

/// What one has to be allowed to read for a page to make sense.
fn needed(section: Section) -> Option<Permission> {
    Some(match section {
        Section::Overview | Section::Usage | Section::Chargeback => Permission::UsageRead,
        Section::Audit => Permission::AuditRead,
        Section::Keys => Permission::KeysRead,
        Section::Models | Section::Catalog => Permission::ModelsRead,
        Section::Providers => Permission::ProvidersRead,
        Section::Budgets | Section::Limits => Permission::BudgetsRead,
        Section::Repricing => Permission::LedgerRead,
        Section::Teams => Permission::TeamsRead,
        Section::Members => Permission::MembersRead,
        Section::Tokens => Permission::TokensRead,
        Section::Settings => Permission::OrganizationRead,
    })
}

const fn glyph(section: Section) -> Icon {
    match section {
        Section::Overview => Icon::Overview,
        Section::Usage => Icon::Requests,
        Section::Audit => Icon::Audit,
        Section::Keys => Icon::Key,
        Section::Models => Icon::Model,
        Section::Catalog => Icon::Catalog,
        Section::Providers => Icon::Provider,
        Section::Budgets => Icon::Budget,
        Section::Limits => Icon::Limit,
        Section::Chargeback => Icon::Chargeback,
        Section::Repricing => Icon::Cheapest,
        Section::Teams => Icon::Team,
        Section::Members => Icon::Members,
        Section::Tokens => Icon::Token,
        Section::Settings => Icon::Settings,
    }
}

fn navigation(session: Session, waiting: Waiting) -> AnyView {
    let router = use_router();
    let workspace = session.workspace();
    let link = move |section: Section| {
        let href = workspace.href(section);
        let current = move || {
            let place = router.place();
            let here = place.within() == Some(section);
            let exactly = matches!(place, Place::Organization { .. });
            here.then_some(if exactly { "page" } else { "true" })
        };
        let beside = (section == Section::Budgets).then_some(move || {
            let count = waiting.count();
            (count > 0).then(|| {
                let said = format!(", {count} open requests");
                view! { <span class="nav-count"><span aria-hidden="true">{count}</span><span class="unseen">{said}</span></span> }
            })
        });
        view! {
            <li>
                <a class="nav-link" href=href aria-current=current>{icon(glyph(section))}{section.title()}{beside}</a>
            </li>
        }
    };
    let groups = move || {
        if workspace.name().is_empty() {
            return ().into_any();
        }
        let group = |(title, sections): (&'static str, &'static [Section])| {
            let open = |section: &&Section| needed(**section).is_none_or(|permission| workspace.can(permission));
            let links = sections
                .iter()
                .filter(open)
                .map(|section| link(*section))
                .collect_view();
            view! { <div class="nav-group"><h2>{title}</h2><ul>{links}</ul></div> }
        };
        GROUPS.into_iter().map(group).collect_view().into_any()
    };
    view! { <nav class="nav" aria-label="Main">{groups}</nav> }.into_any()
}

fn organization_menu(session: Session) -> AnyView {
    let workspace = session.workspace();
    let creating = RwSignal::new(false);
    let name = move || {
        let name = workspace.name();
        if name.is_empty() {
            "Choose an organization".to_owned()
        } else {
            name
        }
    };
    let button = move || {
        view! {
            <span class="monogram" aria-hidden="true">{move || name().chars().next().map(String::from)}</span>
            <span class="menu-title">{name}</span>
            {icon(Icon::Chevron)}
        }
    };
    let row = move |membership: Membership| {
        let organization = membership.organization;
        let current = workspace.slug() == organization.slug.as_str();
        view! {
            <a
                class="menu-item"
                href=Place::section(&organization.slug, Section::Overview).href()
                aria-current=current.then_some("true")
            >
                <span class="menu-item-text">
                    <span>{organization.name.to_string()}</span>
                    <span class="muted small">{membership.role.as_str()}</span>
                </span>
                {current.then(|| icon(Icon::Check))}
            </a>
        }
    };
    view! {
        <Menu label="Organization" class="organization-menu" button=button>
            <p class="menu-head">"Organizations"</p>
            {session.me().map(|me| me.memberships.into_iter().map(row).collect_view())}
            <button type="button" class="menu-item" on:click=move |_| creating.set(true)>
                {icon(Icon::Plus)}"New organization"
            </button>
        </Menu>
        {move || {
            let close = Callback::new(move |()| creating.set(false));
            creating.get().then(|| view! { <CreateOrganization on_close=close/> })
        }}
    }
    .into_any()
}

fn person_menu(session: Session) -> AnyView {
    let router = use_router();
    let toasts = use_toasts();
    let name = move || session.me().map(|me| me.name.to_string()).unwrap_or_default();
    let email = move || session.me().map(|me| me.email.to_string()).unwrap_or_default();
    let button = move || {
        view! {
            <span class="monogram monogram-round" aria-hidden="true">{move || name().chars().next().map(String::from)}</span>
            <span class="menu-title"><span>{name}</span><span class="muted small">{email}</span></span>
            {icon(Icon::Chevron)}
        }
    };
    let sign_out = move |_| {
        spawn_local(async move {
            match session.api.sign_out().await {
                Ok(()) => {
                    session.leave();
                    router.replace(&Place::SignIn.href());
                }
                Err(failure) => toasts.failed(&failure),
            }
        });
    };
    view! {
        <Menu label="Account" class="person-menu" button=button>
            <a class="menu-item" href="/account">{icon(Icon::Person)}"Account and sessions"</a>
            <div class="menu-theme">
                {icon(Icon::Sun)}
                {theme_picker()}
            </div>
            <button type="button" class="menu-item" on:click=sign_out>{icon(Icon::SignOut)}"Sign out"</button>
        </Menu>
    }
    .into_any()
}
