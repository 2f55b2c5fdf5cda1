//! Sessions: who is signed in, and the end of it.

use tokio::task::JoinSet;

use super::execute::{Asked, Refusal, done};
use super::row::{Page, Revoked, SessionRow};
use super::{Answer, MAX_ROWS, Which};
use crate::audit::Event;
use crate::identity::TenantSlug;
use crate::session::{End, Live};

const REVOKED: &str = "revoked";

impl Asked<'_> {
    pub(super) async fn session_list(
        &self,
        tenant: Option<TenantSlug>,
        user: Option<&str>,
        skip: usize,
        limit: usize,
    ) -> Result<Answer, Refusal> {
        if let Some(tenant) = &tenant {
            self.known(tenant)?;
        }
        let person = match user {
            Some(user) => {
                let tenant = tenant.clone().unwrap_or_default();
                Some(self.person(&tenant, user).await?)
            }
            None => None,
        };
        let fits = |live: &Live| {
            let record = &live.record;
            let its_tenant = tenant.as_ref().is_none_or(|only| record.tenant == *only);
            let its_user = person
                .as_ref()
                .is_none_or(|only| record.user == only.id && record.tenant == only.tenant);
            its_tenant && its_user
        };
        let limit = limit.clamp(1, MAX_ROWS);
        let all = self.app.sessions.list();
        let mut found = all.iter().filter(|live| fits(live)).skip(skip);
        let mut rows = Vec::new();
        for live in found.by_ref().take(limit) {
            let name = self.name_of(&live.record.tenant, &live.record.user).await?;
            rows.push(SessionRow::of(live, name));
        }
        let next = found
            .next()
            .map(|_more| skip.saturating_add(limit).to_string());
        done(&Page { rows, next })
    }

    pub(super) async fn session_revoke(&self, which: Which) -> Result<Answer, Refusal> {
        let end = self.end(which).await?;
        let ended = self.app.sessions.end(&end, REVOKED).await?;
        // Written together: the store commits what waits at the same time in one go.
        let mut writes = JoinSet::new();
        for live in &ended {
            let (audit, event) = (self.app.audit.clone(), self.event(live));
            writes.spawn(async move { audit.write(event).await });
        }
        while let Some(written) = writes.join_next().await {
            match written {
                Ok(written) => written?,
                Err(_cancelled) => return Err(Refusal::Usage("the server is stopping")),
            }
        }
        done(&Revoked {
            sessions: ended
                .iter()
                .take(MAX_ROWS)
                .map(|live| live.record.id.clone())
                .collect(),
            count: ended.len(),
        })
    }

    async fn end(&self, which: Which) -> Result<End, Refusal> {
        let tenant = which.tenant;
        match (which.id, which.user, which.idp_session, which.idp) {
            (Some(id), None, None, None) if tenant.is_none() => Ok(End::Id(id)),
            (None, Some(user), None, None) => {
                let person = self.person(&tenant.unwrap_or_default(), &user).await?;
                Ok(End::User(person.tenant, person.id))
            }
            (None, None, Some(session), Some(idp)) if tenant.is_none() => Ok(End::Idp {
                idp,
                subject: None,
                session: Some(session),
            }),
            (None, None, None, None) => match tenant {
                Some(tenant) => {
                    self.known(&tenant)?;
                    Ok(End::Tenant(tenant))
                }
                None => Err(Refusal::Usage("say which sessions")),
            },
            _ => Err(Refusal::Usage(
                "say which sessions in one way: an id; a person; a session of an idp; a tenant",
            )),
        }
    }

    fn event(&self, live: &Live) -> Event {
        Event {
            action: "session.ended".to_owned(),
            actor: self.actor.name.clone(),
            tenant: Some(live.record.tenant.as_str().to_owned()),
            user: Some(live.record.user.to_string()),
            session: Some(live.record.id.clone()),
            reason: Some(REVOKED.to_owned()),
            ..Event::default()
        }
    }
}
