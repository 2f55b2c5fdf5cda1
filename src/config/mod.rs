//! The one place that reads files and the environment: text in, typed values out, all mistakes at once.
//!
//! Refuses unknown keys, values outside their range, secrets given twice, and anything that would
//! open a door by being left out.

mod connector;
mod federation;
mod headers;
mod idp;
mod lists;
mod look;
mod mistake;
mod notes;
mod policy;
mod provisioning;
mod quantity;
mod reader;
mod saml;
mod scim;
mod server;
mod session;
mod source;
mod together;
mod value;
mod webhook;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use notes::Notes;
use reader::Section;
use source::Source;

pub use connector::{
    ATTRIBUTES, Active, Api, ApiLogin, AppGroups, AppLogin, AppUsers, Body, BodyEncoding, Called,
    Condition, Connector, Csrf, Endpoint, ErrorRule, Field, Filter, Find, Kind, Listing, LoginKind,
    Meaning, Members, Mode, Name, NewId, Next, OPERATIONS, Only, Operation, PRESETS, Part, Pointer,
    SPREAD, Send, Sign, Style, Target, Template, Test, TokenAt, Total, Update, leads_away, preset,
    written,
};
pub use federation::{EntraTenant, Federation, FederationKeys};
pub use headers::{Algorithm, Assertion, Encoding, Headers, Preset};
pub use idp::{Attributes, IdpSettings, Oidc, Protocol};
pub use mistake::{Mistake, Mistakes};
pub use policy::{Access, Anonymous, Rule, Who};
pub use provisioning::{Adopt, Groups, Jit, Match, OnDelete, Provisioning, Roles, Tenant};
pub use saml::{Binding, Comparison, MetadataSource, ProofWanted, Saml};
pub use scim::{AttributeRule, Extension, ExtensionAttribute, ExtensionType, Scim};
pub use server::{AppSession, Audit, Limits, Log, LogFormat, Rate, Server, Storage, Tls, Upstream};
pub use session::{Local, Logo, Pages, Paths, SameSite, SessionSettings};
pub use source::SourceError;
pub use value::{Listen, PublicUrl, SafeUrl, StorageUrl, UpstreamUrl, is_loopback, read_duration};
pub use webhook::Webhook;

/// Everything an operator can set, valid by construction.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where browsers reach us.
    pub public_url: PublicUrl,
    /// `[server]`
    pub server: Server,
    /// `[upstream]`
    pub upstream: Upstream,
    /// `[storage]`
    pub storage: Storage,
    /// `[session]`
    pub session: SessionSettings,
    /// `[headers]`
    pub headers: Headers,
    /// `[[rule]]`
    pub rules: Vec<Rule>,
    /// `[[idp]]`
    pub idps: Vec<IdpSettings>,
    /// `[local]`
    pub local: Local,
    /// `[[tenant]]`, or the one that always exists.
    pub tenants: Vec<Tenant>,
    /// `[groups]`
    pub groups: Groups,
    /// `[scim]`
    pub scim: Scim,
    /// `[connector]`; none when the directory is the end of the way.
    pub connector: Option<Connector>,
    /// `[webhook]`; none where nobody is told.
    pub webhook: Option<Webhook>,
    /// `[limits]`
    pub limits: Limits,
    /// `[audit]`
    pub audit: Audit,
    /// `[log]`
    pub log: Log,
    /// `[pages]`
    pub pages: Pages,
    /// `[paths]`
    pub paths: Paths,
    /// Files that the settings name; a change of one is a reason to read all again.
    pub files: Vec<PathBuf>,
    source: Source,
}

impl Settings {
    /// Reads the file and the environment.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is not TOML, or all mistakes of its values.
    pub fn load(file: &Path) -> Result<Self, SourceError> {
        Ok(Self::from(source::read(file)?)?)
    }

    /// Reads a file for a command beside the server: the variables with the credentials of the app's API are the
    /// server's alone, and without them there is no connector in what is read, nor a sign-in to the app.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub fn load_beside(file: &Path) -> Result<Self, SourceError> {
        let mut source = source::read(file)?;
        match Self::from(source.clone()) {
            Err(Mistakes(all)) if all.iter().all(Mistake::is_of_the_apps_side) => {
                source.table.remove("connector");
                let upstream = source.table.get_mut("upstream");
                if let Some(upstream) = upstream.and_then(toml::Value::as_table_mut) {
                    // It sends what a connector keeps, and has such variables itself.
                    upstream.remove("login");
                }
                Ok(Self::from(source)?)
            }
            read => Ok(read?),
        }
    }

    /// Reads a text as if it were the file, without the environment.
    ///
    /// # Errors
    ///
    /// The text is not TOML, or all mistakes of its values.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        Ok(Self::from(Source {
            table: source::parse(text)?,
            variables: BTreeMap::new(),
        })?)
    }

    /// Reads the same text again, and with it the files that it names as they are now.
    ///
    /// # Errors
    ///
    /// All mistakes of its values.
    pub fn reread(&self) -> Result<Self, Mistakes> {
        Self::from(self.source.clone())
    }

    fn from(source: Source) -> Result<Self, Mistakes> {
        let (read, notes) = Self::read_noting(source.clone());
        let mistakes = notes.all_mistakes();
        match read {
            Some(settings) if mistakes.is_empty() => Ok(Self {
                files: notes.files,
                source,
                ..settings
            }),
            _ => Err(Mistakes(mistakes)),
        }
    }

    fn read_noting(source: Source) -> (Option<Self>, Notes) {
        let notes = Rc::new(RefCell::new(Notes {
            variables: source.variables,
            ..Notes::default()
        }));
        let table = connector::with_gate(source.table);
        let read = Self::read(Section::root(table, &notes));
        let notes = notes.take();
        (read, notes)
    }

    fn read(mut root: Section) -> Option<Self> {
        let text = root.required("public_url");
        let public_url = (!text.is_empty())
            .then(|| root.parse_text("public_url", &text))
            .flatten();
        let provisioning = Provisioning::read(root.section("provisioning"));
        let roles = Roles::read(root.section("roles"));
        let scim = Scim::read(root.section("scim"));
        let tenants = root.sections("tenant");
        let mut tenants: Vec<_> = tenants
            .into_iter()
            .filter_map(|section| Tenant::read(section, &provisioning, &roles, &scim))
            .collect();
        if tenants.is_empty() {
            tenants.push(Tenant::alone(provisioning, roles, &scim));
        }
        let upstream = Upstream::read(root.section("upstream"));
        let idps = root.sections("idp");
        let idps_written = idps.len();
        let idps: Vec<_> = idps.into_iter().filter_map(IdpSettings::read).collect();
        let all_idps_read = idps.len() == idps_written;
        let settings = Self {
            server: Server::read(root.section("server")),
            connector: Connector::read(root.section("connector"), &upstream.url),
            webhook: Webhook::read(root.section("webhook"), &upstream.url),
            upstream,
            storage: Storage::read(root.section("storage")),
            session: SessionSettings::read(root.section("session")),
            headers: Headers::read(root.section("headers")),
            rules: root.sections("rule").into_iter().map(Rule::read).collect(),
            idps,
            local: Local::read(root.section("local")),
            tenants,
            groups: Groups::read(root.section("groups")),
            scim,
            limits: Limits::read(root.section("limits")),
            audit: Audit::read(root.section("audit")),
            log: Log::read(root.section("log")),
            pages: Pages::read(root.section("pages")),
            paths: Paths::read(root.section("paths")),
            files: Vec::new(),
            source: Source::default(),
            public_url: public_url?,
        };
        together::check(&settings, all_idps_read, &root);
        Some(settings)
    }
}

/// A key that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// As documentation names it: `idp[].issuer`.
    pub name: String,
    /// As it would be written in the file; none where there is none, and for tables.
    pub default: Option<String>,
}

/// Every key that exists, with its default: what `config.example.toml` must tell.
pub fn known_keys() -> Vec<KnownKey> {
    // Sections that are read only where they stand.
    let all = "[server.tls]\n[upstream.login]\n[headers.assertion]\n[[rule]]\n[[idp]]\nkind = 'oidc'\n[[idp]]\nkind = 'saml'\n\
               [[tenant]]\n[tenant.provisioning]\n[tenant.roles]\n[[tenant.scim.attribute]]\n\
               [[scim.attribute]]\n[[scim.federation]]\n[[scim.extension]]\nattributes = [{ name = 'x' }]";
    let table = source::parse(all).unwrap_or_default();
    let (_incomplete, notes) = Settings::read_noting(Source {
        table,
        variables: BTreeMap::new(),
    });
    let known = |(name, default)| KnownKey { name, default };
    notes.asked.into_iter().map(known).collect()
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "example_tests.rs"]
mod example_tests;
