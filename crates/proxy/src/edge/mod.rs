//! The only part that knows actix: addresses, bodies coming in and replies going out.

mod address;
mod body;
mod coding;
mod count;
mod gemini;
mod models;
mod native;
mod outbound;
mod responses;
mod serve;
mod unserved;
mod usage;

use actix_web::web::{self, ServiceConfig};
use actix_web::{Resource, Route};

use crate::gateway::Gateway;

/// Mounts the data plane.
pub fn configure(gateway: Gateway) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |service| {
        service
            .app_data(web::Data::new(gateway))
            .service(resource(
                "/v1/chat/completions",
                [web::post().to(serve::chat_completions)],
            ))
            .service(resource("/v1/responses", [web::post().to(serve::responses)]))
            .service(resource(
                "/v1/responses/{id}",
                [web::get().to(responses::retrieve), web::delete().to(responses::delete)],
            ))
            .service(resource(
                "/v1/responses/{id}/input_items",
                [web::get().to(responses::input_items)],
            ))
            .service(resource(
                "/v1/responses/{id}/cancel",
                [web::post().to(responses::cancel)],
            ))
            .service(resource("/v1/completions", [web::post().to(serve::completions)]))
            .service(resource("/v1/embeddings", [web::post().to(serve::embeddings)]))
            .service(resource("/v1/messages", [web::post().to(serve::messages)]))
            .service(resource("/v1/messages/count_tokens", [web::post().to(count::messages)]))
            .service(resource("/v1/usage", [web::get().to(usage::own)]))
            .service(resource("/v1/models", [web::get().to(models::list)]))
            .service(resource(
                "/v1/models/{model:.*}",
                [web::get().to(models::one), web::post().to(gemini::act)],
            ))
            .service(resource("/v1beta/models", [web::get().to(models::list_for_gemini)]))
            .service(resource(
                "/v1beta/models/{model:.*}",
                [web::get().to(models::one_for_gemini), web::post().to(gemini::act)],
            ))
            .service(web::resource("/native/{tail:.*}").default_service(web::to(native::pass)))
            .service(web::scope("/v1").default_service(web::to(unserved::unknown)))
            .service(web::scope("/v1beta").default_service(web::to(unserved::unknown)));
    }
}

/// An address with its methods; any other is refused in the caller's dialect.
fn resource(path: &str, routes: impl IntoIterator<Item = Route>) -> Resource {
    let resource = web::resource(path).default_service(web::to(unserved::wrong_method));
    routes.into_iter().fold(resource, Resource::route)
}
