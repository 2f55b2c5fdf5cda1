//! What is known of an idp without a server and without the network: settings, and metadata from a file or the last run.

use std::path::Path;

use super::build::{BuildError, cache, pinned};
use super::keys::Keys;
use super::source::{bounded, kept};
use crate::clock::Timestamp;
use crate::config::{self, IdpSettings, MetadataSource, Protocol, Settings};
use crate::identity::IdpName;
use crate::problem::chain;
use crate::saml::certificate::Certificate;
use crate::saml::metadata::{IdpMetadata, Origin};
use crate::saml::verify::Trust;

/// A configured idp and our side of it.
pub struct Party {
    pub(in crate::saml) idp: IdpName,
    /// Our entity ID: the audience.
    pub(in crate::saml) entity_id: String,
    /// Our assertion consumer services, that of `public_url` first, then those of tenants' own hosts.
    pub(in crate::saml) acs: Vec<String>,
    pub(in crate::saml) idp_initiated: bool,
    pub(in crate::saml) signed_response: bool,
    /// Classes of which the answer's must be one; empty allows any.
    pub(in crate::saml) authn_context: Vec<String>,
    keys: Keys,
    signed_by: Vec<Certificate>,
    idp_entity_id: Option<String>,
    document: Result<Document, String>,
}

struct Document {
    from: String,
    bytes: Vec<u8>,
    entity_id: Option<String>,
}

impl Party {
    /// Every SAML idp of the settings. Reads metadata files and `cache_dir`; asks nobody.
    ///
    /// # Errors
    ///
    /// Keys or certificates of the settings cannot be used.
    pub fn all(settings: &Settings, cache_dir: &Path) -> Result<Vec<Self>, BuildError> {
        let saml = |idp: &IdpSettings| match &idp.protocol {
            Protocol::Saml(saml) => Some(Self::new(settings, idp, saml, cache_dir)),
            Protocol::Oidc(_) => None,
        };
        settings.idps.iter().filter_map(saml).collect()
    }

    fn new(
        settings: &Settings,
        idp: &IdpSettings,
        saml: &config::Saml,
        cache_dir: &Path,
    ) -> Result<Self, BuildError> {
        let (public, prefix, name) = (&settings.public_url, &settings.paths.saml, &idp.name);
        let origin = public.origin();
        let port = public.url().port();
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let hosts = settings.tenants.iter().flat_map(|tenant| &tenant.hosts);
        let others = hosts.map(|host| format!("{}://{host}{port}", public.url().scheme()));
        let origins = std::iter::once(origin.clone()).chain(others);
        let own = || format!("{origin}{prefix}/service-provider-metadata/{name}");
        Ok(Self {
            idp: name.clone(),
            entity_id: saml.entity_id.clone().unwrap_or_else(own),
            acs: origins
                .map(|origin| format!("{origin}{prefix}/sso/{name}"))
                .collect(),
            idp_initiated: saml.idp_initiated,
            signed_response: saml.signed_response,
            authn_context: saml.proof.demanded().to_vec(),
            keys: Keys::new(saml)?,
            signed_by: pinned(saml)?,
            idp_entity_id: saml.idp_entity_id.clone(),
            document: document(saml, name, cache_dir),
        })
    }

    /// The configured idp.
    pub fn idp(&self) -> &IdpName {
        &self.idp
    }

    /// Its metadata as it is good at that time, and where that came from.
    ///
    /// # Errors
    ///
    /// Why there is none, for the operator.
    pub(in crate::saml) fn metadata(&self, at: Timestamp) -> Result<(IdpMetadata, &str), String> {
        let document = self.document.as_ref().map_err(String::clone)?;
        let entity_id = self.idp_entity_id.as_ref().or(document.entity_id.as_ref());
        let origin = Origin {
            entity_id: entity_id.map(String::as_str),
            signed_by: &self.signed_by,
        };
        let read = IdpMetadata::read(&document.bytes, &origin, at);
        let read = read.map_err(|why| format!("{}: {why}", document.from))?;
        Ok((read, &document.from))
    }

    /// Whom we believe, by this metadata.
    pub(in crate::saml) fn trust<'a>(&'a self, known: &'a IdpMetadata) -> Trust<'a> {
        Trust {
            entity_id: &known.entity_id,
            certificates: &known.certificates,
            decryption_keys: &self.keys.decrypt,
        }
    }

    /// Nobody, and our keys.
    pub(in crate::saml) fn no_trust(&self) -> Trust<'_> {
        Trust {
            entity_id: "",
            certificates: &[],
            decryption_keys: &self.keys.decrypt,
        }
    }

    /// Of our key, where there is one.
    pub(in crate::saml) fn certificate(&self) -> Option<&Certificate> {
        self.keys.signer().map(|(_, certificate)| certificate)
    }
}

fn document(saml: &config::Saml, idp: &IdpName, cache_dir: &Path) -> Result<Document, String> {
    match &saml.metadata {
        MetadataSource::File(file) => {
            let from = file.display().to_string();
            match bounded(file) {
                Ok(bytes) => Ok(Document {
                    bytes,
                    from,
                    entity_id: None,
                }),
                Err(error) => Err(format!("{from}: {}", chain(&error))),
            }
        }
        MetadataSource::Url(url) => {
            let cached = kept(&cache(cache_dir, idp), &saml.metadata);
            let cached = cached.ok_or_else(|| {
                format!(
                    "nothing is kept in {} of what {} said; it is kept by the server, and read by its user and root",
                    cache_dir.display(),
                    url.0
                )
            })?;
            Ok(Document {
                from: format!("{}, as of {}", url.0, cached.fetched.to_rfc3339()),
                bytes: cached.document.into_bytes(),
                entity_id: Some(cached.entity_id),
            })
        }
    }
}
