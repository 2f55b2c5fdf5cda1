//! What reading a connector needs besides the text.

use http::Method;
use url::Url;

use super::operation::{Called, check_names};
use super::template::{Template, Variables};

/// What reading a connector needs besides the text.
pub(super) struct Reading<'a> {
    /// What `{env.NAME}` stands for.
    pub(super) variables: Variables<'a>,
    /// Calls are names of procedures.
    pub(super) procedures: bool,
}

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

impl Reading<'_> {
    /// `METHOD /path?query`, or a procedure's name.
    pub(super) fn called(&self, text: &str, allowed: &[&'static str]) -> Result<Called, String> {
        if self.procedures {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
            return if !text.is_empty() && text.chars().all(plain) {
                Ok(Called::Procedure(text.to_owned()))
            } else {
                Err(format!(
                    "{text:?} must be the name of a procedure, as [api] has an envelope"
                ))
            };
        }
        let (method, target) = text
            .split_once(' ')
            .ok_or_else(|| format!("{text:?} must be \"METHOD /path\""))?;
        let known = METHODS.into_iter().find(|known| known.as_str() == method);
        let method =
            known.ok_or_else(|| format!("{method:?} must be GET, POST, PUT, PATCH or DELETE"))?;
        let target = target.trim();
        if !target.starts_with('/') {
            return Err(format!(
                "{target:?} must begin with /: it is put behind base"
            ));
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let path = Template::parse(path, self.variables)?;
        let query = query
            .map(|query| Template::parse(query, self.variables))
            .transpose()?;
        check_names(path.names(), allowed)?;
        let sample = path.sample(true)?;
        Url::parse(&format!("https://app.test{sample}"))
            .map_err(|error| format!("{target:?} is no address: {error}"))?;
        if let Some(query) = &query {
            query.sample(false)?;
        }
        check_names(query.iter().flat_map(Template::names), allowed)?;
        Ok(Called::Http {
            method,
            path,
            query,
        })
    }
}
