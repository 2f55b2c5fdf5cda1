//! Entra's codes about people: their account, their password, what policies want of them.

use super::PortalField::{ConditionalAccess, ExternalUsers, SignInLogs, UsersAndGroups};
use super::row::{Row, both, nowhere};

/// The one that a person can do something about: ask to be assigned.
pub(super) const UNASSIGNED: u32 = 50105;

pub(super) const ERRORS: &[Row] = &[
    both(
        50014,
        "the guest has not accepted the invitation yet",
        ExternalUsers,
    ),
    both(
        50020,
        "the person is of another directory; invite them as a guest, or have them sign out there and take another account",
        ExternalUsers,
    ),
    both(
        50034,
        "the person is not in this directory; check the tenant in metadata_url or issuer",
        ExternalUsers,
    ),
    both(
        50053,
        "Entra locked the account, or blocks the network that the sign-in came from; its sign-in log says which",
        SignInLogs,
    ),
    nowhere(
        50055,
        "the person's password has expired; they change it at the idp",
    ),
    both(50057, "the account is disabled in Entra", SignInLogs),
    nowhere(
        50058,
        "nobody is signed in at the idp and it was not allowed to ask",
    ),
    both(
        50072,
        "the person has to set up a second factor at the idp first",
        ConditionalAccess,
    ),
    both(
        50074,
        "the person did not pass the second factor",
        ConditionalAccess,
    ),
    both(
        50076,
        "the person has to use a second factor, and did not",
        ConditionalAccess,
    ),
    both(
        50079,
        "the person has to set up a second factor at the idp first",
        ConditionalAccess,
    ),
    both(
        50097,
        "a policy wants a device that Entra knows",
        ConditionalAccess,
    ),
    both(
        50105,
        "the person is not assigned to the enterprise application; assign them or a group of theirs (nested groups do not count)",
        UsersAndGroups,
    ),
    both(50126, "wrong user name or password at the idp", SignInLogs),
    both(
        50131,
        "a policy of the idp blocks this sign-in",
        ConditionalAccess,
    ),
    nowhere(
        50132,
        "the person's session at the idp ended because the password changed; they start again",
    ),
    nowhere(
        50133,
        "the person's session at the idp ended because the password changed; they start again",
    ),
    nowhere(
        50140,
        "the person was asked whether to stay signed in and did not answer",
    ),
    nowhere(
        50144,
        "the person's password in Active Directory has expired",
    ),
    both(
        50158,
        "another check that the idp demands was not passed",
        ConditionalAccess,
    ),
    nowhere(
        50173,
        "the person's sign-ins were revoked; they start again",
    ),
    both(
        51004,
        "the person is not in this directory; check the tenant in metadata_url or issuer",
        ExternalUsers,
    ),
    both(
        53000,
        "a policy wants a device that complies, and this one does not",
        ConditionalAccess,
    ),
    both(
        53001,
        "a policy wants a device of the domain",
        ConditionalAccess,
    ),
    both(53002, "a policy wants an approved app", ConditionalAccess),
    both(
        53003,
        "a policy blocks this sign-in; the idp's sign-in log names it",
        ConditionalAccess,
    ),
    both(
        53004,
        "the person has to set up a second factor at the idp first",
        ConditionalAccess,
    ),
    both(
        500_212,
        "the person's own organisation does not let them sign in here",
        ExternalUsers,
    ),
    both(
        500_213,
        "this directory does not let people of that organisation in",
        ExternalUsers,
    ),
    both(
        530_035,
        "the security defaults block this sign-in",
        ConditionalAccess,
    ),
];
