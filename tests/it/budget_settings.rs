//! Budgets and limits as people set them: what is taken, what is refused and why, what goes along with what, and who asks
//! for more.

use gatewright_types::api::{
    Budget, BudgetRequest, BudgetRequestState, Increase, LimitScope, Member, Model, Provider, RateLimit, Team,
};
use gatewright_types::{Page, ProblemCode};
use harness::api::refused;
use harness::installation::Installation;
use harness::organization::Organization;
use harness::upstream::Upstream;
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

use crate::people;

async fn made<T: serde::de::DeserializeOwned>(organization: &Organization, tail: &str, body: &Value) -> T {
    let answer = organization.owner.post(&organization.path(tail), body).await;
    answer.expect(201).read()
}

/// Refused as invalid, with a word on this field that says this.
#[track_caller]
fn wrong(answer: &harness::http::Answer, field: &str, says: &str) {
    let problem = refused(answer, 422, ProblemCode::Invalid);
    let message = problem.fields.get(field);
    assert!(
        message.is_some_and(|message| message.contains(says)),
        "{field} does not say {says:?}: {problem:?}"
    );
}

#[tokio::test]
async fn a_budget_is_made_read_changed_listed_and_deleted() {
    let organization = Organization::make(Installation::shared().await).await;
    let owner = &organization.owner;
    let team: Team = made(&organization, "/teams", &json!({"name": "Search"})).await;
    let body = json!({"scope": {"team": team.id}, "amount": "500", "window": "month", "time_zone": "Europe/Berlin"});

    let budget: Budget = made(&organization, "/budgets", &body).await;

    assert_eq!(budget.scope, LimitScope::Team(team.id));
    assert_eq!(budget.scope_name, "team Search");
    assert_eq!(budget.spec.amount.to_string(), "500.00");
    assert_eq!(budget.spec.alerts, [50, 80, 100]);
    assert_eq!(budget.created_by, harness::installation::ROOT_EMAIL);
    let path = organization.path(&format!("/budgets/{}", budget.id));
    let read: Budget = owner.get(&path).await.expect(200).read();
    assert_eq!(read, budget);

    let change = json!({"amount": "750", "window": "week", "action": "warn"});
    let changed: Budget = owner.patch(&path, &change).await.expect(200).read();
    assert_eq!(
        (changed.spec.amount.to_string(), changed.scope),
        ("750.00".to_owned(), LimitScope::Team(team.id))
    );
    made::<Budget>(
        &organization,
        "/budgets",
        &json!({"scope": "organization", "amount": "9", "window": "day"}),
    )
    .await;
    for (query, count) in [
        (String::new(), 2),
        ("?scope=team".to_owned(), 1),
        (format!("?scope=team&subject={}", team.id), 1),
        ("?scope=key".to_owned(), 0),
    ] {
        let tail = organization.path(&format!("/budgets{query}"));
        let page: Page<Budget> = owner.get(&tail).await.expect(200).read();
        assert_eq!(page.items.len(), count, "{query}");
    }

    owner.delete(&path).await.expect(204);
    refused(&owner.get(&path).await, 404, ProblemCode::NotFound);
    refused(&owner.delete(&path).await, 404, ProblemCode::NotFound);
    let actions = organization.actions().await;
    for action in ["budget.create", "budget.update", "budget.delete"] {
        assert!(actions.iter().any(|there| there == action), "{action}: {actions:?}");
    }
}

#[tokio::test]
async fn what_no_budget_can_say_is_refused_with_its_field() {
    let (organization, _) = Organization::with_sandbox(Installation::shared().await).await;
    let path = organization.path("/budgets");
    let with = |change: Value| {
        let mut body = json!({"scope": "organization", "amount": "5", "window": "day"});
        for (field, value) in change.as_object().expect("fields") {
            body[field.as_str()] = value.clone();
        }
        body
    };
    let team = "team_0198c0de00007000800000000000002a";
    let cases = [
        (json!({"amount": "-1"}), "amount", "must not be negative"),
        (json!({"amount": "99999999999999999999"}), "amount", "too large"),
        (json!({"amount": "9000001"}), "amount", "must be at most"),
        (json!({"amount": "0.0000000001"}), "amount", "at most 9 digits"),
        (json!({"amount": "1e3"}), "amount", "decimal number"),
        (json!({"amount": "ten"}), "amount", "decimal number"),
        (json!({"amount": 5}), "amount", "a text"),
        (json!({"currency": "EUR"}), "currency", "USD"),
        (json!({"window": "fortnight"}), "window", "unknown value"),
        (json!({"time_zone": "Europe/Atlantis"}), "time_zone", "Europe/Atlantis"),
        (json!({"time_zone": "../etc"}), "time_zone", "time zone"),
        (
            json!({"window": {"fiscal_month": {"starts_on": 31}}}),
            "window.fiscal_month.starts_on",
            "from 1 to 28",
        ),
        (json!({"window": {"rolling": "30m"}}), "window.rolling", "must be from"),
        (json!({"window": {"rolling": "91d"}}), "window.rolling", "must be from"),
        (json!({"alerts": [80, 50]}), "alerts", "rising percentages"),
        (json!({"soft": "4"}), "soft", "downgrade"),
        (
            json!({"soft": "6", "action": {"downgrade": "echo"}}),
            "soft",
            "less than `amount`",
        ),
        (
            json!({"action": {"downgrade": "nowhere"}}),
            "action.downgrade",
            "there is no model named nowhere",
        ),
        (
            json!({"window": "total", "carry_over": true}),
            "carry_over",
            "another one follows",
        ),
        (json!({"scope": {"team": team}}), "scope.team", "there is no such team"),
        (
            json!({"scope": {"model": "nothing"}}),
            "scope.model",
            "there is no such model",
        ),
        (
            json!({"scope": {"provider": "nobody"}}),
            "scope.provider",
            "there is no such provider",
        ),
        (
            json!({"scope": {"credential": team.replace("team", "cred")}}),
            "scope.credential",
            "there is no such credential",
        ),
        (
            json!({"scope": {"key": team.replace("team", "key")}}),
            "scope.key",
            "there is no such key",
        ),
        (
            json!({"scope": {"user": team.replace("team", "per")}}),
            "scope.user",
            "is no member",
        ),
        (
            json!({"scope": {"tag": {"name": "project"}}}),
            "scope.tag.name",
            "has no tag project",
        ),
        (
            json!({"scope": {"end_user": {"each": false}}}),
            "scope.end_user.each",
            "is `true`",
        ),
        (json!({"scope": {"planet": "mars"}}), "scope.planet", "unknown field"),
        (json!({"ammount": "5"}), "ammount", "did you mean \"amount\""),
    ];
    for (change, field, says) in cases {
        let answer = organization.owner.post(&path, &with(change)).await;
        wrong(&answer, field, says);
    }
    let none: Vec<Budget> = organization.all("/budgets").await;
    assert!(none.is_empty(), "{none:?}");
}

#[tokio::test]
async fn a_scope_has_one_budget_of_a_window_and_one_limit() {
    let organization = Organization::make(Installation::shared().await).await;
    let owner = &organization.owner;
    let day = json!({"scope": "organization", "amount": "5", "window": "day"});
    made::<Budget>(&organization, "/budgets", &day).await;
    let week = json!({"scope": "organization", "amount": "5", "window": "week"});
    let week: Budget = made(&organization, "/budgets", &week).await;
    let limit: RateLimit = made(&organization, "/limits", &json!({"scope": "organization", "rpm": 5})).await;
    let shadow = json!({"scope": "organization", "rpm": 3, "shadow": true});
    made::<RateLimit>(&organization, "/limits", &shadow).await;

    let again = owner.post(&organization.path("/budgets"), &day).await;
    let problem = refused(&again, 409, ProblemCode::Conflict);
    assert!(problem.fields.contains_key("window"), "{problem:?}");
    let change = json!({"amount": "5", "window": "day"});
    let path = organization.path(&format!("/budgets/{}", week.id));
    refused(&owner.patch(&path, &change).await, 409, ProblemCode::Conflict);

    let again = owner.post(&organization.path("/limits"), &shadow).await;
    refused(&again, 409, ProblemCode::Conflict);
    let path = organization.path(&format!("/limits/{}", limit.id));
    refused(
        &owner.patch(&path, &json!({"rpm": 4, "shadow": true})).await,
        409,
        ProblemCode::Conflict,
    );
    wrong(&owner.patch(&path, &json!({})).await, "rpm", "a limit limits something");
    wrong(
        &owner.patch(&path, &json!({"rpm": 5, "units": "tokens.input"})).await,
        "units",
        "tpm",
    );
    wrong(
        &owner.patch(&path, &json!({"tpm": 5, "units": "tokens."})).await,
        "units",
        "",
    );
    let changed: RateLimit = owner.patch(&path, &json!({"tpm": 9})).await.expect(200).read();
    assert_eq!((changed.spec.rpm, changed.spec.tpm), (None, Some(9)));
    owner.delete(&path).await.expect(204);
}

#[tokio::test]
async fn a_part_is_never_more_than_its_whole() {
    let organization = Organization::make(Installation::shared().await).await;
    let owner = &organization.owner;
    let team: Team = made(&organization, "/teams", &json!({"name": "Search"})).await;
    let rich: Team = made(&organization, "/teams", &json!({"name": "Rich"})).await;
    let key = organization.key_as(&json!({"name": "prod", "team": rich.id})).await;
    let budget = |scope: Value, amount: &str| json!({"scope": scope, "amount": amount, "window": "day"});
    let whole: Budget = made(&organization, "/budgets", &budget(json!("organization"), "100")).await;

    let post = async |body: Value| owner.post(&organization.path("/budgets"), &body).await;
    wrong(
        &post(budget(json!({"team": team.id}), "101")).await,
        "amount",
        "is more than the 100.00 USD that the organization has for the same window",
    );
    wrong(
        &post(budget(json!({"key": key.id}), "101")).await,
        "amount",
        "is more than the 100.00 USD that the organization has for the same window",
    );
    let of_team: Budget = made(&organization, "/budgets", &budget(json!({"team": team.id}), "10")).await;
    let of_key: Budget = made(&organization, "/budgets", &budget(json!({"key": key.id}), "20")).await;

    let to = |id: &dyn std::fmt::Display| organization.path(&format!("/budgets/{id}"));
    let lowered = owner
        .patch(&to(&whole.id), &json!({"amount": "15", "window": "day"}))
        .await;
    wrong(&lowered, "amount", "is less than the 20.00 USD that key prod has");
    let lowered = owner
        .patch(&to(&whole.id), &json!({"amount": "5", "window": "day"}))
        .await;
    wrong(&lowered, "amount", "budget of team Search: is more than the 5.00 USD");

    let change = json!({"name": "prod", "team": team.id, "models": null});
    let path = organization.path(&format!("/keys/{}", key.id));
    let moved = owner.patch(&path, &change).await;
    wrong(
        &moved,
        "amount",
        "budget of key prod: is more than the 10.00 USD that team Search has",
    );
    owner
        .patch(&to(&of_key.id), &json!({"amount": "10", "window": "day"}))
        .await
        .expect(200);
    owner.patch(&path, &change).await.expect(200);
    let lowered = owner
        .patch(&to(&of_team.id), &json!({"amount": "9", "window": "day"}))
        .await;
    wrong(&lowered, "amount", "is less than the 10.00 USD that key prod has");
    owner
        .patch(&to(&of_team.id), &json!({"amount": "9", "window": "week"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn what_goes_takes_its_budgets_and_limits_along() {
    let upstream = Upstream::start().await;
    let (organization, _) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    let owner = &organization.owner;
    let team: Team = made(&organization, "/teams", &json!({"name": "Search"})).await;
    let key = organization.key("gone").await;
    let spare: Provider = organization
        .provider("spare", "openai-compatible", Some(&upstream.base_url()))
        .await;
    let second = organization.credential(&spare, "sk-another-secret-1").await;
    let model: Model = organization.model("other", "up/other", &json!({})).await;
    let member = people::join(&organization, "member", "member").await;
    let credential = spare.credentials.first().expect("it was made with one").id;
    let scopes = [
        json!({"team": team.id}),
        json!({"key": key.id}),
        json!({"provider": "spare"}),
        json!({"credential": credential}),
        json!({"credential": second.id}),
        json!({"model": "other"}),
        json!({"user": member.id}),
    ];
    for scope in &scopes {
        let budget = json!({"scope": scope, "amount": "5", "window": "day"});
        made::<Budget>(&organization, "/budgets", &budget).await;
        made::<RateLimit>(&organization, "/limits", &json!({"scope": scope, "rpm": 5})).await;
    }
    let names: Vec<Budget> = organization.all("/budgets").await;
    let mut names: Vec<_> = names.into_iter().map(|budget| budget.scope_name).collect();
    names.sort();
    let of_member = format!("user {}", member.email);
    let expected = [
        "credential spare/a",
        "credential spare/another",
        "key gone",
        "model other",
        "provider spare",
        "team Search",
        &of_member,
    ];
    assert_eq!(names, expected);

    for (tail, status) in [
        (format!("/teams/{}", team.id), 204),
        (format!("/keys/{}", key.id), 200),
        (format!("/providers/{}/credentials/{}", spare.id, second.id), 204),
        (format!("/providers/{}", spare.id), 204),
        (format!("/models/{}", model.id), 204),
        (format!("/members/{}", member.id), 204),
    ] {
        owner.delete(&organization.path(&tail)).await.expect(status);
    }

    let budgets: Vec<Budget> = organization.all("/budgets").await;
    let limits: Vec<RateLimit> = organization.all("/limits").await;
    assert!(budgets.is_empty() && limits.is_empty(), "{budgets:?} {limits:?}");
    let members: Vec<Member> = organization.all("/members").await;
    assert_eq!(members.len(), 1);
}

#[tokio::test]
async fn a_model_that_budgets_send_requests_to_and_a_tag_that_they_count_stay() {
    let organization = Organization::make(Installation::shared().await).await;
    let owner = &organization.owner;
    organization.provider("sandbox", "sandbox", None).await;
    let model: Model = organization.model("cheap", "sandbox/echo", &json!({})).await;
    let key = organization.key("prod").await;
    let path = organization.path(&format!("/models/{}", model.id));
    let downgrade =
        |scope: Value| json!({"scope": scope, "amount": "5", "window": "day", "action": {"downgrade": "cheap"}});
    let of_key: Budget = made(&organization, "/budgets", &downgrade(json!({"key": key.id}))).await;

    let answer = owner.delete(&path).await;
    wrong(
        &answer,
        "action.downgrade",
        "budget of key prod: there is no model named cheap",
    );
    owner
        .delete(&organization.path(&format!("/budgets/{}", of_key.id)))
        .await
        .expect(204);
    let whole: Budget = made(&organization, "/budgets", &downgrade(json!("organization"))).await;
    let answer = owner.delete(&path).await;
    wrong(
        &answer,
        "action.downgrade",
        "budget of the organization: there is no model named cheap",
    );
    owner
        .delete(&organization.path(&format!("/budgets/{}", whole.id)))
        .await
        .expect(204);
    owner.delete(&path).await.expect(204);

    let tags = |tags: Value| json!({"name": "Acme", "tags": tags});
    let path = organization.path("");
    let known = json!([{"name": "project", "required": true, "values": ["apollo", "gemini"]}, {"name": "tier"}]);
    let told: Value = owner.patch(&path, &tags(known.clone())).await.expect(200).json();
    assert_eq!(told.get("tags"), Some(&known));
    let budget = |tag: Value| json!({"scope": {"tag": tag}, "amount": "5", "window": "day"});
    let of_tag: Budget = made(&organization, "/budgets", &budget(json!({"name": "project"}))).await;
    assert_eq!(of_tag.scope_name, "each value of tag project");
    let one = budget(json!({"name": "project", "value": "apollo"}));
    assert_eq!(
        made::<Budget>(&organization, "/budgets", &one).await.scope_name,
        "tag project=apollo"
    );
    let other = budget(json!({"name": "project", "value": "mercury"}));
    let answer = owner.post(&organization.path("/budgets"), &other).await;
    wrong(&answer, "scope.tag.value", "has no such value");
    let answer = owner.patch(&path, &tags(json!([{"name": "tier"}]))).await;
    wrong(&answer, "scope.tag.name", "budget of each value of tag project: ");
    let answer = owner
        .patch(&path, &tags(json!([{"name": "tier"}, {"name": "tier"}])))
        .await;
    wrong(&answer, "tags[1].name", "twice");
    let unchanged: Value = owner.patch(&path, &json!({"name": "Acme"})).await.expect(200).json();
    assert_eq!(unchanged.get("tags"), Some(&known));
}

#[tokio::test]
async fn an_increase_is_told_until_it_ends_or_its_time_is_over() {
    let organization = Organization::make(Installation::shared().await).await;
    let owner = &organization.owner;
    let body = json!({"scope": "organization", "amount": "5", "window": "day"});
    let budget: Budget = made(&organization, "/budgets", &body).await;
    let path = organization.path(&format!("/budgets/{}", budget.id));
    let increases = format!("/budgets/{}/increases", budget.id);
    let more = |amount: &str, reason: &str, end: &str| json!({"amount": amount, "reason": reason, "expires_at": end});

    let far = "2099-01-01T00:00:00Z";
    for (body, field, says) in [
        (more("0", "launch", far), "amount", "more than nothing"),
        (more("-1", "launch", far), "amount", "negative"),
        (more("9000000", "launch", far), "amount", "the most that can be counted"),
        (more("1", " ", far), "reason", "must have 1 to 500"),
        (
            more("1", "launch", "2001-01-01T00:00:00Z"),
            "expires_at",
            "in the future",
        ),
    ] {
        wrong(&owner.post(&organization.path(&increases), &body).await, field, says);
    }
    let increase: Increase = made(&organization, &increases, &more("2", "launch", far)).await;
    let soon = (chrono::Utc::now() + chrono::TimeDelta::seconds(1)).to_rfc3339();
    made::<Increase>(&organization, &increases, &more("3", "for a second", &soon)).await;

    eventually("the time of one is over", SOON, async || {
        let read: Budget = owner.get(&path).await.expect(200).read();
        let left: Vec<_> = read.increases.iter().map(|increase| increase.reason.clone()).collect();
        (left == ["launch"]).then_some(())
    })
    .await;
    let one = organization.path(&format!("{increases}/{}", increase.id));
    owner.delete(&one).await.expect(204);
    refused(&owner.delete(&one).await, 404, ProblemCode::NotFound);
    let read: Budget = owner.get(&path).await.expect(200).read();
    assert_eq!(read.increases, []);
    let actions = organization.actions().await;
    for action in ["budget.increase", "budget.increase.end"] {
        assert!(actions.iter().any(|there| there == action), "{action}: {actions:?}");
    }
}

#[tokio::test]
async fn a_member_asks_for_more_and_an_admin_decides_once() {
    let organization = Organization::make(Installation::shared().await).await;
    let owner = &organization.owner;
    let body = json!({"scope": "organization", "amount": "5", "window": "day"});
    let budget: Budget = made(&organization, "/budgets", &body).await;
    let member = people::join(&organization, "member", "member").await;
    let viewer = people::join(&organization, "viewer", "viewer").await;
    let requests = organization.path(&format!("/budgets/{}/requests", budget.id));
    let wanted = json!({"amount": "2", "reason": "a launch"});

    refused(&viewer.api.post(&requests, &wanted).await, 403, ProblemCode::Forbidden);
    let request: BudgetRequest = member.api.post(&requests, &wanted).await.expect(201).read();
    assert_eq!(request.created_by, member.email);
    refused(&member.api.post(&requests, &wanted).await, 409, ProblemCode::Conflict);

    let decision = organization.path(&format!("/budget-requests/{}/decision", request.id));
    let approval = json!({"approve": {"amount": "1.50", "expires_at": "2099-01-01T00:00:00Z"}});
    refused(
        &member.api.post(&decision, &approval).await,
        403,
        ProblemCode::Forbidden,
    );
    let past = json!({"approve": {"amount": "1", "expires_at": "2001-01-01T00:00:00Z"}});
    wrong(
        &owner.post(&decision, &past).await,
        "approve.expires_at",
        "in the future",
    );
    let decided: BudgetRequest = owner.post(&decision, &approval).await.expect(200).read();
    assert_eq!(decided.state, BudgetRequestState::Approved);
    assert_eq!(decided.decided_by.as_deref(), Some(harness::installation::ROOT_EMAIL));
    refused(
        &owner.post(&decision, &json!({"deny": {}})).await,
        409,
        ProblemCode::Conflict,
    );

    let path = organization.path(&format!("/budgets/{}", budget.id));
    let read: Budget = owner.get(&path).await.expect(200).read();
    let increase = read.increases.first().expect("it was approved");
    assert_eq!(Some(increase.id), decided.increase);
    assert_eq!(
        (increase.amount.to_string().as_str(), increase.reason.as_str()),
        ("1.50", "a launch")
    );

    let second: BudgetRequest = member.api.post(&requests, &wanted).await.expect(201).read();
    let decision = organization.path(&format!("/budget-requests/{}/decision", second.id));
    let denied: BudgetRequest = owner.post(&decision, &json!({"deny": {}})).await.expect(200).read();
    assert_eq!((denied.state, denied.increase), (BudgetRequestState::Denied, None));
    for (query, count) in [("", 2), ("?state=open", 0), ("?state=denied", 1)] {
        let tail = organization.path(&format!("/budget-requests{query}"));
        let page: Page<BudgetRequest> = viewer.api.get(&tail).await.expect(200).read();
        assert_eq!(page.items.len(), count, "{query}");
    }
}

#[tokio::test]
async fn what_is_of_another_organization_is_not_there() {
    let installation = Installation::shared().await;
    let (mine, other) = (
        Organization::make(installation).await,
        Organization::make(installation).await,
    );
    let (team, key) = (
        made::<Team>(&other, "/teams", &json!({"name": "Theirs"})).await,
        other.key("theirs").await,
    );
    let somebody = people::join(&other, "somebody", "member").await;
    let provider: Provider = other
        .provider("theirs", "openai-compatible", Some("http://127.0.0.1:9/v1"))
        .await;
    let credential = provider.credentials.first().expect("it was made with one").id;
    let budget: Budget = made(
        &other,
        "/budgets",
        &json!({"scope": {"team": team.id}, "amount": "5", "window": "day"}),
    )
    .await;

    for scope in [
        json!({"team": team.id}),
        json!({"key": key.id}),
        json!({"user": somebody.id}),
        json!({"credential": credential}),
        json!({"provider": "theirs"}),
    ] {
        let budget = json!({"scope": scope, "amount": "5", "window": "day"});
        refused(
            &mine.owner.post(&mine.path("/budgets"), &budget).await,
            422,
            ProblemCode::Invalid,
        );
        let limit = json!({"scope": scope, "rpm": 5});
        refused(
            &mine.owner.post(&mine.path("/limits"), &limit).await,
            422,
            ProblemCode::Invalid,
        );
    }
    let path = mine.path(&format!("/budgets?scope=team&subject={}", team.id));
    let page: Page<Budget> = mine.owner.get(&path).await.expect(200).read();
    assert!(page.items.is_empty());
    let path = mine.path(&format!("/budget-requests?budget={}", budget.id));
    let page: Page<BudgetRequest> = mine.owner.get(&path).await.expect(200).read();
    assert!(page.items.is_empty());
}
