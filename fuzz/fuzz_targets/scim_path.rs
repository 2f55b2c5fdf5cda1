//! Whatever path comes: it is read or refused, and reads back as it is printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidegate::scim::Projection;
use sidegate::scim::filter::MAX_FILTER;
use sidegate::scim::path::{AttributePath, parse_target};

fuzz_target!(|text: &str| {
    let Ok((path, filter)) = parse_target(text) else {
        return;
    };
    let again: AttributePath = path.to_string().parse().expect("what is printed reads back");
    assert_eq!(again, path);
    assert_eq!(path.name.is_empty(), path.schema.as_deref().is_some_and(|urn| path.is_whole(urn)));
    drop(Projection::new(Some(text), Some(text)));
    let of = AttributePath { sub: None, ..path };
    let printed = filter.as_ref().map(|filter| format!("{of}[{filter}]"));
    if let Some(printed) = printed.filter(|printed| printed.len() <= MAX_FILTER) {
        let again = parse_target(&printed).expect("what is printed reads back");
        assert_eq!(again, (of, filter));
    }
});
