//! The only part that knows actix: addresses, bodies coming in and replies going out.

mod body;
mod chat;
mod health;
mod models;
mod outbound;

use actix_web::web::{self, ServiceConfig};

use crate::gateway::Gateway;

/// Mounts the data plane.
pub fn configure(gateway: Gateway) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |service| {
        service
            .app_data(web::Data::new(gateway))
            .route("/v1/chat/completions", web::post().to(chat::completions))
            .route("/v1/models", web::get().to(models::list))
            .route("/v1/models/{model:.*}", web::get().to(models::one))
            .route("/readyz", web::get().to(health::ready))
            .service(web::scope("/v1").default_service(web::to(health::unknown)));
    }
}
