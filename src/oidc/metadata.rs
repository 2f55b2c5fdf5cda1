//! What an issuer says of itself (Discovery 1.0, 3).

use serde::Deserialize;
use url::Url;

use crate::config::{SafeUrl, is_loopback};

/// Why a discovery document is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetadataError {
    /// Not JSON, or a required member is missing.
    #[error("discovery document cannot be read")]
    Json(#[from] serde_json::Error),
    /// It speaks for somebody else.
    #[error(
        "discovery document is of issuer {0:?}, not of the configured one; if that is the right one, configure exactly that"
    )]
    Issuer(String),
    /// Entra's `common` or `organizations`: people of any company.
    #[error(
        "issuer stands for many Entra tenants; configure https://login.microsoftonline.com/TENANT-ID/v2.0, one [[idp]] for each tenant"
    )]
    Tenants,
    /// An address that must not be called.
    #[error(
        "{0} in the discovery document is neither https nor, beside an issuer on this machine, on this machine"
    )]
    Endpoint(&'static str),
}

/// A discovery document after its checks.
#[derive(Debug)]
pub(super) struct Metadata {
    /// Exactly as tokens must name it.
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) jwks_uri: Url,
    pub(super) userinfo_endpoint: Option<Url>,
    pub(super) end_session_endpoint: Option<Url>,
    /// `id_token_signing_alg_values_supported`, as named.
    pub(super) algorithms: Vec<String>,
    /// Whether our secret goes into `Authorization` (else into the form).
    pub(super) basic: bool,
    /// Every authorization response carries `iss` (RFC 9207 3).
    pub(super) says_iss: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Reads the document that was fetched for `configured`.
    pub(super) fn parse(document: &[u8], configured: &Url) -> Result<Self, MetadataError> {
        let document: Document = serde_json::from_slice(document)?;
        // Discovery 4.3: the issuer is the one that was asked, or another one could pass for it. As URLs,
        // because `https://idp.test` and `https://idp.test/` are one; tokens must then repeat the document's spelling.
        if document.issuer.contains("{tenantid}") {
            return Err(MetadataError::Tenants);
        }
        if Url::parse(&document.issuer).ok().as_ref() != Some(configured) {
            return Err(MetadataError::Issuer(document.issuer));
        }
        let local = is_loopback(configured);
        let endpoint = |name: &'static str, text: &str| match text.parse::<SafeUrl>() {
            // R21: an issuer elsewhere must not send our secret over plain http, nor to ports of this machine.
            Ok(SafeUrl(url)) if local || !is_loopback(&url) => Ok(url),
            _ => Err(MetadataError::Endpoint(name)),
        };
        let optional = |name, text: Option<&String>| {
            text.filter(|text| !text.is_empty())
                .map(|text| endpoint(name, text))
                .transpose()
        };
        let userinfo = document.userinfo_endpoint.as_ref();
        let end_session = document.end_session_endpoint.as_ref();
        let methods = document.token_endpoint_auth_methods_supported;
        Ok(Self {
            authorization_endpoint: endpoint(
                "authorization_endpoint",
                &document.authorization_endpoint,
            )?,
            token_endpoint: endpoint("token_endpoint", &document.token_endpoint)?,
            jwks_uri: endpoint("jwks_uri", &document.jwks_uri)?,
            userinfo_endpoint: optional("userinfo_endpoint", userinfo)?,
            end_session_endpoint: optional("end_session_endpoint", end_session)?,
            algorithms: document.id_token_signing_alg_values_supported,
            // Discovery 3: client_secret_basic where nothing is said.
            basic: methods.is_none_or(|methods| methods.iter().any(|m| m == "client_secret_basic")),
            says_iss: document.authorization_response_iss_parameter_supported,
            issuer: document.issuer,
        })
    }
}

/// Where the document of an issuer is (Discovery 4.1): a slash at the issuer's end goes first.
pub(super) fn well_known(issuer: &Url) -> String {
    let base = issuer.as_str().trim_end_matches('/');
    format!("{base}/.well-known/openid-configuration")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn document(changes: &Value) -> Vec<u8> {
        let mut document = json!({
            "issuer": "https://idp.test/t",
            "authorization_endpoint": "https://idp.test/t/authorize",
            "token_endpoint": "https://idp.test/t/token",
            "jwks_uri": "https://keys.test/t",
        });
        for (key, value) in changes.as_object().unwrap() {
            document[key] = value.clone();
        }
        serde_json::to_vec(&document).unwrap()
    }

    fn refusal(issuer: &str, changes: &Value) -> String {
        match Metadata::parse(&document(changes), &Url::parse(issuer).unwrap()) {
            Ok(_) => "accepted".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_issuer_must_be_the_configured_one() {
        for (configured, said, ok) in [
            ("https://idp.test/t", "https://idp.test/t", true),
            ("https://idp.test/t", "https://idp.test/t/", false),
            ("https://idp.test/t", "https://idp.test/u", false),
            ("https://idp.test/t", "https://idp.test.evil.test/t", false),
            ("https://idp.test/t", "http://idp.test/t", false),
            ("https://idp.test", "https://idp.test", true),
            ("https://idp.test", "https://idp.test/", true),
        ] {
            let got = refusal(configured, &json!({ "issuer": said }));
            assert_eq!(got == "accepted", ok, "{configured} {said}: {got}");
        }
    }

    #[test]
    fn one_issuer_is_one_tenant() {
        for word in ["common", "organizations"] {
            let configured = format!("https://login.microsoftonline.com/{word}/v2.0");
            let said = "https://login.microsoftonline.com/{tenantid}/v2.0";
            let got = refusal(&configured, &json!({ "issuer": said }));
            assert!(got.contains("TENANT-ID"), "{got}");
        }
    }

    #[test]
    fn r21_endpoints_are_https_or_on_this_machine_beside_such_an_issuer() {
        for endpoint in [
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
            "end_session_endpoint",
        ] {
            for (address, remote, local) in [
                ("https://other.test/x", true, true),
                ("http://other.test/x", false, false),
                ("http://127.0.0.1:9/x", false, true),
                ("https://localhost:9/x", false, true),
                ("javascript:alert(1)", false, false),
                ("file:///etc/passwd", false, false),
                ("/relative", false, false),
            ] {
                let changes = json!({ endpoint: address });
                let got = refusal("https://idp.test/t", &changes) == "accepted";
                assert_eq!(got, remote, "{endpoint} {address} of a remote issuer");
                let changes = json!({ endpoint: address, "issuer": "http://127.0.0.1:8/" });
                let got = refusal("http://127.0.0.1:8", &changes) == "accepted";
                assert_eq!(got, local, "{endpoint} {address} of a local issuer");
            }
        }
    }

    #[test]
    fn the_document_stands_below_the_issuer() {
        for (issuer, want) in [
            (
                "https://idp.test",
                "https://idp.test/.well-known/openid-configuration",
            ),
            (
                "https://idp.test/t/",
                "https://idp.test/t/.well-known/openid-configuration",
            ),
        ] {
            assert_eq!(well_known(&Url::parse(issuer).unwrap()), want);
        }
    }
}
