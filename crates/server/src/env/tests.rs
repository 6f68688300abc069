use super::*;
use crate::topology::{ControlPlane, MasterKey, Role};
use gatewright_store::DatabaseUrl;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const CLUSTER: [(&str, &str); 3] = [
    ("GATEWRIGHT_REDIS_URL", "redis://127.0.0.1:6379"),
    ("GATEWRIGHT_MASTER_KEY", KEY),
    ("GATEWRIGHT_DATABASE_URL", "postgres://gw@127.0.0.1/gw"),
];

fn mistakes(strings: &Strings) -> Vec<String> {
    match read(strings) {
        Ok(settings) => panic!("it was accepted: {settings:?}"),
        Err(mistakes) => mistakes.to_string().lines().map(str::to_owned).collect(),
    }
}

fn cluster(role: &str) -> Strings {
    Strings::from(CLUSTER).with("GATEWRIGHT_ROLE", role.to_owned())
}

#[test]
fn an_empty_environment_is_a_single_node_on_its_data_directory() {
    let settings = read(&Strings::default()).expect("it is complete");

    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.admin_listen.to_string(), "127.0.0.1:8081");
    assert_eq!(settings.keepalive, Duration::from_secs(10));
    assert_eq!(settings.egress.addresses, AddressPolicy::AllowPrivate);
    assert_eq!(settings.traces, Traces::Off);
    let Topology::Solo {
        control: ControlPlane { database, bootstrap },
        master_key,
    } = settings.topology
    else {
        panic!("it joins a cluster")
    };
    assert_eq!(
        database,
        DatabaseUrl::Sqlite("gatewright-data/gatewright.sqlite".into())
    );
    assert_eq!(bootstrap, None);
    assert!(matches!(master_key, MasterKey::Generated));
}

#[test]
fn every_mistake_is_reported_at_once() {
    let strings = Strings::from([
        ("GATEWRIGHT_LISTEN", "8080"),
        ("GATEWRIGHT_ADMIN_LISTEN", "nowhere"),
        ("GATEWRIGHT_PUBLIC_URL", "ftp://x"),
        ("GATEWRIGHT_LOG", "info,=debug=x"),
        ("GATEWRIGHT_KEEPALIVE", "ten"),
        ("GATEWRIGHT_MAX_REQUESTS", "0"),
        ("GATEWRIGHT_BODY_LIMIT", "3 MB"),
        ("GATEWRIGHT_TRUSTED_PROXY_HOPS", "-1"),
        ("GATEWRIGHT_WORKERS", "0"),
        ("GATEWRIGHT_ALLOW_PRIVATE_PROVIDERS", "yes"),
        ("GATEWRIGHT_REDIS_URL", "127.0.0.1"),
        ("GATEWRIGHT_MASTER_KEY", "short"),
        ("GATEWRIGHT_DATABASE_URL", "mysql://x"),
        ("GATEWRIGHT_ROLE", "king"),
        ("GATEWRIGHT_LISEN", "0.0.0.0:80"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
    ]);

    let mistakes = mistakes(&strings);

    let names: Vec<_> = mistakes.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(
        names,
        [
            "GATEWRIGHT_LISTEN",
            "GATEWRIGHT_ADMIN_LISTEN",
            "GATEWRIGHT_PUBLIC_URL",
            "GATEWRIGHT_LOG",
            "GATEWRIGHT_KEEPALIVE",
            "GATEWRIGHT_BODY_LIMIT",
            "GATEWRIGHT_TRUSTED_PROXY_HOPS",
            "GATEWRIGHT_MAX_REQUESTS",
            "GATEWRIGHT_WORKERS",
            "GATEWRIGHT_ALLOW_PRIVATE_PROVIDERS",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "GATEWRIGHT_REDIS_URL",
            "GATEWRIGHT_ROLE",
            "GATEWRIGHT_DATABASE_URL",
            "GATEWRIGHT_MASTER_KEY",
            "GATEWRIGHT_LISEN",
        ]
    );
    assert_eq!(
        mistakes.last().map(String::as_str),
        Some("GATEWRIGHT_LISEN is unknown; did you mean GATEWRIGHT_LISTEN?")
    );
}

#[test]
fn a_cluster_node_needs_a_database_and_a_master_key() {
    let strings = Strings::from([("GATEWRIGHT_REDIS_URL", "redis://:secret@127.0.0.1:6379")]);

    assert_eq!(
        mistakes(&strings),
        [
            "GATEWRIGHT_MASTER_KEY is required in a cluster: all nodes need the same one",
            "GATEWRIGHT_DATABASE_URL is required in a cluster for the roles all and control",
        ]
    );
}

#[test]
fn a_proxy_node_must_not_have_a_database() {
    assert_eq!(
        mistakes(&cluster("proxy")),
        ["GATEWRIGHT_DATABASE_URL must not be set for a proxy node: it has no database"]
    );
}

#[test]
fn a_cluster_on_a_file_is_refused() {
    let strings = cluster("control").with("GATEWRIGHT_DATABASE_URL", "sqlite:/tmp/x".to_owned());

    assert_eq!(
        mistakes(&strings),
        ["GATEWRIGHT_DATABASE_URL must be postgres://… in a cluster"]
    );
}

#[test]
fn a_role_without_a_redis_is_refused() {
    let strings = Strings::from([("GATEWRIGHT_ROLE", "proxy")]);

    assert_eq!(
        mistakes(&strings),
        ["GATEWRIGHT_ROLE is for the nodes of a cluster: set GATEWRIGHT_REDIS_URL as well"]
    );
}

#[test]
fn each_role_of_a_cluster_gets_what_it_needs() {
    for (role, name) in [("all", "all"), ("control", "control")] {
        let settings = read(&cluster(role)).expect("it is complete");
        assert_eq!(settings.topology.name(), name);
        assert_eq!(settings.egress.addresses, AddressPolicy::PublicOnly);
        assert!(settings.topology.control_plane().is_some());
    }
    let strings = cluster("proxy").with("GATEWRIGHT_DATABASE_URL", String::new());
    let proxy = read(&strings).expect("an empty value counts as none");
    assert!(matches!(proxy.topology, Topology::Cluster { role: Role::Proxy, .. }));
    assert!(proxy.topology.control_plane().is_none());
}

#[test]
fn addresses_that_may_hold_passwords_are_not_repeated() {
    let strings = Strings::from([
        ("GATEWRIGHT_REDIS_URL", "rediss//:hunter2@x"),
        ("GATEWRIGHT_DATABASE_URL", "pg://u:hunter2@x"),
    ]);

    let all = mistakes(&strings).join("\n");

    assert!(!all.contains("hunter2"), "{all}");
}
