//! `[users]` and `[groups]`: the records of the app and what can be done with them.

use std::collections::BTreeMap;

use super::body::Body;
use super::errors::Test;
use super::field::{Field, Only};
use super::operation::{
    Find, Listing, NewId, Operation, Pointer, Update, check_names, optional_pointer, pointer,
};
use super::reading::Reading;
use super::template::{Name, is_attribute};
use crate::config::reader::Section;
use crate::identity::fold;

/// What users and groups have in common.
#[derive(Clone, Debug)]
pub struct Kind {
    /// `users` or `groups`.
    pub name: &'static str,
    /// Where a record holds its id.
    pub id: Pointer,
    /// The attribute by which two records are the same one.
    pub key: String,
    /// What a record holds.
    pub fields: Vec<Field>,
    /// All of them.
    pub list: Listing,
    /// By an attribute, without reading all.
    pub find: BTreeMap<String, Find>,
    /// One by its id; without it the list is read.
    pub get: Option<(Operation, Pointer)>,
    /// Makes one; without a place of the new id, it is looked for by its key.
    pub create: Option<(Operation, Option<NewId>)>,
    /// Changes one.
    pub update: Option<Update>,
    /// Removes one.
    pub delete: Option<Operation>,
    /// `delete` only disables: the record stays.
    pub soft: bool,
    /// Folded keys of records that are never touched.
    pub ignore: Vec<String>,
}

/// How the app knows who may not sign in.
#[derive(Clone, Debug)]
pub enum Active {
    /// A field.
    Field,
    /// Calls of their own: activate, deactivate.
    Calls(Operation, Operation),
    /// Members of this group may not.
    MemberOf(String),
    /// It does not know: the gate alone keeps people out.
    None,
}

/// `[users]`
#[derive(Clone, Debug)]
pub struct Users {
    /// As groups have it, too.
    pub kind: Kind,
    /// Who may not sign in.
    pub active: Active,
    /// Which records are administrators; the last of them is never deactivated, and SCIM clients link none.
    pub administrator: Option<(Pointer, Test)>,
}

/// How the app knows who is in a group.
#[derive(Clone, Debug)]
pub enum Mode {
    /// A call for each who comes or goes.
    Calls {
        /// Members come from a call of their own, else from the group.
        list: Option<Box<Listing>>,
        /// One comes.
        add: Operation,
        /// One goes.
        remove: Operation,
    },
    /// The group holds all of its members; they are written as a whole.
    GroupField(Operation),
    /// The user holds all of their groups; they are written as a whole.
    UserField(Operation),
}

/// `[groups.members]`
#[derive(Clone, Debug)]
pub struct Members {
    /// Who keeps the list.
    pub mode: Mode,
    /// Where the group, or the user, holds the list.
    pub read: Pointer,
    /// Where an element of the list holds the id.
    pub reference: Pointer,
    /// How an element is written; `{x}` is the id.
    pub element: Body,
}

/// `[groups]`
#[derive(Clone, Debug)]
pub struct Groups {
    /// As users have it, too.
    pub kind: Kind,
    /// Who is in a group; none where the app does not tell.
    pub members: Option<Members>,
}

impl Kind {
    fn read(section: &mut Section, name: &'static str, key: &str, reading: &Reading<'_>) -> Self {
        let named = |operation: &str| format!("{name}.{operation}");
        let fields = Field::read_all(section, reading);
        if !section.has("list") {
            section.mistake("list", "is required: how to read all of them");
        }
        let list = Listing::read(&mut section.section("list"), named("list"), reading, &[]);
        let find = Self::read_find(section, name, reading);
        let mut part = |key: &'static str| section.has(key).then(|| section.section(key));
        let get = part("get").map(|mut get| {
            let item = pointer(&mut get, "item", "");
            (
                Operation::read(&mut get, named("get"), reading, &["id"]),
                item,
            )
        });
        let create = part("create").map(|mut create| {
            let allowed = ["fields", "attributes", "random", "password"];
            let operation = Operation::read(&mut create, named("create"), reading, &allowed);
            (operation, NewId::read(&mut create))
        });
        let update =
            part("update").map(|mut update| Update::read(&mut update, named("update"), reading));
        let mut soft = false;
        let delete = part("delete").map(|mut delete| {
            soft = delete.flag("soft", false);
            Operation::read(&mut delete, named("delete"), reading, &["id", "attributes"])
        });
        let key = section.text("key", key);
        let kind = Self {
            name,
            id: pointer(section, "id", "/id"),
            ignore: section
                .list("ignore", &[])
                .iter()
                .map(|name| fold(name))
                .collect(),
            key,
            fields,
            list,
            find,
            get,
            create,
            update,
            delete,
            soft,
        };
        kind.check(section);
        kind
    }

    fn read_find(
        section: &mut Section,
        name: &'static str,
        reading: &Reading<'_>,
    ) -> BTreeMap<String, Find> {
        let mut find = BTreeMap::new();
        for (attribute, mut section) in section.free_sections("find") {
            if !is_attribute(&attribute) {
                section.mistake("call", format!("{attribute:?} is not an attribute"));
            }
            let read = Find::read(&mut section, format!("{name}.find"), reading);
            find.insert(attribute, read);
        }
        find
    }

    fn check(&self, section: &Section) {
        let thin = |find: &Find| matches!(find, Find::Many(listing) if listing.thin);
        if self.get.is_none() && (self.list.thin || self.find.values().any(thin)) {
            let why = "is required, as thin says that records are read one by one";
            section.mistake("get", why);
        }
        if self.field(&self.key).is_none() {
            let why = format!(
                "{:?} must be the attribute of a field that can be read",
                self.key
            );
            section.mistake("key", why);
        }
    }

    /// The field that holds an attribute and can be read.
    pub fn field(&self, attribute: &str) -> Option<&Field> {
        let holds =
            |field: &&Field| field.attribute.as_deref() == Some(attribute) && field.read.is_some();
        self.fields.iter().find(holds)
    }
}

impl Users {
    /// Whether making somebody takes a password that is kept.
    pub fn keeps_password(&self) -> bool {
        let names = |body: &Body| body.names().contains(&&Name::Word("password"));
        let create = self.kind.create.as_ref();
        let in_body = create.and_then(|(operation, _)| operation.body.as_ref());
        in_body.is_some_and(names) || self.password_fields(Only::Create).next().is_some()
    }

    /// Whether a kept password can be set anew.
    pub fn changes_password(&self) -> bool {
        self.kind.update.is_some() && self.password_fields(Only::Update).next().is_some()
    }

    /// Fields that hold it, as far as they are written then.
    pub fn password_fields(&self, when: Only) -> impl Iterator<Item = &Field> {
        let named = |body: &Body| body.names().contains(&&Name::Word("password"));
        self.kind.fields.iter().filter(move |field| {
            let written = !field.read_only && [Only::Both, when].contains(&field.only);
            written && field.write.as_ref().is_some_and(named)
        })
    }

    pub(super) fn read(mut section: Section, reading: &Reading<'_>) -> Self {
        let kind = Kind::read(&mut section, "users", "userName", reading);
        let words = [("field", 0_u8), ("calls", 1), ("member_of", 2), ("none", 3)];
        let active = match section.choice("active", &words, 0) {
            0 => {
                if !kind
                    .fields
                    .iter()
                    .any(|field| field.attribute.as_deref() == Some("active") && !field.read_only)
                {
                    section.mistake("active", "is \"field\", and no field holds active; else \"calls\", \"member_of\" or \"none\"");
                }
                Active::Field
            }
            1 => {
                let mut call = |key: &'static str| {
                    if !section.has(key) {
                        section.mistake(key, "is required with active = \"calls\"");
                    }
                    Operation::read(
                        &mut section.section(key),
                        format!("users.{key}"),
                        reading,
                        &["id", "attributes", "random"],
                    )
                };
                Active::Calls(call("activate"), call("deactivate"))
            }
            2 => Active::MemberOf(section.required("disabled_group")),
            _ => Active::None,
        };
        let administrator = section
            .has("administrator")
            .then(|| section.section("administrator"));
        let administrator = administrator.and_then(|mut section| {
            let at = pointer(&mut section, "at", "");
            let test = Test::read(&mut section);
            if test.is_none() {
                section.mistake("equals", "is required, or match");
            }
            Some((at, test?))
        });
        Self {
            kind,
            active,
            administrator,
        }
    }
}

impl Groups {
    pub(super) fn read(mut section: Section, reading: &Reading<'_>) -> Self {
        let kind = Kind::read(&mut section, "groups", "displayName", reading);
        let members = section.has("members").then(|| section.section("members"));
        let members = members.map(|members| Members::read(members, reading));
        Self { kind, members }
    }
}

impl Members {
    fn read(mut section: Section, reading: &Reading<'_>) -> Self {
        let words = [("calls", 0_u8), ("group_field", 1), ("user_field", 2)];
        let mode = match section.choice("mode", &words, 0) {
            0 => {
                let list = section.has("list").then(|| section.section("list"));
                let list = list.map(|mut list| {
                    let name = "members.list".to_owned();
                    Box::new(Listing::read(&mut list, name, reading, &["group"]))
                });
                if list.is_none() && !section.has("read") {
                    section.mistake(
                        "list",
                        "is required, or read: where the group holds its members",
                    );
                }
                let add = Self::call(&mut section, "add", reading, &["user", "group"]);
                let remove = Self::call(&mut section, "remove", reading, &["user", "group"]);
                Mode::Calls { list, add, remove }
            }
            1 => Mode::GroupField(Self::call(
                &mut section,
                "set",
                reading,
                &["group", "users"],
            )),
            _ => Mode::UserField(Self::call(
                &mut section,
                "set",
                reading,
                &["user", "groups"],
            )),
        };
        let whole = !matches!(mode, Mode::Calls { .. });
        let read = optional_pointer(&mut section, "read");
        if whole && read.is_none() {
            section.mistake("read", "is required: where the list is held");
        }
        let reference = pointer(&mut section, "ref", "");
        let element = section.take("as", None).map_or_else(
            || Body::parse(&"{x}".into(), reading.variables),
            |value| Body::parse(&value, reading.variables),
        );
        let element = element.and_then(|body| {
            check_names(body.names(), &["x"])?;
            check_undone(&body, &reference)?;
            Ok(body)
        });
        Self {
            mode,
            read: read.unwrap_or_default(),
            reference,
            element: element.unwrap_or_else(|why| {
                section.mistake("as", why);
                Body::Plain(serde_json::Value::Null)
            }),
        }
    }

    fn call(
        section: &mut Section,
        key: &'static str,
        reading: &Reading<'_>,
        allowed: &[&'static str],
    ) -> Operation {
        if !section.has(key) {
            section.mistake(key, "is required");
        }
        Operation::read(
            &mut section.section(key),
            format!("members.{key}"),
            reading,
            allowed,
        )
    }
}

/// Refuses elements by which nobody is known again when they are read.
fn check_undone(element: &Body, reference: &Pointer) -> Result<(), String> {
    if !element.names().contains(&&Name::Word("x")) {
        return Err("must hold {x}, the id".to_owned());
    }
    let text = element.text_at(reference);
    if text.is_some_and(|text| text.around("x").is_none()) {
        let why = "cannot be read again: {x} must stand once where ref points, with fixed text around it at most, and \
                   with no filter but int, str and lower";
        return Err(why.to_owned());
    }
    Ok(())
}
