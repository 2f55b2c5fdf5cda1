//! Single logout (Profiles 4.4): ours is told to the idp, the idp's is told to us.

mod call;
mod carry_out;
mod receive;

/// Wherever there is a key: AD FS takes no others.
const SIGNED: bool = true;
