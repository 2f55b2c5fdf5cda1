//! What answers below `/.sidegate/`: sign-in, sign-out, `whoami`, change of password.

use bytes::Bytes;
use http::header::ALLOW;
use http::{HeaderValue, Method, Response};
use http_body_util::Full;

use super::Login;
use crate::problem::Problem;
use crate::web::{Visit, answer};

/// One address of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    SignIn,
    SignOut,
    SignedOut,
    Whoami,
    Password,
    Resume,
}

impl Login {
    /// Answers `login`, `logout`, `logout/done`, `whoami`, `password`, `resume`; `rest` is what stands after our
    /// prefix and its slash.
    ///
    /// # Errors
    ///
    /// Unknown addresses; what the pages themselves refuse.
    pub async fn answer(
        &self,
        visit: &Visit,
        rest: &str,
        body: Bytes,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let address = Address::parse(rest).ok_or_else(Problem::not_found)?;
        let writes = match visit.method {
            Method::GET | Method::HEAD => false,
            Method::POST if self.takes_forms(address) => true,
            _ => return Ok(self.no_such_method(visit, address)),
        };
        let response = match (address, writes) {
            (Address::SignIn, false) => self.choose(visit).await?,
            (Address::SignIn, true) => self.sign_in_local(visit, &body).await?,
            (Address::SignOut, _) => self.log_out(visit).await?,
            (Address::SignedOut, _) => self.signed_out(visit)?,
            (Address::Whoami, _) => self.whoami(visit).await?,
            (Address::Password, false) => self.show_password(visit).await?,
            (Address::Password, true) => self.change_password(visit, &body).await?,
            (Address::Resume, _) => self.resume(visit)?,
        };
        Ok(answer::for_method(response, &visit.method))
    }

    fn takes_forms(&self, address: Address) -> bool {
        match address {
            Address::SignIn | Address::Password => self.settings.local.enabled,
            Address::SignOut => true,
            Address::SignedOut | Address::Whoami | Address::Resume => false,
        }
    }

    fn no_such_method(&self, visit: &Visit, address: Address) -> Response<Full<Bytes>> {
        let allowed = if self.takes_forms(address) {
            "GET, HEAD, POST"
        } else {
            "GET, HEAD"
        };
        let problem = Problem::method_not_allowed();
        let mut response = answer::problem(&problem, visit, &self.look);
        // RFC 9110 15.5.6: a 405 says what would be answered.
        let headers = response.headers_mut();
        headers.insert(ALLOW, HeaderValue::from_static(allowed));
        response
    }
}

impl Address {
    fn parse(rest: &str) -> Option<Self> {
        match rest {
            "login" => Some(Self::SignIn),
            "logout" => Some(Self::SignOut),
            "logout/done" => Some(Self::SignedOut),
            "whoami" => Some(Self::Whoami),
            "password" => Some(Self::Password),
            "resume" => Some(Self::Resume),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
