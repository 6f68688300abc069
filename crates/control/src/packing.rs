//! Answers of the API packed by gzip for whoever unpacks it: a day of sums is tens of kilobytes, and nearly all of them
//! say the same. What is served as files comes packed already.

use std::io::Write as _;

use actix_web::body::MessageBody as _;
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, VARY};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Less fits into a packet or two anyway.
const WORTHWHILE_BYTES: usize = 1_400;

/// Whether a caller takes answers in this coding.
pub(crate) fn accepts(request: &HttpRequest, coding: &str) -> bool {
    let accepted = request.headers().get(ACCEPT_ENCODING);
    let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let refused = |weight: &str| weight.replace(' ', "").trim_end_matches(['0', '.']) == "q=";
        parts.next() == Some(coding) && !parts.any(refused)
    })
}

/// The same answer, packed where that is worth it.
pub(crate) fn packed(response: HttpResponse) -> HttpResponse {
    let (mut head, body) = response.into_parts();
    head.headers_mut()
        .insert(VARY, HeaderValue::from_static("accept-encoding"));
    let plain = match body.try_into_bytes() {
        Ok(plain) => plain,
        Err(body) => return head.set_body(body),
    };
    if plain.len() < WORTHWHILE_BYTES {
        return head.set_body(plain).map_into_boxed_body();
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    match encoder.write_all(&plain).and_then(|()| encoder.finish()) {
        Ok(packed) => {
            head.headers_mut()
                .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            head.set_body(packed).map_into_boxed_body()
        }
        Err(_) => head.set_body(plain).map_into_boxed_body(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use actix_web::body::to_bytes;
    use flate2::read::GzDecoder;

    use super::*;

    #[actix_web::test]
    async fn a_long_answer_is_packed_and_a_short_one_is_not() {
        for (text, coding) in [("short".to_owned(), None), ("long ".repeat(10_000), Some("gzip"))] {
            let response = packed(HttpResponse::Ok().body(text.clone()));

            let said = response
                .headers()
                .get(CONTENT_ENCODING)
                .map(|value| value.as_bytes().to_vec());
            assert_eq!(said.as_deref(), coding.map(str::as_bytes));
            assert_eq!(
                response.headers().get(VARY),
                Some(&HeaderValue::from_static("accept-encoding"))
            );
            let body = to_bytes(response.into_body()).await.expect("a body");
            let mut read = String::new();
            match coding {
                None => read = String::from_utf8(body.to_vec()).expect("a text"),
                Some(_) => {
                    assert!(body.len() < text.len() / 50, "{} bytes", body.len());
                    GzDecoder::new(&*body).read_to_string(&mut read).expect("it unpacks");
                }
            }
            assert_eq!(read, text);
        }
    }
}
