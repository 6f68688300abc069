//! Serves the dashboard's files, which are part of the program: hashed ones for ever, the page itself never from a
//! cache, and the page for every address within the dashboard. It knows nothing of what the dashboard does.

use actix_web::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use include_dir::{Dir, include_dir};

use crate::packing::accepts;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/dashboard-dist");

const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                      img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
const INDEX: &str = "index.html";
/// Shown when the program was compiled before the dashboard was.
const PLACEHOLDER: &str = "placeholder.html";

/// Answers what no other route did: a file of the dashboard, its page, or 404.
pub(crate) async fn serve(request: HttpRequest) -> HttpResponse {
    let path = request.path();
    if is_reserved(path) {
        return not_found();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::build(StatusCode::METHOD_NOT_ALLOWED)
            .insert_header(("allow", "GET, HEAD"))
            .finish();
    }
    let name = path.trim_start_matches('/');
    match find(name) {
        Some(file) if !is_page(name) => send(&request, name, file),
        _ if name.is_empty() || is_page(name) || wants_page(&request, name) => page(&request),
        _ => not_found(),
    }
}

fn is_reserved(path: &str) -> bool {
    ["/api", "/v1", "/v1beta", "/native"].iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn is_page(name: &str) -> bool {
    name == INDEX || name == PLACEHOLDER
}

/// An address within the dashboard, typed or reloaded: a browser asks for a page, and no file has such a name.
fn wants_page(request: &HttpRequest, name: &str) -> bool {
    let accept = header(request, ACCEPT.as_str());
    let last = name.rsplit('/').next().unwrap_or_default();
    accept.contains("text/html") && !last.contains('.')
}

fn find(name: &str) -> Option<&'static [u8]> {
    FILES.get_file(name).map(include_dir::File::contents)
}

fn page(request: &HttpRequest) -> HttpResponse {
    match find(INDEX)
        .map(|file| (INDEX, file))
        .or_else(|| find(PLACEHOLDER).map(|file| (PLACEHOLDER, file)))
    {
        Some((name, file)) => send(request, name, file),
        None => not_found(),
    }
}

fn send(request: &HttpRequest, name: &str, plain: &'static [u8]) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    protect(&mut response);
    response.insert_header((CONTENT_TYPE, content_type(name)));
    response.insert_header((VARY, "accept-encoding"));
    if is_hashed(name) {
        response.insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
    } else {
        let tag = format!("\"{}\"", tag(plain));
        let known = header(request, IF_NONE_MATCH.as_str())
            .split(',')
            .any(|known| known.trim() == tag);
        response
            .insert_header((CACHE_CONTROL, "no-cache"))
            .insert_header((ETAG, tag));
        if known {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
    }
    let compressed = accepts(request, "br").then(|| find(&format!("{name}.br"))).flatten();
    match compressed {
        Some(compressed) => response.insert_header((CONTENT_ENCODING, "br")).body(compressed),
        None => response.body(plain),
    }
}

fn protect(response: &mut HttpResponseBuilder) {
    response.insert_header((CONTENT_SECURITY_POLICY, POLICY));
    response.insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    response.insert_header((REFERRER_POLICY, "no-referrer"));
}

fn not_found() -> HttpResponse {
    let mut response = HttpResponse::NotFound();
    protect(&mut response);
    response.content_type("text/plain; charset=utf-8").body("not found")
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Names of built files hold a digest of their content (`app-3f2a9c01d4e5b687.js`, `app-…_bg.wasm`), so a name never
/// changes its content.
fn is_hashed(name: &str) -> bool {
    let is_digest = |part: &str| part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit());
    name.split(['-', '.', '_', '/']).any(is_digest)
}

fn tag(content: &[u8]) -> String {
    let digest = gatewright_contract::Digest::of(content).to_string();
    digest.chars().take(16).collect()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" | "webmanifest" => "application/json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::ACCEPT_ENCODING;
    use actix_web::test::TestRequest;

    use super::*;

    fn text<'a>(response: &'a HttpResponse, name: &str) -> &'a str {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    #[actix_web::test]
    async fn addresses_within_the_dashboard_get_the_page_and_apis_never_do() {
        for (path, accept, expected) in [
            ("/", "*/*", StatusCode::OK),
            ("/o/acme/keys", "text/html,*/*;q=0.8", StatusCode::OK),
            ("/o/acme/keys", "application/json", StatusCode::NOT_FOUND),
            ("/missing.js", "text/html", StatusCode::NOT_FOUND),
            ("/api/v1/nothing", "text/html", StatusCode::NOT_FOUND),
            ("/v1/nothing", "text/html", StatusCode::NOT_FOUND),
            ("/../Cargo.toml", "*/*", StatusCode::NOT_FOUND),
        ] {
            let request = TestRequest::with_uri(path)
                .insert_header((ACCEPT, accept))
                .to_http_request();

            let response = serve(request).await;

            assert_eq!(response.status(), expected, "{path} {accept}");
            assert_eq!(text(&response, "content-security-policy"), POLICY);
            assert_eq!(text(&response, "x-content-type-options"), "nosniff");
        }
    }

    #[actix_web::test]
    async fn the_page_is_asked_for_again_each_time_and_not_sent_again_when_it_is_the_same() {
        let first = serve(TestRequest::with_uri("/").to_http_request()).await;
        let known = TestRequest::with_uri("/")
            .insert_header((IF_NONE_MATCH, text(&first, "etag")))
            .to_http_request();

        let second = serve(known).await;

        assert_eq!(text(&first, "cache-control"), "no-cache");
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn only_names_with_a_digest_are_kept_for_ever() {
        for name in [
            "app-3f2a9c01d4e5b687.js",
            "app-3f2a9c01d4e5b687_bg.wasm",
            "assets/style.0123abcd.css",
        ] {
            assert!(is_hashed(name), "{name}");
        }
        for name in ["index.html", "favicon.ico", "facade.js"] {
            assert!(!is_hashed(name), "{name}");
        }
    }

    #[test]
    fn brotli_is_sent_only_to_those_who_take_it() {
        for (accept, expected) in [
            ("gzip, br", true),
            ("br;q=0.5", true),
            ("br;q=0", false),
            ("br; q=0.0", false),
            ("gzip", false),
        ] {
            let request = TestRequest::default()
                .insert_header((ACCEPT_ENCODING, accept))
                .to_http_request();
            assert_eq!(accepts(&request, "br"), expected, "{accept}");
        }
    }
}
