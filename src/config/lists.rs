//! Lists: texts, networks, domains, whatever can be parsed.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use toml::Value;

use super::mistake::quoted;
use super::reader::Section;
use crate::identity::fold;

impl Section {
    /// A list of texts. From the environment also with commas: `a,b`.
    pub(super) fn list(&mut self, key: &'static str, default: &[&str]) -> Vec<String> {
        let value = self.take_typed(key, Some(format!("{default:?}")));
        let texts = value.and_then(|value| self.as_list(key, value));
        texts.unwrap_or_else(|| default.iter().map(|&text| text.to_owned()).collect())
    }

    /// A list that must be there and name something, and nothing empty; a mistake otherwise.
    pub(super) fn required_list(&mut self, key: &'static str) -> Vec<String> {
        let value = self.take_typed(key, None);
        let texts = value.and_then(|value| self.as_list(key, value));
        let texts = texts.unwrap_or_default();
        if texts.is_empty() || texts.iter().any(|text| text.trim().is_empty()) {
            self.mistake(key, "must name at least one, and none may be empty");
        }
        texts
    }

    fn as_list(&self, key: &str, value: Value) -> Option<Vec<String>> {
        let from_environment = self.is_variable(key);
        let texts = match value {
            Value::String(text) if from_environment => {
                let items = text.split(',').map(str::trim);
                let items = items.filter(|item| !item.is_empty());
                Some(items.map(str::to_owned).collect())
            }
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Table(_) => None,
        };
        if texts.is_none() {
            self.mistake(key, "must be a list of texts: [\"one\", \"two\"]");
        }
        texts
    }

    /// A list whose items are parsed one by one; each bad one is a mistake.
    pub(super) fn parsed_list<T>(&mut self, key: &'static str, default: &[&str]) -> Vec<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let texts = self.list(key, default);
        texts
            .iter()
            .filter_map(|text| self.parse_text(key, text))
            .collect()
    }

    /// Networks as `10.0.0.0/8`; a single address is a network of one.
    pub(super) fn networks(&mut self, key: &'static str) -> Vec<IpNet> {
        let texts = self.list(key, &[]);
        let read = |text: &str| {
            let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
            text.parse::<IpNet>().ok().or_else(address)
        };
        let mut networks = Vec::new();
        for text in &texts {
            match read(text) {
                Some(network) => networks.push(network),
                None => self.mistake(
                    key,
                    format!(
                        "{} must be a network such as 10.0.0.0/8, or an address",
                        quoted(text)
                    ),
                ),
            }
        }
        networks
    }

    /// Domains or host names, folded: bare names without `@`, scheme or port.
    pub(super) fn domains(&mut self, key: &'static str) -> Vec<String> {
        let texts = self.list(key, &[]);
        for text in &texts {
            let odd = |c: char| c.is_whitespace() || c.is_control() || "@/:*".contains(c);
            if text.is_empty() || text.contains(odd) || text.starts_with('.') {
                self.mistake(
                    key,
                    format!("{} must be a bare name such as example.com", quoted(text)),
                );
            }
        }
        texts.iter().map(|text| fold(text)).collect()
    }
}
