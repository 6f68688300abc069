//! What a month came to, by whom, as a report and as FOCUS; and months that are locked.

use std::collections::BTreeMap;
use std::process::Stdio;

use chrono::{Months, Utc};
use gatewright_types::api::{Chargeback, ChargebackKind, ChargebackMonth, ChargebackRow, Document};
use gatewright_types::{Month, ProblemCode};
use harness::api::{Caller, refused};
use harness::chat::question;
use harness::http::Request;
use harness::installation::{Installation, command};
use harness::organization::{Key, Organization};
use harness::process::directory;
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

use crate::sdk::focus;

/// An organization with priced requests of two teams, one of which is shared, and of a key of its own.
struct Spent {
    organization: Organization,
    month: Month,
}

impl Spent {
    async fn some() -> Self {
        let upstream = Upstream::start().await;
        let installation = Installation::shared().await;
        let organization = Organization::make(installation).await;
        organization
            .provider("up", "openai-compatible", Some(&upstream.base_url()))
            .await;
        organization.model("real", "up/real", &json!({})).await;
        // Parts of a nano-dollar, so that each request's cost is rounded.
        organization
            .price("up", "real", &json!({"input": "0.037501", "output": "0.600003"}))
            .await;
        let change = json!({"name": "Acme, \"the\" first", "tags": [{"name": "project"}]});
        organization
            .owner
            .patch(&organization.path(""), &change)
            .await
            .expect(200);
        upstream.on("real", answer());
        let search = team(&organization, &json!({"name": "Search", "cost_centre": "CC-1200"})).await;
        let platform = team(&organization, &json!({"name": "Platform", "shared": true})).await;
        let mut keys = Vec::new();
        for (body, requests) in [
            (json!({"name": "plain", "team": search}), 3),
            (json!({"name": "special", "team": search, "cost_centre": "CC-1300"}), 2),
            (json!({"name": "shared", "team": platform}), 1),
            (json!({"name": "a \"quoted\", key", "owner": null}), 2),
        ] {
            keys.push((organization.key_as(&body).await, requests));
        }
        let month = Month::of(Utc::now());
        for (key, requests) in &keys {
            organization.settled(key, &["real"]).await;
            for number in 0..*requests {
                ask(&organization, key, number).await;
            }
        }
        organization.usage_settles().await;
        assert_eq!(organization.rows().await.len(), 8);
        Self { organization, month }
    }

    async fn report(&self, query: &str) -> Chargeback {
        let path = self
            .organization
            .path(&format!("/chargeback?month={}&{query}", self.month));
        self.organization.owner.get(&path).await.expect(200).read()
    }

    /// By the rows, in nano-dollars.
    async fn cost(&self) -> i64 {
        let rows = self.organization.rows().await;
        rows.iter()
            .filter_map(|row| row.cost)
            .map(|cost| cost.amount.get())
            .sum()
    }
}

fn answer() -> Script {
    Script::json(
        200,
        &json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_794_200_000, "model": "x",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}],
            "usage": {"prompt_tokens": 1001, "completion_tokens": 101, "total_tokens": 1102},
        }),
    )
}

async fn team(organization: &Organization, body: &Value) -> String {
    let made = organization
        .owner
        .post(&organization.path("/teams"), body)
        .await
        .expect(201)
        .json();
    made.get("id")
        .and_then(Value::as_str)
        .expect("it has an identifier")
        .to_owned()
}

async fn ask(organization: &Organization, key: &Key, number: usize) {
    let mut request: Request = organization.chat(key).request(&question("real"));
    if number > 0 {
        request = request
            .header("x-gw-tags", "project=apollo")
            .header("x-gw-user", &format!("customer-{number}"));
    }
    let address = *organization.nodes.first().expect("there is a node");
    request.send(address).await.expect("an answer").expect(200);
}

fn row<'a>(report: &'a Chargeback, subject: &str) -> &'a ChargebackRow {
    let mut rows = report.items.iter();
    let found = rows.find(|row| row.subject.as_deref() == Some(subject));
    found.unwrap_or_else(|| panic!("there is no {subject} in {report:#?}"))
}

#[tokio::test]
async fn a_month_is_told_by_whoever_bears_it_and_adds_up() {
    let spent = Spent::some().await;
    let cost = spent.cost().await;
    assert!(cost > 0);

    for by in [
        "by=cost_centre",
        "by=team",
        "by=tag&tag=project",
        "by=user",
        "by=customer",
    ] {
        let report = spent.report(by).await;

        let sum = |of: fn(&ChargebackRow) -> i64| report.items.iter().map(of).sum::<i64>();
        assert_eq!(sum(|row| row.sums.direct.amount.get()), cost, "{by}");
        assert_eq!(sum(|row| row.sums.total.amount.get()), cost, "{by}");
        assert_eq!(
            (report.sums.total.amount.get(), report.sums.requests),
            (cost, 8),
            "{by}"
        );
    }
    let by_centre = spent.report("by=cost_centre").await;
    assert_eq!(row(&by_centre, "CC-1200").sums.requests, 3);
    assert_eq!(row(&by_centre, "CC-1300").sums.requests, 2);
    assert_eq!(
        row(&spent.report("by=tag&tag=project").await, "apollo").sums.requests,
        4
    );
    assert_eq!(row(&spent.report("by=customer").await, "customer-1").sums.requests, 3);

    let change = json!({"name": "Acme", "shared_cost": "proportional", "cost_centre": "CC-REST"});
    let organization = &spent.organization;
    organization
        .owner
        .patch(&organization.path(""), &change)
        .await
        .expect(200);
    let spread = spent.report("by=cost_centre").await;
    let shared: Vec<_> = spread
        .items
        .iter()
        .filter(|row| row.kind == ChargebackKind::Shared)
        .collect();
    assert_eq!(row(&spread, "CC-REST").sums.requests, 2);
    assert_eq!(shared.len(), 1);
    assert!(
        shared
            .iter()
            .all(|row| row.sums.total.amount.get() == 0 && row.sums.direct.amount.get() > 0)
    );
    assert_eq!(
        spread.items.iter().map(|row| row.sums.total.amount.get()).sum::<i64>(),
        cost
    );

    let first = spent.report("by=customer&limit=1").await;
    let cursor = first.next_cursor.expect("there is more");
    let second = spent.report(&format!("by=customer&limit=1&cursor={cursor}")).await;
    assert_ne!(first.items, second.items);
    for (wrong, field) in [("by=tag", "tag"), ("by=team&tag=project", "tag"), ("by=moon", "by")] {
        let path = organization.path(&format!("/chargeback?month={}&{wrong}", spent.month));
        let problem = refused(&organization.owner.get(&path).await, 422, ProblemCode::Invalid);
        assert!(problem.fields.contains_key(field), "{problem:?}");
    }
}

/// Reads a CSV as others do: with Python's own reader.
fn parsed(csv: &[u8]) -> Vec<BTreeMap<String, String>> {
    const READ: &str = "import csv, io, json, sys\n\
        text = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8', newline='')\n\
        rows = list(csv.DictReader(text, strict=True))\n\
        json.dump(rows, sys.stdout)";
    let mut python = std::process::Command::new("python3");
    let python = python.args(["-c", READ]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().expect("python runs");
    let mut stdin = python.stdin.take().expect("it is piped");
    std::io::Write::write_all(&mut stdin, csv).expect("python reads");
    drop(stdin);
    let output = python.wait_with_output().expect("python ends");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("rows")
}

/// Pico-dollars of a decimal number.
fn picos(text: &str) -> i128 {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.len() <= 12, "{text}");
    sign * format!("{whole}{fraction:0<12}").parse::<i128>().expect("a number")
}

#[tokio::test]
async fn a_month_as_focus_adds_up_to_the_ledger_exactly() {
    let spent = Spent::some().await;
    let organization = &spent.organization;
    let path = organization.path(&format!("/chargeback/focus.csv?month={}", spent.month));

    let answer = organization.owner.get(&path).await.expect(200);

    assert_eq!(answer.headers.need("content-type"), "text/csv; charset=utf-8");
    assert!(
        answer
            .headers
            .need("content-disposition")
            .contains(&format!("{}.csv", spent.month))
    );
    let rows = parsed(&answer.body);
    for column in ["BilledCost", "EffectiveCost", "ListCost", "ContractedCost"] {
        let sum: i128 = rows.iter().map(|row| picos(&row[column])).sum();
        assert_eq!(sum, i128::from(spent.cost().await) * 1_000, "{column}");
    }
    let used: Vec<_> = rows.iter().filter(|row| row["ChargeCategory"] == "Usage").collect();
    // Four keys, of which three had requests with a tag and one without, and two units of one model at one price each.
    assert_eq!(used.len(), 14);
    let tagged = used.iter().filter(|row| {
        let tags: Value = serde_json::from_str(&row["Tags"]).expect("tags are JSON");
        tags["project"] == "apollo"
    });
    assert_eq!(tagged.count(), 6);
    for row in &used {
        let quantity: i128 = row["PricingQuantity"].parse().expect("a number");
        assert_eq!(picos(&row["ListUnitPrice"]) * quantity, picos(&row["ListCost"]));
        assert_eq!(
            (row["ConsumedUnit"].as_str(), row["ChargeClass"].as_str()),
            ("Tokens", "")
        );
    }
    assert!(rows.len() > used.len(), "what was rounded is told by itself");
    let plain: Vec<_> = used.iter().filter(|row| row["ResourceName"] == "plain").collect();
    let tags: Value = serde_json::from_str(&plain[0]["Tags"]).expect("tags are JSON");
    assert_eq!(
        (&tags["gatewright/cost_centre"], &tags["gatewright/key"]),
        (&json!("CC-1200"), &json!("plain"))
    );
    assert_eq!(
        (plain[0]["SubAccountName"].as_str(), plain[0]["SkuMeter"].as_str()),
        ("Search", "Input tokens")
    );
    assert!(used.iter().any(|row| row["ResourceName"] == "a \"quoted\", key"));
    assert_eq!(plain[0]["BillingAccountName"], "Acme, \"the\" first");
    let desk = directory("focus");
    let file = desk.path().join("focus.csv");
    std::fs::write(&file, &answer.body).expect("the directory is ours");
    focus::judge(&file).await;

    let Caller::Token(token) = organization.token("viewer").await.caller else {
        panic!("it is a token")
    };
    let month = spent.month.to_string();
    for (format, expected) in [("focus", answer.text()), ("text", "CC-1200".to_owned())] {
        let url = format!("http://{}", organization.owner.address);
        let arguments = [
            "ledger",
            "chargeback",
            "--month",
            &month,
            "--format",
            format,
            "--url",
            &url,
            "--token",
            &token,
        ];
        let mut command = command(&arguments, &[]);
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output.expect("it ends").expect("the binary runs");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && printed.contains(&expected), "{output:?}");
    }
}

#[tokio::test]
async fn a_month_that_is_over_is_locked_and_opened_with_a_reason() {
    let spent = Spent::some().await;
    let organization = &spent.organization;
    let past = Month::of(Utc::now() - Months::new(2));
    let lock = |month: Month| organization.path(&format!("/chargeback/{month}/lock"));

    let early = organization.owner.post(&lock(spent.month), &json!({})).await;
    assert!(
        refused(&early, 409, ProblemCode::Conflict)
            .message
            .contains("can be locked from")
    );
    organization.owner.post(&lock(past), &json!({})).await.expect(201);
    let again = organization.owner.post(&lock(past), &json!({})).await;
    refused(&again, 409, ProblemCode::Conflict);

    let months: Vec<ChargebackMonth> = organization.all("/chargeback/months").await;
    let told: Vec<_> = months.iter().map(|told| (told.month, told.lock.is_some())).collect();
    assert_eq!(told, [(spent.month, false), (past, true)]);
    assert_eq!(
        months.first().map(|told| told.total.amount.get()),
        Some(spent.cost().await)
    );
    let admin = organization.token("admin").await;
    refused(
        &admin.delete(&(lock(past) + "?reason=why")).await,
        403,
        ProblemCode::Forbidden,
    );
    let silent = organization.owner.delete(&lock(past)).await;
    refused(&silent, 422, ProblemCode::Invalid);
    let because = lock(past) + "?reason=a%20bill%20was%20wrong";
    organization.owner.delete(&because).await.expect(204);
    refused(&organization.owner.delete(&because).await, 404, ProblemCode::NotFound);

    let audit = organization.audit().await;
    let of = |action: &str| {
        audit
            .iter()
            .find(|entry| entry.action == action)
            .expect("it is audited")
            .clone()
    };
    assert_eq!(of("chargeback.lock").target.as_deref(), Some(past.to_string().as_str()));
    assert_eq!(
        of("chargeback.unlock").detail.get("reason"),
        Some(&json!("a bill was wrong"))
    );
}

#[tokio::test]
async fn cost_centres_are_said_by_a_file_as_by_the_api() {
    let organization = Organization::make(Installation::shared().await).await;
    let apply = async |document: &Value| {
        let applied = organization
            .owner
            .post(&organization.path("/configuration/apply"), document)
            .await
            .expect(200)
            .json();
        let changes = applied
            .get("changes")
            .and_then(Value::as_array)
            .expect("changes")
            .clone();
        changes.len()
    };
    let mut document = json!({
        "version": 1, "organization": organization.slug, "cost_centre": "CC-1", "shared_cost": "even",
        "teams": [{"name": "Search", "cost_centre": "CC-1200"}, {"name": "Platform", "shared": true}],
        "service_accounts": [{"name": "robot", "cost_centre": "CC-R"}],
        "keys": [{"name": "one", "team": "Search", "cost_centre": "CC-1300/a"}],
    });

    assert!(apply(&document).await > 0);
    assert_eq!(apply(&document).await, 0);

    let exported: Document = organization
        .owner
        .get(&organization.path("/configuration"))
        .await
        .expect(200)
        .read();
    let text = serde_json::to_value(&exported).expect("a document");
    assert_eq!(
        (&text["cost_centre"], &text["shared_cost"]),
        (&json!("CC-1"), &json!("even"))
    );
    assert_eq!(text["keys"][0]["cost_centre"], json!("CC-1300/a"));
    assert_eq!(text["service_accounts"][0]["cost_centre"], json!("CC-R"));
    assert_eq!(
        (&text["teams"][0]["shared"], &text["teams"][1]["cost_centre"]),
        (&json!(true), &json!("CC-1200"))
    );

    document["cost_centre"] = Value::Null;
    document["teams"][0]["cost_centre"] = Value::Null;
    assert_eq!(apply(&document).await, 2);
    let read = organization.owner.get(&organization.path("")).await.expect(200).json();
    assert_eq!(read.get("cost_centre"), Some(&Value::Null));
    document["keys"][0]["cost_centre"] = json!("not one");
    let wrong = organization
        .owner
        .post(&organization.path("/configuration/apply"), &document)
        .await;
    let problem = refused(&wrong, 422, ProblemCode::Invalid);
    assert!(problem.fields.contains_key("keys[0].cost_centre"), "{problem:?}");
    document["keys"] = json!([]);
    document["service_accounts"][0]["team"] = json!("Search");
    let both = organization
        .owner
        .post(&organization.path("/configuration/plan"), &document)
        .await;
    let problem = refused(&both, 422, ProblemCode::Invalid);
    assert!(
        problem.fields.contains_key("service_accounts[0].cost_centre"),
        "{problem:?}"
    );
}
