//! The call that yields the token which others carry.

use super::AppFailure;
use super::render::{Context, written};
use super::wire::Wire;
use crate::config::{ApiLogin, Called, TokenAt};
use crate::secret::Secret;

impl Wire {
    /// A token other than the one that has ended. Where a login ends the token before it, two at once would end each
    /// other's: one logs in, the others take what it brings.
    pub(super) async fn token(
        &self,
        login: &ApiLogin,
        ended: Option<&Secret>,
    ) -> Result<Secret, AppFailure> {
        let mut held = self.token.lock().await;
        let is_ended = |token: &Secret| ended.is_some_and(|ended| ended.matches(token.expose()));
        if let Some(token) = held.as_ref().filter(|token| !is_ended(token)) {
            return Ok(token.clone());
        }
        let token = self.log_in(login).await?;
        *held = Some(token.clone());
        Ok(token)
    }

    async fn log_in(&self, login: &ApiLogin) -> Result<Secret, AppFailure> {
        let called = login.operation.calls.first();
        let Some(Called::Http {
            method,
            path,
            query,
        }) = called
        else {
            return Err(AppFailure::Cannot("log in"));
        };
        let context = Context::default();
        let url = self.address(path, query.as_ref(), &context)?;
        let body = login.operation.body.as_ref();
        let body = body.and_then(|body| context.body(body));
        let request = self.bare(method, &url, (body, login.encoding), None, &context)?;
        let answer = self.exchange(request, "login", context.carried());
        let answer = answer.await?;
        // Whatever it refuses is no word of whom the call is about.
        let refused = |failure: AppFailure| match failure {
            passing if passing.passes() => passing,
            refused => AppFailure::unreached(format!("its login: {refused}")),
        };
        let reply = self.judged("login", answer).await.map_err(refused)?;
        let token = match &login.token {
            TokenAt::Document(at) => at.of(&reply.document).map(written),
            TokenAt::Header(name) => reply
                .headers
                .get(name)
                .and_then(|it| it.to_str().ok())
                .map(str::to_owned),
        };
        let token = token.filter(|token| !token.is_empty());
        Ok(Secret::new(token.ok_or_else(|| {
            AppFailure::odd("its login gives no token")
        })?))
    }
}
