//! What the black-box tests are made of: the built `gatewright` as processes of its own in both topologies, the servers
//! it needs, a provider that can be told to misbehave, and callers with each kind of credential. Knows the product only
//! by its outside.

pub mod api;
pub mod chat;
pub mod dialect;
pub mod environment;
pub mod failures;
pub mod frames;
pub mod http;
pub mod http2;
pub mod installation;
pub mod organization;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod repository;
pub mod sigv4;
pub mod spending;
pub mod sse;
pub mod tls;
pub mod upstream;
pub mod wait;

mod guardian;
