//! What each check of a sign-in would say, and what nobody but the running server knows.

use super::assertion::opened;
use super::certificate::in_words;
use super::finding::{Finding, State};
use super::{Fact, Question, Report, detail, distance};
use crate::clock::Timestamp;
use crate::saml::metadata::IdpMetadata;
use crate::saml::once::UsedAssertions;
use crate::saml::refusal::Check;
use crate::saml::screen::Screened;
use crate::saml::service::Party;
use crate::saml::shown::{MAX, shown};
use crate::saml::time::{SKEW, moment_of};
use crate::saml::verify::{Expected, MAX_AGE, Trust, rehearse};
use crate::saml::xml::{ASSERTION, attribute, optional, text};

/// The idp that the message is of: the only one that there is, or the one whose metadata or address it names.
pub(super) fn party<'a>(screened: &Screened<'_>, question: &Question<'a>) -> Option<&'a Party> {
    if let [only] = question.parties {
        return Some(only);
    }
    let root = screened.root();
    let destination = attribute(root, "Destination").unwrap_or_default();
    let issuer = optional(root, ASSERTION, "Issuer").ok().flatten();
    let issuer = issuer.and_then(|issuer| text(issuer).ok());
    let at = question.at.unwrap_or(question.now);
    let sends_to = |party: &&Party| party.acs.iter().any(|acs| acs == destination);
    let is_of = |party: &&Party| {
        let known = party.metadata(at).ok();
        known.is_some_and(|(known, _)| Some(&known.entity_id) == issuer.as_ref())
    };
    let parties = || question.parties.iter();
    parties().find(sends_to).or_else(|| parties().find(is_of))
}

/// Fills in the second half of the report.
pub(super) fn run(
    report: &mut Report,
    field: &str,
    screened: &Screened<'_>,
    party: Option<&Party>,
    question: &Question<'_>,
) {
    let Some(party) = party else {
        "Its form is let through. For the other checks name a configuration with this idp: --config FILE, and --idp NAME where there are several."
            .clone_into(&mut report.conclusion);
        return;
    };
    let (at, as_of) = as_of(screened, question);
    report.as_of = Some(as_of);
    report.against = ours(party, at);
    let (known, from) = match party.metadata(at) {
        Ok(found) => found,
        Err(why) => {
            let finding = Finding::new(
                State::Unknown,
                "signature",
                format!("the idp's metadata is not at hand: {why}"),
            );
            report.checks.push(finding);
            "Its form is let through. Without the idp's metadata nobody knows its keys, so there is nothing more to check."
                .clone_into(&mut report.conclusion);
            return;
        }
    };
    report.against.extend(theirs(&known, from, at));
    let destination = attribute(screened.root(), "Destination");
    let acs = party
        .acs
        .iter()
        .find(|acs| Some(acs.as_str()) == destination);
    let acs = acs.or(party.acs.first()).map_or("", String::as_str);
    let trust = party.trust(&known);
    let requests = request(screened, &trust);
    let open = requests.as_deref();
    let expected = Expected {
        entity_id: &party.entity_id,
        acs,
        requests: open.as_slice(),
        idp_initiated: party.idp_initiated,
        signed_response: party.signed_response,
        authn_context: &party.authn_context,
        used: &UsedAssertions::default(),
        now: at,
    };
    let outcomes = rehearse(field, &trust, &expected);
    for outcome in &outcomes {
        report.checks.extend(Finding::of(outcome, party));
        if outcome.part.is_none() {
            report
                .checks
                .extend(detail::of(screened, outcome, &trust, at));
        }
    }
    conclude(report);
    if outcomes.iter().all(|outcome| outcome.part.is_some()) {
        report.checks.extend(unknown(open));
    }
}

/// A message that was captured long ago is judged as of its own time: that it is too old now says nothing.
fn as_of(screened: &Screened<'_>, question: &Question<'_>) -> (Timestamp, String) {
    if let Some(at) = question.at {
        return (at, format!("{}, as asked for", at.to_rfc3339()));
    }
    let now = question.now;
    let issued = moment_of(screened.root(), "IssueInstant", Check::IssueInstant);
    match issued.ok().flatten() {
        Some(issued) if issued.plus(MAX_AGE).plus(SKEW) < now => {
            let (at, distance) = (issued.to_rfc3339(), distance(issued, now));
            let why = format!(
                "{at}, when it says that it was issued ({distance}); now it would be too old"
            );
            (issued, why)
        }
        _ => (now, format!("{}, which is now", now.to_rfc3339())),
    }
}

fn ours(party: &Party, at: Timestamp) -> Vec<Fact> {
    let on = |on| if on { "yes" } else { "no" };
    let mut facts = vec![
        Fact::new("idp", party.idp.as_str()),
        Fact::new("our entity id (audience)", &party.entity_id),
    ];
    let acs = party.acs.iter();
    facts.extend(acs.map(|acs| Fact::new("our address (destination, recipient)", acs)));
    let certificate = party.certificate().map(|its| in_words(its.der(), at));
    facts.extend(certificate.map(|its| Fact::new("our certificate", its)));
    facts.push(Fact::new("idp_initiated", on(party.idp_initiated)));
    facts.push(Fact::new("signed_response", on(party.signed_response)));
    facts
}

fn theirs(known: &IdpMetadata, from: &str, at: Timestamp) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("the idp's metadata", from),
        Fact::new("the idp's entity id (issuer)", &known.entity_id),
    ];
    let keys = known.certificates.iter();
    facts.extend(keys.map(|key| Fact::new("the idp signs with", in_words(key.der(), at))));
    facts
}

/// The request that it says it answers: whether that is one of ours cannot be known here.
fn request(screened: &Screened<'_>, trust: &Trust<'_>) -> Option<String> {
    let root = screened.root();
    if let Some(outer) = attribute(root, "InResponseTo") {
        return Some(outer.to_owned());
    }
    if let Some(sealed) = optional(root, ASSERTION, "EncryptedAssertion")
        .ok()
        .flatten()
    {
        let plaintext = opened(sealed, trust).ok()?;
        let screened = Screened::assertion(&plaintext).ok()?;
        return inner_request(screened.root());
    }
    inner_request(root)
}

fn inner_request(node: roxmltree::Node<'_, '_>) -> Option<String> {
    let mut data = node
        .descendants()
        .filter(|node| node.tag_name().name() == "SubjectConfirmationData");
    data.find_map(|data| attribute(data, "InResponseTo").map(str::to_owned))
}

fn conclude(report: &mut Report) {
    let failed = report.checks.iter();
    let failed = failed.filter(|its| its.state == State::Refused);
    let mut failed: Vec<_> = failed.map(|its| its.check.as_str()).collect();
    failed.dedup();
    report.refused = !failed.is_empty();
    report.conclusion = if failed.is_empty() {
        "Every check that can be made here holds.".to_owned()
    } else {
        format!("Would be refused: {}.", failed.join(", "))
    };
}

/// What only the running server knows.
fn unknown(request: Option<&str>) -> Vec<Finding> {
    let request = request.map(|request| {
        let request = shown(request, MAX);
        let about = format!(
            "whether the browser that brought it was sent with {request}: only the running server knows"
        );
        Finding::new(State::Unknown, Check::InResponseTo.as_str(), about)
    });
    let replay = Finding::new(
        State::Unknown,
        Check::Replay.as_str(),
        "whether it was used before: only the running server knows",
    );
    request.into_iter().chain([replay]).collect()
}
