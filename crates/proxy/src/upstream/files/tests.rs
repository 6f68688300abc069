use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;

const LIMIT: usize = 1 << 20;
const LARGEST: usize = 100_000;

/// Answers each path as it is told to, over connections that it closes.
struct Host {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Host {
    async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let mut serving = JoinSet::new();
        let seen = asked.clone();
        serving.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { break };
                    head.push(byte);
                }
                let head = String::from_utf8(head).expect("text");
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let answer = answer(&path);
                seen.lock().expect("a lock").push(path);
                // A caller who has seen enough goes away.
                let _ = stream.write_all(&answer).await;
            }
        });
        Self {
            address,
            asked,
            _serving: serving,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a lock").clone()
    }
}

fn found(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn moved(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

fn files(policy: AddressPolicy) -> Files {
    through(policy, CheckedResolver::new(policy))
}

fn through(policy: AddressPolicy, resolver: CheckedResolver) -> Files {
    // Another test of this process may have been first.
    let _there = rustls::crypto::ring::default_provider().install_default();
    Files::through(policy, resolver, LARGEST).expect("a client")
}

fn wanted(address: &str) -> Wanted {
    Wanted {
        address: address.into(),
        places: 1,
    }
}

/// The one file, or the sentence that refuses it.
async fn fetch(files: &Files, address: &str) -> Result<Bytes, String> {
    let fetched = files.fetch(OrganizationId::mint(), &[wanted(address)], LIMIT).await;
    let fetched = fetched.map_err(|refusal| crate::refusal::Refusal::File(refusal).message().into_owned())?;
    Ok(Bytes::copy_from_slice(fetched.find(address).expect("it is there")))
}

async fn refused(files: &Files, address: &str, problem: &str) {
    let message = fetch(files, address).await.expect_err("refused");
    assert!(message.contains(problem), "{address}: {message}");
}

#[tokio::test]
async fn a_file_is_read_through_three_redirects_and_not_through_four() {
    let host = Host::start(|path| match path {
        "/0" => moved("/1?sig=a"),
        "/1?sig=a" => moved("2"),
        "/2" => moved("/3"),
        "/3" => found(b"here"),
        _ => moved("/0"),
    })
    .await;
    let files = files(AddressPolicy::AllowPrivate);

    assert_eq!(fetch(&files, &host.url("/0")).await, Ok(Bytes::from_static(b"here")));
    assert_eq!(host.asked(), ["/0", "/1?sig=a", "/2", "/3"]);
    refused(&files, &host.url("/more"), "redirected more than 3 times").await;
    assert!(host.asked().ends_with(&["/2".to_owned()]), "{:?}", host.asked());
}

#[tokio::test]
async fn a_redirect_leads_nowhere_that_could_not_be_named() {
    let host = Host::start(|path| {
        moved(match path {
            "/metadata" => "http://169.254.169.254/latest/meta-data",
            "/in-disguise" => "http://[::ffff:169.254.169.254]/",
            "/password" => "http://u:p@127.0.0.1/",
            "/file" => "file:///etc/passwd",
            _ => "http://[broken",
        })
    })
    .await;
    let files = files(AddressPolicy::AllowPrivate);

    refused(&files, &host.url("/metadata"), "in a network from which").await;
    refused(&files, &host.url("/in-disguise"), "in a network from which").await;
    refused(&files, &host.url("/password"), "a user name or a password").await;
    refused(&files, &host.url("/file"), "no valid https address").await;
    refused(&files, &host.url("/broken"), "no valid https address").await;
}

#[tokio::test]
async fn on_the_public_internet_nothing_private_is_asked() {
    let host = Host::start(|_| found(b"secret")).await;
    let port = host.address.port();
    let files = files(AddressPolicy::PublicOnly);

    let private = format!("https://127.0.0.1:{port}/");
    refused(&files, &private, "in a network from which").await;
    refused(&files, &format!("https://localhost:{port}/"), "in a network from which").await;
    refused(&files, &format!("https://[::1]:{port}/"), "in a network from which").await;
    refused(&files, "https://10.0.0.1/", "in a network from which").await;
    refused(&files, "http://files.example.com/", "only https is allowed").await;
    assert_eq!(host.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_name_is_resolved_once_and_what_was_checked_is_what_is_connected_to() {
    let host = Host::start(|_| found(b"public")).await;
    let address = |text: &str| -> Vec<SocketAddr> { vec![text.parse().expect("an address")] };
    let policy = AddressPolicy::AllowPrivate;
    let answers = [
        address("127.0.0.1:0"),
        address("169.254.169.254:0"),
        address("127.0.0.1:0"),
    ];
    let files = through(policy, CheckedResolver::scripted(policy, answers));
    let url = |path: &str| format!("http://rebinding.example:{}{path}", host.address.port());

    let first = fetch(&files, &url("/1")).await;

    assert_eq!(first, Ok(Bytes::from_static(b"public")));
    refused(&files, &url("/2"), "in a network from which").await;
    assert_eq!(fetch(&files, &url("/3")).await, Ok(Bytes::from_static(b"public")));
    refused(&files, &url("/4"), "no such host").await;
    assert_eq!(host.asked(), ["/1", "/3"]);
}

#[tokio::test]
async fn a_name_with_a_private_address_is_refused_under_its_name() {
    let policy = AddressPolicy::PublicOnly;
    let answers = [vec![SocketAddr::from(([10, 0, 0, 7], 0))]];
    let files = through(policy, CheckedResolver::scripted(policy, answers));

    let message = fetch(&files, "https://intranet.example/a").await.expect_err("refused");

    assert!(
        message.contains("`intranet.example` is in a network from which"),
        "{message}"
    );
    assert!(!message.contains("10.0.0.7"), "{message}");
}

#[tokio::test]
async fn a_file_is_no_larger_than_it_may_be_whatever_is_announced() {
    let host = Host::start(|path| match path {
        "/announced" => b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec(),
        "/endless" => {
            let head: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
            [head, &[7; 2 * LARGEST]].concat()
        }
        _ => found(&[7; LARGEST]),
    })
    .await;
    let files = files(AddressPolicy::AllowPrivate);

    assert_eq!(
        fetch(&files, &host.url("/fits")).await.map(|file| file.len()),
        Ok(LARGEST)
    );
    refused(&files, &host.url("/announced"), "larger than the limit of 100000 bytes").await;
    refused(&files, &host.url("/endless"), "larger than the limit of 100000 bytes").await;
}

#[tokio::test]
async fn all_files_together_fit_into_the_request_in_base64() {
    let host = Host::start(|_| found(&[7; 30_000])).await;
    let files = files(AddressPolicy::AllowPrivate);
    let organization = OrganizationId::mint();
    let addresses = ["/a", "/b", "/c"].map(|path| wanted(&host.url(path)));

    let fits = files.fetch(organization, &addresses, 120_000).await;
    let kept = files.fetch(organization, &addresses, 119_999).await;
    let twice = Wanted {
        places: 2,
        ..addresses[0].clone()
    };
    let twice = files.fetch(OrganizationId::mint(), &[twice], 79_999).await;

    assert!(fits.is_ok());
    for refusal in [kept.expect_err("refused"), twice.expect_err("refused")] {
        assert!(
            matches!(crate::refusal::Refusal::File(refusal).status(), 413),
            "they are too large together"
        );
    }
}

#[tokio::test]
async fn a_file_that_was_read_is_not_asked_for_again_by_the_same_organization() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let host = Host::start(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        found(b"here")
    })
    .await;
    let files = files(AddressPolicy::AllowPrivate);
    let addresses = [wanted(&host.url("/a"))];
    let (ours, theirs) = (OrganizationId::mint(), OrganizationId::mint());

    for organization in [ours, ours, theirs] {
        assert!(files.fetch(organization, &addresses, LIMIT).await.is_ok());
    }

    assert_eq!(count.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_host_that_fails_is_told_from_a_file_that_is_not_there() {
    let host = Host::start(|path| match path {
        "/gone" => b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
        "/down" => b"HTTP/1.1 503 Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
        "/cut" => b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nhalf".to_vec(),
        _ => b"no http".to_vec(),
    })
    .await;
    let files = files(AddressPolicy::AllowPrivate);
    let check = async |path: &str, status: u16, problem: &str| {
        let address = host.url(path);
        let refusal = files.fetch(OrganizationId::mint(), &[wanted(&address)], LIMIT).await;
        let refusal = crate::refusal::Refusal::File(refusal.expect_err("refused"));
        assert_eq!(refusal.status(), status, "{path}");
        assert!(refusal.message().contains(problem), "{}", refusal.message());
    };

    check("/gone", 400, "answered with status 410").await;
    check("/down", 502, "answered with status 503").await;
    check("/cut", 502, "broke off").await;
    check("/nonsense", 502, "broke off").await;
}

#[tokio::test]
async fn a_host_that_says_nothing_is_not_waited_for_for_long() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = format!("http://{}/slow", listener.local_addr().expect("an address"));
    let files = files(AddressPolicy::AllowPrivate);
    // Only the clock of the wait is paused: the connection is made by the system.
    tokio::time::pause();

    let began = Instant::now();
    refused(&files, &address, "took longer than").await;

    assert!(
        began.elapsed() <= PATIENCE + Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
}
