//! Reads what messages and tool results hold: a text, or a list of texts, images and files.

use crate::BadRequest;
use crate::chat::{CacheMark, Media, MediaKind, Source, Text, note};
use crate::dialect::openai_responses::data_url::{self, Found};
use crate::dialect::read::Field;
use crate::json::Kind;

/// A piece of a message or of a tool's result.
pub(super) enum Spoken {
    Text(Text),
    Media(Media),
    Refusal(Box<str>),
}

/// Gives each piece and its place. Empty texts are passed over: they say nothing, and not all providers take them.
pub(super) fn read(
    field: &Field<'_, '_>,
    unheld: &mut Vec<Box<str>>,
    mut each: impl FnMut(&Field<'_, '_>, Spoken) -> Result<(), BadRequest>,
) -> Result<(), BadRequest> {
    if field.kind() == Kind::String {
        let text = field.boxed()?;
        if text.is_empty() {
            return Ok(());
        }
        return each(field, Spoken::Text(Text::new(text)));
    }
    if field.kind() != Kind::Array {
        return Err(field.expected("a string or an array"));
    }
    field.elements(|part| match read_part(&part, unheld)? {
        Spoken::Text(text) if text.text.is_empty() => Ok(()),
        spoken => each(&part, spoken),
    })
}

/// The members of a part, whatever its type.
#[derive(Default)]
struct Members {
    text: Option<Box<str>>,
    refusal: Option<Box<str>>,
    image_url: Option<Box<str>>,
    file_id: Option<Box<str>>,
    file_url: Option<Box<str>>,
    file_data: Option<Box<str>>,
    filename: Option<Box<str>>,
    detail: Option<Box<str>>,
    audio: Option<Media>,
    cache: Option<CacheMark>,
}

fn read_part(part: &Field<'_, '_>, unheld: &mut Vec<Box<str>>) -> Result<Spoken, BadRequest> {
    if part.kind() != Kind::Object {
        return Err(part.expected("an object"));
    }
    let kind = part.member_text("type").ok_or_else(|| part.lacks("type"))?;
    let members = Members::read(part, unheld)?;
    match &*kind {
        "input_text" | "output_text" | "text" => Ok(Spoken::Text(Text {
            text: members.text.ok_or_else(|| part.lacks("text"))?,
            cache: members.cache,
        })),
        "refusal" => members
            .refusal
            .map(Spoken::Refusal)
            .ok_or_else(|| part.lacks("refusal")),
        "input_image" => members.image(part),
        "input_file" => members.file(part, unheld),
        "input_audio" => members
            .audio
            .map(Spoken::Media)
            .ok_or_else(|| part.lacks("input_audio")),
        other => Err(part.refuse(&format!(
            "is of type '{other}'; it must be input_text, input_image, input_file, input_audio, output_text or refusal"
        ))),
    }
}

impl Members {
    fn read(part: &Field<'_, '_>, unheld: &mut Vec<Box<str>>) -> Result<Self, BadRequest> {
        let mut members = Self::default();
        part.members(|name, member| {
            match name {
                "text" => members.text = Some(member.boxed()?),
                "refusal" => members.refusal = Some(member.boxed()?),
                "image_url" => members.image_url = Some(member.boxed()?),
                "file_id" => members.file_id = Some(member.boxed()?),
                "file_url" => members.file_url = Some(member.boxed()?),
                "file_data" => members.file_data = Some(member.boxed()?),
                "filename" => members.filename = Some(member.boxed()?),
                "detail" => members.detail = Some(member.boxed()?),
                "input_audio" => members.audio = Some(read_audio(&member)?),
                "prompt_cache_breakpoint" => members.cache = Some(read_mark(&member)?),
                // What an answer's texts come with and callers send back; it means nothing to a model.
                "type" | "annotations" | "logprobs" => {}
                other => note(unheld, &format!("input.content.{other}")),
            }
            Ok(())
        })?;
        Ok(members)
    }

    fn image(self, part: &Field<'_, '_>) -> Result<Spoken, BadRequest> {
        let found = match (self.image_url, self.file_id) {
            (Some(url), _) => data_url::read(&url).ok_or_else(|| not_base64(part, "image_url"))?,
            (None, Some(id)) => of_file(id),
            (None, None) => return Err(part.lacks("image_url")),
        };
        Ok(Spoken::Media(Media {
            kind: MediaKind::Image,
            source: found.source,
            media_type: found.media_type,
            name: None,
            detail: self.detail,
            cache: self.cache,
        }))
    }

    fn file(self, part: &Field<'_, '_>, unheld: &mut Vec<Box<str>>) -> Result<Spoken, BadRequest> {
        if self.detail.is_some() {
            note(unheld, "input.content.detail");
        }
        let found = match (self.file_data, self.file_url, self.file_id) {
            (Some(data), ..) => match data_url::read(&data).ok_or_else(|| not_base64(part, "file_data"))? {
                // No URL at all: the data by itself is allowed, too.
                Found {
                    source: Source::Url(data),
                    ..
                } => Found {
                    source: Source::Base64(data),
                    media_type: Some(type_of(self.filename.as_deref()).into()),
                },
                found => found,
            },
            (None, Some(url), _) => data_url::read(&url).ok_or_else(|| not_base64(part, "file_url"))?,
            (None, None, Some(id)) => of_file(id),
            (None, None, None) => return Err(part.lacks("file_data")),
        };
        Ok(Spoken::Media(Media {
            kind: MediaKind::Document,
            source: found.source,
            media_type: found.media_type,
            name: self.filename,
            detail: None,
            cache: self.cache,
        }))
    }
}

fn of_file(id: Box<str>) -> Found {
    Found {
        source: Source::File(id),
        media_type: None,
    }
}

fn not_base64(part: &Field<'_, '_>, name: &str) -> BadRequest {
    part.refuse(&format!(
        "has a data URL in '{name}' that is not 'data:<type>;base64,<data>'"
    ))
}

/// By a file's name, when nothing else tells. PDF is what nearly all such files are.
fn type_of(filename: Option<&str>) -> &'static str {
    let ending = filename
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, ending)| ending);
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("txt" | "md" | "log") => "text/plain",
        Some("csv") => "text/csv",
        Some("html" | "htm") => "text/html",
        Some("json") => "application/json",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/pdf",
    }
}

fn read_audio(field: &Field<'_, '_>) -> Result<Media, BadRequest> {
    let (mut data, mut media_type) = (None, None);
    field.members(|name, member| {
        match name {
            "data" => data = Some(member.boxed()?),
            "format" => {
                media_type = Some(match &*member.text()? {
                    "mp3" => "audio/mpeg",
                    "wav" => "audio/wav",
                    _ => return Err(member.refuse("must be mp3 or wav")),
                });
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(Media {
        kind: MediaKind::Audio,
        source: Source::Base64(data.ok_or_else(|| field.lacks("data"))?),
        media_type: Some(media_type.ok_or_else(|| field.lacks("format"))?.into()),
        name: None,
        detail: None,
        cache: None,
    })
}

/// Half an hour or twelve: of what others offer, an hour is nearest to both.
fn read_mark(field: &Field<'_, '_>) -> Result<CacheMark, BadRequest> {
    let mut mark = CacheMark::FiveMinutes;
    field.members(|name, member| {
        if name == "ttl" {
            member.text()?;
            mark = CacheMark::OneHour;
        }
        Ok(())
    })?;
    Ok(mark)
}
