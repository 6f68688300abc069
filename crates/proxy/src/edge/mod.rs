//! The only part that knows actix: addresses, bodies coming in and replies going out.

mod body;
mod chat;
mod models;
mod outbound;
mod unserved;

use actix_web::web::{self, ServiceConfig};
use actix_web::{Resource, Route};

use crate::gateway::Gateway;

/// Mounts the data plane.
pub fn configure(gateway: Gateway) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |service| {
        service
            .app_data(web::Data::new(gateway))
            .service(resource("/v1/chat/completions", web::post().to(chat::completions)))
            .service(resource("/v1/models", web::get().to(models::list)))
            .service(resource("/v1/models/{model:.*}", web::get().to(models::one)))
            .service(web::scope("/v1").default_service(web::to(unserved::unknown)));
    }
}

/// An address with one method; any other is refused in the caller's dialect.
fn resource(path: &str, route: Route) -> Resource {
    web::resource(path)
        .route(route)
        .default_service(web::to(unserved::wrong_method))
}
