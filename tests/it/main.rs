//! Sidegate from outside, on real sockets. One binary, so that it links once.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::result_large_err,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unused_async,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test fails by panicking, and nobody calls its parts"
)]

mod app_login;
mod app_sessions;
mod browser;
mod canaries;
mod commands;
mod connector;
mod demo;
mod draining;
mod ending;
mod floors;
mod killed;
mod limits;
mod manual;
mod miniflux;
mod oidc;
mod oidc_ends;
mod open_files;
mod ops;
mod passing;
mod proxying;
mod radicale;
mod reloading;
mod resuming;
mod saml;
mod scim;
mod smuggling;
mod stalling;
mod store_kill;
mod support;
mod tls;
mod tokens;
mod webhooks;
mod websocket;
mod written;
