//! What `[upstream.login]` may say.

use super::*;
use crate::config::Settings;

fn read(login: &str) -> Result<AppLogin, String> {
    let text = format!(
        "public_url = 'https://app.test'\nlocal.enabled = true\n[upstream]\nurl = 'http://127.0.0.1:1'\n\
         [upstream.login]\n{login}\n{CONNECTOR}"
    );
    let settings = Settings::parse(&text).map_err(|error| error.to_string())?;
    Ok(settings.upstream.login.unwrap())
}

/// One that keeps passwords.
const CONNECTOR: &str = "[connector.api]\nbase = '{upstream}'\n[connector.users]\nactive = 'none'\nlist.call = 'GET /users'\n\
    [connector.users.fields]\nname = 'userName'\npassword = { scim = 'userName', write = '{password}' }\n";

const FORM: &str = "path = '/login?a=1'\ncookies = ['SID', 'R_*']\nfields.user = '{login}'\nfields.pw = '{password}'";

#[test]
fn what_is_not_said_is_what_the_kind_means() {
    let form = read(FORM).unwrap();
    assert_eq!(form.kind, LoginKind::Form);
    assert_eq!(form.action, form.path);
    assert!(form.has_session() && form.needs_password());
    let header = read("kind = 'header'\nheaders.x-user = '{login}'").unwrap();
    assert!(!header.has_session() && !header.needs_password());
    assert!(read("kind = 'basic'").unwrap().needs_password());
}

#[test]
fn mistakes_say_what_is_meant() {
    for (login, want) in [
        ("kind = 'form'", "upstream.login.path: is required"),
        (
            "path = '/l'\ncookies = ['s']",
            "upstream.login.fields: is required",
        ),
        (
            "path = '/l'\nfields.a = 'b'",
            "upstream.login.cookies: is required",
        ),
        (
            "kind = 'basic'\npath = '/l'",
            "basic and header have no page",
        ),
        ("kind = 'header'", "needs one at least"),
        (
            "kind = 'basic'\nheaders.x = '1'",
            "belongs to kind = \"header\"",
        ),
        ("kind = 'ntlm'", "allowed: form, json, basic, header"),
        ("path = 'login'", "\"login\" must be a path of the app"),
        (
            "path = 'https://elsewhere/login'",
            "must be a path of the app",
        ),
        (
            "csrf = 'token'",
            "must be input:NAME, meta:NAME or cookie:NAME",
        ),
        ("success = ['200']", "must be status:NUMBER"),
        ("ended = ['status:99']", "must be status:NUMBER"),
        ("fields.a = '{csrf}'", "{csrf} needs csrf"),
        ("fields.a = '{id}'", "{id} is not known here"),
        ("fields.a = '{lgoin}'", "there is no \"lgoin\""),
        ("cookies = ['a=b']", "must be the name of a cookie"),
        ("cookies = ['*']", "must be the name of a cookie"),
    ] {
        let error = read(login).unwrap_err();
        assert!(error.contains(want), "{login}: {error}");
    }
}

#[test]
fn a_password_needs_a_connector_that_keeps_one() {
    let text = |connector: &str| {
        format!(
            "public_url = 'https://app.test'\nlocal.enabled = true\n[upstream]\nurl = 'http://127.0.0.1:1'\n\
             [upstream.login]\n{FORM}\n{connector}"
        )
    };
    let random = CONNECTOR.replace("{password}", "{random}");
    for (connector, ok) in [("", false), (random.as_str(), false), (CONNECTOR, true)] {
        let read = Settings::parse(&text(connector));
        assert_eq!(read.is_ok(), ok, "{connector}");
        if let Err(error) = read {
            let error = error.to_string();
            assert!(error.contains("write = \"{password}\""), "{error}");
        }
    }
}

#[test]
fn of_a_connector_that_cannot_be_read_only_that_is_told() {
    let text = |connector: &str| {
        format!(
            "public_url = 'https://app.test'\nlocal.enabled = true\n[upstream]\nurl = 'http://127.0.0.1:1'\n\
             [upstream.login]\n{FORM}\n{connector}"
        )
    };
    for (connector, want) in [
        (
            "[connector]\npreset = 'kanbord'",
            "connector.preset: there is no preset",
        ),
        (
            "[connector]\nfile = '/nowhere.toml'",
            "connector.file: /nowhere.toml",
        ),
        (
            "[connector]\npreset = 'kanboard'",
            "variable KANBOARD_BASIC is not set",
        ),
        (
            &CONNECTOR.replace("GET /users", "FETCH"),
            "connector.users.list",
        ),
        (
            &CONNECTOR.replace("{password}", "{pasword}"),
            "connector.users.fields",
        ),
        (
            "[connector]\nbase = 'https://x'",
            "connector.base: stands alone",
        ),
    ] {
        let error = Settings::parse(&text(connector)).unwrap_err().to_string();
        assert!(error.contains(want), "{connector}: {error}");
        assert!(!error.contains("upstream.login"), "{connector}: {error}");
    }
}

#[test]
fn commands_beside_the_server_need_none_of_its_variables() {
    let file = std::env::temp_dir().join(format!("sidegate-{}", crate::crypto::random_token()));
    let text = format!(
        "public_url = 'https://app.test'\nlocal.enabled = true\n[upstream]\nurl = 'http://127.0.0.1:1'\n\
         [upstream.login]\n{FORM}\nfields.key = '{{env.NOT_SET_HERE}}'\n[connector]\npreset = 'kanboard'\n"
    );
    std::fs::write(&file, text).unwrap();
    let (server, beside) = (Settings::load(&file), Settings::load_beside(&file));
    std::fs::remove_file(&file).unwrap();
    assert!(server.is_err());
    let beside = beside.unwrap();
    assert!(beside.upstream.login.is_none() && beside.connector.is_none());
}

#[test]
fn an_address_is_the_same_with_more_in_its_query() {
    let target = Target::parse("/?controller=Auth&action=login").unwrap();
    for (path, query, want) in [
        ("/", Some("controller=Auth&action=login"), true),
        ("/", Some("action=login&controller=Auth&next=%2Fx"), true),
        ("/", Some("controller=Dashboard&action=show"), false),
        ("/", None, false),
        ("/login", Some("controller=Auth&action=login"), false),
    ] {
        assert_eq!(target.is(path, query), want, "{path} {query:?}");
    }
    assert!(
        Target::parse("/login")
            .unwrap()
            .is("/login", Some("next=/"))
    );
}
