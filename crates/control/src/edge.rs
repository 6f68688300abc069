//! Where HTTP meets the control plane: mounts the route table and takes every call through the same steps: admission,
//! body within its limit, handler, answer. No handler sees a request before these are done.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use gatewright_types::RequestId;

use crate::access::{Call, Facts, Known, Signed, Visit};
use crate::control::Control;
use crate::dashboard;
use crate::endpoint::Raw;
use crate::error::ApiError;
use crate::packing::{accepts, packed};
use crate::refusals::{self, Attempt};
use crate::routes::{Entry, Route, routes};

/// A body that makes no progress for so long is given up.
const PATIENCE: Duration = Duration::from_secs(30);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-gw-request-id");

/// Mounts the control API below `/api`, and the dashboard wherever nobody else answers.
pub fn configure(control: Data<Control>) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let mut addresses = BTreeMap::<&'static str, Vec<Rc<Route>>>::new();
        for route in routes() {
            addresses.entry(route.path).or_default().push(Rc::new(route));
        }
        let mut api = web::scope("/api/v1");
        // An address with fewer parameters goes first, or `prices/lookup` would be taken for a price.
        let mut addresses: Vec<_> = addresses.into_iter().collect();
        addresses.sort_by_key(|(path, _)| path.matches('{').count());
        for (path, routes) in addresses {
            let mut resource = web::resource(path);
            for route in routes {
                let control = control.clone();
                let method = route.method.clone();
                resource = resource.route(web::method(method).to(move |request: HttpRequest, payload: Payload| {
                    serve(control.clone(), route.clone(), request, payload)
                }));
            }
            api = api.service(resource.default_service(web::to(|| refuse(ApiError::MethodNotAllowed))));
        }
        config
            .service(api.default_service(web::to(|| refuse(ApiError::NotFound))))
            .route("/api/openapi.json", web::get().to(move || describe(control.clone())))
            .service(web::scope("/api").default_service(web::to(|| refuse(ApiError::NotFound))))
            .default_service(web::to(dashboard::serve));
    }
}

async fn describe(control: Data<Control>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(control.description())
}

async fn refuse(error: ApiError) -> HttpResponse {
    let request = RequestId::mint();
    finish(error.respond(request), request)
}

async fn serve(control: Data<Control>, route: Rc<Route>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let facts = Facts::of(&request);
    let path = request.path().to_owned();
    let unpacks = accepts(&request, "gzip");
    let mut attempt = Attempt::default();
    let answer = Box::pin(admitted(
        control.clone(),
        &route,
        facts.clone(),
        request,
        payload,
        &mut attempt,
    ))
    .await;
    let response = match answer {
        Ok(response) => response,
        Err(error) => {
            refusals::record(&control, &route, &path, &facts, attempt, &error).await;
            error.respond(facts.request)
        }
    };
    tracing::info!(
        request.id = %facts.request,
        http.method = %route.method,
        http.route = route.path,
        http.status = response.status().as_u16(),
        "{} {} answered {}",
        route.method,
        route.path,
        response.status().as_u16(),
    );
    let response = if unpacks { packed(response) } else { response };
    finish(response, facts.request)
}

async fn admitted(
    control: Data<Control>,
    route: &Route,
    facts: Facts,
    request: HttpRequest,
    payload: Payload,
    attempt: &mut Attempt,
) -> Result<HttpResponse, ApiError> {
    match &route.entry {
        Entry::Public(run) => {
            let visit = Visit::admit(control, facts, &request)?;
            run(visit, raw(route, request, payload).await?).await
        }
        Entry::Known(run) => {
            let known = Known::admit(control, &facts, &request, attempt).await?;
            run(known, raw(route, request, payload).await?).await
        }
        Entry::SignedIn(run) => {
            let signed = Signed::admit(control, facts, &request, attempt).await?;
            run(signed, raw(route, request, payload).await?).await
        }
        Entry::Needs(about, permission, run) => {
            let call = Call::admit(control, facts, &request, (*about, *permission), attempt).await?;
            run(call, raw(route, request, payload).await?).await
        }
    }
}

async fn raw(route: &Route, request: HttpRequest, payload: Payload) -> Result<Raw, ApiError> {
    let body = body(payload, route.largest_body).await?;
    let parameter = |name: &&str| request.match_info().query(name).to_owned();
    let parameters = route.parameters().iter().map(parameter).collect();
    Ok(Raw {
        body,
        parameters,
        signature: route.signature.clone(),
        request,
    })
}

async fn body(mut payload: Payload, largest: usize) -> Result<Bytes, ApiError> {
    let mut body = BytesMut::new();
    loop {
        let piece = tokio::time::timeout(PATIENCE, payload.next())
            .await
            .map_err(|_| ApiError::BadRequest("the body did not arrive in time".to_owned()))?;
        let Some(piece) = piece else { return Ok(body.freeze()) };
        let piece = piece.map_err(|error| ApiError::BadRequest(format!("the body broke off: {error}")))?;
        if body.len() + piece.len() > largest {
            return Err(ApiError::PayloadTooLarge(largest));
        }
        body.extend_from_slice(&piece);
    }
}

/// What every answer of the API carries. None may be kept by anybody: they hold secrets, or what few may see.
fn finish(mut response: HttpResponse, request: RequestId) -> HttpResponse {
    let headers = response.headers_mut();
    let id = HeaderValue::try_from(request.to_string()).expect("an identifier is letters, digits and an underscore");
    headers.insert(REQUEST_ID, id);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    response
}
