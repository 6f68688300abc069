//! Reads Gemini's own requests for embeddings: `embedContent` with one content, `batchEmbedContents` with several. A
//! content is one text, however many parts it has: Google gives one vector for all of them.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use super::request::place;
use super::wanted::{Item, Names, Task, Wanted};
use super::write::MOST_OF_GEMINI;
use crate::BadRequest;
use crate::dialect::gemini::camel;
use crate::dialect::read::{Field, document};
use crate::request::quoted;

/// What stands between the parts of a content where another provider embeds it.
const BETWEEN_PARTS: &str = "\n";
const UNSPECIFIED: &str = "TASK_TYPE_UNSPECIFIED";

/// Whether the address is for one content or for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    One,
    Several,
}

/// A checked request: the body as it was sent, and where its contents and the names of the model lie. What is in the
/// contents is only read where they have to be translated.
#[derive(Debug, Clone)]
pub struct EmbedContents {
    body: Bytes,
    amount: Amount,
    /// Of one content the whole body.
    requests: Vec<Place>,
}

#[derive(Debug, Clone)]
struct Place {
    at: Range<usize>,
    model_at: Option<Range<usize>>,
}

/// One content with its options.
#[derive(Default)]
struct Content<'a> {
    /// Absent where there is no content at all.
    text: Option<Cow<'a, str>>,
    title: Option<Cow<'a, str>>,
    options: Options<'a>,
    unheld: Vec<Box<str>>,
}

/// What other providers take once for all texts.
#[derive(Clone, Default, PartialEq)]
struct Options<'a> {
    task: Option<Cow<'a, str>>,
    dimensions: Option<u64>,
}

impl EmbedContents {
    pub fn parse(body: Bytes, amount: Amount) -> Result<Self, BadRequest> {
        let mut requests = Vec::new();
        let mut model_at = None;
        document(&body, |name, member| {
            match (amount, name) {
                (Amount::One, "model") => model_at = Some(place(&body, &member)),
                (Amount::Several, "requests") => member.elements(|request| {
                    requests.push(Place::of(&body, &request)?);
                    Ok(())
                })?,
                (Amount::One | Amount::Several, _) => {}
            }
            Ok(())
        })?;
        match amount {
            Amount::One => requests.push(Place {
                at: 0..body.len(),
                model_at,
            }),
            Amount::Several if requests.is_empty() => {
                let message = "'requests' has no request; send at least one content to embed";
                return Err(BadRequest::at("requests", message));
            }
            Amount::Several => {}
        }
        Ok(Self { body, amount, requests })
    }

    /// How many vectors there have to be.
    pub fn count(&self) -> usize {
        self.requests.len()
    }

    /// The bodies for a provider of this dialect, and how many contents are in each: the model under its name there,
    /// everything else as it came. More contents than it takes at once are shared out.
    pub fn forward(&self, upstream_model: &str) -> Vec<(Bytes, usize)> {
        let name = quoted(&resource_name(upstream_model));
        let is_named = |request: &Place| {
            let at = request.model_at.clone();
            at.is_none_or(|at| self.body.get(at) == Some(&name[..]))
        };
        if self.count() <= MOST_OF_GEMINI && self.requests.iter().all(is_named) {
            return vec![(self.body.clone(), self.count())];
        }
        let share = |requests: &[Place]| (self.share(requests, &name), requests.len());
        self.requests.chunks(MOST_OF_GEMINI).map(share).collect()
    }

    /// What stands before the first request and behind the last one is around each share.
    fn share(&self, requests: &[Place], name: &[u8]) -> Bytes {
        let raw = |at: Range<usize>| self.body.get(at).unwrap_or_default();
        let first = self.requests.first().map_or(0, |first| first.at.start);
        let last = self.requests.last().map_or(first, |last| last.at.end);
        let mut share = Vec::with_capacity(self.body.len());
        share.extend_from_slice(raw(0..first));
        for (index, request) in requests.iter().enumerate() {
            if index > 0 {
                share.push(b',');
            }
            match &request.model_at {
                Some(model) => {
                    share.extend_from_slice(raw(request.at.start..model.start));
                    share.extend_from_slice(name);
                    share.extend_from_slice(raw(model.end..request.at.end));
                }
                None => share.extend_from_slice(raw(request.at.clone())),
            }
        }
        share.extend_from_slice(raw(last..self.body.len()));
        share.into()
    }

    /// Reads all of it, for a provider of another dialect.
    pub fn read(&self) -> Result<Wanted<'_>, BadRequest> {
        let mut contents = Vec::with_capacity(self.count());
        let mut unheld = Vec::new();
        match self.amount {
            Amount::One => {
                let mut content = Content::default();
                document(&self.body, |name, member| content.member(name, &member))?;
                contents.push(content);
            }
            Amount::Several => document(&self.body, |name, member| {
                if name != "requests" {
                    unheld.push(name.into());
                    return Ok(());
                }
                member.elements(|request| {
                    let mut content = Content::default();
                    request.members(|name, member| content.member(name, &member))?;
                    if content.text.is_none() {
                        return Err(request.lacks("content"));
                    }
                    contents.push(content);
                    Ok(())
                })
            })?,
        }
        self.together(contents, unheld)
    }

    fn together<'a>(&self, contents: Vec<Content<'a>>, mut unheld: Vec<Box<str>>) -> Result<Wanted<'a>, BadRequest> {
        let place = match self.amount {
            Amount::One => "content",
            Amount::Several => "requests",
        };
        let mut items = Vec::with_capacity(contents.len());
        let mut common = None;
        for content in contents {
            if *common.get_or_insert_with(|| content.options.clone()) != content.options {
                let message = "the provider behind the model takes one 'taskType' and one 'outputDimensionality' for all \
                               contents of a request; send those that differ by themselves";
                return Err(BadRequest::at(place, message));
            }
            unheld.extend(content.unheld);
            let text = content
                .text
                .ok_or_else(|| BadRequest::at(place, format!("'{place}' is missing; send a content to embed")))?;
            items.push(Item {
                text,
                title: content.title,
            });
        }
        let Options { task, dimensions } = common.unwrap_or_default();
        Ok(Wanted {
            items,
            dimensions,
            task: task.map(Task::Google),
            names: Names {
                texts: place,
                dimensions: "outputDimensionality",
            },
            unheld,
        })
    }
}

impl Place {
    fn of(body: &[u8], request: &Field<'_, '_>) -> Result<Self, BadRequest> {
        let mut model_at = None;
        request.members(|name, member| {
            // Two readers may choose differently between duplicates.
            if name == "model" && model_at.replace(place(body, &member)).is_some() {
                return Err(member.refuse("is given twice; give it once"));
            }
            Ok(())
        })?;
        Ok(Self {
            at: place(body, request),
            model_at,
        })
    }
}

impl<'a> Content<'a> {
    fn member(&mut self, name: &str, member: &Field<'a, '_>) -> Result<(), BadRequest> {
        match &*camel(name) {
            // The address names it.
            "model" => {}
            "content" => self.text = Some(read_text(member)?),
            // The newer place for the options.
            "embedContentConfig" => member.members(|name, member| self.option(name, &member))?,
            _ => self.option(name, member)?,
        }
        Ok(())
    }

    fn option(&mut self, name: &str, member: &Field<'a, '_>) -> Result<(), BadRequest> {
        match &*camel(name) {
            "title" => self.title = Some(member.text()?),
            "taskType" => self.options.task = Some(member.text()?).filter(|task| task != UNSPECIFIED),
            "outputDimensionality" => match member.count()? {
                0 => return Err(member.refuse("must be at least 1")),
                count => self.options.dimensions = Some(count),
            },
            _ => self.unheld.push(name.into()),
        }
        Ok(())
    }
}

/// All parts of a content as one text.
fn read_text<'a>(content: &Field<'a, '_>) -> Result<Cow<'a, str>, BadRequest> {
    let mut texts = Vec::new();
    content.members(|name, parts| {
        if name != "parts" {
            return Ok(());
        }
        parts.elements(|part| {
            part.members(|name, member| {
                if name != "text" {
                    return Err(member.refuse("cannot be embedded: the provider behind the model embeds texts only"));
                }
                texts.push(member.text()?);
                Ok(())
            })
        })
    })?;
    let text = match <[_; 1]>::try_from(texts) {
        Ok([text]) => text,
        Err(texts) => Cow::Owned(texts.join(BETWEEN_PARTS)),
    };
    if text.is_empty() {
        return Err(content.refuse("has no text to embed"));
    }
    Ok(text)
}

/// As Google names a model inside a body.
pub(super) fn resource_name(model: &str) -> Cow<'_, str> {
    if model.starts_with("models/") {
        Cow::Borrowed(model)
    } else {
        Cow::Owned(format!("models/{model}"))
    }
}
