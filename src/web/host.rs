//! Hosts as requests name them, brought into one spelling (R16).

use std::net::{Ipv4Addr, Ipv6Addr};

/// Why a host was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HostError {
    /// Nothing.
    #[error("host is empty")]
    Empty,
    /// More than 253 bytes (RFC 1035 2.3.4).
    #[error("host is longer than 253 bytes")]
    TooLong,
    /// User information, white space, or whatever else no host holds.
    #[error("host holds a character that is not allowed")]
    Characters,
    /// Not a number below 65536.
    #[error("port is not a number")]
    Port,
    /// Brackets without an IPv6 address in them.
    #[error("brackets hold no IPv6 address")]
    Brackets,
}

/// Host and port of `Host` or an authority: lower case, without trailing dot; IPv6 in brackets and shortest form.
pub(super) fn read_host(text: &str) -> Result<(String, Option<u16>), HostError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, after) = rest.split_once(']').ok_or(HostError::Brackets)?;
        let address: Ipv6Addr = address.parse().map_err(|_not_v6| HostError::Brackets)?;
        let port = match after.strip_prefix(':') {
            Some(digits) => read_port(digits)?,
            None if after.is_empty() => None,
            None => return Err(HostError::Characters),
        };
        return Ok((format!("[{address}]"), port));
    }
    let (name, port) = match text.split_once(':') {
        Some((name, digits)) => (name, read_port(digits)?),
        None => (text, None),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        return Err(HostError::Empty);
    }
    if name.len() > 253 {
        return Err(HostError::TooLong);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if !name.bytes().all(allowed)
        || name.starts_with('.')
        || name.ends_with('.')
        || name.contains("..")
    {
        return Err(HostError::Characters);
    }
    // `127.1` and `0x7f.0.0.1` are addresses to some readers and names to others.
    let numeric = name
        .rsplit('.')
        .next()
        .is_some_and(|label| label.bytes().next().is_some_and(|b| b.is_ascii_digit()));
    if numeric && name.parse::<Ipv4Addr>().is_err() && is_number(name) {
        return Err(HostError::Characters);
    }
    Ok((name.to_ascii_lowercase(), port))
}

/// Whether the last label reads as a number, so that a URL parser takes the whole for an IPv4 address.
fn is_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    last.bytes().all(|byte| byte.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .or_else(|| last.strip_prefix("0X"))
            .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn read_port(digits: &str) -> Result<Option<u16>, HostError> {
    // RFC 3986 3.2.3: an empty port is the scheme's own.
    if digits.is_empty() {
        return Ok(None);
    }
    // `+80` is a number to Rust and to nobody else.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HostError::Port);
    }
    match digits.parse() {
        Ok(0) | Err(_) => Err(HostError::Port),
        Ok(port) => Ok(Some(port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r16_hosts_have_one_spelling() {
        for (text, want) in [
            ("app.test", Ok(("app.test", None))),
            ("APP.Test.", Ok(("app.test", None))),
            ("app.test:8443", Ok(("app.test", Some(8443)))),
            ("App.Test.:8443", Ok(("app.test", Some(8443)))),
            ("app.test:", Ok(("app.test", None))),
            ("127.0.0.1:80", Ok(("127.0.0.1", Some(80)))),
            ("[::1]", Ok(("[::1]", None))),
            ("[0:0::1]:81", Ok(("[::1]", Some(81)))),
            ("a_b.test", Ok(("a_b.test", None))),
            ("1a.2b", Ok(("1a.2b", None))),
            ("", Err(HostError::Empty)),
            (".", Err(HostError::Empty)),
            (":80", Err(HostError::Empty)),
            ("app.test..", Err(HostError::Characters)),
            (".app.test", Err(HostError::Characters)),
            ("a..b", Err(HostError::Characters)),
            ("app.test/x", Err(HostError::Characters)),
            ("ada@app.test", Err(HostError::Characters)),
            ("app.test, evil.test", Err(HostError::Characters)),
            ("app test", Err(HostError::Characters)),
            ("app.test\\x", Err(HostError::Characters)),
            ("äpp.test", Err(HostError::Characters)),
            ("127.1", Err(HostError::Characters)),
            ("0x7f.0.0.0x1", Err(HostError::Characters)),
            ("2130706433", Err(HostError::Characters)),
            ("app.test:0", Err(HostError::Port)),
            ("app.test:65536", Err(HostError::Port)),
            ("app.test:+80", Err(HostError::Port)),
            ("app.test:80:90", Err(HostError::Port)),
            ("::1", Err(HostError::Port)),
            ("[::1", Err(HostError::Brackets)),
            ("[app.test]", Err(HostError::Brackets)),
            ("[::1]x", Err(HostError::Characters)),
            ("[::1]:x", Err(HostError::Port)),
        ] {
            let got = read_host(text);
            assert_eq!(
                got.as_ref().map(|(host, port)| (host.as_str(), *port)),
                want.as_ref().copied(),
                "{text}"
            );
        }
        assert_eq!(read_host(&"a".repeat(254)), Err(HostError::TooLong));
    }
}
