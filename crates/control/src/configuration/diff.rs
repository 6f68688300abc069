//! What has to be done to make an organization what a document says, or everything that is wrong with the document.
//! Nothing is read or written here. Steps come in the order in which they can be done: what others need first, what
//! others needed last.

use std::collections::{BTreeMap, HashMap};

use gatewright_contract::{CompileProblem, CredentialUnit, Egress, Keyring, Sealed, UnitId};
use gatewright_store::{
    CredentialInsert, CredentialUpdate, KeyInsert, NewPerson, ProviderUpdate, Rotation, TokenInsert,
};
use gatewright_types::api::{
    BudgetSpec, Change, ChangeKind, CredentialKind, Document, KeyChange, LimitSpec, ModelChange, ModelFacts, NewBudget,
    NewModel, NewOverlay, NewPrice, NewRateLimit, SharedCost, TagRule, TeamChange, TraceSettings,
};
use gatewright_types::{
    BudgetId, CostCentre, CredentialId, DisplayName, KeyId, LimitId, ModelId, OverlayId, PersonId, PriceId, ProviderId,
    Role, ServiceAccountId, Slug, TeamId, TokenId,
};

use super::coherence::twice;
use super::current::Current;
use super::keys::Owners;
use super::people::Accounts;
use crate::check::FieldProblem;

/// What a diff needs besides the two sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) keyring: &'a Keyring,
    pub(super) egress: &'a Egress,
    pub(super) accounts: &'a Accounts,
    /// Who is written down as the maker of keys.
    pub(super) actor: &'a str,
}

/// Everything to be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Planned>,
    /// Secrets that are minted when the plan is carried out, by `resource/name`.
    pub(super) minted: BTreeMap<String, String>,
    /// Roles that are given or taken.
    pub(super) roles: Vec<Role>,
    /// Where the document speaks of a unit.
    pub(super) places: HashMap<UnitId, String>,
}

/// One difference, and what makes it go away.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) change: Change,
    pub(super) step: Step,
}

#[derive(Debug)]
pub(super) enum Step {
    RenameOrganization(DisplayName),
    ChangeTraces(TraceSettings),
    CreateTeam(TeamId, DisplayName),
    ChangeTeam(TeamId, TeamChange),
    DeleteTeam(TeamId),
    CreateServiceAccount(ServiceAccountId, DisplayName, Option<TeamId>),
    ChargeServiceAccount(ServiceAccountId, Option<CostCentre>),
    DeleteServiceAccount(ServiceAccountId),
    CreateProvider(ProviderId, Slug, ProviderUpdate, Vec<CredentialInsert>),
    ChangeProvider(ProviderId, ProviderUpdate),
    DeleteProvider(ProviderId),
    AddCredential(ProviderId, CredentialInsert),
    ChangeCredential(ProviderId, CredentialId, CredentialUpdate),
    RemoveCredential(ProviderId, CredentialId),
    CreateModel(ModelId, NewModel),
    ChangeModel(ModelId, ModelChange),
    DeleteModel(ModelId),
    CreatePrice(PriceId, NewPrice),
    /// A changed price is another price: the version that requests were billed under keeps its meaning.
    ReplacePrice(PriceId, PriceId, NewPrice),
    DeletePrice(PriceId),
    CreateOverlay(OverlayId, NewOverlay),
    ChangeOverlay(OverlayId, ModelFacts),
    DeleteOverlay(OverlayId),
    AddMember(PersonId, Role),
    AddPerson(NewPerson, Role),
    SetFirstPassword(PersonId, String),
    ChangeRole(PersonId, Role),
    RemoveMember(PersonId),
    CreateToken(TokenInsert),
    ChangeTokenRole(TokenId, Role),
    ReplaceToken(TokenId, TokenInsert),
    DeleteToken(TokenId),
    CreateKey(KeyInsert),
    ChangeKey(KeyId, KeyChange),
    RotateKey(KeyId, KeyChange, Rotation),
    RevokeKey(KeyId),
    ChangeTags(Vec<TagRule>),
    ChangeCostCentre(Option<CostCentre>),
    ChangeSharedCost(SharedCost),
    CreateBudget(BudgetId, NewBudget),
    ChangeBudget(BudgetId, BudgetSpec),
    DeleteBudget(BudgetId),
    CreateLimit(LimitId, NewRateLimit),
    ChangeLimit(LimitId, LimitSpec),
    DeleteLimit(LimitId),
}

/// Collects a plan and what is wrong.
#[derive(Debug)]
pub(super) struct Differ<'a> {
    pub(super) current: &'a Current,
    pub(super) document: &'a Document,
    pub(super) means: Means<'a>,
    pub(super) plan: Plan,
    /// Done after everything in the plan.
    pub(super) removals: Vec<Planned>,
    pub(super) problems: Vec<FieldProblem>,
}

/// Compares.
pub(super) fn diff(current: &Current, document: &Document, means: Means<'_>) -> Result<Plan, Vec<FieldProblem>> {
    let (plan, removals, problems) = (Plan::default(), Vec::new(), Vec::new());
    let mut differ = Differ {
        current,
        document,
        means,
        plan,
        removals,
        problems,
    };
    differ.organization();
    let teams = differ.teams();
    let accounts = differ.service_accounts(&teams);
    differ.providers();
    differ.models();
    differ.prices();
    differ.catalog();
    let members = differ.members();
    differ.tokens();
    let owners = Owners {
        teams,
        accounts,
        members,
    };
    differ.keys(&owners);
    let named = differ.named(owners);
    let caps = differ.caps(&named);
    differ.compile(&named, &caps);

    let Differ {
        mut plan,
        mut removals,
        problems,
        ..
    } = differ;
    if !problems.is_empty() {
        return Err(problems);
    }
    // Found in the order of creation; what is built on others has to go before them.
    removals.reverse();
    plan.steps.extend(removals);
    Ok(plan)
}

/// A compile problem at its place in the document.
pub(super) fn place(places: &HashMap<UnitId, String>, problem: CompileProblem) -> FieldProblem {
    let path = match places.get(&problem.unit) {
        Some(place) => format!("{place}.{}", problem.field),
        None if problem.unit == UnitId::Organization => problem.field,
        None => format!("{}.{}", problem.unit, problem.field),
    };
    FieldProblem {
        path,
        message: problem.message,
    }
}

impl Differ<'_> {
    pub(super) fn problem(&mut self, path: String, message: &impl ToString) {
        self.problems.push(FieldProblem {
            path,
            message: message.to_string(),
        });
    }

    pub(super) fn step(&mut self, change: Change, step: Step) {
        self.plan.steps.push(Planned { change, step });
    }

    pub(super) fn removal(&mut self, resource: &str, name: &impl ToString, step: Step) {
        self.removals.push(Planned {
            change: change(ChangeKind::Remove, resource, name, &[]),
            step,
        });
    }

    /// Tells of names that a list holds twice.
    pub(super) fn check_unique<'n>(&mut self, list: &str, field: &str, names: impl Iterator<Item = &'n str>) {
        self.problems.extend(twice(list, field, names));
    }

    fn organization(&mut self) {
        if self.document.organization != self.current.organization.slug {
            self.problem(
                "organization".to_owned(),
                &&"is another organization than the one this is applied to",
            );
        }
        let wanted = self
            .document
            .name
            .as_ref()
            .filter(|name| **name != self.current.organization.name);
        if let Some(name) = wanted {
            let change = change(
                ChangeKind::Update,
                "organization",
                &&self.current.organization.slug,
                &["name"],
            );
            self.step(change, Step::RenameOrganization(name.clone()));
        }
        let traces = self
            .document
            .traces
            .filter(|traces| *traces != self.current.organization.traces);
        if let Some(traces) = traces {
            let slug = &self.current.organization.slug;
            let change = change(ChangeKind::Update, "organization", &slug, &["traces"]);
            self.step(change, Step::ChangeTraces(traces));
        }
        let tags = self.document.tags.as_ref();
        if let Some(tags) = tags.filter(|tags| **tags != self.current.organization.tags) {
            let slug = &self.current.organization.slug;
            let change = change(ChangeKind::Update, "organization", &slug, &["tags"]);
            self.step(change, Step::ChangeTags(tags.clone()));
        }
        let cost_centre = self.document.cost_centre.as_ref();
        if let Some(cost_centre) = cost_centre.filter(|wanted| **wanted != self.current.organization.cost_centre) {
            let slug = &self.current.organization.slug;
            let change = change(ChangeKind::Update, "organization", &slug, &["cost_centre"]);
            self.step(change, Step::ChangeCostCentre(cost_centre.clone()));
        }
        let shared_cost = self.document.shared_cost;
        if let Some(shared_cost) = shared_cost.filter(|wanted| *wanted != self.current.organization.shared_cost) {
            let slug = &self.current.organization.slug;
            let change = change(ChangeKind::Update, "organization", &slug, &["shared_cost"]);
            self.step(change, Step::ChangeSharedCost(shared_cost));
        }
    }
}

/// A credential as far as it is compiled: its secret plays no part in that.
pub(super) fn unsealed(id: CredentialId, kind: CredentialKind) -> CredentialUnit {
    CredentialUnit {
        id,
        weight: 1,
        kind,
        sealed: Sealed::from_stored(String::new()),
    }
}

pub(super) fn change(kind: ChangeKind, resource: &str, name: &impl ToString, fields: &[&str]) -> Change {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    Change {
        kind,
        resource: resource.to_owned(),
        name: name.to_string(),
        fields,
    }
}

/// Names of the fields that differ.
pub(super) fn differing(pairs: &[(&'static str, bool)]) -> Vec<&'static str> {
    pairs
        .iter()
        .filter(|(_, same)| !same)
        .map(|(field, _)| *field)
        .collect()
}

/// Addresses that differ only in their last slash are the same.
pub(super) fn same_address(one: Option<&str>, other: Option<&str>) -> bool {
    one.map(|text| text.trim_end_matches('/')) == other.map(|text| text.trim_end_matches('/'))
}

impl Step {
    /// What stands in the audit log.
    pub(super) const fn action(&self) -> &'static str {
        match self {
            Self::RenameOrganization(_)
            | Self::ChangeTraces(_)
            | Self::ChangeTags(_)
            | Self::ChangeCostCentre(_)
            | Self::ChangeSharedCost(_) => "organization.update",
            Self::CreateTeam(..) => "team.create",
            Self::ChangeTeam(..) => "team.update",
            Self::DeleteTeam(_) => "team.delete",
            Self::CreateServiceAccount(..) => "service_account.create",
            Self::ChargeServiceAccount(..) => "service_account.update",
            Self::DeleteServiceAccount(_) => "service_account.delete",
            Self::CreateProvider(..) => "provider.create",
            Self::ChangeProvider(..) => "provider.update",
            Self::DeleteProvider(_) => "provider.delete",
            Self::AddCredential(..) => "credential.create",
            Self::ChangeCredential(..) => "credential.update",
            Self::RemoveCredential(..) => "credential.delete",
            Self::CreateModel(..) => "model.create",
            Self::ChangeModel(..) => "model.update",
            Self::DeleteModel(_) => "model.delete",
            Self::CreatePrice(..) => "price.create",
            Self::ReplacePrice(..) => "price.update",
            Self::DeletePrice(_) => "price.delete",
            Self::CreateOverlay(..) => "overlay.create",
            Self::ChangeOverlay(..) => "overlay.update",
            Self::DeleteOverlay(_) => "overlay.delete",
            Self::AddMember(..) | Self::AddPerson(..) => "member.add",
            Self::SetFirstPassword(..) | Self::ChangeRole(..) => "member.update",
            Self::RemoveMember(_) => "member.remove",
            Self::CreateToken(_) => "token.create",
            Self::ChangeTokenRole(..) | Self::ReplaceToken(..) => "token.update",
            Self::DeleteToken(_) => "token.delete",
            Self::CreateKey(_) => "key.create",
            Self::ChangeKey(..) => "key.update",
            Self::RotateKey(..) => "key.rotate",
            Self::RevokeKey(_) => "key.revoke",
            Self::CreateBudget(..) => "budget.create",
            Self::ChangeBudget(..) => "budget.update",
            Self::DeleteBudget(_) => "budget.delete",
            Self::CreateLimit(..) => "limit.create",
            Self::ChangeLimit(..) => "limit.update",
            Self::DeleteLimit(_) => "limit.delete",
        }
    }
}
