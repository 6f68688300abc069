//! What the gateway's own libraries cost before there is a gateway: an actix-web server that compares a bearer, reads
//! model and stream from the request, forwards it with reqwest, and reads the usage from the answer. Its cost is the
//! floor that ours is measured against.

use std::borrow::Cow;

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::http::{StatusCode, header};
use actix_web::{App, HttpRequest, HttpResponse, HttpResponseBuilder, HttpServer, web};
use anyhow::{Context, Result};
use futures_util::TryStreamExt;
use serde::Deserialize;
use serde_json::value::RawValue;

const LARGEST_BODY: usize = 64 << 20;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Where requests go: http://127.0.0.1:9000
    #[arg(long)]
    upstream: String,
    /// The bearer that callers must send
    #[arg(long)]
    key: String,
}

#[derive(Debug, Clone)]
struct Forwarder {
    client: reqwest::Client,
    upstream: String,
    bearer: String,
}

/// What a gateway cannot do without of a request.
#[derive(Debug, Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(default)]
    stream: bool,
    #[serde(borrow)]
    messages: &'a RawValue,
}

#[derive(Debug, Deserialize)]
struct Document {
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

#[actix_web::main]
pub(crate) async fn run(options: Options) -> Result<()> {
    let client = reqwest::Client::builder()
        .http1_only()
        .no_proxy()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(1024)
        .build()
        .context("no client")?;
    let bearer = format!("Bearer {}", options.key);
    let forwarder = web::Data::new(Forwarder {
        client,
        upstream: options.upstream,
        bearer,
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::PayloadConfig::new(LARGEST_BODY))
            .app_data(forwarder.clone())
            .default_service(web::to(forward))
    })
    .workers(1)
    .bind("127.0.0.1:0")
    .context("cannot listen")?;
    let address = *server.addrs().first().context("no address")?;
    crate::results::announce(&address)?;
    server.run().await.context("the server broke")
}

async fn forward(request: HttpRequest, body: web::Bytes, forwarder: web::Data<Forwarder>) -> HttpResponse {
    let bearer = request.headers().get(AUTHORIZATION).map(header::HeaderValue::as_bytes);
    if bearer != Some(forwarder.bearer.as_bytes()) {
        return HttpResponse::Unauthorized().finish();
    }
    let stream = match serde_json::from_slice::<Request<'_>>(&body) {
        Ok(read) => {
            std::hint::black_box((read.model, read.messages.get().len()));
            read.stream
        }
        Err(error) => return HttpResponse::BadRequest().body(error.to_string()),
    };
    let answered = match stream {
        true => forwarder.stream(request.path(), body).await,
        false => forwarder.whole(request.path(), body).await,
    };
    match answered {
        Ok(response) => response,
        Err(error) => HttpResponse::BadGateway().body(error.to_string()),
    }
}

impl Forwarder {
    async fn stream(&self, path: &str, body: web::Bytes) -> Result<HttpResponse, reqwest::Error> {
        let answer = self.ask(path, body).await?;
        Ok(head_of(&answer).streaming(answer.bytes_stream().map_err(std::io::Error::other)))
    }

    async fn whole(&self, path: &str, body: web::Bytes) -> Result<HttpResponse, reqwest::Error> {
        let answer = self.ask(path, body).await?;
        let mut response = head_of(&answer);
        let body = answer.bytes().await?;
        let usage = serde_json::from_slice::<Document>(&body)
            .ok()
            .and_then(|document| document.usage);
        std::hint::black_box(usage.map(|usage| usage.prompt_tokens + usage.completion_tokens));
        Ok(response.body(body))
    }

    async fn ask(&self, path: &str, body: web::Bytes) -> Result<reqwest::Response, reqwest::Error> {
        self.client
            .post(format!("{}{path}", self.upstream))
            .header("content-type", "application/json")
            .header("authorization", "Bearer upstream-secret")
            .body(body)
            .send()
            .await
    }
}

fn head_of(answer: &reqwest::Response) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    if let Some(kind) = answer.headers().get(reqwest::header::CONTENT_TYPE) {
        response.insert_header((CONTENT_TYPE, kind.as_bytes()));
    }
    response
}
