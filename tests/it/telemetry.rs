//! What the product tells of itself: metrics, log lines and traces.

use std::collections::{BTreeMap, BTreeSet};

use harness::chat::{question, request_id};
use harness::http::Request;
use harness::installation::{Installation, Options};
use harness::organization::Organization;
use harness::upstream::Upstream;
use harness::wait::{SOON, eventually};
use serde_json::Value;

/// One line of the Prometheus text format.
#[derive(Debug, Clone, PartialEq)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

fn samples(text: &str) -> Vec<Sample> {
    let mut described = BTreeSet::new();
    let mut samples = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            described.insert(rest.split(' ').next().expect("a name").to_owned());
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("no labels: {line}"));
        let label = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("no label: {line}"));
            (name.to_owned(), value.trim_matches('"').to_owned())
        };
        let labels = labels.split(',').filter(|pair| !pair.is_empty()).map(label).collect();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
        assert!(
            described.contains(family) || described.contains(name),
            "{name} has no type"
        );
        let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        samples.push(Sample {
            name: name.to_owned(),
            labels,
            value,
        });
    }
    samples
}

fn value(samples: &[Sample], name: &str, label: Option<(&str, &str)>) -> f64 {
    let wanted = |sample: &&Sample| {
        sample.name == name
            && label.is_none_or(|(name, value)| sample.labels.get(name).is_some_and(|found| found == value))
    };
    samples
        .iter()
        .find(wanted)
        .unwrap_or_else(|| panic!("no {name} {label:?}"))
        .value
}

#[tokio::test]
async fn metrics_count_each_request_once_and_their_labels_are_bounded() {
    let installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let chat = organization.chat(&key);
    let node = installation
        .nodes
        .get(installation.first_data_plane())
        .expect("there is a data plane");
    // While the node did not know the key yet, the first calls may have been turned away.
    let before = samples(&node.metrics().await.expect(200).text());
    let rejected_before = value(&before, "gatewright_rejected_total", None);

    for _ in 0..3 {
        chat.ask("echo").await.expect(200);
    }
    chat.ask_stream("echo").await.expect(200);
    chat.ask("nope").await.expect(404);
    let stranger = harness::chat::Chat {
        secret: "gw-nobody-knows-this-one".to_owned(),
        ..chat.clone()
    };
    stranger.ask("echo").await.expect(401);

    let text = node.metrics().await.expect(200).text();
    let samples = samples(&text);
    let outcome = |outcome: &str| value(&samples, "gatewright_requests_total", Some(("outcome", outcome)));
    assert_eq!(
        (outcome("complete"), outcome("refused"), outcome("failed")),
        (4.0, 1.0, 0.0)
    );
    assert_eq!(value(&samples, "gatewright_streams_total", None), 1.0);
    assert_eq!(
        value(&samples, "gatewright_rejected_total", None),
        rejected_before + 1.0
    );
    assert_eq!(value(&samples, "gatewright_requests_in_flight", None), 0.0);
    assert_eq!(value(&samples, "gatewright_request_duration_seconds_count", None), 5.0);
    assert!(value(&samples, "gatewright_cost_nanodollars_total", None) > 0.0);
    assert!(value(&samples, "gatewright_units_total", Some(("unit", "output_text"))) > 0.0);
    for name in [
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "gatewright_config_revision",
    ] {
        assert!(value(&samples, name, None) > 0.0, "{name}");
    }
    let known: BTreeSet<_> = ["outcome", "unit", "le", "version", "role", "cache", "state"].into();
    let labels: BTreeSet<_> = samples
        .iter()
        .flat_map(|sample| sample.labels.keys().map(String::as_str))
        .collect();
    assert!(labels.is_subset(&known), "{labels:?}");
    for private in [organization.slug.as_str(), &key.id, "echo", "nope"] {
        assert!(!text.contains(private), "{private} is in the metrics");
    }
    let rows = samples.len();
    for number in 0..20 {
        chat.ask(&format!("made-up-{number}")).await.expect(404);
    }
    let after = self::samples(&node.metrics().await.expect(200).text());
    assert_eq!(after.len(), rows, "what callers send makes no new series");
}

#[tokio::test]
async fn metrics_are_not_on_the_public_listener() {
    let installation = Installation::shared().await;
    for node in &installation.nodes {
        let answer = Request::new("GET", "/metrics")
            .send(node.address)
            .await
            .expect("an answer");
        assert!(
            !answer.text().contains("gatewright_requests_total"),
            "{}",
            answer.text()
        );
        for page in ["/fleet", "/debug/config"] {
            let answer = Request::new("GET", page).send(node.address).await.expect("an answer");
            assert!(!answer.text().contains("\"revision\""), "{page}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn every_log_line_is_json_and_a_served_request_has_one_that_says_what_but_not_whose_words() {
    let installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    let answer = organization.chat(&key).ask("echo").await.expect(200);

    let request = request_id(&answer);
    let line = eventually("the request is logged", SOON, async || {
        installation
            .logs()
            .lines()
            .find(|line| line.contains(&request))
            .map(str::to_owned)
    })
    .await;
    let line: Value = serde_json::from_str(&line).expect("a line is JSON");
    let field = |name: &str| line.get(name).unwrap_or_else(|| panic!("no {name} in {line}")).clone();
    assert_eq!(field("request.id"), request.as_str());
    assert_eq!(field("key.id"), key.id.as_str());
    assert_eq!(
        (field("model"), field("outcome"), field("status")),
        ("echo".into(), "complete".into(), 200.into())
    );
    assert_eq!(
        (field("upstream.provider"), field("upstream.model")),
        ("sandbox".into(), "echo".into())
    );
    for name in [
        "timestamp",
        "level",
        "organization.id",
        "duration_us",
        "overhead_us",
        "cost_nanos",
        "tokens.output_text",
    ] {
        field(name);
    }
    let logs = installation.logs();
    assert_eq!(logs.lines().filter(|line| line.contains(&request)).count(), 1);
    for line in logs.lines() {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(
            parsed.get("level").is_some() && parsed.get("timestamp").is_some(),
            "{line}"
        );
    }
    for private in ["Say hello", "You said", harness::installation::ROOT_EMAIL] {
        assert!(!logs.contains(private), "{private} is in the logs");
    }
}

#[tokio::test]
async fn a_callers_trace_goes_on_to_the_provider_even_when_nothing_is_exported() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    let chat = organization.chat(&key);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    for (sent, expected) in [(Some(trace), Some(trace)), (Some("nonsense"), None), (None, None)] {
        let mut request = chat.request(&question("m"));
        if let Some(sent) = sent {
            request = request.header("traceparent", sent);
        }
        request.send(chat.address).await.expect("an answer").expect(200);
        assert_eq!(
            upstream.seen().last().expect("it arrived").headers.get("traceparent"),
            expected
        );
    }
}

#[tokio::test]
async fn traces_are_exported_with_the_call_to_the_provider_as_a_child() {
    let (upstream, collector) = (Upstream::start().await, Upstream::start().await);
    let options = Options {
        environment: vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.origin()),
            ("OTEL_BSP_SCHEDULE_DELAY", "200".to_owned()),
        ],
        ..Options::default()
    };
    let installation = Installation::start(options).await;
    let (organization, key) = Organization::with_upstream(&installation, &upstream, &["m"]).await;
    let chat = organization.chat(&key);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    let request = chat
        .request(&question("m"))
        .header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
    request.send(chat.address).await.expect("an answer").expect(200);

    let seen = upstream.only();
    let sent: Vec<_> = seen.headers.need("traceparent").split('-').collect();
    let [_, trace_sent, span_sent, _] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert_eq!(*trace_sent, trace);
    assert_ne!(*span_sent, "00f067aa0ba902b7", "the provider's parent is our call");
    let holds = |body: &[u8], part: &[u8]| body.windows(part.len()).any(|window| window == part);
    let export = eventually("spans arrive at the collector", SOON, async || {
        let posts = collector.seen().into_iter().filter(|seen| seen.target == "/v1/traces");
        let bodies: Vec<u8> = posts.flat_map(|seen| seen.body).collect();
        holds(&bodies, b"gen_ai.request.model").then_some(bodies)
    })
    .await;
    for part in [
        "POST /v1/chat/completions",
        "chat m",
        "gen_ai.operation.name",
        "gen_ai.usage.input_tokens",
        "gatewright.request.id",
    ] {
        assert!(holds(&export, part.as_bytes()), "{part} was not exported");
    }
    let bytes = |hex: &str| -> Vec<u8> {
        let digits: Vec<_> = hex
            .bytes()
            .map(|digit| (digit as char).to_digit(16).expect("a hexadecimal digit"))
            .collect();
        digits
            .chunks(2)
            .map(|pair| u8::try_from(pair.iter().fold(0, |sum, digit| sum * 16 + digit)).expect("a byte"))
            .collect()
    };
    assert!(holds(&export, &bytes(trace)), "the spans belong to the caller's trace");
    assert!(
        holds(&export, &bytes(span_sent)),
        "the span that the provider was told of"
    );
    assert!(!holds(&export, b"Say hello"), "prompts are in no span");
}

#[tokio::test]
async fn the_standard_settings_of_opentelemetry_are_heeded() {
    let collector = Upstream::start().await;
    let options = Options {
        environment: vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.origin()),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=abc".to_owned()),
            ("OTEL_BSP_SCHEDULE_DELAY", "200".to_owned()),
            ("OTEL_SERVICE_NAME", "gateway-under-test".to_owned()),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "deployment.environment.name=test-floor".to_owned(),
            ),
        ],
        ..Options::default()
    };
    let installation = Installation::start(options).await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    organization.chat(&key).ask("echo").await.expect(200);

    let export = eventually("spans arrive at the collector", SOON, async || {
        collector.seen().into_iter().find(|seen| seen.target == "/v1/traces")
    })
    .await;
    assert_eq!(export.headers.get("x-collector-key"), Some("abc"));
    for part in ["gateway-under-test", "test-floor"] {
        let found = export.body.windows(part.len()).any(|window| window == part.as_bytes());
        assert!(found, "{part} was not exported");
    }
}
