use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::scim::{ScimError, ScimType};

fn read(text: &str) -> Filter {
    text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn why(text: &str) -> FilterError {
    text.parse::<Filter>().expect_err(text)
}

#[test]
fn what_the_rfc_gives_as_examples() {
    for text in [
        r#"userName eq "bjensen""#,
        r#"name.familyName co "O'Malley""#,
        r#"userName sw "J""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
        "title pr",
        r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified le "2011-05-13T04:42:34Z""#,
        r#"title pr and userType eq "Employee""#,
        r#"title pr or userType eq "Intern""#,
        r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
        r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType eq "Employee" and (emails.type eq "work")"#,
        r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
        r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
        "active eq true",
        "active ne false",
        "manager eq null",
        "x eq -7",
        "x ge 1.5",
    ] {
        let printed = read(text).to_string();
        let once = text.replace(r#"(emails.type eq "work")"#, r#"emails.type eq "work""#);
        assert_eq!(printed, once);
        assert_eq!(read(&printed), read(text));
    }
}

#[test]
fn lenient_forms_read_as_their_strict_ones() {
    for (text, strict) in [
        ("externalId eq jyoung", r#"externalId eq "jyoung""#),
        ("userName sw J", r#"userName sw "J""#),
        ("userName eq a@b.example", r#"userName eq "a@b.example""#),
        ("x eq 007", r#"x eq "007""#),
        (
            "x eq 12345678901234567890123",
            r#"x eq "12345678901234567890123""#,
        ),
        (
            "x eq 2026-11-22T09:30:00Z",
            r#"x eq "2026-11-22T09:30:00Z""#,
        ),
        ("active eq True", r#"active eq "True""#),
        ("x eq and", r#"x eq "and""#),
        ("USERNAME EQ \"a\"", r#"USERNAME eq "a""#),
        ("a PR AND b Pr oR c pR", "a pr and b pr or c pr"),
        ("not(a pr)", "not (a pr)"),
        ("NOT  ( a  pr ) ", "not (a pr)"),
        ("  (( a\teq \"b\" ))  ", r#"a eq "b""#),
        (r#"a eq"b"and(c pr)or d pr"#, r#"a eq "b" and c pr or d pr"#),
        ("emails[type eq work]", r#"emails[type eq "work"]"#),
        ("emails [ type eq work ]", r#"emails[type eq "work"]"#),
        (
            r#"emails[type eq "work"].value eq "x""#,
            r#"emails[type eq "work" and value eq "x"]"#,
        ),
        (
            "emails[type eq work].value pr and a pr",
            r#"emails[type eq "work" and value pr] and a pr"#,
        ),
        (
            "emails[a pr or b pr].value co x",
            r#"emails[(a pr or b pr) and value co "x"]"#,
        ),
        (
            "roles[primary eq true].value eq A",
            r#"roles[primary eq true and value eq "A"]"#,
        ),
        (r#"a eq "\"\\\u00e9\n""#, "a eq \"\\\"\\\\é\\n\""),
        ("(ActiVe eq true)", "ActiVe eq true"),
    ] {
        assert_eq!(read(text).to_string(), strict, "{text}");
        assert_eq!(read(text), read(strict), "{text}");
    }
}

#[test]
fn and_binds_more_than_or() {
    let tree = read("a pr or b pr and not (c pr) or (d pr or e pr)");
    let pr = |name: &str| Filter::Present(AttributePath::of(name, None));
    let want = Filter::Or(vec![
        pr("a"),
        Filter::And(vec![pr("b"), Filter::Not(Box::new(pr("c")))]),
        Filter::Or(vec![pr("d"), pr("e")]),
    ]);
    assert_eq!(tree, want);
}

#[test]
fn every_refusal_tells_where_and_why() {
    use FilterReason::*;
    for (text, at, reason) in [
        ("", 1, Attribute),
        ("  ", 3, Attribute),
        ("userName", 9, Operator),
        ("userName eq", 12, Value),
        ("userName xx \"a\"", 10, Operator),
        ("userName = \"a\"", 10, Operator),
        ("userName eq \"a", 13, Text),
        ("userName eq \"a\\", 13, Text),
        ("userName eq \"\\x\"", 13, Text),
        ("userName eq \"a\nb\"", 13, Text),
        ("userName eq {\"a\":1}", 14, Rest),
        ("userName eq [1]", 13, Value),
        ("userName eq \"a\" and", 20, Attribute),
        ("(userName eq \"a\"", 17, Parenthesis),
        ("userName eq \"a\")", 16, Rest),
        ("and userName eq \"a\"", 5, Operator),
        ("eq \"a\"", 4, Operator),
        ("emails[type eq \"work\"", 22, Bracket),
        ("emails[] ", 8, Attribute),
        ("emails[type pr", 15, Bracket),
        ("emails[type pr)", 15, Bracket),
        ("(type pr]", 9, Parenthesis),
        ("emails[type pr]value pr", 16, Rest),
        ("emails[type pr].value", 22, Operator),
        ("emails[type pr]. pr", 17, Attribute),
        ("emails[type pr].a.b pr", 17, Attribute),
        ("emails[type pr].not pr", 17, Attribute),
        ("emails[a[b pr]]", 9, Nested),
        ("a eq \"é\" b", 10, Rest),
        ("userName eq \"a\" userName eq \"b\"", 17, Rest),
        ("userName eq \"a\" xor title pr", 17, Rest),
        ("not userName eq \"a\"", 5, Not),
        ("not", 4, Not),
        ("\"userName\" eq \"a\"", 1, Attribute),
        ("a.b.c eq 1", 1, Attribute),
        ("title pr pr", 10, Rest),
        ("()", 2, Attribute),
        ("a pr or or b pr", 12, Operator),
        ("\0", 1, Attribute),
    ] {
        assert_eq!(why(text), FilterError { at, reason }, "{text}");
    }
    let error = ScimError::from(why("userName xx 1"));
    assert_eq!(error.scim_type, Some(ScimType::InvalidFilter));
    assert_eq!(
        error.detail,
        "filter, character 10: an operator is expected: eq, ne, co, sw, ew, pr, gt, ge, lt or le"
    );
}

#[test]
fn length_depth_and_count_have_limits() {
    let deep = |n: usize| "(".repeat(n) + "a pr" + &")".repeat(n);
    let nots = |n: usize| "not (".repeat(n) + "a pr" + &")".repeat(n);
    let within = |n: usize| "not (".repeat(n) + "e[a pr or b pr].c pr" + &")".repeat(n);
    let many = |n: usize| vec!["a pr"; n].join(" or ");
    let long = |n: usize| format!("a eq \"{}\"", "x".repeat(n - 7));
    for (text, reason) in [
        (deep(MAX_DEPTH), None),
        (deep(MAX_DEPTH + 1), Some(FilterReason::TooDeep)),
        (nots(MAX_DEPTH), None),
        (nots(MAX_DEPTH + 1), Some(FilterReason::TooDeep)),
        ("(".repeat(MAX_FILTER), Some(FilterReason::TooDeep)),
        (within(MAX_DEPTH - 2), None),
        (within(MAX_DEPTH - 1), Some(FilterReason::TooDeep)),
        (many(MAX_TERMS), None),
        (many(MAX_TERMS + 1), Some(FilterReason::TooMany)),
        (long(MAX_FILTER), None),
        (long(MAX_FILTER + 1), Some(FilterReason::TooLong)),
        (deep(1 << 19), Some(FilterReason::TooLong)),
    ] {
        let read = text.parse::<Filter>();
        if let Ok(filter) = &read {
            assert_eq!(&self::read(&filter.to_string()), filter);
        }
        let got = read.err().map(|error| error.reason);
        assert_eq!(got, reason, "{text:.40}");
    }
}

fn operator() -> impl Strategy<Value = Operator> {
    use Operator::*;
    prop::sample::select(vec![Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le])
}

fn path() -> impl Strategy<Value = AttributePath> {
    let text =
        "(urn:[a-z]{1,5}(:[a-z0-9.]{1,4}){1,3}:)?[a-zA-Z$_][a-zA-Z0-9_-]{0,4}(\\.[a-z$]{1,4})?";
    text.prop_map(|text| text.parse().unwrap())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::String),
        any::<i64>().prop_map(|n| json!(n)),
        (-1000..1000_i32).prop_map(|n| json!(f64::from(n) / 8.0)),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        path().prop_map(Filter::Present),
        (path(), operator(), value())
            .prop_map(|(path, op, value)| Filter::Compare(path, op, value)),
    ];
    let logic = |inner: BoxedStrategy<Filter>| {
        let many = prop::collection::vec(inner.clone(), 2..4).boxed();
        prop_oneof![
            many.clone().prop_map(Filter::And),
            many.prop_map(Filter::Or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
        .boxed()
    };
    let element = leaf.clone().prop_recursive(2, 8, 3, logic);
    let leaf = prop_oneof![
        leaf,
        (path(), element).prop_map(|(path, inner)| Filter::Element(path, Box::new(inner))),
    ];
    leaf.prop_recursive(4, 24, 3, logic)
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(filter in filter()) {
        let text = filter.to_string();
        prop_assume!(text.len() <= MAX_FILTER);
        prop_assert_eq!(read(&text), filter);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        if let Ok(filter) = text.parse::<Filter>() {
            prop_assert_eq!(read(&filter.to_string()), filter);
        }
    }

    #[test]
    fn words_of_filters_are_read_or_refused(
        words in prop::collection::vec(prop::sample::select(vec![
            "a", "urn:x:b", "eq", "pr", "and", "or", "not", "(", ")", "[", "].v", "]", "\"t\"", "\"", "1", "true", " ",
        ]), 0..24)
    ) {
        for text in [words.join(" "), words.concat()] {
            if let Ok(filter) = text.parse::<Filter>() {
                prop_assert_eq!(read(&filter.to_string()), filter);
            }
        }
    }
}
