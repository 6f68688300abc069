//! The addresses of the dashboard as a type: what the address bar says, and what a link points at. Knows no browser.

use gatewright_types::{BudgetId, KeyId, ModelId, Slug};

/// A page of the dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// The bare address: goes on to the first organization.
    Root,
    Setup,
    SignIn,
    Invitation,
    Account,
    Organization {
        slug: Slug,
        section: Section,
    },
    /// One model with its route, or a form for another.
    Model {
        slug: Slug,
        model: Option<ModelId>,
    },
    /// One key.
    Key {
        slug: Slug,
        key: KeyId,
    },
    /// One budget.
    Budget {
        slug: Slug,
        budget: BudgetId,
    },
    Unknown,
}

/// The last part of the address of the page that makes a model.
const NEW: &str = "new";

/// A page of one organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Usage,
    Audit,
    Keys,
    Models,
    Catalog,
    Providers,
    Budgets,
    Limits,
    Chargeback,
    Repricing,
    Teams,
    Members,
    Tokens,
    Settings,
}

impl Section {
    pub(crate) const ALL: [Self; 15] = [
        Self::Overview,
        Self::Usage,
        Self::Audit,
        Self::Keys,
        Self::Models,
        Self::Catalog,
        Self::Providers,
        Self::Budgets,
        Self::Limits,
        Self::Chargeback,
        Self::Repricing,
        Self::Teams,
        Self::Members,
        Self::Tokens,
        Self::Settings,
    ];

    /// Its part of the address.
    pub(crate) const fn segment(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Usage => "usage",
            Self::Audit => "audit",
            Self::Keys => "keys",
            Self::Models => "models",
            Self::Catalog => "catalog",
            Self::Providers => "providers",
            Self::Budgets => "budgets",
            Self::Limits => "limits",
            Self::Chargeback => "chargeback",
            Self::Repricing => "repricing",
            Self::Teams => "teams",
            Self::Members => "members",
            Self::Tokens => "tokens",
            Self::Settings => "settings",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Usage => "Requests",
            Self::Audit => "Audit log",
            Self::Keys => "API keys",
            Self::Models => "Models",
            Self::Catalog => "Catalogue",
            Self::Providers => "Providers",
            Self::Budgets => "Budgets",
            Self::Limits => "Limits",
            Self::Chargeback => "Chargeback",
            Self::Repricing => "Repricing",
            Self::Teams => "Teams",
            Self::Members => "Members",
            Self::Tokens => "Control tokens",
            Self::Settings => "Settings",
        }
    }
}

impl Place {
    pub(crate) fn section(slug: &Slug, section: Section) -> Self {
        Self::Organization {
            slug: slug.clone(),
            section,
        }
    }

    /// The section whose link in the navigation leads nearest to here.
    pub(crate) const fn within(&self) -> Option<Section> {
        match self {
            Self::Organization { section, .. } => Some(*section),
            Self::Model { .. } => Some(Section::Models),
            Self::Key { .. } => Some(Section::Keys),
            Self::Budget { .. } => Some(Section::Budgets),
            Self::Root | Self::Setup | Self::SignIn | Self::Invitation | Self::Account | Self::Unknown => None,
        }
    }

    /// Reads the path of an address.
    pub(crate) fn parse(path: &str) -> Self {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let head = (segments.next(), segments.next(), segments.next(), segments.next());
        match head {
            _ if segments.next().is_some() => Self::Unknown,
            (None, ..) => Self::Root,
            (Some("setup"), None, ..) => Self::Setup,
            (Some("sign-in"), None, ..) => Self::SignIn,
            (Some("invitation"), None, ..) => Self::Invitation,
            (Some("account"), None, ..) => Self::Account,
            (Some("o"), Some(slug), section, None) => {
                let section = match section {
                    None => Some(Section::Overview),
                    Some(segment) => Section::ALL.into_iter().find(|section| section.segment() == segment),
                };
                match (slug.parse(), section) {
                    (Ok(slug), Some(section)) => Self::Organization { slug, section },
                    _ => Self::Unknown,
                }
            }
            (Some("o"), Some(slug), Some("models"), Some(model)) => {
                let model = match model {
                    NEW => Ok(None),
                    id => id.parse().map(Some),
                };
                match (slug.parse(), model) {
                    (Ok(slug), Ok(model)) => Self::Model { slug, model },
                    _ => Self::Unknown,
                }
            }
            (Some("o"), Some(slug), Some("keys"), Some(key)) => match (slug.parse(), key.parse()) {
                (Ok(slug), Ok(key)) => Self::Key { slug, key },
                _ => Self::Unknown,
            },
            (Some("o"), Some(slug), Some("budgets"), Some(budget)) => match (slug.parse(), budget.parse()) {
                (Ok(slug), Ok(budget)) => Self::Budget { slug, budget },
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }

    /// The path that leads here.
    pub(crate) fn href(&self) -> String {
        match self {
            Self::Root | Self::Unknown => "/".to_owned(),
            Self::Setup => "/setup".to_owned(),
            Self::SignIn => "/sign-in".to_owned(),
            Self::Invitation => "/invitation".to_owned(),
            Self::Account => "/account".to_owned(),
            Self::Key { slug, key } => format!("/o/{slug}/keys/{key}"),
            Self::Organization { slug, section } => format!("/o/{slug}/{}", section.segment()),
            Self::Model { slug, model } => match model {
                Some(id) => format!("/o/{slug}/models/{id}"),
                None => format!("/o/{slug}/models/{NEW}"),
            },
            Self::Budget { slug, budget } => format!("/o/{slug}/budgets/{budget}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use gatewright_types::Slug;

    use super::{Place, Section};

    #[test]
    fn every_section_is_found_again_by_its_address() {
        let slug = "acme".parse().expect("a slug");
        for section in Section::ALL {
            let place = Place::section(&slug, section);
            assert_eq!(Place::parse(&place.href()), place);
        }
    }

    #[test]
    fn every_model_is_found_again_by_its_address() {
        let slug: Slug = "acme".parse().expect("a slug");
        let id = "mod_01976f0e7d1a70008000000000000001".parse().expect("an id");
        for model in [None, Some(id)] {
            let slug = slug.clone();
            let place = Place::Model { slug, model };
            assert_eq!(Place::parse(&place.href()), place);
            assert_eq!(place.within(), Some(Section::Models));
        }
    }

    #[test]
    fn a_key_is_found_again_by_its_address() {
        let slug: Slug = "acme".parse().expect("a slug");
        let key = "key_01976f0e7d1a70008000000000000001".parse().expect("an id");
        let place = Place::Key { slug, key };
        assert_eq!(Place::parse(&place.href()), place);
        assert_eq!(place.within(), Some(Section::Keys));
    }

    #[test]
    fn every_budget_is_found_again_by_its_address() {
        let slug = "acme".parse().expect("a slug");
        let budget = "bud_01976f0e7d1a70008000000000000001".parse().expect("an id");

        let place = Place::Budget { slug, budget };

        assert_eq!(Place::parse(&place.href()), place);
        assert_eq!(place.within(), Some(Section::Budgets));
    }

    #[test]
    fn addresses_that_lead_nowhere_are_unknown() {
        for path in [
            "/o",
            "/o/Acme/keys",
            "/o/acme/nothing",
            "/o/acme/keys/more",
            "/o/acme/models/nobody",
            "/o/acme/budgets/new",
            "/o/acme/models/new/more",
            "/setup/x",
            "/elsewhere",
        ] {
            assert_eq!(Place::parse(path), Place::Unknown, "{path}");
        }
        assert_eq!(Place::parse("/"), Place::Root);
        assert_eq!(Place::parse("/o/acme").href(), "/o/acme/overview");
    }
}
