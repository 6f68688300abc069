//! What an endpoint is: a plain async function whose parameters and result say everything about it. The same types
//! read the request, write the answer and describe both in the OpenAPI document.

use std::error::Error;
use std::future::Future;
use std::rc::Rc;
use std::str::FromStr;

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentDisposition;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::check::Shape;
use crate::error::ApiError;

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const LONGEST_IDEMPOTENCY_KEY: usize = 200;

/// Adds a type to a generator and gives a reference to it.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// An endpoint with its types erased, after admission in the stage `S`.
pub(crate) type Run<S> = Rc<dyn Fn(S, Raw) -> LocalBoxFuture<'static, Result<HttpResponse, ApiError>>>;

/// A request as it came, for the inputs to read from.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) request: HttpRequest,
    pub(crate) body: Bytes,
    pub(crate) signature: Rc<Signature>,
    /// The values of the route's parameters, without the organization.
    pub(crate) parameters: Vec<String>,
}

/// What an endpoint takes and gives, as data.
#[derive(Debug, Default)]
pub(crate) struct Signature {
    pub(crate) path: Vec<SchemaOf>,
    pub(crate) query: Option<(SchemaOf, Shape)>,
    /// Names of headers that may be there, and what they are for.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Option<(SchemaOf, Shape)>,
    pub(crate) status: u16,
    pub(crate) output: Option<SchemaOf>,
    /// Of an output that is no JSON.
    pub(crate) media_type: Option<&'static str>,
}

/// Something an endpoint takes.
pub(crate) trait Input: Sized {
    fn describe(signature: &mut Signature);
    fn read(raw: &Raw) -> Result<Self, ApiError>;
}

/// Something an endpoint gives.
pub(crate) trait Output {
    fn describe(signature: &mut Signature);
    fn respond(self) -> HttpResponse;
}

/// The one parameter of the path below the organization.
pub(crate) struct Path<T>(pub(crate) T);
/// Both parameters of the path below the organization.
pub(crate) struct Path2<A, B>(pub(crate) A, pub(crate) B);
pub(crate) struct Query<T>(pub(crate) T);
/// Under which a call that made something may be repeated without making it again.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);
/// A JSON body: as input the request's, as output one with status 200.
pub(crate) struct Json<T>(pub(crate) T);
/// A JSON body with status 201.
pub(crate) struct Created<T>(pub(crate) T);
pub(crate) struct NoContent;
/// Lines of CSV to be kept as a file, with status 200.
pub(crate) struct Csv(HttpResponse);
/// An answer that sets the session cookie.
pub(crate) struct WithCookie<O>(pub(crate) O, pub(crate) Cookie<'static>);

/// An async function over a stage and up to three inputs.
pub(crate) trait Endpoint<S, I>: Copy + 'static {
    fn signature() -> Signature;
    fn erase(self) -> Run<S>;
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn parameter<T: FromStr>(raw: &Raw, index: usize) -> Result<T, ApiError> {
    raw.parameters
        .get(index)
        .and_then(|text| text.parse().ok())
        .ok_or(ApiError::NotFound)
}

impl<T: FromStr + JsonSchema> Input for Path<T> {
    fn describe(signature: &mut Signature) {
        signature.path.push(schema_of::<T>);
    }

    fn read(raw: &Raw) -> Result<Self, ApiError> {
        parameter(raw, 0).map(Self)
    }
}

impl<A: FromStr + JsonSchema, B: FromStr + JsonSchema> Input for Path2<A, B> {
    fn describe(signature: &mut Signature) {
        signature
            .path
            .extend([schema_of::<A> as SchemaOf, schema_of::<B> as SchemaOf]);
    }

    fn read(raw: &Raw) -> Result<Self, ApiError> {
        Ok(Self(parameter(raw, 0)?, parameter(raw, 1)?))
    }
}

impl<T: DeserializeOwned + JsonSchema> Input for Query<T> {
    fn describe(signature: &mut Signature) {
        signature.query = Some((schema_of::<T>, Shape::of::<T>()));
    }

    fn read(raw: &Raw) -> Result<Self, ApiError> {
        let (_, shape) = raw.signature.query.as_ref().expect("describe put the shape there");
        let pairs = serde_urlencoded::from_str::<Vec<(String, String)>>(raw.request.query_string())
            .map_err(|error| ApiError::BadRequest(format!("the query string cannot be read: {error}")))?;
        let fields = serde_json::Value::Object(shape.typed(pairs));
        shape.read(&fields).map(Self).map_err(ApiError::invalid)
    }
}

impl Input for IdempotencyKey {
    fn describe(signature: &mut Signature) {
        signature.headers.push((
            IDEMPOTENCY_KEY,
            "A call with the same value does nothing again and is answered like the first one, secrets apart.",
        ));
    }

    fn read(raw: &Raw) -> Result<Self, ApiError> {
        let Some(value) = raw.request.headers().get(IDEMPOTENCY_KEY) else {
            return Ok(Self(None));
        };
        let text = value.to_str().ok().map(str::trim);
        let text = text.filter(|text| (1..=LONGEST_IDEMPOTENCY_KEY).contains(&text.len()));
        match text {
            Some(text) => Ok(Self(Some(text.to_owned()))),
            None => {
                let message = format!("must have 1 to {LONGEST_IDEMPOTENCY_KEY} visible ASCII characters");
                Err(ApiError::field(IDEMPOTENCY_KEY, &message))
            }
        }
    }
}

impl<T: DeserializeOwned + JsonSchema> Input for Json<T> {
    fn describe(signature: &mut Signature) {
        signature.body = Some((schema_of::<T>, Shape::of::<T>()));
    }

    fn read(raw: &Raw) -> Result<Self, ApiError> {
        let (_, shape) = raw.signature.body.as_ref().expect("describe put the shape there");
        let value = serde_json::from_slice(&raw.body)
            .map_err(|error| ApiError::BadRequest(format!("the body is not JSON: {error}")))?;
        shape.read(&value).map(Self).map_err(ApiError::invalid)
    }
}

impl<T: Serialize + JsonSchema> Output for Json<T> {
    fn describe(signature: &mut Signature) {
        (signature.status, signature.output) = (200, Some(schema_of::<T> as SchemaOf));
    }

    fn respond(self) -> HttpResponse {
        HttpResponse::Ok().json(self.0)
    }
}

impl<T: Serialize + JsonSchema> Output for Created<T> {
    fn describe(signature: &mut Signature) {
        (signature.status, signature.output) = (201, Some(schema_of::<T> as SchemaOf));
    }

    fn respond(self) -> HttpResponse {
        HttpResponse::Created().json(self.0)
    }
}

impl Output for NoContent {
    fn describe(signature: &mut Signature) {
        signature.status = StatusCode::NO_CONTENT.as_u16();
    }

    fn respond(self) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl Csv {
    /// The first line goes out at once, whatever the others have to wait for.
    pub(crate) fn new<E>(name: String, header: String, lines: impl Stream<Item = Result<Bytes, E>> + 'static) -> Self
    where
        E: Into<Box<dyn Error>> + 'static,
    {
        let first = stream::once(async { Ok(Bytes::from(header)) });
        let name = ContentDisposition::attachment(name);
        let mut response = HttpResponse::Ok();
        response.content_type("text/csv; charset=utf-8").insert_header(name);
        Self(response.streaming(first.chain(lines)))
    }
}

impl Output for Csv {
    fn describe(signature: &mut Signature) {
        (signature.status, signature.media_type) = (200, Some("text/csv"));
    }

    fn respond(self) -> HttpResponse {
        self.0
    }
}

impl<O: Output> Output for WithCookie<O> {
    fn describe(signature: &mut Signature) {
        O::describe(signature);
    }

    fn respond(self) -> HttpResponse {
        let mut response = self.0.respond();
        // Fails only for a cookie that is no header value; ours is letters, digits and attributes.
        if let Err(error) = response.add_cookie(&self.1) {
            tracing::error!(error = %error, "the session cookie could not be written");
        }
        response
    }
}

macro_rules! endpoints {
    ($(($($input:ident),*))+) => {$(
        impl<F, Fut, S, O, $($input),*> Endpoint<S, ($($input,)*)> for F
        where
            F: Fn(S, $($input),*) -> Fut + Copy + 'static,
            Fut: Future<Output = Result<O, ApiError>> + 'static,
            O: Output,
            S: 'static,
            $($input: Input,)*
        {
            fn signature() -> Signature {
                let mut signature = Signature::default();
                $($input::describe(&mut signature);)*
                O::describe(&mut signature);
                signature
            }

            fn erase(self) -> Run<S> {
                let start = move |stage: S, raw: &Raw| -> Result<Fut, ApiError> {
                    let _ = raw;
                    Ok(self(stage, $($input::read(raw)?),*))
                };
                Rc::new(move |stage, raw| {
                    let started = start(stage, &raw);
                    async move { started?.await.map(O::respond) }.boxed_local()
                })
            }
        }
    )+};
}

endpoints! { () (A) (A, B) (A, B, C) }
