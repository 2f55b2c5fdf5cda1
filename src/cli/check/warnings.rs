//! What is allowed, and most likely not meant.

use std::net::IpAddr;

use crate::config::{Access, Listen, Settings, UpstreamUrl};

/// All of them, one line each.
pub(super) fn find(settings: &Settings) -> Vec<String> {
    let mut found = Vec::new();
    let mut warn = |applies: bool, text: &str| {
        if applies {
            found.push(text.to_owned());
        }
    };
    let https = settings.public_url.is_https();
    let server = &settings.server;
    let outside = match &server.listen {
        Listen::Tcp(address) => !address.ip().is_loopback(),
        Listen::Unix(_) | Listen::Fd(_) => false,
    };
    warn(
        settings.rules.is_empty(),
        "no [[rule]]: every path needs a session, and every signed-in person reaches every path",
    );
    warn(
        !https && outside,
        "public_url is http://, yet server.listen is reachable from outside: cookies are not Secure",
    );
    warn(
        https && server.tls.is_none() && server.trusted_proxies.is_empty(),
        "public_url is https://, we do not speak TLS ([server.tls]), and no proxy is trusted (server.trusted_proxies): \
         client addresses in rules, limits and logs are the proxy's",
    );
    warn(
        far(&settings.upstream.url),
        "upstream.url is plain http:// to another machine: identity travels unprotected, and whoever reaches \
         the app directly can claim to be anybody",
    );
    warn(
        settings.local.enabled && settings.local.bcrypt_cost < 10,
        "local.bcrypt_cost is below 10: passwords of a stolen store are guessed quickly",
    );
    warn(
        settings
            .limits
            .exempt_networks
            .iter()
            .any(|net| net.prefix_len() == 0),
        "limits.exempt_networks holds the whole internet: passwords can be guessed without a limit",
    );
    warn(
        !settings.local.enabled && settings.idps.is_empty(),
        "nobody can sign in: only public paths answer",
    );
    for (number, rule) in settings.rules.iter().enumerate() {
        let rest = settings
            .rules
            .len()
            .saturating_sub(number)
            .saturating_sub(1);
        let all = rule.path == "/**" && rule.methods.is_empty();
        warn(
            all && rest > 0,
            &format!("rule[{number}] fits every request: the {rest} after it never count"),
        );
        warn(
            all && rule.access == Access::Public,
            &format!("rule[{number}] makes every path public"),
        );
    }
    found
}

/// Whether the app is on another machine, over plain HTTP.
fn far(url: &UpstreamUrl) -> bool {
    match url {
        UpstreamUrl::Http { host, .. } => {
            let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
            host != "localhost" && ip.is_ok_and(|ip| !ip.is_loopback())
        }
        UpstreamUrl::Https { .. } | UpstreamUrl::Unix(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(text: &str) -> String {
        let settings = Settings::parse(text).unwrap_or_else(|error| panic!("{error}"));
        let texts: Vec<String> = find(&settings)
            .iter()
            .map(|text| text.split([':', ',']).next().unwrap().to_owned())
            .collect();
        texts.join("; ")
    }

    #[test]
    fn what_is_most_likely_not_meant_is_told() {
        for (name, text, want) in [
            (
                "careful",
                "public_url = 'https://app.test'\nserver.trusted_proxies = ['10.0.0.0/8']\nupstream.url = 'http://127.0.0.1:1'\n\
                 local.enabled = true\n[[rule]]\npath = '/public'\naccess = 'public'",
                "",
            ),
            (
                "careless",
                "public_url = 'http://localhost'\nupstream.url = 'http://10.0.0.9:80'\nlimits.exempt_networks = ['0.0.0.0/0']\n\
                 [local]\nenabled = true\nbcrypt_cost = 4",
                "no [[rule]]; public_url is http; upstream.url is plain http; local.bcrypt_cost is below 10; \
                 limits.exempt_networks holds the whole internet",
            ),
            (
                "nobody believed",
                "public_url = 'https://app.test'\nupstream.url = 'unix:/run/app'\n[[rule]]\npath = '/**'\naccess = 'public'\n\
                 [[rule]]\npath = '/x'",
                "public_url is https; nobody can sign in; rule[0] fits every request; rule[0] makes every path public",
            ),
        ] {
            assert_eq!(warnings(text), want, "{name}");
        }
    }
}
