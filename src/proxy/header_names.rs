//! Names of the fields that tell who is asking.

use http::HeaderName;

use super::reserved::{fold_byte, is_taken};
use crate::config::{Headers, Mistake, Preset};

/// What a field says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    UserName,
    Email,
    Name,
    Groups,
    Roles,
    Template,
}

static FORWARDED: [(HeaderName, Says); 6] = [
    (HeaderName::from_static("x-forwarded-user"), Says::UserName),
    (HeaderName::from_static("x-forwarded-email"), Says::Email),
    (
        HeaderName::from_static("x-forwarded-preferred-username"),
        Says::UserName,
    ),
    (HeaderName::from_static("x-forwarded-groups"), Says::Groups),
    (HeaderName::from_static("x-forwarded-roles"), Says::Roles),
    (HeaderName::from_static("x-forwarded-name"), Says::Name),
];
static REMOTE_USER: [(HeaderName, Says); 5] = [
    (HeaderName::from_static("remote-user"), Says::UserName),
    (HeaderName::from_static("remote-email"), Says::Email),
    (HeaderName::from_static("remote-name"), Says::Name),
    (HeaderName::from_static("remote-groups"), Says::Groups),
    (HeaderName::from_static("remote-roles"), Says::Roles),
];

/// The fields of a ready-made set.
pub(super) fn preset(preset: Preset) -> &'static [(HeaderName, Says)] {
    match preset {
        Preset::Forwarded => &FORWARDED,
        Preset::RemoteUser => &REMOTE_USER,
        Preset::None => &[],
    }
}

/// R9: two names that an app folds to one, or a name with another meaning, would let one speak for the other.
pub(super) fn mistakes(settings: &Headers) -> Vec<Mistake> {
    let preset = preset(settings.preset)
        .iter()
        .map(|(name, _)| ("headers.preset".to_owned(), name));
    let assertion = settings.assertion.iter();
    let set = settings.set.iter();
    let all = preset
        .chain(assertion.map(|its| ("headers.assertion.name".to_owned(), &its.name)))
        .chain(set.map(|(name, _)| (format!("headers.set.{name}"), name)));
    let mut before: Vec<(String, &HeaderName)> = Vec::new();
    let mut mistakes = Vec::new();
    for (key, name) in all {
        let folded: String = name
            .as_str()
            .bytes()
            .map(|b| char::from(fold_byte(b)))
            .collect();
        if let Some(why) = is_taken(name) {
            mistakes.push(Mistake {
                key,
                why: format!("{name} {why}"),
            });
        } else if let Some((_, other)) = before.iter().find(|(its, _)| *its == folded) {
            mistakes.push(Mistake {
                key,
                why: format!("{name} looks like {other} to apps that fold - and _"),
            });
        } else {
            before.push((folded, name));
        }
    }
    mistakes
}
