//! What a file is, by its first bytes.

use std::fmt;

use crate::chat::MediaKind;

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<'a> {
    Media(MediaKind, &'static str),
    Text(&'static str, &'a str),
    Nothing,
    Unknown,
}

/// Where in an office document the names of its parts are looked for.
const NAMES_WITHIN: usize = 64 << 10;

/// `asked` decides where a container may hold a sound or a film.
pub(super) fn sniff(file: &[u8], asked: MediaKind) -> Found<'_> {
    if file.is_empty() {
        return Found::Nothing;
    }
    let found = image(file)
        .map(|media_type| Found::Media(MediaKind::Image, media_type))
        .or_else(|| document(file).map(|media_type| Found::Media(MediaKind::Document, media_type)))
        .or_else(|| recording(file, asked));
    found.or_else(|| text(file)).unwrap_or(Found::Unknown)
}

impl Found<'_> {
    pub(super) const fn media_type(&self) -> &'static str {
        match self {
            Self::Media(_, media_type) | Self::Text(media_type, _) => media_type,
            Self::Nothing | Self::Unknown => "application/octet-stream",
        }
    }
}

/// As the rest of a sentence.
impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Media(_, media_type) | Self::Text(media_type, _) => write!(f, "of the type '{media_type}'"),
            Self::Nothing => f.write_str("empty"),
            Self::Unknown => f.write_str("of no type that is known here"),
        }
    }
}

fn image(file: &[u8]) -> Option<&'static str> {
    let is_riff = |form: &[u8]| file.starts_with(b"RIFF") && at(file, 8, form);
    Some(match file {
        _ if file.starts_with(b"\x89PNG\r\n\x1a\n") => "image/png",
        _ if file.starts_with(b"\xff\xd8\xff") => "image/jpeg",
        _ if file.starts_with(b"GIF87a") || file.starts_with(b"GIF89a") => "image/gif",
        _ if is_riff(b"WEBP") => "image/webp",
        _ if at(file, 4, b"ftypavif") || at(file, 4, b"ftypavis") => "image/avif",
        _ if at(file, 4, b"ftypheic") || at(file, 4, b"ftypheix") => "image/heic",
        _ if at(file, 4, b"ftypmif1") || at(file, 4, b"ftypheim") => "image/heif",
        _ if file.starts_with(b"BM") && at(file, 6, b"\0\0\0\0") => "image/bmp",
        _ if file.starts_with(b"II*\0") || file.starts_with(b"MM\0*") => "image/tiff",
        _ => return None,
    })
}

fn document(file: &[u8]) -> Option<&'static str> {
    Some(match file {
        _ if file.starts_with(b"%PDF-") => "application/pdf",
        _ if file.starts_with(b"{\\rtf") => "text/rtf",
        _ if file.starts_with(b"PK\x03\x04") => office(file),
        _ => return None,
    })
}

/// The archives of Word and Excel name their parts near their beginning.
fn office(file: &[u8]) -> &'static str {
    let beginning = file.get(..NAMES_WITHIN).unwrap_or(file);
    let names = |name: &[u8]| memchr::memmem::find(beginning, name).is_some();
    if !names(b"[Content_Types].xml") {
        "application/zip"
    } else if names(b"word/") {
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    } else if names(b"xl/") {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    } else {
        "application/zip"
    }
}

fn recording(file: &[u8], asked: MediaKind) -> Option<Found<'static>> {
    let either = |sound, film| match asked {
        MediaKind::Audio => Found::Media(MediaKind::Audio, sound),
        MediaKind::Image | MediaKind::Document | MediaKind::Video => Found::Media(MediaKind::Video, film),
    };
    let sound = |media_type| Found::Media(MediaKind::Audio, media_type);
    let film = |media_type| Found::Media(MediaKind::Video, media_type);
    Some(match file {
        _ if file.starts_with(b"RIFF") && at(file, 8, b"WAVE") => sound("audio/wav"),
        _ if file.starts_with(b"ID3") => sound("audio/mpeg"),
        _ if file.starts_with(b"fLaC") => sound("audio/flac"),
        _ if file.starts_with(b"OggS") => sound("audio/ogg"),
        _ if file.starts_with(b"FORM") && at(file, 8, b"AIF") => sound("audio/aiff"),
        _ if at(file, 4, b"ftypM4A") => sound("audio/m4a"),
        [0xff, second, ..] if second & 0xf6 == 0xf0 => sound("audio/aac"),
        [0xff, second, ..] if second & 0xe6 == 0xe2 => sound("audio/mpeg"),
        _ if file.starts_with(b"RIFF") && at(file, 8, b"AVI ") => film("video/avi"),
        _ if file.starts_with(b"FLV\x01") => film("video/x-flv"),
        _ if file.starts_with(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11") => film("video/x-ms-wmv"),
        _ if file.starts_with(b"\0\0\x01\xba") || file.starts_with(b"\0\0\x01\xb3") => film("video/mpeg"),
        _ if at(file, 4, b"ftypqt") => film("video/quicktime"),
        _ if at(file, 4, b"ftyp3g") => film("video/3gpp"),
        _ if at(file, 4, b"ftyp") => either("audio/mp4", "video/mp4"),
        _ if file.starts_with(b"\x1a\x45\xdf\xa3") => matroska(file, either),
        _ => return None,
    })
}

/// Its head names the kind of document: WebM, or Matroska in general.
fn matroska(file: &[u8], either: impl Fn(&'static str, &'static str) -> Found<'static>) -> Found<'static> {
    let head = file.get(..64).unwrap_or(file);
    match memchr::memmem::find(head, b"webm") {
        Some(_) => either("audio/webm", "video/webm"),
        None => either("audio/x-matroska", "video/x-matroska"),
    }
}

/// A text has none of the characters that only machines write.
fn text(file: &[u8]) -> Option<Found<'_>> {
    let text = std::str::from_utf8(file).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_of_machines = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    if text.bytes().any(is_of_machines) {
        return None;
    }
    let begins = |tag: &str| {
        let start = text.trim_start().get(..tag.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(tag))
    };
    let media_type = if begins("<!doctype html") || begins("<html") {
        "text/html"
    } else {
        "text/plain"
    };
    Some(Found::Text(media_type, text))
}

fn at(file: &[u8], offset: usize, expected: &[u8]) -> bool {
    file.get(offset..).is_some_and(|rest| rest.starts_with(expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_bytes() {
        let check = |file: &[u8], asked, expected| {
            assert_eq!(sniff(file, asked), expected, "{}", String::from_utf8_lossy(file));
        };
        let image = |media_type| Found::Media(MediaKind::Image, media_type);
        let sound = |media_type| Found::Media(MediaKind::Audio, media_type);
        let film = |media_type| Found::Media(MediaKind::Video, media_type);
        let document = |media_type| Found::Media(MediaKind::Document, media_type);
        let (asked_image, asked_sound, asked_film) = (MediaKind::Image, MediaKind::Audio, MediaKind::Video);

        check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", asked_image, image("image/png"));
        check(b"\xff\xd8\xff\xe0\0\x10JFIF", asked_image, image("image/jpeg"));
        check(b"GIF89a\x01\0", asked_image, image("image/gif"));
        check(b"RIFF\x10\0\0\0WEBPVP8 ", asked_image, image("image/webp"));
        check(b"\0\0\0\x20ftypavif\0\0", asked_image, image("image/avif"));
        check(b"%PDF-1.7\n", asked_image, document("application/pdf"));
        check(b"RIFF\x10\0\0\0WAVEfmt ", asked_image, sound("audio/wav"));
        check(b"\xff\xfb\x90\0", asked_sound, sound("audio/mpeg"));
        check(b"\xff\xf1\x50\x80", asked_sound, sound("audio/aac"));
        check(b"\0\0\0\x20ftypisom\0\0", asked_sound, sound("audio/mp4"));
        check(b"\0\0\0\x20ftypisom\0\0", asked_film, film("video/mp4"));
        check(b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01webm", asked_film, film("video/webm"));
        check(
            b"PK\x03\x04\x14\0[Content_Types].xml..word/document.xml",
            MediaKind::Document,
            document("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        );
        check(
            b"PK\x03\x04\x14\0secrets.txt",
            MediaKind::Document,
            document("application/zip"),
        );
        check(b"a,b\n1,2\n", asked_image, Found::Text("text/plain", "a,b\n1,2\n"));
        check(
            b"\xef\xbb\xbf <!DOCTYPE HTML><p>",
            asked_image,
            Found::Text("text/html", " <!DOCTYPE HTML><p>"),
        );
        check(b"", asked_image, Found::Nothing);
        check(b"\x01\x02\x03", asked_image, Found::Unknown);
        check(b"text\0with a nought", asked_image, Found::Unknown);
        check(b"\xc3\x28", asked_image, Found::Unknown);
    }
}
