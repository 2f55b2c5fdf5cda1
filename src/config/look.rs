//! How our pages look, from `[pages]`, `[paths]` and, where they name nothing, `public_url`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Logo, Settings};
use crate::web::page::Look;

impl From<&Settings> for Look {
    fn from(settings: &Settings) -> Self {
        let pages = &settings.pages;
        Self {
            name: match pages.name.trim() {
                "" => settings.public_url.host().to_owned(),
                name => name.to_owned(),
            },
            logo: pages.logo.as_ref().map(data_uri),
            colour: pages.colour.clone(),
            contact: pages.contact.trim().to_owned(),
            own: settings.paths.own.clone(),
        }
    }
}

/// RFC 2397; a picture in an `img` runs no script, SVG included (SVG Integration 3.2).
fn data_uri(logo: &Logo) -> String {
    format!(
        "data:{};base64,{}",
        logo.media_type,
        STANDARD.encode(&logo.bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_stands_in_for_a_name() {
        for (pages, name) in [
            ("", "app.test"),
            ("[pages]\nname = ' '", "app.test"),
            ("[pages]\nname = 'Wiki'", "Wiki"),
        ] {
            let text = format!(
                "public_url = 'https://app.test'\nupstream.url = 'http://127.0.0.1:1'\nlocal.enabled = true\n{pages}"
            );
            let look = Look::from(&Settings::parse(&text).unwrap());
            assert_eq!(
                (look.name.as_str(), look.own.as_str()),
                (name, "/.sidegate")
            );
        }
    }
}
