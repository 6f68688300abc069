//! Showing who one is: passwords, sessions, control-plane tokens, the one-time setup link.

pub(crate) mod csrf;
pub(crate) mod lockout;
pub(crate) mod password;
pub(crate) mod session;
mod setup;
pub(crate) mod sign_in;
pub(crate) mod token;

pub(crate) use csrf::CSRF_HEADER;
pub(crate) use lockout::Strangers;
pub(crate) use password::{PasswordError, Passwords};
pub(crate) use session::SESSION_COOKIE;
pub use setup::setup_link;
