//! The files that a browser is sent: names that carry a hash of the contents, so that all but `index.html` can be cached
//! for ever; a loader in place of an inline script, so that the page needs no exception in its content security policy;
//! and a brotli twin of each file that gains from it.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use brotli::enc::BrotliEncoderParams;

use super::bindings::Bound;
use super::fingerprint::short_hash;
use super::tree::{self, Files};

const COMPRESSED: &str = ".br";

/// Smaller files fit into one packet as they are.
const WORTH_COMPRESSING_BYTES: usize = 1_000;

/// What people write by hand: the page around the program, and its styles.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) html: String,
    pub(crate) css: String,
}

impl Page {
    pub(crate) fn read(frontend: &Path) -> Result<Self> {
        let index = frontend.join("index.html");
        let html = fs::read_to_string(&index).with_context(|| format!("cannot read {}", index.display()))?;
        let sheets = tree::read(&frontend.join("style"))?;
        let mut css = String::new();
        for (name, contents) in sheets {
            if name.ends_with(".css") {
                css.push_str(std::str::from_utf8(&contents).with_context(|| format!("style/{name} is not UTF-8"))?);
                css.push('\n');
            }
        }
        Ok(Self { html, css })
    }
}

pub(crate) fn assemble(bound: Bound, page: &Page) -> Result<Files> {
    let mut files = Files::new();
    let wasm = add(&mut files, "dashboard", "wasm", bound.wasm);
    let bindings = add(&mut files, "bindings", "js", bound.javascript.into_bytes());
    let loader = add(&mut files, "start", "js", loader(&bindings, &wasm).into_bytes());
    let css = add(&mut files, "style", "css", page.css.clone().into_bytes());
    for (name, contents) in bound.snippets {
        files.insert(format!("assets/snippets/{name}"), contents);
    }

    for placeholder in ["{{css}}", "{{js}}"] {
        ensure!(
            page.html.contains(placeholder),
            "frontend/index.html has no {placeholder}"
        );
    }
    let named = [
        ("{{css}}", &css),
        ("{{js}}", &loader),
        ("{{bindings}}", &bindings),
        ("{{wasm}}", &wasm),
    ];
    let html = named.iter().fold(page.html.clone(), |html, (placeholder, path)| {
        html.replace(placeholder, path)
    });
    ensure!(
        !html.contains("{{"),
        "frontend/index.html has a placeholder that is none of {{{{css}}}}, {{{{js}}}}, {{{{bindings}}}}, {{{{wasm}}}}"
    );
    files.insert("index.html".to_owned(), html.into_bytes());
    Ok(files)
}

/// Adds a brotli twin beside each file for which it is worth the bytes.
pub(crate) fn compressed(files: Files) -> Result<Files> {
    let mut all = Files::new();
    for (name, contents) in files {
        if contents.len() >= WORTH_COMPRESSING_BYTES {
            let packed = brotli(&contents).with_context(|| format!("cannot compress {name}"))?;
            if packed.len() < contents.len() {
                all.insert(format!("{name}{COMPRESSED}"), packed);
            }
        }
        all.insert(name, contents);
    }
    Ok(all)
}

/// What a browser that understands brotli downloads before the page works.
pub(crate) fn first_load_bytes(files: &Files) -> usize {
    let sent = |(name, contents): (&String, &Vec<u8>)| {
        if name.ends_with(COMPRESSED) {
            return 0;
        }
        files
            .get(&format!("{name}{COMPRESSED}"))
            .map_or(contents.len(), Vec::len)
    };
    files.iter().map(sent).sum()
}

pub(crate) fn brotli(contents: &[u8]) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    let parameters = BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        ..BrotliEncoderParams::default()
    };
    brotli::BrotliCompress(&mut Cursor::new(contents), &mut packed, &parameters)?;
    Ok(packed)
}

/// Returns the address of the file, from the root because the page's own path varies.
fn add(files: &mut Files, stem: &str, extension: &str, contents: Vec<u8>) -> String {
    let name = format!("assets/{stem}-{}.{extension}", short_hash(&contents));
    let address = format!("/{name}");
    files.insert(name, contents);
    address
}

fn loader(bindings: &str, wasm: &str) -> String {
    format!("import start from \"{bindings}\";\nawait start({{ module_or_path: \"{wasm}\" }});\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound() -> Bound {
        let snippets = Files::from([("lib-1/inline0.js".to_owned(), b"export {}".to_vec())]);
        Bound {
            wasm: b"\0asm".to_vec(),
            javascript: "export default 1".to_owned(),
            snippets,
        }
    }

    fn page(html: &str) -> Page {
        Page {
            html: html.to_owned(),
            css: "a{}".to_owned(),
        }
    }

    fn text(files: &Files, prefix: &str) -> (String, String) {
        let (name, contents) = files
            .iter()
            .find(|(name, _)| name.starts_with(prefix))
            .expect("the file is there");
        (name.clone(), String::from_utf8(contents.clone()).expect("it is text"))
    }

    #[test]
    fn the_page_names_the_loader_and_the_loader_names_the_rest() {
        let files = assemble(bound(), &page("<link href={{css}}><script src={{js}}>")).expect("assembled");

        let (css, _) = text(&files, "assets/style-");
        let (bindings, _) = text(&files, "assets/bindings-");
        let (start, loader) = text(&files, "assets/start-");
        let wasm = files
            .keys()
            .find(|name| name.ends_with(".wasm"))
            .expect("the WASM is there");
        assert_eq!(
            text(&files, "index.html").1,
            format!("<link href=/{css}><script src=/{start}>")
        );
        assert_eq!(
            loader,
            format!("import start from \"/{bindings}\";\nawait start({{ module_or_path: \"/{wasm}\" }});\n")
        );
        assert_eq!(text(&files, "assets/snippets/lib-1/inline0.js").1, "export {}");
    }

    #[test]
    fn a_changed_style_changes_its_name_and_the_page() {
        let html = "{{css}} {{js}}";
        let first = assemble(bound(), &page(html)).expect("assembled");
        let second = assemble(
            bound(),
            &Page {
                css: "b{}".to_owned(),
                ..page(html)
            },
        )
        .expect("assembled");

        assert_ne!(text(&first, "index.html"), text(&second, "index.html"));
        assert_eq!(text(&first, "assets/start-"), text(&second, "assets/start-"));
    }

    #[test]
    fn a_page_with_a_missing_or_unknown_placeholder_is_refused() {
        let missing = assemble(bound(), &page("{{css}}")).expect_err("no loader");
        let unknown = assemble(bound(), &page("{{css}} {{js}} {{moon}}")).expect_err("unknown");

        assert_eq!(missing.to_string(), "frontend/index.html has no {{js}}");
        assert_eq!(
            unknown.to_string(),
            "frontend/index.html has a placeholder that is none of {{css}}, {{js}}, {{bindings}}, {{wasm}}"
        );
    }

    #[test]
    fn large_files_get_a_twin_that_unpacks_to_the_same_bytes() {
        let large = b"the same words again and again ".repeat(100);
        let files = Files::from([
            ("big.js".to_owned(), large.clone()),
            ("small.js".to_owned(), b"1".to_vec()),
        ]);

        let all = compressed(files).expect("compressed");

        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut Cursor::new(&all["big.js.br"]), &mut unpacked).expect("it is brotli");
        assert_eq!(unpacked, large);
        assert!(!all.contains_key("small.js.br"));
        assert_eq!(first_load_bytes(&all), all["big.js.br"].len() + 1);
    }

    #[test]
    fn styles_are_joined_in_the_order_of_their_names() {
        let frontend = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(frontend.path().join("style")).expect("created");
        for (name, contents) in [
            ("index.html", "page"),
            ("style/20-b.css", "b"),
            ("style/10-a.css", "a"),
            ("style/x.md", "no"),
        ] {
            fs::write(frontend.path().join(name), contents).expect("written");
        }

        let page = Page::read(frontend.path()).expect("read");

        assert_eq!((page.html.as_str(), page.css.as_str()), ("page", "a\nb\n"));
    }
}
