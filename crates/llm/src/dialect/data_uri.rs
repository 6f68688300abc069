//! Bytes that are written into an address: `data:image/png;base64,…`.

/// A data URI whose data is base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DataUri<'a> {
    pub(crate) media_type: &'a str,
    /// Checked, and as it was sent.
    pub(crate) data: &'a str,
}

/// Why a text that begins as a data URI is none, as the rest of a sentence.
pub(crate) type Problem = &'static str;

/// `None` when the text is an address of another kind.
pub(crate) fn parse(text: &str) -> Option<Result<DataUri<'_>, Problem>> {
    let begins = text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"));
    begins.then(|| read(text.get(5..).unwrap_or_default()))
}

fn read(rest: &str) -> Result<DataUri<'_>, Problem> {
    let (head, data) = rest
        .split_once(',')
        .ok_or("is a data URI without a comma before its data")?;
    let (media_type, parameters) = head.split_once(';').unwrap_or((head, ""));
    let is_base64 = parameters
        .rsplit(';')
        .next()
        .is_some_and(|last| last.eq_ignore_ascii_case("base64"));
    if !is_base64 {
        return Err("is a data URI that does not say ';base64'; encode its data so");
    }
    if !media_type.contains('/') {
        return Err("is a data URI without a media type, such as 'image/png'");
    }
    check_base64(data)?;
    Ok(DataUri { media_type, data })
}

pub(crate) fn check_base64(data: &str) -> Result<(), Problem> {
    let letters = data.trim_end_matches('=');
    let padding = data.len() - letters.len();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let whole = data.len().is_multiple_of(4) && padding <= 2;
    if letters.is_empty() || !whole || !letters.bytes().all(known) {
        return Err("does not hold valid base64 data");
    }
    Ok(())
}

pub(crate) fn write(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_uri_is_told_from_addresses_and_from_broken_ones() {
        let parsed = |text| parse(text).map(|uri| uri.ok().map(|uri| (uri.media_type, uri.data)));

        assert_eq!(parsed("https://example.com/a,b"), None);
        assert_eq!(
            parsed("data:image/png;base64,iVBORw0="),
            Some(Some(("image/png", "iVBORw0=")))
        );
        assert_eq!(
            parsed("DATA:text/plain;charset=utf-8;base64,YWJj"),
            Some(Some(("text/plain", "YWJj")))
        );
        for broken in [
            "data:",
            "data:image/png;base64",
            "data:image/png,abcd",
            "data:;base64,YWJj",
            "data:image/png;base64,",
            "data:image/png;base64,YWJ",
            "data:image/png;base64,YW-_",
            "data:image/png;base64,Y===",
        ] {
            assert_eq!(parsed(broken), Some(None), "{broken}");
        }
    }
}
