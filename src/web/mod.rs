//! One request as the rest of the process sees it, and the answers that are ours.
//!
//! Refuses what cannot be read in one way only: paths, cookies, forwarded headers, bodies over their limit.

pub mod answer;
mod body;
mod cookie;
mod elements;
mod forwarded;
mod forwarding;
mod glob;
mod host;
mod kept_cookies;
mod origin;
pub mod page;
mod path;
mod reading;
mod request_id;
mod set_cookie;
mod spelling;
mod visit;

pub use body::{BodyError, read};
pub use cookie::{CookieJar, OwnCookies, set_cookie_pair, strip_cookies};
pub use glob::PathPattern;
pub use host::HostError;
pub use kept_cookies::KeptCookies;
pub use origin::{Inbound, Origin, OriginError, X_REQUEST_ID};
pub use path::{MAX_PATH, PathError, RequestPath, Spelling};
pub use set_cookie::SetCookie;
pub use visit::Visit;
