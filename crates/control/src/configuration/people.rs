//! Differences in an organization's members and tokens: everything that gives or takes a role.

use std::collections::{HashMap, HashSet};

use gatewright_contract::Secret;
use gatewright_store::{NewPerson, Person, TokenInsert};
use gatewright_types::api::{ChangeKind, Document, MemberEntry};
use gatewright_types::{DisplayName, Email, OrganizationId, PersonId, Role, TokenId};

use super::diff::{Differ, Step, change};
use super::entries::NewSecret;
use super::secrets::value;
use crate::auth::password::check_new;
use crate::auth::token::Purpose;
use crate::control::Control;
use crate::error::ApiError;

/// What is known of the people a document names, with the passwords it gives those who have none.
#[derive(Debug, Default)]
pub(super) struct Accounts(HashMap<Email, Account>);

#[derive(Debug)]
struct Account {
    person: Option<Person>,
    /// Somebody without a password who belongs to no other organization may be given one.
    may_get_password: bool,
    /// PHC string of the password in the document.
    hashed: Option<String>,
}

impl Accounts {
    /// Looks people up. Passwords are hashed only with `Hashing::Do`: it takes its time, and a plan needs none.
    pub(super) async fn read(
        control: &Control,
        organization: Option<OrganizationId>,
        document: &Document,
        hashing: Hashing,
    ) -> Result<Self, ApiError> {
        let mut accounts = HashMap::new();
        for entry in document.members.iter().flatten() {
            let person = control.db.system().person_by_email(&entry.email).await?;
            let may_get_password = match &person {
                None => true,
                Some(person) if person.password.is_some() => false,
                Some(person) => {
                    let memberships = control.db.system().memberships(person.id).await?;
                    memberships.iter().all(|(other, _)| Some(other.id) == organization)
                }
            };
            let password = entry.password.as_ref().and_then(|source| value(source).ok());
            let hashed = match (password, hashing) {
                (Some(password), Hashing::Do) if may_get_password && check_new(password, &entry.email).is_ok() => {
                    Some(control.passwords.hash(Secret::new(password.to_owned())).await?)
                }
                (Some(_), Hashing::Skip) if may_get_password => Some(String::new()),
                _ => None,
            };
            accounts.insert(
                entry.email.clone(),
                Account {
                    person,
                    may_get_password,
                    hashed,
                },
            );
        }
        Ok(Self(accounts))
    }
}

/// Whether passwords are needed in their stored form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashing {
    Do,
    Skip,
}

impl Differ<'_> {
    /// Gives those who will be members, by their addresses.
    pub(super) fn members(&mut self) -> HashMap<Email, PersonId> {
        let there = self.current.members.iter();
        let mut members: HashMap<_, _> = there.map(|member| (member.email.clone(), member.id)).collect();
        let Some(entries) = &self.document.members else {
            return members;
        };
        self.check_unique("members", "email", entries.iter().map(|entry| entry.email.as_str()));
        if !entries.iter().any(|entry| entry.role == Role::Owner) {
            self.problem("members".to_owned(), &"must name at least one owner");
        }
        // Promotions go first, or the last owner could be asked to step down before the next one is there.
        let mut later = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            self.check_password(index, entry);
            let member = self.current.members.iter().find(|member| member.email == entry.email);
            match member {
                None => {
                    let person = self.new_member(entry);
                    members.insert(entry.email.clone(), person);
                }
                Some(member) => {
                    self.first_password(entry, member.id);
                    if member.role < entry.role {
                        self.change_role(entry, member.id, member.role);
                    } else if member.role > entry.role {
                        later.push((entry, member.id, member.role));
                    }
                }
            }
        }
        for (entry, person, before) in later {
            self.change_role(entry, person, before);
        }
        let gone = self
            .current
            .members
            .iter()
            .filter(|member| entries.iter().all(|entry| entry.email != member.email));
        for member in gone {
            members.remove(&member.email);
            self.plan.roles.push(member.role);
            self.removal("member", &member.email, Step::RemoveMember(member.id));
        }
        members
    }

    /// Tokens go before others come: one that has got another name brings its secret along.
    pub(super) fn tokens(&mut self) {
        let Some(entries) = &self.document.tokens else { return };
        self.check_unique("tokens", "name", entries.iter().map(|entry| entry.name.as_str()));
        let named: HashSet<_> = entries.iter().map(|entry| &entry.name).collect();
        for token in self.current.tokens.iter().filter(|token| !named.contains(&token.name)) {
            self.plan.roles.push(token.role);
            let change = change(ChangeKind::Remove, "token", &token.name, &[]);
            self.step(change, Step::DeleteToken(token.id));
        }
        for (index, entry) in entries.iter().enumerate() {
            let path = format!("tokens[{index}].secret");
            let insert = |secret: NewSecret, expires_at| TokenInsert {
                id: TokenId::mint(),
                name: entry.name.clone(),
                role: entry.role,
                digest: secret.key.digest,
                hint: secret.key.hint,
                expires_at,
            };
            let Some(token) = self.current.tokens.iter().find(|token| token.name == entry.name) else {
                let Some(secret) = self.new_secret(Purpose::ControlPlane, path, entry.secret.as_ref()) else {
                    continue;
                };
                self.mint("token", &entry.name, &secret);
                self.plan.roles.push(entry.role);
                self.step(
                    change(ChangeKind::Create, "token", &&entry.name, &[]),
                    Step::CreateToken(insert(secret, None)),
                );
                continue;
            };
            if token.role != entry.role {
                self.plan.roles.extend([token.role, entry.role]);
            }
            let imported = entry.secret.is_some();
            let secret = if imported {
                self.new_secret(Purpose::ControlPlane, path, entry.secret.as_ref())
            } else {
                None
            };
            let known = self.current.token_digests.get(&token.id);
            match secret.filter(|secret| known != Some(&secret.key.digest)) {
                Some(secret) => {
                    self.plan.roles.extend([token.role, entry.role]);
                    let fields: &[&str] = if token.role == entry.role {
                        &["secret"]
                    } else {
                        &["role", "secret"]
                    };
                    let step = Step::ReplaceToken(token.id, insert(secret, token.expires_at));
                    self.step(change(ChangeKind::Update, "token", &&entry.name, fields), step);
                }
                None if token.role != entry.role => {
                    let step = Step::ChangeTokenRole(token.id, entry.role);
                    self.step(change(ChangeKind::Update, "token", &&entry.name, &["role"]), step);
                }
                None => {}
            }
        }
    }

    fn check_password(&mut self, index: usize, entry: &MemberEntry) {
        let Some(source) = &entry.password else { return };
        let path = format!("members[{index}].password");
        match value(source) {
            Err(message) => self.problem(path, &message),
            Ok(password) => {
                let needed = self
                    .means
                    .accounts
                    .0
                    .get(&entry.email)
                    .is_some_and(|account| account.may_get_password);
                if let (true, Err(message)) = (needed, check_new(password, &entry.email)) {
                    self.problem(path, &message);
                }
            }
        }
    }

    fn new_member(&mut self, entry: &MemberEntry) -> PersonId {
        self.plan.roles.push(entry.role);
        let account = self.means.accounts.0.get(&entry.email);
        let change = change(ChangeKind::Create, "member", &&entry.email, &[]);
        match account.and_then(|account| account.person.as_ref()) {
            Some(person) => {
                let id = person.id;
                self.step(change, Step::AddMember(id, entry.role));
                self.first_password(entry, id);
                id
            }
            None => {
                let name = entry.name.clone().unwrap_or_else(|| usual_name(&entry.email));
                let password = account.and_then(|account| account.hashed.clone());
                let id = PersonId::mint();
                let person = NewPerson {
                    id,
                    email: entry.email.clone(),
                    name,
                    password,
                };
                self.step(change, Step::AddPerson(person, entry.role));
                id
            }
        }
    }

    fn first_password(&mut self, entry: &MemberEntry, person: PersonId) {
        let account = self.means.accounts.0.get(&entry.email);
        if let Some(hashed) = account.and_then(|account| account.hashed.clone()) {
            let change = change(ChangeKind::Update, "member", &&entry.email, &["password"]);
            self.step(change, Step::SetFirstPassword(person, hashed));
        }
    }

    fn change_role(&mut self, entry: &MemberEntry, person: PersonId, before: Role) {
        self.plan.roles.extend([before, entry.role]);
        let change = change(ChangeKind::Update, "member", &&entry.email, &["role"]);
        self.step(change, Step::ChangeRole(person, entry.role));
    }
}

/// The name of somebody whose entry gives none.
fn usual_name(email: &Email) -> DisplayName {
    let local: String = email
        .as_str()
        .split('@')
        .next()
        .unwrap_or_default()
        .chars()
        .take(80)
        .collect();
    local
        .parse()
        .unwrap_or_else(|_| "member".parse().expect("a plain word is a name"))
}
