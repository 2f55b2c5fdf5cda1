//! `[[scim.federation]]`, `scim.entra_tenants`: SCIM clients that show what somebody else signed.

use std::sync::Arc;

use super::reader::Section;
use super::source;
use super::value::SafeUrl;
use crate::crypto::KeySet;
use crate::identity::TenantSlug;

/// Largest key set in a file, bytes.
const MAX_KEYS: u64 = 256 * 1024;

/// `[[scim.federation]]`: whose assertions are taken in place of a secret (RFC 7523 2.2; Entra's workload identity
/// federation).
#[derive(Clone, Debug)]
pub struct Federation {
    /// Changes made with it are `scim:NAME`'s.
    pub name: String,
    /// The one tenant that it opens. Default `default`.
    pub tenant: TenantSlug,
    /// `iss`, byte for byte.
    pub issuer: String,
    /// Where the issuer's keys are.
    pub keys: FederationKeys,
    /// `sub` must be one of these, byte for byte.
    pub subjects: Vec<String>,
    /// `aud` must name one of these, byte for byte.
    pub audiences: Vec<String>,
    /// `tid` must be one of these; empty asks for none.
    pub tenant_ids: Vec<String>,
    /// The only roles that it may give (R53); empty is any of `roles.allowed`.
    pub roles: Vec<String>,
}

/// Where an issuer's keys are.
#[derive(Clone, Debug)]
pub enum FederationKeys {
    /// Where the issuer's discovery document says.
    Discovery(SafeUrl),
    /// Here.
    Url(SafeUrl),
    /// These.
    File(Arc<KeySet>),
}

/// An entry of `scim.entra_tenants`: `TENANT-ID` or `TENANT-ID=SLUG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraTenant {
    /// Entra's tenant id, a GUID in small letters.
    pub id: String,
    /// The tenant of ours that it opens. Default `default`.
    pub tenant: TenantSlug,
}

impl Federation {
    pub(super) fn read_all(section: &mut Section) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for federation in section.sections("federation") {
            if let Some(federation) = Self::read(federation) {
                if all.iter().any(|its| its.name == federation.name) {
                    let name = &federation.name;
                    section.mistake("federation", format!("{name} stands twice"));
                }
                all.push(federation);
            }
        }
        all
    }

    fn read(mut section: Section) -> Option<Self> {
        let name = section.required("name");
        if !name.is_empty()
            && let Err(why) = TenantSlug::try_from(name.as_str())
        {
            section.mistake("name", format!("{name:?} {why}"));
        }
        let slug = section.text("tenant", "default");
        let tenant = TenantSlug::try_from(slug.as_str());
        if let Err(why) = &tenant {
            section.mistake("tenant", format!("{slug:?} {why}"));
        }
        let issuer = section.required("issuer");
        let url = (!issuer.is_empty())
            .then(|| section.parse_text("issuer", &issuer))
            .flatten();
        let keys = keys(&mut section, url);
        let read = Self {
            name,
            issuer,
            // R33: what is made for anybody, or by anybody, would let anybody in.
            subjects: section.required_list("subjects"),
            audiences: section.required_list("audiences"),
            tenant_ids: section.list("tenant_ids", &[]),
            roles: section.list("roles", &[]),
            tenant: tenant.unwrap_or_default(),
            keys: keys?,
        };
        Some(read)
    }
}

fn keys(section: &mut Section, issuer: Option<SafeUrl>) -> Option<FederationKeys> {
    let url = section.optional("jwks_url").filter(|text| !text.is_empty());
    let file = section.file("jwks_file");
    match (url, file) {
        (Some(_), Some(_)) => {
            section.mistake("jwks_url", "stands beside jwks_file; one of the two");
            None
        }
        (Some(url), None) => section
            .parse_text("jwks_url", &url)
            .map(FederationKeys::Url),
        (None, Some(path)) => {
            let read = source::read_bounded(&path, MAX_KEYS).map_err(|error| error.to_string());
            let set = read
                .and_then(|text| KeySet::parse(text.as_bytes()).map_err(|error| error.to_string()));
            let told =
                |why: String| section.mistake("jwks_file", format!("{}: {why}", path.display()));
            set.map_err(told)
                .ok()
                .map(Arc::new)
                .map(FederationKeys::File)
        }
        (None, None) => issuer.map(FederationKeys::Discovery),
    }
}

impl EntraTenant {
    pub(super) fn read_all(section: &mut Section) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for text in section.list("entra_tenants", &[]) {
            match Self::read(&text) {
                Some(entry) if all.iter().any(|its| its.id == entry.id) => {
                    section.mistake("entra_tenants", format!("{} stands twice", entry.id));
                }
                Some(entry) => all.push(entry),
                None => section.mistake(
                    "entra_tenants",
                    format!("{text:?} must be an Entra tenant id, or TENANT-ID=SLUG"),
                ),
            }
        }
        all
    }

    fn read(text: &str) -> Option<Self> {
        let (id, slug) = text.split_once('=').unwrap_or((text, "default"));
        let id = uuid::Uuid::try_parse(id.trim()).ok()?;
        Some(Self {
            id: id.hyphenated().to_string(),
            tenant: TenantSlug::try_from(slug.trim()).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{FederationKeys, Settings};
    use crate::crypto::fake::Signer;
    use crate::crypto::random_token;

    const GOOD: &str =
        "name = 'corp'\nissuer = 'https://idp.test/t'\nsubjects = ['s']\naudiences = ['a']\n";

    fn read(scim: &str) -> Result<Settings, String> {
        let text = format!(
            "public_url = 'https://app.test'\nupstream.url = 'http://127.0.0.1:1'\nlocal.enabled = true\n\
             roles.allowed = ['MEMBER']\n{scim}\n[[tenant]]\nslug = 'default'\n[[tenant]]\nslug = 'acme'\n"
        );
        Settings::parse(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn r33_a_federation_says_who_and_for_whom() {
        for (name, change, want) in [
            ("good", ("", ""), ""),
            ("another tenant", ("name", "tenant = 'acme'\nname"), ""),
            (
                "no such tenant",
                ("name", "tenant = 'other'\nname"),
                "no configured tenant",
            ),
            (
                "no subjects",
                ("subjects = ['s']", ""),
                "subjects: must name at least one",
            ),
            (
                "empty subjects",
                ("['s']", "[]"),
                "subjects: must name at least one",
            ),
            (
                "an empty subject",
                ("['s']", "['s', ' ']"),
                "none may be empty",
            ),
            (
                "no audience",
                ("audiences = ['a']", ""),
                "audiences: must name at least one",
            ),
            (
                "no issuer",
                ("issuer = 'https://idp.test/t'", ""),
                "issuer: is required",
            ),
            (
                "plain issuer",
                ("https://", "http://"),
                "must start with https://",
            ),
            ("name", ("'corp'", "'Corp Inc'"), "a-z, 0-9"),
            (
                "keys twice",
                ("name", "jwks_url = 'https://x'\njwks_file = '/x'\nname"),
                "one of the two",
            ),
            (
                "plain keys",
                ("name", "jwks_url = 'http://x.test'\nname"),
                "must start with https://",
            ),
            (
                "no file",
                ("name", "jwks_file = '/nonexistent'\nname"),
                "/nonexistent: ",
            ),
            (
                "a role that exists",
                ("name", "roles = ['MEMBER']\nname"),
                "",
            ),
            (
                "a role that does not",
                ("name", "roles = ['ADMIN']\nname"),
                "not one of roles.allowed: MEMBER",
            ),
        ] {
            let text = GOOD.replacen(change.0, change.1, usize::from(!change.0.is_empty()));
            let got = read(&format!("[[scim.federation]]\n{text}")).map(drop);
            let fits = match &got {
                Ok(()) => want.is_empty(),
                Err(why) => !want.is_empty() && why.contains(want),
            };
            assert!(fits, "{name}: {got:?}");
        }
        let twice = format!("[[scim.federation]]\n{GOOD}[[scim.federation]]\n{GOOD}");
        assert!(read(&twice).unwrap_err().contains("corp stands twice"));
    }

    #[test]
    fn keys_in_a_file_are_read_with_the_settings() {
        let file = std::env::temp_dir().join(format!("sidegate-jwks-{}", random_token()));
        let set = serde_json::json!({ "keys": [Signer::ec("k").jwk] });
        std::fs::write(&file, set.to_string()).unwrap();
        let text = format!(
            "[[scim.federation]]\njwks_file = '{}'\n{GOOD}",
            file.display()
        );
        let settings = read(&text).unwrap();
        let keys = &settings.scim.federations[0].keys;
        assert!(matches!(keys, FederationKeys::File(_)), "{keys:?}");
        assert!(settings.files.contains(&file), "watched");
        std::fs::write(&file, "{\"keys\":[]}").unwrap();
        assert!(read(&text).unwrap_err().contains("no key that can be used"));
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn entra_tenants_are_ids_and_where_they_lead() {
        let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
        for (list, want) in [
            (format!("'{id}'"), "default"),
            (format!("'{}=acme'", id.to_uppercase()), "acme"),
            (format!("'{id}=other'"), "no configured tenant"),
            (format!("'{id}', '{id}=acme'"), "stands twice"),
            ("'contoso.com'".to_owned(), "must be an Entra tenant id"),
            ("'common'".to_owned(), "must be an Entra tenant id"),
            (format!("'{id}=Ac me'"), "must be an Entra tenant id"),
        ] {
            match read(&format!("scim.entra_tenants = [{list}]")) {
                Ok(settings) => {
                    let entry = &settings.scim.entra_tenants[0];
                    assert_eq!((entry.id.as_str(), entry.tenant.as_str()), (id, want));
                }
                Err(why) => assert!(why.contains(want), "{list}: {why}"),
            }
        }
    }
}
