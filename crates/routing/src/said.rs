//! What a request says and who sends it: read when the first expression asks, and kept for the others.

use std::borrow::Cow;
use std::sync::OnceLock;

use gatewright_cel::{Mapping, Names, Value};
use gatewright_contract::Caller;
use gatewright_llm::{Needs, Request};
use gatewright_types::api::Capability;

use crate::Headers;

pub(crate) const SESSION: &str = "x-gw-session";
pub(crate) const USER: &str = "x-gw-user";
pub(crate) const TASK: &str = "x-gw-task";

/// What is asked, to be read where a rule wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Absent where tokens are only to be counted, or at an address of a provider's that nobody here reads.
    pub request: Option<&'a Request>,
    pub headers: &'a Headers,
}

/// A request and its sender, as expressions read them.
#[derive(Debug)]
pub struct Said<'a> {
    pub(crate) asked: Asked<'a>,
    caller: &'a Caller,
    model: &'a str,
    needs: OnceLock<Option<Needs>>,
    metadata: Option<Metadata<'a>>,
}

/// The labels of a request.
#[derive(Debug)]
struct Metadata<'a> {
    request: &'a Request,
    names: OnceLock<Vec<String>>,
}

impl<'a> Asked<'a> {
    pub(crate) fn session(&self) -> Option<Cow<'a, str>> {
        let in_body = || self.request?.session();
        self.header(SESSION).map(Cow::Borrowed).or_else(in_body)
    }

    /// Whom the caller asks for, as it names its own users.
    pub fn user(&self) -> Option<Cow<'a, str>> {
        let in_body = || self.request?.end_user();
        self.header(USER).map(Cow::Borrowed).or_else(in_body)
    }

    pub(crate) fn task(&self) -> Option<Cow<'a, str>> {
        self.in_header_or_label(TASK, "task")
    }

    pub(crate) fn in_header_or_label(&self, header: &str, label: &str) -> Option<Cow<'a, str>> {
        let in_body = || self.request?.metadata(label);
        self.header(header).map(Cow::Borrowed).or_else(in_body)
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).filter(|value| !value.is_empty())
    }
}

impl<'a> Said<'a> {
    /// `model` is the name that is asked for.
    pub fn of(caller: &'a Caller, model: &'a str, asked: Asked<'a>) -> Self {
        Self {
            asked,
            caller,
            model,
            needs: OnceLock::new(),
            metadata: asked.request.map(|request| Metadata {
                request,
                names: OnceLock::new(),
            }),
        }
    }

    /// What it needs is known, and not from the request.
    pub(crate) fn needing(self, needs: Option<Needs>) -> Self {
        match needs {
            Some(needs) => Self {
                needs: OnceLock::from(Some(needs)),
                ..self
            },
            None => self,
        }
    }

    pub(crate) fn needs(&self) -> Option<&Needs> {
        let read = || Some(self.asked.request?.needs());
        self.needs.get_or_init(read).as_ref()
    }

    fn of_request(&self, member: &str) -> Option<Value<'_>> {
        let asked = &self.asked;
        let needs = |capability| Some(self.needs()?.capabilities.contains(capability).into());
        match member {
            "model" => Some(self.model.into()),
            "stream" => Some(asked.request?.stream().into()),
            "dialect" => Some(asked.request?.dialect().as_str().into()),
            "headers" => Some(Value::map(asked.headers)),
            "user" => asked.user().map(Value::String),
            "session" => asked.session().map(Value::String),
            "task" => asked.task().map(Value::String),
            "metadata" => Some(Value::map(self.metadata.as_ref()?)),
            "max_tokens" => Some(number(self.needs()?.max_tokens?)),
            "input_tokens" => Some(number(self.needs()?.input_tokens())),
            "has_tools" => needs(Capability::Tools),
            "has_schema" => needs(Capability::StructuredOutput),
            "has_images" => needs(Capability::Vision),
            "has_documents" => needs(Capability::Documents),
            "has_audio" => needs(Capability::AudioInput),
            "wants_reasoning" => Some(self.needs()?.reasoning.into()),
            _ => None,
        }
    }
}

impl Names for Said<'_> {
    fn find<'a>(&'a self, path: &str) -> Option<Value<'a>> {
        if let Some(member) = path.strip_prefix("request.") {
            return self.of_request(member);
        }
        let (key, tenant) = (&self.caller.key, &self.caller.tenant);
        let team = || tenant.teams.get(&key.team?);
        match path {
            "key.id" => Some(key.id.to_string().into()),
            "key.name" => Some(key.name.as_ref()?.as_str().into()),
            "key.team" | "team.name" => Some(team()?.as_str().into()),
            "team.id" => Some(key.team?.to_string().into()),
            "organization.id" => Some(tenant.id.to_string().into()),
            "organization.slug" => Some(tenant.slug.as_str().into()),
            _ => None,
        }
    }
}

impl Mapping for Metadata<'_> {
    fn length(&self) -> usize {
        self.names().len()
    }

    fn find(&self, key: &str) -> Option<Value<'_>> {
        self.request.metadata(key).map(Value::String)
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        Box::new(self.names().iter().map(String::as_str))
    }
}

impl Metadata<'_> {
    fn names(&self) -> &[String] {
        self.names.get_or_init(|| self.request.metadata_names())
    }
}

pub(crate) fn number(count: u64) -> Value<'static> {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}
