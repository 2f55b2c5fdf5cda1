//! Sidegate: one binary in front of an app that nobody can change.
//!
//! The map. Areas stand on floors and use lower floors only (`tests/it/floors.rs`):
//!
//! | floor | areas |
//! |---|---|
//! | 9 | [`cli`]: what an operator types |
//! | 8 | [`server`]: listeners, TLS, connections, the router, the access log |
//! | 7 | [`proxy`]: one proxied request; [`oidc`]: OpenID Connect; [`saml`]: SAML 2.0; [`scim`]: provisioning; [`ops`]: health and metrics |
//! | 6 | [`login`]: one sign-in, whatever proves it |
//! | 5 | [`policy`]: may this request pass; [`provision`]: the one way to change people |
//! | 4 | [`session`], [`directory`], [`audit`]: what lasts; [`connector`]: the app's own user API |
//! | 3 | [`storage`]: where it lasts; [`outbound`]: calls that we start |
//! | 2 | [`config`]: what an operator set |
//! | 1 | [`identity`], [`web`], [`crypto`]: words of the field as types |
//! | 0 | [`clock`], [`secret`], [`problem`], [`metrics`] |

pub mod audit;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connector;
pub mod crypto;
pub mod directory;
pub mod identity;
pub mod login;
pub mod metrics;
pub mod oidc;
pub mod ops;
pub mod outbound;
pub mod policy;
pub mod problem;
pub mod provision;
pub mod proxy;
pub mod saml;
pub mod scim;
pub mod secret;
pub mod server;
pub mod session;
pub mod storage;
pub mod web;
