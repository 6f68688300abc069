//! Files inside of URLs: `data:image/png;base64,…`.

use crate::chat::Source;
use crate::dialect::data_uri;

/// A source and its media type.
pub(super) struct Found {
    pub(super) source: Source,
    pub(super) media_type: Option<Box<str>>,
}

/// What the URL stands for; `None` for a data URL that is not in base64.
pub(super) fn read(url: &str) -> Option<Found> {
    let Some(data) = data_uri::parse(url) else {
        return Some(Found {
            source: Source::Url(url.into()),
            media_type: None,
        });
    };
    let data = data.ok()?;
    Some(Found {
        source: Source::Base64(data.data.into()),
        media_type: Some(data.media_type.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls_are_told_from_others() {
        let check = |url: &str, expected: Option<(Source, Option<&str>)>| {
            let found = read(url);
            let found = found
                .as_ref()
                .map(|found| (found.source.clone(), found.media_type.as_deref()));
            assert_eq!(found, expected, "{url}");
        };
        let data = |text: &str| Source::Base64(text.into());

        check("data:image/png;base64,AAAA", Some((data("AAAA"), Some("image/png"))));
        check(
            "DATA:text/csv;charset=utf-8;base64,YQ==",
            Some((data("YQ=="), Some("text/csv"))),
        );
        check("data:;base64,YQ==", None);
        check("data:text/csv;base64,*", None);
        check("data:text/plain,hello", None);
        check("data:", None);
        check(
            "https://example.com/é.png",
            Some((Source::Url("https://example.com/é.png".into()), None)),
        );
        check("", Some((Source::Url("".into()), None)));
    }
}
