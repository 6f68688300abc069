//! The dashboard: a single-page client of the control API. Everything it shows comes from there; it decides nothing
//! the server would not decide again.

#![expect(unreachable_pub, reason = "the component macro writes its own, wider visibility")]

mod api;
mod app;
mod components;
mod form;
mod format;
mod load;
mod pages;
mod place;
mod route;
mod router;
mod session;
mod shell;
mod theme;
mod timeline;
mod waiting;
mod yaml;

fn main() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(app::App);
}
