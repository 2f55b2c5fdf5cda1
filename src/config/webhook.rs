//! `[webhook]`: changes of people and groups, posted to a receiver.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::reader::Section;
use super::value::{UpstreamUrl, is_loopback};
use crate::secret::Secret;

/// `[webhook]`
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where changes are posted.
    pub url: Url,
    /// What they are signed with.
    pub secret: Secret,
    /// For a whole call. Default 10 s.
    pub timeout: Duration,
    /// Tries of one message until it is put aside. Default 12, within about 10 hours.
    pub attempts: u32,
}

impl Webhook {
    /// None where there is no such section.
    pub(super) fn read(mut section: Section, upstream: &UpstreamUrl) -> Option<Self> {
        let text = section.text("url", "");
        let secret = section.secret("secret", "secret_file");
        let timeout = section.duration(
            "timeout",
            Duration::from_secs(10),
            Duration::from_secs(1)..=Duration::from_mins(1),
        );
        let attempts = section.number("attempts", 12, 1..=50);
        if text.is_empty() {
            if secret.is_some() {
                section.mistake("url", "is required beside secret");
            }
            return None;
        }
        let url = url(&text, upstream).map_err(|why| section.mistake("url", why));
        if secret.is_none() {
            section.mistake("secret", "is required: the receiver must know who posts");
        }
        let secret = secret?;
        if let Err(why) = key(&secret) {
            section.mistake("secret", why);
        }
        Some(Self {
            url: url.ok()?,
            secret,
            timeout,
            attempts,
        })
    }

    /// The bytes of the secret: those behind `whsec_` in base64, else the text itself (Standard Webhooks 1.0).
    pub fn key(&self) -> Vec<u8> {
        key(&self.secret).unwrap_or_default()
    }
}

fn key(secret: &Secret) -> Result<Vec<u8>, &'static str> {
    let key = match secret.expose().strip_prefix("whsec_") {
        Some(encoded) => STANDARD
            .decode(encoded)
            .map_err(|_| "is no base64 behind whsec_")?,
        None => secret.expose().as_bytes().to_vec(),
    };
    if key.len() < 24 {
        return Err("must have 24 bytes at least: `openssl rand -base64 32`");
    }
    Ok(key)
}

/// R21: people's data travels by TLS, but on this machine and to the app's own host.
fn url(text: &str, upstream: &UpstreamUrl) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_not_a_url| "is not a URL")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold credentials");
    }
    let app = match upstream {
        UpstreamUrl::Http { host, .. } => Some(host.as_str()),
        UpstreamUrl::Https { .. } | UpstreamUrl::Unix(_) => None,
    };
    let near = is_loopback(&url) || (url.host_str().is_some() && url.host_str() == app);
    match url.scheme() {
        "https" => Ok(url),
        "http" if near => Ok(url),
        _ => Err(
            "must start with https:// (http:// only for this machine and the upstream's own host)",
        ),
    }
}
