use super::*;

/// The shortest file that is enough, before further sections.
const SHORT: &str = "public_url = 'https://app.test'\n[upstream]\nurl = 'http://127.0.0.1:8080'\n";
/// Somebody who could sign in.
const LOCAL: &str = "[local]\nenabled = true\n";

fn mistakes(text: &str) -> String {
    match Settings::parse(text) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

/// With what is always needed before it.
fn with(text: &str) -> String {
    let local = if text.contains("[local]") { "" } else { LOCAL };
    mistakes(&format!("{SHORT}{local}{text}"))
}

fn from_environment(text: &str, variables: &[(&str, &str)]) -> Result<Settings, Mistakes> {
    let pairs: Vec<_> = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let table = source::parse(text).unwrap();
    Settings::from(source::overlay(table, pairs.into_iter())?)
}

#[test]
fn the_shortest_file_is_enough() {
    let settings = Settings::parse(&format!("{SHORT}{LOCAL}")).unwrap();
    assert_eq!(settings.public_url.origin(), "https://app.test");
    assert_eq!(settings.tenants.len(), 1);
    assert_eq!(settings.tenants[0].slug.as_str(), "default");
    assert!(settings.rules.is_empty() && settings.server.trusted_proxies.is_empty());
}

#[test]
fn every_mistake_is_reported_at_once() {
    let text = "
        public_url = 'http://app.test'
        idel = '1h'
        [server]
        listen = 8090
        workers = '4'
        max_header_size = '1KiB'
        drain_timeout = '30'
        [server.tls]
        key_file = '/k'
        [upstream]
        url = 'http://user:canary@app:8080'
        preserve_host = 'yes'
        client_key_file = '/k'
        [upstream.app_session]
        login_path = 'login'
        [storage]
        url = 'sqlite:///x'
        [session]
        idle = '2d'
        same_site = 'maybe'
        [headers]
        max_value = 8192
        groups_filter = '('
        preset = 'x-webauth'
        [headers.set]
        'a b' = 'x'
        'X-Fine' = 7
        [local]
        enabled = 1
        min_length = 3
        [limits]
        failed_sign_ins = 'ten'
        [pages]
        colour = 'blue'
        [paths]
        own = '/oidc/own'
        [log]
        level = 'trace'";
    insta::assert_snapshot!(mistakes(text));
}

#[test]
fn every_mistake_of_rules_idps_and_tenants_is_reported_at_once() {
    let text = format!(
        "{SHORT}
        [roles]
        allowed = ['MEMBER']
        default = ['ADMIN']
        [roles.groups]
        admins = 'OWNER'
        [[rule]]
        methods = ['get', 'GET']
        [[rule]]
        path = 'admin'
        access = 'public'
        roles = ['ADMIN']
        networks = ['10.0.0.0/8', '10.0.0.300']
        max_auth_age = '1s'
        emails = ['a@b@c']
        email_domains = ['@corp.test']
        allow_in_path = ['%00']
        [[idp]]
        name = 'entra'
        kind = 'saml'
        [[idp]]
        name = 'okta'
        kind = 'oidc'
        issuer = 'http://okta.test'
        client_id = ''
        scopes = ['email']
        bearer_audience = ['api']
        [[idp]]
        name = 'local'
        [[idp]]
        kind = 'oidc'
        [[idp]]
        name = 'No Word'
        [[tenant]]
        slug = 'acme'
        idps = ['okta', 'Not A Name']
        hosts = ['https://acme.test']
        [[tenant]]
        slug = 'acme'
        [tenant.roles]
        allowed = ['A']
        default = ['B']"
    );
    insta::assert_snapshot!(mistakes(&text));
}

#[test]
fn r40_an_unknown_key_is_a_mistake() {
    for (name, text, want) in [
        (
            "a slip",
            "[session]\nidel = '1h'",
            "session.idel: is not a key that exists here; did you mean session.idle?",
        ),
        (
            "another section's",
            "[server]\ngroups_filter = 'x'",
            "server.groups_filter: is not a key that exists here; did you mean headers.groups_filter?",
        ),
        (
            "a section",
            "[telemetry]\npage_size = 1",
            "telemetry: is not a key that exists here",
        ),
        (
            "below a free table",
            "[[rule]]\npath = '/'\nrole = ['A']",
            "rule[0].role: is not a key that exists here; did you mean rule[0].roles?",
        ),
        (
            "in an idp",
            "[[idp]]\nname = 'a'\nkind = 'oidc'\nissuer = 'https://i.test'\nclient_id = 'c'\nbearer_audience = ['x']",
            "idp.a.bearer_audience: is not a key that exists here; did you mean idp.a.bearer_audiences?",
        ),
    ] {
        assert_eq!(with(text), want, "{name}");
    }
}

#[test]
fn r02_nobody_trusts_the_whole_internet() {
    for (networks, ok) in [
        ("[]", true),
        ("['10.0.0.0/8', 'fd00::/8', '192.0.2.7']", true),
        ("['0.0.0.0/0']", false),
        ("['::/0']", false),
        ("['10.0.0.0/8', '10.1.2.3/0']", false),
    ] {
        let got = with(&format!("[server]\ntrusted_proxies = {networks}"));
        assert_eq!(got.is_empty(), ok, "{networks}: {got}");
    }
}

#[test]
fn r33_bearer_tokens_need_an_audience() {
    let idp = "[[idp]]\nname = 'a'\nkind = 'oidc'\nissuer = 'https://i.test'\nclient_id = 'c'\n";
    for (audiences, ok) in [
        ("[]", true),
        ("['api://app']", true),
        ("['']", false),
        ("['api', ' ']", false),
    ] {
        let got = with(&format!("{idp}bearer_audiences = {audiences}"));
        assert_eq!(got.is_empty(), ok, "{audiences}: {got}");
    }
}

#[test]
fn r41_no_mistake_repeats_a_secret() {
    let idp = "[[idp]]\nname = 'a'\nkind = 'oidc'\nissuer = 'https://i.test'\nclient_id = 'c'\n";
    for (name, text) in [
        ("a number", format!("{idp}client_secret = 4242424242")),
        ("a list", format!("{idp}client_secret = ['4242424242']")),
        (
            "both ways",
            format!("{idp}client_secret = '4242424242'\nclient_secret_file = '/x'"),
        ),
    ] {
        let got = with(&text);
        assert!(got.contains("client_secret"), "{name}: {got}");
        assert!(!got.contains("4242424242"), "{name}: {got}");
    }
}

#[test]
fn a_secret_comes_from_exactly_one_place() {
    let folder = std::env::temp_dir().join(format!("sidegate-{}", crate::crypto::random_token()));
    std::fs::create_dir(&folder).unwrap();
    let (full, empty, large) = (
        folder.join("full"),
        folder.join("empty"),
        folder.join("large"),
    );
    std::fs::write(&full, " s3cret \n").unwrap();
    std::fs::write(&empty, "\n").unwrap();
    std::fs::write(&large, vec![b'x'; 70_000]).unwrap();
    let idp = "[[idp]]\nname = 'a'\nkind = 'oidc'\nissuer = 'https://i.test'\nclient_id = 'c'\n";
    let read = |keys: &str| Settings::parse(&format!("{SHORT}{idp}{keys}"));
    let secret = |keys: &str| match &read(keys).unwrap().idps[0].protocol {
        Protocol::Oidc(oidc) => oidc
            .client_secret
            .as_ref()
            .map(|its| its.expose().to_owned()),
        Protocol::Saml(_) => panic!("not oidc"),
    };
    assert_eq!(secret(""), None);
    assert_eq!(secret("client_secret = 'x'"), Some("x".to_owned()));
    let by_file = format!("client_secret_file = '{}'", full.display());
    assert_eq!(secret(&by_file), Some(" s3cret".to_owned()));
    assert_eq!(read(&by_file).unwrap().files, [full]);
    for (file, want) in [
        (empty, "is empty"),
        (large, "is larger than"),
        (folder.join("none"), "No such file"),
    ] {
        let error = read(&format!("client_secret_file = '{}'", file.display())).unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn values_from_the_environment_have_the_type_that_is_needed() {
    let text = format!(
        "{SHORT}[[idp]]\nname = 'a'\nkind = 'oidc'\nissuer = 'https://i.test'\nclient_id = 'c'"
    );
    let settings = from_environment(
        &text,
        &[
            ("SIDEGATE__IDP__0__CLIENT_SECRET", "123456"),
            ("SIDEGATE__LOCAL__ENABLED", "true"),
            ("SIDEGATE__LOCAL__MIN_LENGTH", "12"),
            ("SIDEGATE__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7"),
            ("SIDEGATE__GROUPS__IGNORE", "['a', 'b']"),
            ("SIDEGATE__PAGES__NAME", "2026"),
        ],
    )
    .unwrap();
    let Protocol::Oidc(oidc) = &settings.idps[0].protocol else {
        panic!("not oidc");
    };
    assert_eq!(oidc.client_secret.as_ref().unwrap().expose(), "123456");
    assert!(settings.local.enabled);
    assert_eq!(settings.local.min_length, 12);
    assert_eq!(settings.server.trusted_proxies.len(), 2);
    assert_eq!(settings.groups.ignore, ["a", "b"]);
    assert_eq!(settings.pages.name, "2026");
}

#[test]
fn mistakes_of_the_environment_name_the_variable() {
    let error = from_environment(
        &format!("{SHORT}{LOCAL}"),
        &[
            ("SIDEGATE__SERVER__LISSTEN", "x"),
            ("SIDEGATE__SERVER__WORKERS", "many"),
            ("SIDEGATE__SESSION__IDLE", "1"),
        ],
    )
    .unwrap_err();
    insta::assert_snapshot!(error, @r#"
    SIDEGATE__SERVER__WORKERS: is a text; must be a whole number without quotes; allowed: 0 to 256
    SIDEGATE__SESSION__IDLE: is "1"; must be a whole number with ms, s, m, h or d; allowed: "1m" to "30d"
    SIDEGATE__SERVER__LISSTEN: is not a key that exists here; did you mean server.listen?
    "#);
}

#[test]
fn a_tenant_has_its_own_or_the_common_settings() {
    let text = format!(
        "{SHORT}{LOCAL}[provisioning]\njit = 'off'\n[roles]\ndefault = ['MEMBER']\n\
         [[tenant]]\nslug = 'acme'\ndomains = ['Acme.COM']\nhosts = ['ACME.test']\n\
         [tenant.roles]\ndefault = ['GUEST']\n[[tenant]]\nslug = 'other'\n[tenant.provisioning]\njit = 'link'"
    );
    let tenants = Settings::parse(&text).unwrap().tenants;
    assert_eq!(tenants[0].domains, ["acme.com"]);
    assert_eq!(tenants[0].hosts, ["acme.test"]);
    assert_eq!(
        (tenants[0].provisioning.jit, tenants[1].provisioning.jit),
        (Jit::Off, Jit::Link)
    );
    assert_eq!(tenants[0].roles.default, ["GUEST"]);
    assert_eq!(tenants[1].roles.default, ["MEMBER"]);
}

#[test]
fn sections_are_looked_at_together() {
    for (name, text, want) in [
        (
            "nobody",
            "[local]\nenabled = false",
            "idp: nobody could sign in: configure an [[idp]] or set local.enabled = true",
        ),
        (
            "same listener",
            "[server]\nlisten = '127.0.0.1:8091'",
            "server.ops.listen: is the same as server.listen",
        ),
        (
            "itself",
            "[server]\nlisten = '0.0.0.0:8080'",
            "upstream.url: is sidegate's own address (server.listen): requests would go round in circles",
        ),
        (
            "longer idle",
            "[session]\nidle = '11h'",
            "session.idle: is longer than session.absolute",
        ),
        (
            "same prefix",
            "[paths]\nown = '/oidc'",
            "paths.oidc: and paths.own must not be the same or lie below each other",
        ),
        (
            "dots",
            "[paths]\nown = '/a/../b'",
            "paths.own: is \"/a/../b\"; must be a plain path such as /sso, without a slash at its end",
        ),
        (
            "all public",
            "[local]\nenabled = false\n[[rule]]\npath = '/**'\naccess = 'public'",
            "",
        ),
        (
            "a method that never fits",
            "[[rule]]\npath = '/**'\nmethods = ['delete']",
            "rule[0].methods: \"delete\" must be in capitals",
        ),
    ] {
        assert_eq!(with(text), want, "{name}");
    }
}
