//! What only shows when settings are put to work: rules, headers, certificates of others, folders.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use crate::config::{Mistake, Protocol, Settings, StorageUrl};
use crate::outbound::Outbound;
use crate::proxy::Upstream;
use crate::{proxy, saml, scim};

/// All of them at once; touches nothing but the files that the settings name.
pub(super) fn find(settings: &Settings) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut note = |key: &str, error: &dyn Error| {
        found.push(Mistake {
            key: key.to_owned(),
            why: chain(error),
        });
    };
    if let Err(error) = Upstream::new(&settings.upstream) {
        note("upstream", &error);
    }
    for idp in &settings.idps {
        let ca_file = match &idp.protocol {
            Protocol::Oidc(oidc) => oidc.ca_file.as_deref(),
            Protocol::Saml(saml) => {
                if let Err(error) = saml::check(saml) {
                    note(&format!("idp.{}.key_file", idp.name.as_str()), &error);
                }
                saml.ca_file.as_deref()
            }
        };
        if let Err(error) = Outbound::new(ca_file, Duration::from_secs(10)) {
            note(&format!("idp.{}.ca_file", idp.name.as_str()), &error);
        }
    }
    found.extend(proxy::mistakes(settings));
    found.extend(scim::mistakes(settings));
    let StorageUrl::Redb(store) = &settings.storage.url;
    found.extend(folder_of("storage.url", store));
    if let Some(file) = &settings.audit.file {
        found.extend(folder_of("audit.file", file));
    }
    found
}

fn folder_of(key: &str, file: &Path) -> Option<Mistake> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())?;
    (!folder.is_dir()).then(|| Mistake {
        key: key.to_owned(),
        why: format!("folder {} does not exist", folder.display()),
    })
}

/// An error and its causes in one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_shows_at_work_is_found_at_once() {
        let settings = Settings::parse(
            "public_url = 'https://app.test'
            storage.url = 'redb:///nowhere/at/all/x.redb'
            local.enabled = true
            [upstream]
            url = 'https://127.0.0.1:8443'
            ca_file = '/nowhere/ca.pem'
            app_session.logout_paths = ['/a//b']
            [upstream.login]
            kind = 'header'
            headers.X-Forwarded-For = 'x'
            [headers.set]
            'X-Broken' = '{{ user.'
            'x_forwarded_user' = 'x'
            [[rule]]
            path = '/a/../b'
            [[scim.attribute]]
            path = 'usertyp'
            [[tenant]]
            slug = 'acme'
            [tenant.roles]
            attribute = 'role'
            [[tenant.scim.attribute]]
            path = 'department'",
        )
        .unwrap();
        let keys: Vec<_> = find(&settings).into_iter().map(|its| its.key).collect();
        for key in [
            "rule[0].path",
            "upstream",
            "upstream.login.headers.x-forwarded-for",
            "upstream.app_session.logout_paths",
            "storage.url",
            "scim.attribute[0].path",
            "tenant.acme.roles.attribute",
            "tenant.acme.scim.attribute.path",
        ] {
            assert!(keys.iter().any(|its| its == key), "{key} in {keys:?}");
        }
        let headers = keys.iter().filter(|key| key.starts_with("headers"));
        assert!(headers.count() >= 2, "{keys:?}");
    }
}
