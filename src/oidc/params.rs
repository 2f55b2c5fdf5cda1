//! Parameters of a query or form, each at most once (R37).

use url::form_urlencoded;

use crate::problem::Problem;

/// More parameters than any answer of an idp has.
const MAX: usize = 64;

/// Names that mean something to us: saying one twice is an attempt to be understood in two ways.
const ONCE: [&str; 9] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "id_token",
    "session_state",
    "logout_token",
    "sid",
];

/// A parameter came twice, or there are too many.
#[derive(Debug, thiserror::Error)]
#[error("a parameter is repeated, or there are too many")]
pub(super) struct ParamsError;

impl From<ParamsError> for Problem {
    fn from(error: ParamsError) -> Self {
        Self::bad_request(
            "sign_in.parameters",
            "Your sign-in service's answer cannot be read. Please start again.",
        )
        .because(error)
    }
}

/// Parameters that can mean one thing only.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn read(text: &[u8]) -> Result<Self, ParamsError> {
        let mut pairs = Vec::new();
        for (name, value) in form_urlencoded::parse(text) {
            // R37: refused, because two readers could each believe another one.
            let repeated = ONCE.contains(&name.as_ref())
                && pairs.iter().any(|(seen, _): &(String, _)| *seen == name);
            if repeated || pairs.len() >= MAX {
                return Err(ParamsError);
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// The value; an empty one is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(its, value)| its == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r37_a_repeated_parameter_is_refused() {
        for name in ONCE {
            let twice = format!("{name}=a&x=y&{name}=b");
            assert!(Params::read(twice.as_bytes()).is_err(), "{name}");
            let spelled = format!(
                "{name}=a&%{:02x}{}=a",
                name.as_bytes()[0],
                name.get(1..).unwrap()
            );
            assert!(Params::read(spelled.as_bytes()).is_err(), "{spelled}");
            let empty = format!("{name}=&{name}=b");
            assert!(Params::read(empty.as_bytes()).is_err(), "{empty}");
            let once = format!("x=1&x=2&{name}=a%20b");
            let params = Params::read(once.as_bytes()).unwrap();
            assert_eq!(params.get(name), Some("a b"));
        }
        assert!(Params::read("a&".repeat(100).as_bytes()).is_err());
    }
}
