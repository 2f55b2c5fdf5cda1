//! Looking: by id, by name, in the list, and for somebody who is not there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Part, Rehearsal, Step, password};
use crate::config::Style;
use crate::connector::records::Records;
use crate::connector::render::Attributes;
use crate::connector::{AppFailure, Connector, Known, Made, map};

/// About so many pages are read of a list.
const PAGES: usize = 20;

impl Rehearsal {
    /// Whether the record is the one that was made; else nothing more is tried.
    pub(super) async fn read_back(&mut self, connector: &Connector, part: &Part) -> bool {
        const STEP: &str = "read back";
        let found = match connector.user(&part.known.id).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.failed(STEP, "it does not know whom it has just made");
                return false;
            }
            Err(failure) => {
                self.note::<()>(STEP, Err(failure));
                return false;
            }
        };
        if !part.is_named(connector, &found) {
            let why = "its record does not tell the name: it cannot be seen whose it is, and nothing more is tried";
            self.failed(STEP, why);
            return false;
        }
        let differs = differing(connector, &found.attributes, &part.person);
        if differs.is_empty() {
            self.push(STEP, Step::Ok);
        } else {
            let which = differs.join(", ");
            self.failed(STEP, format!("it holds something else in {which}"));
        }
        true
    }

    pub(super) async fn look(&mut self, connector: &Connector, part: &Part) {
        self.again(connector, part).await;
        self.small_pages(connector).await;
        self.nobody(connector, part).await;
        let found = connector.find_user(&part.name).await;
        let same = |found: &Option<_>| part.is(found.as_ref());
        self.expect("find by name", found, same, "it does not find them");
        let upper = connector.find_user(&part.name.to_uppercase()).await;
        self.expect(
            "find by name in other letters",
            upper,
            same,
            "it does not find them: two spellings would be two people",
        );
        let email = part.person.get("emails.value").and_then(Value::as_str);
        if connector.users.kind.field("emails.value").is_some() {
            let email = email.unwrap_or_default();
            let found = connector.find_user_by("emails.value", email).await;
            self.expect("find by e-mail", found, same, "it does not find them");
        } else {
            self.push("find by e-mail", Step::Cannot("hold e-mail addresses"));
        }
    }

    async fn again(&mut self, connector: &Connector, part: &Part) {
        let again = connector.create_user(&part.person, Some(&password())).await;
        let step = match again {
            Ok(Made { id, .. }) if id != part.known.id => {
                let second = Known::new(id, part.known.name());
                drop(connector.remove_user(&second).await);
                let why = "it made another one of the same name; the look-up before each create prevents that";
                Step::Failed(why.to_owned())
            }
            Ok(_) => Step::Failed("it took it for done".to_owned()),
            Err(AppFailure::Unavailable { why, .. }) => {
                Step::Failed(format!("a rule in [[errors]] is missing: {why}"))
            }
            Err(_refused) => Step::Ok,
        };
        self.push("refuse a second one", step);
    }

    /// Everybody is there in small pages, too: a list that ends early would look as if the others were gone.
    async fn small_pages(&mut self, connector: &Connector) {
        const STEP: &str = "list in small pages";
        let kind = &connector.users.kind;
        if kind.list.style == Style::None {
            return;
        }
        let (mut large, mut small) = (kind.clone(), kind.clone());
        // Their ids are enough.
        large.list.thin = false;
        small.list.thin = false;
        let ids = async |kind| {
            let records = Records {
                wire: &connector.wire,
                kind,
                active: None,
            };
            let all = records.list().await?.into_iter();
            Ok::<BTreeSet<_>, AppFailure>(all.map(|found| found.id).collect())
        };
        let all = match ids(&large).await {
            Ok(all) => all,
            Err(failure) => return self.note::<()>(STEP, Err(failure)),
        };
        let size = u32::try_from(all.len() / PAGES).unwrap_or(u32::MAX);
        small.list.size = size.clamp(1, kind.list.size.max(1));
        match ids(&small).await {
            Ok(some) if some == all => self.push(STEP, Step::Ok),
            Ok(some) => {
                let (some, all, size) = (some.len(), all.len(), small.list.size);
                self.failed(
                    STEP,
                    format!("of {all} people it lists {some} in pages of {size}: look at page, and whether the app sorts"),
                );
            }
            Err(failure) => self.note::<()>(STEP, Err(failure)),
        }
    }

    /// An id that nobody has.
    async fn nobody(&mut self, connector: &Connector, part: &Part) {
        let id = another_id(&part.known.id, part.known.name());
        let found = match connector.user(&id).await {
            // An id that cannot be one.
            Err(AppFailure::Invalid(_)) => Ok(None),
            found => found,
        };
        self.expect(
            "get nobody",
            found,
            Option::is_none,
            "it gives somebody for an id that nobody has",
        );
    }
}

/// Names of what the app holds otherwise than it was sent.
fn differing(connector: &Connector, found: &Attributes, person: &Attributes) -> Vec<String> {
    let held = connector.user_attributes().filter(|its| *its != "active");
    let differs = held.filter(|its| match (found.get(*its), person.get(*its)) {
        (got @ Some(_), Some(wanted)) => !map::same(&connector.users.kind, its, got, wanted),
        _ => false,
    });
    differs.map(str::to_owned).collect()
}

/// An id like this one that nobody has.
fn another_id(id: &str, name: &str) -> String {
    if id == name {
        return format!("nobody-{id}");
    }
    if let Ok(number) = id.parse::<u64>() {
        return number.saturating_add(1_000_000).to_string();
    }
    // Letters and digits of the same kind: a UUID stays one.
    let next = |letter: char| match letter {
        '0'..='8' | 'a'..='e' => char::from_u32(u32::from(letter).saturating_add(1)),
        '9' => Some('0'),
        'f' => Some('a'),
        other => Some(other),
    };
    id.chars().filter_map(next).collect()
}
