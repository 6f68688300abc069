//! Which models there are, who serves them and which way requests take.

use gatewright_types::Permission::{ModelsRead, ModelsWrite, ProvidersRead, ProvidersWrite};

use super::{Route, delete, get, needs, patch, post};
use crate::api::{cache, canaries, credentials, explain, models, providers, targets};

pub(super) fn routes() -> Vec<Route> {
    vec![
        needs(
            ProvidersRead,
            get(below!("/targets")),
            "How the models at providers do that requests go to",
            targets::list,
        ),
        needs(
            ProvidersWrite,
            post(below!("/targets/reset")),
            "Have a model at a provider called again that is left alone",
            targets::reset,
        ),
        needs(
            ProvidersRead,
            get(below!("/providers")),
            "List providers",
            providers::list,
        ),
        needs(
            ProvidersWrite,
            post(below!("/providers")),
            "Add a provider",
            providers::create,
        ),
        needs(
            ProvidersRead,
            get(below!("/providers/{provider}")),
            "Read a provider",
            providers::read,
        ),
        needs(
            ProvidersWrite,
            patch(below!("/providers/{provider}")),
            "Change a provider's address and settings",
            providers::update,
        ),
        needs(
            ProvidersWrite,
            delete(below!("/providers/{provider}")),
            "Delete a provider",
            providers::delete,
        ),
        needs(
            ProvidersWrite,
            post(below!("/providers/{provider}/credentials")),
            "Add a credential",
            credentials::create,
        ),
        needs(
            ProvidersWrite,
            delete(below!("/providers/{provider}/credentials/{credential}")),
            "Delete a credential",
            credentials::delete,
        ),
        needs(
            ProvidersWrite,
            post(below!("/providers/{provider}/test")),
            "Make the cheapest real call with each credential",
            providers::test,
        ),
        needs(ModelsRead, get(below!("/models")), "List models", models::list),
        needs(ModelsWrite, post(below!("/models")), "Add a model", models::create),
        needs(ModelsRead, get(below!("/models/{model}")), "Read a model", models::read),
        needs(
            ModelsWrite,
            patch(below!("/models/{model}")),
            "Change a model's route, timeouts and cache",
            models::update,
        ),
        needs(
            ModelsWrite,
            delete(below!("/models/{model}")),
            "Delete a model",
            models::delete,
        ),
        needs(
            ModelsRead,
            post(below!("/models/check")),
            "What is wrong with a model that is not saved",
            explain::check,
        ),
        needs(
            ModelsRead,
            post(below!("/explain")),
            "Where a request would go, or one that was made would go by now, without calling anybody",
            explain::request,
        ),
        needs(
            ModelsRead,
            get(below!("/models/{model}/canary")),
            "How far the canaries of a model's route are",
            canaries::list,
        ),
        needs(
            ModelsWrite,
            post(below!("/models/{model}/canary/promote")),
            "Give a canary's candidate everything",
            canaries::promote,
        ),
        needs(
            ModelsWrite,
            post(below!("/models/{model}/canary/rollback")),
            "Give a canary's candidate nothing any more",
            canaries::roll_back,
        ),
        needs(
            ModelsWrite,
            post(below!("/models/{model}/canary/restart")),
            "Begin a canary anew, with the part that is written",
            canaries::restart,
        ),
        needs(
            ModelsWrite,
            post(below!("/cache/purges")),
            "Void answers that are kept",
            cache::purge,
        ),
    ]
}
