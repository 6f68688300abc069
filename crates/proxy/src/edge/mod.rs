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

use actix_web::guard::fn_guard;
use actix_web::http::Method;
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
                [on(&Method::POST).to(serve::chat_completions)],
            ))
            .service(resource("/v1/responses", [on(&Method::POST).to(serve::responses)]))
            .service(resource(
                "/v1/responses/{id}",
                [
                    on(&Method::GET).to(responses::retrieve),
                    on(&Method::DELETE).to(responses::delete),
                ],
            ))
            .service(resource(
                "/v1/responses/{id}/input_items",
                [on(&Method::GET).to(responses::input_items)],
            ))
            .service(resource(
                "/v1/responses/{id}/cancel",
                [on(&Method::POST).to(responses::cancel)],
            ))
            .service(resource("/v1/completions", [on(&Method::POST).to(serve::completions)]))
            .service(resource("/v1/embeddings", [on(&Method::POST).to(serve::embeddings)]))
            .service(resource("/v1/messages", [on(&Method::POST).to(serve::messages)]))
            .service(resource(
                "/v1/messages/count_tokens",
                [on(&Method::POST).to(count::messages)],
            ))
            .service(resource("/v1/usage", [on(&Method::GET).to(usage::own)]))
            .service(resource("/v1/models", [on(&Method::GET).to(models::list)]))
            .service(resource(
                "/v1/models/{model:.*}",
                [on(&Method::GET).to(models::one), on(&Method::POST).to(gemini::act)],
            ))
            .service(resource(
                "/v1beta/models",
                [on(&Method::GET).to(models::list_for_gemini)],
            ))
            .service(resource(
                "/v1beta/models/{model:.*}",
                [
                    on(&Method::GET).to(models::one_for_gemini),
                    on(&Method::POST).to(gemini::act),
                ],
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

/// A route of one method. With actix's own guard each request would carry a list of the methods that were looked for, for
/// an answer that `wrong_method` gives by itself.
fn on(method: &'static Method) -> Route {
    web::route().guard(fn_guard(move |request| request.head().method == *method))
}
