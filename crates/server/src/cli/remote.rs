//! `plan`, `apply` and `export`: configuration as code against a running control plane.

use std::error::Error;

use gatewright_types::Slug;
use gatewright_types::api::{ApplyReport, Document};
use serde_yaml_ng::with::singleton_map_recursive;
use tokio::runtime::Builder;

use super::arguments::{Change, Export, Form, Place, Plan};
use super::client::{Client, ClientError};
use super::{Ending, assertions, complain, report, say};
use crate::documents::{self, Secrets};
use crate::env::Strings;

pub(super) fn plan(plan: &Plan, environment: &Strings) -> Ending {
    let change = &plan.change;
    let held =
        |documents: &[Document]| Ok(assertions::check(&change.file, plan.assertions.as_ref(), documents).map(drop)?);
    let reports = each_document(change, environment, held, &async |client, document| {
        client.plan(document).await
    });
    match reports {
        Ok(reports) => {
            report::plan(&reports, change.json);
            let changes = reports.iter().any(|report| !report.changes.is_empty());
            if changes { Ending::WouldChange } else { Ending::Done }
        }
        Err(error) => complain(&*error),
    }
}

pub(super) fn apply(change: &Change, environment: &Strings) -> Ending {
    let nothing_else = |_: &[Document]| Ok(());
    let reports = each_document(change, environment, nothing_else, &async |client, document| {
        client.apply(document).await
    });
    match reports {
        Ok(reports) => {
            report::applied(&reports, change.json);
            Ending::Done
        }
        Err(error) => complain(&*error),
    }
}

pub(super) fn export(export: &Export, environment: &Strings) -> Ending {
    let exported = block_on(async {
        let (client, organization) = client_for(&export.place, environment).await?;
        Ok(client.export(&organization).await?)
    });
    let text = exported.and_then(|document| match export.json {
        Form::Json => Ok(serde_json::to_string_pretty(&document)?),
        Form::ForPeople => yaml(&document),
    });
    match text {
        Ok(text) => {
            say(text.trim_end());
            Ending::Done
        }
        Err(error) => complain(&*error),
    }
}

/// YAML's own form of an enum is a tag, which the file format does not have: each is written as a map of one.
fn yaml(document: &Document) -> Result<String, Box<dyn Error>> {
    let mut text = Vec::new();
    singleton_map_recursive::serialize(document, &mut serde_yaml_ng::Serializer::new(&mut text))?;
    Ok(String::from_utf8(text)?)
}

/// Checks the documents of a file, sends them one after the other, and stops at the first that is refused.
fn each_document(
    change: &Change,
    environment: &Strings,
    check: impl FnOnce(&[Document]) -> Result<(), Box<dyn Error>>,
    send: &impl AsyncFn(&Client, &Document) -> Result<ApplyReport, ClientError>,
) -> Result<Vec<ApplyReport>, Box<dyn Error>> {
    let documents = documents::read(&change.file, Secrets::Resolved)?;
    check(&documents)?;
    block_on(async {
        let client = Client::new(change.remote.url(environment), change.remote.token(environment))?;
        let mut reports = Vec::with_capacity(documents.len());
        for document in &documents {
            reports.push(send(&client, document).await?);
        }
        Ok(reports)
    })
}

/// A client, and the organization that is meant.
pub(super) async fn client_for(place: &Place, environment: &Strings) -> Result<(Client, Slug), ClientError> {
    let client = Client::new(place.remote.url(environment), place.remote.token(environment))?;
    let organization = match &place.organization {
        Some(organization) => organization.clone(),
        None => client.only_organization().await?,
    };
    Ok((client, organization))
}

pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Box<dyn Error>>>) -> Result<T, Box<dyn Error>> {
    Builder::new_current_thread().enable_all().build()?.block_on(work)
}
