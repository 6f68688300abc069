use super::*;
use crate::chat::{Role, ToolResult, Turn};
use crate::dialect::anthropic::{Anthropic, AnthropicOn, Envelope};
use crate::dialect::bedrock::BedrockConverse;
use crate::dialect::cohere::Cohere;
use crate::dialect::gemini::Gemini;
use crate::dialect::openai_chat::vendors::vendor;
use crate::dialect::openai_responses::OpenaiResponses;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const PDF: &[u8] = b"%PDF-1.7\n";

fn media(kind: MediaKind, source: Source) -> Media {
    Media {
        kind,
        source,
        media_type: None,
        name: None,
        detail: None,
        cache: None,
    }
}

fn at(kind: MediaKind, address: &str) -> Media {
    media(kind, Source::Url(address.into()))
}

fn chat(parts: impl IntoIterator<Item = Part>) -> Chat {
    Chat {
        turns: vec![Turn {
            role: Role::User,
            parts: parts.into_iter().collect(),
        }],
        ..Chat::default()
    }
}

fn vendor_of(name: &str) -> &'static dyn Outbound {
    vendor(name).expect("a row")
}

/// What a file of this kind becomes.
fn filled(kind: MediaKind, file: &[u8]) -> Result<Media, String> {
    let mut media = at(kind, "https://files.example.com/f?key=secret");
    media.fill(file).map_err(|wrong| wrong.to_string())?;
    Ok(media)
}

#[test]
fn providers_that_fetch_nothing_want_the_bytes() {
    let check = |outbound: &dyn Outbound, kind, address: &str, wants| {
        let mut chat = chat([Part::Media(at(kind, address))]);
        assert_eq!(
            chat.wanted_files(outbound).map(|wanted| wanted.len()),
            Ok(usize::from(wants)),
            "{outbound:?} {kind:?} {address}"
        );
    };
    let (image, document, sound) = (MediaKind::Image, MediaKind::Document, MediaKind::Audio);
    let strangers = "https://files.example.com/f";

    for claude in [Envelope::Vertex, Envelope::Bedrock] {
        check(&AnthropicOn(claude), image, strangers, true);
        check(&AnthropicOn(claude), document, strangers, true);
    }
    check(&AnthropicOn(Envelope::Direct), image, strangers, false);
    check(&Anthropic, image, strangers, false);
    check(&Anthropic, document, strangers, false);
    check(&BedrockConverse::Claude, image, "HTTP://files.example.com/f", true);
    check(&BedrockConverse::Others, document, strangers, true);
    check(&BedrockConverse::Others, image, "s3://bucket/f", false);
    check(&Gemini, image, strangers, true);
    check(&Gemini, image, "gs://bucket/f.png", false);
    check(
        &Gemini,
        document,
        "https://generativelanguage.googleapis.com/v1beta/files/f",
        false,
    );
    check(vendor_of("openai"), image, strangers, false);
    check(vendor_of("openai"), document, strangers, true);
    check(vendor_of("openai"), sound, strangers, true);
    check(vendor_of("openrouter"), document, strangers, false);
    check(vendor_of("compatible"), document, strangers, false);
    check(vendor_of("ollama"), image, strangers, true);
    check(vendor_of("vllm"), image, strangers, false);
    check(&Cohere, image, strangers, false);
    check(&OpenaiResponses, document, strangers, false);
}

#[test]
fn an_address_is_wanted_once_and_put_wherever_it_is() {
    let image = || Part::Media(at(MediaKind::Image, "https://files.example.com/a"));
    let result = ToolResult {
        call: "call".into(),
        name: None,
        parts: vec![
            image(),
            Part::Media(at(MediaKind::Document, "https://files.example.com/b")),
        ],
        failed: false,
        cache: None,
    };
    let mut chat = chat([image(), Part::text("and"), Part::ToolResult(result)]);
    let outbound = &BedrockConverse::Claude;

    let wanted = chat.wanted_files(outbound).expect("few files");
    let put = chat.put_files(outbound, |address| match address {
        "https://files.example.com/a" => Some(PNG),
        "https://files.example.com/b" => Some(PDF),
        other => panic!("{other} was not wanted"),
    });

    let places: Vec<_> = wanted.iter().map(|wanted| (&*wanted.address, wanted.places)).collect();
    assert_eq!(
        places,
        [("https://files.example.com/a", 2), ("https://files.example.com/b", 1)]
    );
    assert_eq!(put, Ok(()));
    assert_eq!(chat.wanted_files(outbound), Ok(Vec::new()));
    let types: Vec<_> = chat.media().map(|media| media.media_type.clone()).collect();
    let types: Vec<_> = types.iter().map(|media_type| media_type.as_deref()).collect();
    assert_eq!(types, [Some("image/png"), Some("image/png"), Some("application/pdf")]);
}

#[test]
fn a_request_names_so_many_files_and_no_more() {
    let images = |count: usize| {
        let address = |number| format!("https://files.example.com/{number}");
        chat((0..count).map(|number| Part::Media(at(MediaKind::Image, &address(number)))))
    };
    let outbound = &BedrockConverse::Claude;

    assert_eq!(images(100).wanted_files(outbound).map(|wanted| wanted.len()), Ok(100));
    let refused = images(101).wanted_files(outbound).expect_err("too many");
    assert!(refused.message.contains("more than 100 files"), "{refused}");
}

#[test]
fn a_file_is_what_its_bytes_say_and_no_text_is_sent_in_base64() {
    let image = filled(MediaKind::Image, PNG).expect("an image");
    let guessed = filled(MediaKind::Document, PNG).expect("an image");
    let text = filled(MediaKind::Document, b"Dear all,").expect("a text");

    assert_eq!(image.source, Source::Base64(BASE64.encode(PNG).into()));
    assert_eq!(guessed, image);
    assert_eq!(text.source, Source::Plain("Dear all,".into()));
    assert_eq!(text.media_type.as_deref(), Some("text/plain"));
}

#[test]
fn a_file_of_another_kind_is_refused_without_its_address() {
    let check = |kind, file: &[u8], message: &str| {
        assert_eq!(filled(kind, file).map(|_| ()), Err(message.to_owned()));
    };

    check(
        MediaKind::Image,
        b"<html><title>Not found",
        "is of the type 'text/html', where the request has an image",
    );
    check(
        MediaKind::Image,
        PDF,
        "is of the type 'application/pdf', where the request has an image",
    );
    check(MediaKind::Audio, b"", "is empty, where the request has a sound");
    check(
        MediaKind::Document,
        b"\0\x01\x02",
        "is of no type that is known here, where the request has a document",
    );
}

#[test]
fn base64_is_as_large_as_it_is_counted() {
    for size in 0..10 {
        assert_eq!(written_bytes(size), BASE64.encode(vec![0; size]).len(), "{size}");
    }
}
