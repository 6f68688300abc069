//! Gemini's addresses, which name the model and what to do with it: `models/{model}:generateContent`, `:embedContent`.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use gatewright_types::api::Dialect;

use super::{count, serve, unserved};
use crate::gateway::Gateway;
use crate::told::Told;

pub(super) async fn act(
    request: HttpRequest,
    payload: Payload,
    tail: Path<String>,
    gateway: Data<Gateway>,
) -> HttpResponse {
    let Some((model, verb)) = tail.rsplit_once(':') else {
        return unserved::unknown(request).await;
    };
    let told = Told {
        model: Some(model.to_owned()),
        ..serve::told(&request, Dialect::GeminiGenerate)
    };
    match verb {
        "generateContent" => serve::serve(&request, payload, &gateway, Dialect::GeminiGenerate, told).await,
        "streamGenerateContent" => {
            let mut told = told;
            told.stream = true;
            told.wishes.as_array = !request.query_string().split('&').any(|pair| pair == "alt=sse");
            serve::serve(&request, payload, &gateway, Dialect::GeminiGenerate, told).await
        }
        "embedContent" => serve::serve(&request, payload, &gateway, Dialect::GeminiEmbed, told).await,
        "batchEmbedContents" => serve::serve(&request, payload, &gateway, Dialect::GeminiBatchEmbed, told).await,
        "countTokens" => count::gemini(&request, payload, &gateway, told).await,
        _ => unserved::unknown(request).await,
    }
}
