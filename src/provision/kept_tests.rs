//! What stays of a record whatever a client sends.

use super::world::*;
use super::*;
use crate::config::Adopt;
use crate::identity::ManagedBy;

#[tokio::test]
async fn a_password_is_kept_for_local_accounts_alone() {
    let world = World::new(vec![tenant()]).await;
    let hash = |text: &str| Some(Secret::new(text.to_owned()));
    let local = UserDraft {
        password: hash("one"),
        ..draft("ada")
    };
    for (draft, kept) in [(local, Some("two")), (draft("bob"), None)] {
        let user = world.post(draft).await.unwrap();
        let changed = world.edit(&user, move |draft| draft.password = hash("two"));
        let changed = changed.await.unwrap();
        let password = changed.password.as_ref().map(Secret::expose);
        assert_eq!(password, kept, "{}", user.user_name);
    }
}

#[tokio::test]
async fn a_rehearsal_of_a_deactivation_said_again_ends_nothing() {
    let world = World::new(vec![tenant()]).await;
    let ada = world.post(draft("ada")).await.unwrap();
    let off = |user: &User| -> Result<UserDraft, Refused> {
        Ok(UserDraft {
            active: false,
            ..UserDraft::of(user)
        })
    };
    let deactivate = async |dry_run| {
        let actor = Actor {
            dry_run,
            ..ACTOR.clone()
        };
        let (tenant, id) = (&ada.tenant, &ada.id);
        let done = world.provision.edit_user(tenant, id, None, &actor, off);
        done.await.map(drop).unwrap();
    };
    deactivate(false).await;
    let token = world.signed_in(&ada).await;
    deactivate(true).await;
    assert!(world.is_live(&token), "a rehearsal");
    deactivate(false).await;
    assert!(!world.is_live(&token), "said again, it holds again");
}

#[tokio::test]
async fn of_two_posts_that_adopt_one_does() {
    let mut own = tenant();
    own.provisioning.adopt = Adopt::Post;
    let world = World::new(vec![own]).await;
    let theirs = User {
        managed_by: ManagedBy::SignIn,
        ..record("ada")
    };
    world.scim(theirs).await;
    let titled = |title: &str| {
        let mut draft = draft("ada");
        draft.attributes.insert("title".to_owned(), title.into());
        draft
    };
    let (one, other) = tokio::join!(world.post(titled("one")), world.post(titled("other")));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let taken = |done: &Result<User, Refused>| {
        let why = done.as_ref().err().map(ToString::to_string);
        why.is_some_and(|why| why == "userName is taken")
    };
    assert!(taken(&one) || taken(&other));
}
