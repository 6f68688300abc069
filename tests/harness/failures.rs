//! The ways in which a provider fails before it said anything.

use serde_json::json;

use crate::sse::{DONE, data, opening};
use crate::upstream::Script;

/// A way to fail before anything was said.
#[derive(Debug, Clone)]
pub struct Failure {
    pub name: &'static str,
    /// Instead of a whole answer.
    pub whole: Script,
    /// Instead of a stream.
    pub stream: Script,
}

pub fn failures() -> Vec<Failure> {
    let differing = |name, whole, stream| Failure { name, whole, stream };
    let same = |name, script: Script| differing(name, script.clone(), script);
    let told = json!({"error": {"message": "no", "type": "server_error", "code": "boom"}});
    let page = "<html><head><title>Bad gateway</title></head></html>";
    vec![
        same(
            "429 with a long Retry-After",
            Script::json(429, &told).header("retry-after", "600"),
        ),
        same("429 without", Script::json(429, &told)),
        same("500", Script::json(500, &told)),
        same("503", Script::json(503, &told)),
        same(
            "503 with Retry-After",
            Script::json(503, &told).header("retry-after", "2"),
        ),
        same("401 of ours", Script::json(401, &told)),
        same("404", Script::json(404, &told)),
        same("an error under status 200", Script::json(200, &told)),
        same("a page under status 200", Script::body(200, "text/html", page)),
        same("no HTTP", Script::raw("SSH-2.0-OpenSSH_9.6\r\n")),
        same("a reset", Script::raw("")),
        same("silence", Script::silent()),
        differing(
            "half an answer",
            Script::body(200, "application/json", "{\"id\": \"c-1\", \"choi").cut(),
            Script::stream([opening()]).cut(),
        ),
        differing(
            "no JSON",
            Script::body(200, "application/json", "{\"id\": nope}"),
            Script::stream(["data: {\"id\": nope}\n\n"]),
        ),
        differing(
            "an error event",
            Script::json(200, &told),
            Script::stream([opening(), data(&told)]),
        ),
        differing(
            "nothing",
            Script::body(200, "application/json", ""),
            Script::stream::<&str>([]),
        ),
        differing(
            "nothing but an end",
            Script::json(500, &told),
            Script::stream([opening(), DONE.to_owned()]),
        ),
        differing(
            "an end too early",
            Script::json(500, &told),
            Script::stream([opening()]),
        ),
        differing(
            "a stall",
            Script::body(200, "application/json", "{").stall(),
            Script::stream([opening()]).stall(),
        ),
    ]
}
